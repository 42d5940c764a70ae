package config

import "time"

// APIVersion is the one version of the document this release reads.
const APIVersion = "clusterswitch.io/v1alpha1"

// Config is the whole document.
//
// Nobody changes it after Load or Parse returned it, so goroutines may share it.
type Config struct {
	// File names where the document was read from.
	File string `yaml:"-"`

	// Digest is the SHA-256 of the document in hex: two Configs of the same digest came from the same text.
	Digest string `yaml:"-"`

	// APIVersion says which version of this reference the document is written for.
	APIVersion string `yaml:"apiVersion" required:"true" oneof:"clusterswitch.io/v1alpha1" env:"-"`

	// Interval is how often each pair is looked at. A request for a rollback does not wait for it.
	Interval time.Duration `yaml:"interval" default:"10s" range:"1s..5m"`

	// Listen is the address, host:port or :port, that serves metrics, health and the web page. Empty serves nothing.
	Listen string `yaml:"listen" default:":8080"`

	// HandsOff stops every write of the daemon, for all pairs, rollbacks too. It goes on looking and reporting.
	HandsOff bool `yaml:"handsOff"`

	// Web says who may see the web page.
	Web Web `yaml:"web"`

	// Log says what is logged, and how.
	Log Log `yaml:"log"`

	// AllowLinkLocal lists link-local addresses that probes, gates, loads and preflights may connect to, such as 169.254.20.10 or
	// 169.254.20.0/24. All others are refused, whatever name leads there: at those hosts give out credentials (docs/security.md).
	AllowLinkLocal []string `yaml:"allowLinkLocal"`

	// Debug says how the daemon itself can be looked into.
	Debug Debug `yaml:"debug"`

	// AWS says how AWS is reached. Credentials come from the SDK's usual chain, never from this file.
	AWS AWS `yaml:"aws"`

	// Journal says where the daemon keeps what it decided.
	Journal Journal `yaml:"journal"`

	// LeaderElection says how several daemons agree on the one that writes.
	LeaderElection LeaderElection `yaml:"leaderElection"`

	// Runbook says where the way back by hand is written, besides the management cluster.
	Runbook Runbook `yaml:"runbook"`

	// Notifications say who is told of what happens, besides Kubernetes Events.
	Notifications []Notification `yaml:"notifications"`

	// Pairs are the blue and green clusters to shift between. Each goes its own way.
	Pairs []Pair `yaml:"pairs" required:"true"`
}

// Debug says how the daemon itself can be looked into.
type Debug struct {
	// Pprof serves profiles of the daemon at /debug/pprof/, for go tool pprof. Nobody is asked who he is.
	Pprof bool `yaml:"pprof"`

	// Listen is the address, host:port, that serves them; only the daemon's own machine or pod reaches the default (kubectl
	// port-forward does). The same text as in the key listen at the top serves them there.
	Listen string `yaml:"listen" default:"127.0.0.1:6060"`
}

// Web says who may see the web page that Listen serves. It only shows: nothing can be changed there.
type Web struct {
	// Access is token: whoever has a Kubernetes bearer token of the management cluster and the right to get trafficswitches in
	// the journal's namespace; open: everybody who reaches the address; or off: there is no page. Where the
	// journal is in a directory nobody knows tokens, and only open shows the page.
	Access string `yaml:"access" default:"token" oneof:"token open off"`
}

// Log says what is logged, and how.
type Log struct {
	// Level is the lowest level that is logged.
	Level string `yaml:"level" default:"info" oneof:"debug info warn error"`

	// Format is json for machines or console for people.
	Format string `yaml:"format" default:"json" oneof:"json console"`
}

// AWS says how AWS is reached.
type AWS struct {
	// Region is the region of the load balancers and of CloudWatch. Empty leaves it to the SDK: AWS_REGION or the
	// shared profile. Without any the daemon does not start.
	Region string `yaml:"region"`

	// EndpointURL sends every AWS call to one address instead of AWS's own. It is for tests and the sandbox.
	EndpointURL string `yaml:"endpointURL"`

	// Budget keeps the daemon's calls below AWS's own limits, and some of them free for rollbacks.
	Budget Budget `yaml:"budget"`
}

// Budget bounds the daemon's calls to AWS: for each account, and for each region where the service has regions. Each call
// takes a token, the repetition of a call too. A rollback is never held back.
type Budget struct {
	// Route53 bounds the calls to Route 53.
	Route53 Route53Budget `yaml:"route53"`

	// ELB bounds the calls to Elastic Load Balancing.
	ELB ELBBudget `yaml:"elb"`
}

// Route53Budget bounds the calls to Route 53. Its defaults are AWS's limits for an account.
type Route53Budget struct {
	// PerSecond is how many tokens come back each second.
	PerSecond int `yaml:"perSecond" default:"10" range:"1..1000"`

	// Burst is how many tokens there are at most. It is more than reserve.
	Burst int `yaml:"burst" default:"50" range:"1..10000"`

	// Reserve is how many of the tokens only rollbacks may take.
	Reserve int `yaml:"reserve" default:"10" range:"0..10000"`
}

// ELBBudget bounds the calls to Elastic Load Balancing. Its defaults are AWS's limits for an account and region.
type ELBBudget struct {
	// PerSecond is how many tokens come back each second.
	PerSecond int `yaml:"perSecond" default:"10" range:"1..1000"`

	// Burst is how many tokens there are at most. It is more than reserve.
	Burst int `yaml:"burst" default:"40" range:"1..10000"`

	// Reserve is how many of the tokens only rollbacks may take.
	Reserve int `yaml:"reserve" default:"10" range:"0..10000"`
}

// Journal says where the daemon keeps what it decided: a custom resource for each pair in the management cluster, or files of
// a directory.
type Journal struct {
	// Directory keeps a file for each pair in this directory, and nothing in a management cluster: for a daemon on a machine
	// of its own. It is an absolute path on a disk that outlives the machine's restart; one daemon at a time uses it. Without
	// a management cluster no cluster can be named by a kubeconfigSecret. Empty keeps the journal in the management cluster.
	Directory string `yaml:"directory"`

	// Kubeconfig reaches the management cluster. Without it the daemon uses the cluster it runs in. It is not for directory.
	Kubeconfig *Kubeconfig `yaml:"kubeconfig"`

	// Namespace holds the custom resources. It is not for directory.
	Namespace string `yaml:"namespace" default:"clusterswitch"`
}

// Runbook says where the way back by hand is written: for each pair with a shift under way the AWS CLI commands that give
// blue all traffic. The daemon always writes them beside the journal: into the ConfigMap clusterswitch-runbook-PAIR, or into
// the file PAIR.runbook.md of the journal's directory.
type Runbook struct {
	// Dir is a folder for a file PAIR.md as well, such as a mounted volume: for the day when the management cluster is down.
	// A relative path starts at the daemon's working folder. Empty writes none.
	Dir string `yaml:"dir"`
}
