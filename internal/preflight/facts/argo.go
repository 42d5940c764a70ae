package facts

// Argo has the Argo CD Applications of a cluster.
type Argo struct{}
