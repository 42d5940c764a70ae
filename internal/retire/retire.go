// Package retire judges whether a blue cluster may be deleted: pure functions
// from what was gathered to findings, evidence and a verdict. Nothing here talks
// to anybody.
package retire

import (
	"time"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Facts are all that is known of one blue cluster and of what came after it.
type Facts struct {
	// Cluster is what people call it.
	Cluster string
	// At is when the gathering began.
	At time.Time
	// SilentFor is how long nothing may have reached it: the longest of its pairs.
	SilentFor time.Duration
	// Pairs are those that name the cluster as blue, AsGreen the names of those that
	// name it as green.
	Pairs   []Pair
	AsGreen []string
	Blue    facts.Cluster
	// Greens are the green clusters of the pairs, each once.
	Greens []facts.Cluster
	// Traffic is what AWS tells of the entrances of all pairs.
	Traffic facts.Traffic
	// WaysIn are ways into blue that no pair declares, as the preflight finds them.
	WaysIn []finding.Finding
	// Measured is what CloudWatch has of each of Measures.
	Measured []Measured
	// Queries are the answers to `retire.queries`.
	Queries []Query
	// SecretsSearched: green's Secrets were searched too.
	SecretsSearched bool
}

// Pair is one pair whose blue is the cluster.
type Pair struct {
	Name string
	// State is what the journal holds; Fault says why it isn't known.
	State shift.State
	Fault string
	// Entrances are those that are declared now, and those of the journal.
	Entrances []facts.Entrance
}

// Measured is what CloudWatch has of one metric.
type Measured struct {
	Measure
	// From and To bound what was asked for, in whole periods.
	From, To time.Time
	// Points is how many data points there are, Total their sum.
	Points int
	Total  float64
	// Last is when the newest period above zero ended; zero: none was.
	Last time.Time
	// Err says why it isn't known; empty: it is.
	Err string
}

// Query is the answer to one of `retire.queries`.
type Query struct {
	Pair, Name string
	From, To   time.Time
	// Value is the largest value in that time, of Series series; no series: the
	// query gave nothing at all.
	Value  float64
	Series int
	// Steps is at how many of Asked instants it gave something.
	Steps, Asked int
	// Err says why there is no answer; empty: there is one.
	Err string
}

// Finding is one thing that speaks against deleting the cluster, or that is to
// be known.
type Finding struct {
	finding.Finding
	// Unknown: it could not be found out; that alone keeps the cluster from counting as safe.
	Unknown bool `json:"unknown,omitempty"`
}

// Evidence is one thing that was looked at and found in order, with its numbers
// and times.
type Evidence struct {
	// Check is the name of the check that looked.
	Check string `json:"check"`
	// Said is one sentence.
	Said string `json:"said"`
}

// Check is one check.
type Check struct {
	// Name is a short token, and Answers the question that it answers.
	Name    string
	Answers string
	// Codes explains all that it may find by itself.
	Codes []finding.Doc

	run func(*Facts) outcome
}

// outcome is what a check found.
type outcome struct {
	findings []Finding
	shown    []string
}

// Checks lists the checks in the order of the report.
func Checks() []Check {
	return []Check{pairsCheck(), waysCheck(), silenceCheck(), tailsCheck(), singletonsCheck(), referencesCheck(), remainsCheck()}
}

// Evaluate judges the facts. by is who asks; empty: the daemon.
func Evaluate(f *Facts, by string) Report {
	r := Report{
		Schema: Schema, Cluster: f.Cluster, By: by, At: f.At, SilentFor: f.SilentFor.String(), Pairs: []string{},
		Findings: []Finding{}, Evidence: []Evidence{}, NotChecked: notChecked(f),
	}
	for _, p := range f.Pairs {
		r.Pairs = append(r.Pairs, p.Name)
	}
	for _, c := range Checks() {
		o := c.run(f)
		for _, x := range o.findings {
			x.Check = c.Name
			r.Findings = append(r.Findings, x)
		}
		for _, said := range o.shown {
			r.Evidence = append(r.Evidence, Evidence{Check: c.Name, Said: said})
		}
	}
	return r.judged()
}

// notChecked says what no check can see.
func notChecked(f *Facts) []string {
	all := []string{
		"Records of other names than the declared ones, in whatever hosted zone or at other providers.",
		"Tools outside of both clusters that deploy to blue or read from it: CI, Argo CD in a third cluster, monitoring.",
		"Clients that know an address of blue by themselves: hard-coded IP addresses, hosts files, configuration outside of Kubernetes.",
		"What reads or writes blue's data from outside of both clusters.",
	}
	if !f.SecretsSearched {
		all = append(all, "Secrets of green: their values are searched only with `preflight.secrets: digests`.")
	}
	return all
}

func (o *outcome) add(x Finding) { o.findings = append(o.findings, x) }

func (o *outcome) show(said string) { o.shown = append(o.shown, said) }

// of makes a finding.
func of(code finding.Code, severity finding.Severity, about finding.Object, detail, message, do string) Finding {
	x := finding.New(code, severity, about, detail)
	x.Message, x.Do, x.Side = message, do, shift.Blue
	return Finding{Finding: x}
}

// unknown makes a finding of what could not be found out.
func unknown(code finding.Code, about finding.Object, detail, message, do string) Finding {
	x := of(code, finding.Block, about, detail, message, do)
	x.Unknown = true
	return x
}

func pairObject(name string) finding.Object { return finding.Object{Kind: "Pair", Name: name} }

func entranceObject(pair, name string) finding.Object {
	return finding.Object{Kind: "Entrance", Namespace: pair, Name: name}
}
