package facts

// Argo has the Argo CD Applications of a cluster.
type Argo struct {
	// Served: the cluster knows Applications.
	Served       bool
	Applications []Application
	// Sets are the ApplicationSets that report an error.
	Sets []ApplicationSet
}

// Application is one Application of Argo CD.
type Application struct {
	Name
	UID string
	// Set is the ApplicationSet that made it; empty: none did.
	Set         string
	Project     string
	Destination Destination
	Sources     []ArgoSource
	// Sync is Synced, OutOfSync, Unknown; Health is Healthy, Progressing, Degraded,
	// Suspended, Missing, Unknown. Empty: nobody wrote it yet.
	Sync   string
	Health string
	// HealthMessage is Argo CD's own, mostly empty.
	HealthMessage string
	// Operation is Running, Terminating, Failed, Error or Succeeded for the
	// operation under way or else the last one; empty: there was none.
	Operation        string
	OperationMessage string
	// Errors are the conditions that tell of an error, with their messages.
	Errors []ArgoError
	// Stale: the status compares another source than the one that is asked for now.
	Stale bool
	// Deleting: it is being deleted.
	Deleting bool
}

// Destination is where an Application deploys to. It names the cluster by its
// API server's URL or by its name in Argo CD.
type Destination struct {
	Server    string
	Cluster   string
	Namespace string
}

// ArgoSource is where the manifests of an Application come from.
type ArgoSource struct {
	Repo     string
	Path     string
	Chart    string
	Revision string
}

// ArgoError is a condition that tells of an error.
type ArgoError struct {
	Type    string
	Message string
}

// ApplicationSet is one ApplicationSet of Argo CD that reports an error.
type ApplicationSet struct {
	Name
	UID     string
	Message string
}
