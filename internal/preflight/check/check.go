// Package check holds the checks of a preflight: pure functions over gathered
// facts. None of them talks to anybody, reads a clock or keeps anything.
package check

import (
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
)

// Check is one check.
type Check struct {
	// Name is a short token, and Answers the question that it answers.
	Name    string
	Answers string
	// Brief says that it runs on brief facts too.
	Brief bool
	Run   func(*facts.Facts) []finding.Finding
	// Codes explains all that Run may find.
	Codes []finding.Doc
}

// All lists the checks in the order of the report.
func All() []Check {
	return []Check{
		coverageCheck(),
		parityCheck(),
		releasesCheck(),
		versionsCheck(),
		settledCheck(),
		argoCheck(),
		apisCheck(),
		crdsCheck(),
		identitiesCheck(),
		metricsCheck(),
		entrancesCheck(),
		singletonsCheck(),
		trafficCheck(),
	}
}

// Evaluate runs the checks that the facts allow.
func Evaluate(f *facts.Facts) ([]finding.Finding, []finding.Ran) {
	var findings []finding.Finding
	var ran []finding.Ran
	for _, c := range All() {
		if f.Scope == facts.Brief && !c.Brief {
			continue
		}
		found := c.Run(f)
		for i := range found {
			found[i].Check = c.Name
		}
		findings = append(findings, found...)
		ran = append(ran, finding.Ran{Check: c.Name, At: f.At, Findings: len(found)})
	}
	return findings, ran
}
