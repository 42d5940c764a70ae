package config

// Cluster says how a cluster is reached. It has exactly one of kubeconfig, kubeconfigSecret and eks.
type Cluster struct {
	// Kubeconfig reaches the cluster by a context of a kubeconfig file.
	Kubeconfig *Kubeconfig `yaml:"kubeconfig"`

	// KubeconfigSecret reaches it by a kubeconfig in a Secret, which needn't be mounted.
	KubeconfigSecret *KubeconfigSecret `yaml:"kubeconfigSecret"`

	// EKS reaches an EKS cluster by its name, without any kubeconfig.
	EKS *EKS `yaml:"eks"`
}

// Kubeconfig names a cluster by a context in a kubeconfig file.
type Kubeconfig struct {
	// Path is the kubeconfig file. A relative path starts at the daemon's working folder.
	Path string `yaml:"path" required:"true"`

	// Context is the context to use. Empty uses the file's current-context.
	Context string `yaml:"context"`
}

// KubeconfigSecret names a cluster by a kubeconfig in a Secret of the management cluster, in the journal's namespace. The
// Secret is read through the API; while the cluster can't be reached it is read again, so that a rotated one is taken over.
// Its kubeconfig names no files and no exec plugin.
type KubeconfigSecret struct {
	// Name is the Secret's name.
	Name string `yaml:"name" required:"true"`

	// Key is the key in the Secret that holds the kubeconfig.
	Key string `yaml:"key" default:"kubeconfig"`

	// Context is the context to use. Empty uses the kubeconfig's current-context.
	Context string `yaml:"context"`
}

// EKS names a cluster of Amazon EKS. The daemon asks EKS for its address, and makes its tokens by itself.
type EKS struct {
	// Name is the cluster's name.
	Name string `yaml:"name" required:"true"`

	// Region is the cluster's region.
	Region string `yaml:"region" derived:"aws.region"`

	// RoleARN is the role that is assumed to find the cluster and to be known in it. Empty is the daemon's own identity.
	RoleARN string `yaml:"roleARN"`
}
