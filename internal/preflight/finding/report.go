package finding

import (
	"slices"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// Schema is the version of a report's JSON; it only grows.
const Schema = 1

// Report is all findings of one preflight. Two reports of the same facts and
// waivers differ in their times alone.
type Report struct {
	Schema  int         `json:"schema"`
	Pair    string      `json:"pair"`
	Attempt int         `json:"attempt,omitempty"`
	Scope   facts.Scope `json:"scope"`
	// At is when the gathering began, Took how long it lasted.
	At    time.Time     `json:"at"`
	Took  time.Duration `json:"tookNanoseconds"`
	Blue  Cluster       `json:"blue"`
	Green Cluster       `json:"green"`
	// Checks are the checks that ran, in their order.
	Checks   []Ran     `json:"checks"`
	Findings []Finding `json:"findings"`
}

// Cluster is one side in the head of a report.
type Cluster struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	Objects int    `json:"objects"`
	Kinds   int    `json:"kinds"`
}

// Ran says of one check that it ran.
type Ran struct {
	Check string `json:"check"`
	// At is when the facts that it judged were gathered.
	At       time.Time `json:"at"`
	Findings int       `json:"findings"`
}

// Count counts the findings of a severity that no waiver covers.
func (r Report) Count(s Severity) int {
	n := 0
	for _, f := range r.Findings {
		if f.Severity == s && !f.Waived.inForce() {
			n++
		}
	}
	return n
}

// Waived counts the findings that a waiver covers.
func (r Report) Waived() int {
	n := 0
	for _, f := range r.Findings {
		if f.Waived.inForce() {
			n++
		}
	}
	return n
}

// Clear tells whether nothing blocks.
func (r Report) Clear() bool { return !slices.ContainsFunc(r.Findings, Finding.Blocks) }
