package check

import (
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
)

// WaysIn are the findings of the check `entrances` that tell of ways into blue by
// which users would stay there: what no declared entrance leads to. Green isn't
// looked at.
func WaysIn(f *facts.Facts) []finding.Finding {
	own := *f
	own.Green = facts.Cluster{Fault: "not looked at"}
	found := entrances(&own)
	for i := range found {
		found[i].Check = "entrances"
	}
	return found
}
