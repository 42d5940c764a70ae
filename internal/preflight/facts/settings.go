package facts

// Settings are the configuration's wishes for the checks.
type Settings struct {
	// ReplicasAtLeast is green's ready replicas as a percentage of blue's, 0 to 100.
	ReplicasAtLeast int
	// Pinned: the shift raises the floors of green's autoscalers to what each share
	// needs.
	Pinned bool
	// Standby: green has all traffic, so that what reaches only one side is worse.
	Standby bool
	// Ignore leaves objects out of the comparison.
	Ignore []Ignore
	// Secrets says how Secrets are compared.
	Secrets SecretsMode
	// Probes are the pair's probes.
	Probes []Probe
	// Entrances are objects of blue that people declared as served by `traffic`.
	Entrances []Object
	// Queries are PromQL expressions that people named, and later those of gates: each
	// with Name and Expression.
	Queries []Query
	// Namespaces are those whose workloads count. Empty: all.
	Namespaces []string
	// IgnoreWorkloads are workloads that don't count, as namespace/name, where the
	// name may have the wildcards of path.Match.
	IgnoreWorkloads []string
	// Argo says how Argo CD knows the clusters.
	Argo ArgoSettings
	// Metrics says which metrics are compared.
	Metrics MetricsSettings
}

// ArgoSettings say how Argo CD knows the clusters.
type ArgoSettings struct {
	// Blue and Green are the clusters' names, ARNs or servers in destinations,
	// besides the API server's address, which is known anyway. None is empty.
	Blue  []string
	Green []string
}

// SecretsMode says how Secrets are compared.
type SecretsMode string

// The modes.
const (
	SecretsOff     SecretsMode = "off"     // not read at all
	SecretsNames   SecretsMode = "names"   // by name; contents are read of Helm's releases only
	SecretsDigests SecretsMode = "digests" // by a digest with a key that lives as long as one preflight
)

// Ignore is a pattern of objects to leave out. Each part may have the wildcards
// of path.Match; an empty part matches everything.
type Ignore struct {
	Group     string
	Kind      string
	Namespace string
	Name      string
}

// Probe is one configured probe.
type Probe struct {
	Name string
	// Kind is http, tcp, tls or service.
	Kind string
	// Address is host:port that is dialled, URL what is asked; empty where the
	// kind has none.
	Address string
	URL     string
	// Addresses are the IP addresses that Address leads to.
	Addresses []string
	// Host is the Host header that is sent; empty: that of URL.
	Host string
	// Headers are the names of further headers that are sent.
	Headers []string
}
