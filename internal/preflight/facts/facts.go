// Package facts holds what a preflight gathered of a pair: plain values, with
// what could not be read named as a gap. Nothing here talks to anybody.
package facts

import (
	"cmp"
	"slices"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Scope says how much of a pair is looked at.
type Scope string

// The scopes.
const (
	// Full reads every object of every served kind.
	Full Scope = "full"
	// Brief reads what may change in the middle of a shift and is cheap: workloads,
	// entrances, versions.
	Brief Scope = "brief"
)

// Facts are all that is known of one pair.
type Facts struct {
	Pair  string
	Scope Scope
	// At is when the gathering began.
	At       time.Time
	Settings Settings
	Blue     Cluster
	Green    Cluster
	// Traffic is what AWS tells of the declared entrances.
	Traffic Traffic
	// Metrics is what the Prometheus servers of both clusters tell.
	Metrics Metrics
	// Management has the Argo CD Applications of the management cluster, and
	// nothing else of it. It has no side.
	Management Cluster
}

// Side gives one of the two clusters.
func (f *Facts) Side(s shift.Side) *Cluster {
	if s == shift.Blue {
		return &f.Blue
	}
	return &f.Green
}

// Cluster is what was read of one cluster. Maps are never nil after a gather.
type Cluster struct {
	Side shift.Side
	// Name is for people: the EKS name or the context.
	Name string
	// Address is the URL of its API server; empty: it is not known.
	Address string
	// Fault says why nothing at all could be read; empty: something was.
	Fault string
	// Gaps are what could not be read, each with its why.
	Gaps []Gap
	// Kinds are all that the API server serves and lists, one for each group and
	// kind, in the version that was read.
	Kinds []Kind
	// Undiscovered are groups of which the API server could not tell, wholly or in
	// part, what it serves: a kind that isn't in Kinds may be there all the same.
	Undiscovered map[string]struct{}
	// Objects names every object of each kind whose list was read whole. A kind
	// with a gap has no entry, so that a missing key never means "none". Nor has a
	// kind that isn't listed on purpose: what LeftOutWhole names, Secrets with
	// SecretsOff, kinds that the cluster serves in a second group, and in a brief
	// scope all that no check needs.
	Objects map[GroupKind]map[Name]struct{}

	Versions  Versions
	Workloads Workloads
	Settled   Settled
	Network   Network
	APIs      APIs
	// Identities is how pods get their rights at AWS.
	Identities Identities
	CRDs       map[string]CRD
	Argo       Argo
	Queries    []Query
	// Retiring is read in a scope of Retire alone.
	Retiring Retiring
}

// Gap is something that could not be read. It becomes a finding: what was not
// checked is never fine.
type Gap struct {
	// What is a short stable name: "secrets", "widgets.example.com", "/metrics".
	What string
	// Why is a sentence's end, made for people.
	Why string
	// Optional: the check does without it, worse. It warns instead of blocking.
	Optional bool
	// Do is what to do, where it isn't a right in the cluster that is lacking.
	Do string
}

// Note adds a gap.
func (c *Cluster) Note(g Gap) { c.Gaps = append(c.Gaps, g) }

// GroupKind names a kind of objects without its version, as
// apimachinery's schema.GroupKind does.
type GroupKind struct {
	Group string
	Kind  string
}

// String gives kubectl's notation: Deployment.apps, ConfigMap.
func (k GroupKind) String() string {
	if k.Group == "" {
		return k.Kind
	}
	return k.Kind + "." + k.Group
}

// Kind is one kind that an API server serves.
type Kind struct {
	GroupKind
	// Version is the one that was read, the server's preferred one. Served are all.
	Version    string
	Served     []string
	Resource   string // plural, as in the URL
	Namespaced bool
}

// Name is an object's place within its kind. Namespace is empty for what has none.
type Name struct {
	Namespace string
	Name      string
}

// String gives namespace/name.
func (n Name) String() string {
	if n.Namespace == "" {
		return n.Name
	}
	return n.Namespace + "/" + n.Name
}

// Compare orders names by namespace, then name.
func (n Name) Compare(o Name) int {
	return cmp.Or(cmp.Compare(n.Namespace, o.Namespace), cmp.Compare(n.Name, o.Name))
}

// Object names one object.
type Object struct {
	GroupKind
	Name
}

// Serves finds a served kind; nil: the cluster doesn't serve it.
func (c *Cluster) Serves(k GroupKind) *Kind {
	i := slices.IndexFunc(c.Kinds, func(s Kind) bool { return s.GroupKind == k })
	if i < 0 {
		return nil
	}
	return &c.Kinds[i]
}

// Has tells whether an object is there. known is false where its kind's list
// was not read.
func (c *Cluster) Has(k GroupKind, n Name) (there, known bool) {
	list, known := c.Objects[k]
	_, there = list[n]
	return there, known
}
