package facts

// Versions is what runs the cluster itself.
type Versions struct {
	// Server is the API server's gitVersion, such as v1.34.2-eks-1a2b3c4. Empty:
	// it is not known.
	Server string
	// Emulated is the minor that the server emulates, where /version tells one
	// that differs from its own; 0: none.
	Emulated int
	// Nodes counts the nodes that are alike. It is nil where they were not read.
	Nodes map[Node]int
	// Addons are well-known parts of a cluster that were found among its workloads.
	Addons []Addon
}

// Node is what nodes have in common with each other.
type Node struct {
	Kubelet string // version
	// Runtime is as the node tells it, such as containerd://2.1.4.
	Runtime string
	OS      string // linux, windows
	Image   string // the name of the operating system's image
	Arch    string // amd64, arm64
	// Ready: its kubelet says that it takes pods. Cordoned: somebody said that it
	// takes no new ones.
	Ready, Cordoned bool
	// Auto: EKS Auto Mode runs it, with what other nodes need add-ons for.
	Auto bool
}

// Addon is one workload that runs a well-known part of a cluster.
type Addon struct {
	// ID is a short token, such as coredns, and Title the name for people.
	ID     string
	Title  string
	Object Object
	// Image is that of the container by which it was recognised, whole.
	Image string
	// Version is the image's tag, or else the version that its labels tell; empty:
	// neither tells one.
	Version string
	// Off: it is scaled to zero.
	Off bool
}
