package facts

// Versions is what runs the cluster itself.
type Versions struct {
	// Server is the API server's gitVersion, such as v1.34.2-eks-1a2b3c4. Empty:
	// it is not known.
	Server string
	// Emulated is the minor that the server emulates, where /version tells one
	// that differs from its own; 0: none.
	Emulated int
	// Kubelets counts the nodes by their kubelet's version.
	Kubelets map[string]int
}
