// Package finding holds what a preflight found: findings with stable ids, their
// waivers, and the report that people read, compare and keep.
package finding

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Severity says what a finding does to the shift.
type Severity string

// The severities, the worst first.
const (
	Block Severity = "block" // no user is sent to green before it is mended or waived
	Warn  Severity = "warn"  // a person should know
	Note  Severity = "note"  // for the record
)

// Severities lists them, the worst first.
func Severities() []Severity { return []Severity{Block, Warn, Note} }

func (s Severity) rank() int { return slices.Index(Severities(), s) }

// Code is the kind of a finding, a CamelCase token that never changes its
// meaning. Each check documents its own.
type Code string

// Doc explains one code to the person who reads it.
type Doc struct {
	Code    Code
	Meaning string
	// Do is what a person can do.
	Do string
}

// Finding is one thing that green lacks, or that could not be checked.
type Finding struct {
	// ID is stable from run to run: it names code, object and place, and no value
	// that may change. A waiver names it.
	ID string `json:"id"`
	// Code is the kind of the finding, from the table of codes.
	Code Code `json:"code"`
	// Check is the name of the check that found it.
	Check string `json:"check"`
	// Severity is block, warn or note.
	Severity Severity `json:"severity"`
	// Side is blue or green: where the object is, or is lacking; absent: neither.
	Side shift.Side `json:"side,omitempty"`
	// Object is what the finding is about.
	Object Object `json:"object"`
	// Message is one sentence: what is so, in both clusters.
	Message string `json:"message"`
	// Do is what to do.
	Do string `json:"do"`
	// Waived is the waiver that names the finding; absent: none does.
	Waived *Waived `json:"waived,omitempty"`
}

// Object is what a finding is about.
type Object struct {
	// Group is the API group; absent: the core group.
	Group string `json:"group,omitempty"`
	// Kind is the kind.
	Kind string `json:"kind"`
	// Namespace is the namespace; absent: it has none.
	Namespace string `json:"namespace,omitempty"`
	// Name is the name; absent: the finding is about the whole kind.
	Name string `json:"name,omitempty"`
}

// Of gives the object of the facts.
func Of(k facts.GroupKind, n facts.Name) Object {
	return Object{Group: k.Group, Kind: k.Kind, Namespace: n.Namespace, Name: n.Name}
}

// String gives Deployment.apps shop/web.
func (o Object) String() string {
	kind := facts.GroupKind{Group: o.Group, Kind: o.Kind}.String()
	name := facts.Name{Namespace: o.Namespace, Name: o.Name}.String()
	return strings.TrimSpace(kind + " " + name)
}

// New makes a finding and its id: the code, the object, and detail where one
// object can have several findings of the code (a container, a path of a
// schema). detail must not hold what changes from run to run.
func New(code Code, severity Severity, o Object, detail string) Finding {
	parts := []string{string(code), facts.GroupKind{Group: o.Group, Kind: o.Kind}.String()}
	for _, part := range []string{o.Namespace, o.Name, detail} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return Finding{ID: strings.Join(parts, "/"), Code: code, Severity: severity, Object: o}
}

// Compare orders findings for a reader: the worst first, then by what they are
// about. It is a total order for findings of different ids.
func (f Finding) Compare(o Finding) int {
	return cmp.Or(
		cmp.Compare(f.force(), o.force()),
		cmp.Compare(f.Code, o.Code),
		cmp.Compare(f.Object.Namespace, o.Object.Namespace),
		cmp.Compare(f.ID, o.ID),
	)
}

// force ranks by severity; what is waived comes last.
func (f Finding) force() int {
	if f.Waived.inForce() {
		return len(Severities()) + f.Severity.rank()
	}
	return f.Severity.rank()
}

// Blocks tells whether the finding keeps users away from green.
func (f Finding) Blocks() bool { return f.Severity == Block && !f.Waived.inForce() }

// Waiver takes the force of one finding for a time.
type Waiver struct {
	ID     string
	Reason string
	// Until is the moment from which it no longer counts.
	Until time.Time
}

// Waived tells of the waiver of a finding. An expired one is told, and takes
// nothing away.
type Waived struct {
	// Reason is why the finding may stand, from the configuration.
	Reason string `json:"reason"`
	// Until is the moment from which the waiver no longer counts, in RFC 3339.
	Until time.Time `json:"until"`
	// Expired tells that it no longer counts: the finding has its force again.
	Expired bool `json:"expired,omitempty"`
}

func (w *Waived) inForce() bool { return w != nil && !w.Expired }
