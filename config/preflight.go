package config

import "time"

// Preflight says how it is checked, before any user is sent to green, that green has all that blue has and will work
// on green's version of Kubernetes.
type Preflight struct {
	// Mode is block, which keeps users on blue as long as a finding of severity block is neither mended nor waived;
	// warn, which only says so; or off, which looks at nothing.
	Mode string `yaml:"mode" default:"block" oneof:"block warn off"`

	// Every is how often the daemon looks again: in full while an attempt waits for its first users, briefly during the
	// shift. Green rises on no look that is older than this and timeout together.
	Every time.Duration `yaml:"every" default:"10m" range:"10s..24h"`

	// Timeout is how long the reading of one cluster may take. What was not read by then counts as not checked.
	Timeout time.Duration `yaml:"timeout" default:"5m" range:"1s..1h"`

	// Secrets says how Secrets are compared: names, by their names; digests, by digests of their contents too, with a key
	// that is thrown away afterwards; off, not at all. Contents are never written anywhere.
	Secrets string `yaml:"secrets" default:"names" oneof:"names digests off"`

	// Ignore leaves objects out of the comparison, besides those that each cluster makes for itself.
	Ignore []PreflightIgnore `yaml:"ignore"`

	// Entrances are objects of blue that look like ways in of their own and that traffic serves all the same, by another load
	// balancer in front of them for instance, or that no users come by. Each is otherwise a finding that blocks.
	Entrances []PreflightEntrance `yaml:"entrances"`

	// ArgoCD says where Argo CD's Applications are, and how they name the clusters.
	ArgoCD PreflightArgoCD `yaml:"argocd"`
	// Metrics says how the metrics in use are compared.
	Metrics PreflightMetrics `yaml:"metrics"`

	// Waivers take the force of single findings for a time.
	Waivers []Waiver `yaml:"waivers"`
}

// PreflightIgnore is a pattern of objects that are not compared. Each key may have the wildcards * and ?; one that is empty
// matches everything. At least one is not.
type PreflightIgnore struct {
	// Group is the API group, such as apps.
	Group string `yaml:"group"`

	// Kind is the kind, such as ConfigMap.
	Kind string `yaml:"kind"`

	// Namespace is the object's namespace.
	Namespace string `yaml:"namespace"`

	// Name is the object's name.
	Name string `yaml:"name"`
}

// Waiver takes the force of one finding.
type Waiver struct {
	// ID is the finding's id, as the report gives it.
	ID string `yaml:"id" required:"true"`

	// Reason says why the finding may stand. It is kept in the report.
	Reason string `yaml:"reason" required:"true"`

	// Until is the first day, in UTC, on which the waiver no longer counts: 2027-01-31.
	Until string `yaml:"until" required:"true"`
}
