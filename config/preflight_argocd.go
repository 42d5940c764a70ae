package config

// PreflightArgoCD says where Argo CD's Applications are, and how they name the clusters. Those that deploy to green must be
// synced and healthy. Applications that are kept in blue or green are found by themselves.
type PreflightArgoCD struct {
	// Management looks for Applications in the management cluster too, where the journal is. Without Argo CD there it does
	// nothing. It needs the right to list applications and applicationsets of argoproj.io. With journal.directory there is no
	// management cluster, and it is false.
	Management bool `yaml:"management" default:"true"`

	// Namespaces are those of the management cluster with Applications. An empty list looks at all.
	Namespaces []string `yaml:"namespaces" default:"[argocd]"`

	// BlueDestination is how Applications name blue: the name or the server of their destination. It is needed where that is
	// neither the API server's address nor the cluster's name at EKS, its ARN or its context.
	BlueDestination string `yaml:"blueDestination"`

	// GreenDestination is how Applications name green, in the same way.
	GreenDestination string `yaml:"greenDestination"`
}
