package check

import (
	"fmt"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The codes of what could not be checked.
const (
	ClusterUnreadable = finding.ClusterUnreadable
	NotChecked        = finding.NotChecked
)

func coverageCheck() Check {
	return Check{
		Name: finding.Coverage, Answers: "Could everything be read?", Brief: true, Run: coverage,
		Codes: []finding.Doc{
			{Code: ClusterUnreadable, Meaning: "A cluster can't be read at all, so nothing of it was checked.", Do: "Mend the access to the cluster."},
			{Code: NotChecked, Meaning: "Something of a cluster can't be read, so it was not checked.", Do: "Give the daemon the right to read it, or waive the finding."},
		},
	}
}

// coverage turns everything that could not be read into findings: what was not
// checked is never fine.
func coverage(f *facts.Facts) []finding.Finding {
	var found []finding.Finding
	for _, side := range []shift.Side{shift.Blue, shift.Green} {
		c := f.Side(side)
		if c.Fault != "" {
			x := finding.New(ClusterUnreadable, finding.Block, finding.Object{Kind: "Cluster", Name: string(side)}, "")
			x.Side, x.Message = side, fmt.Sprintf("%s can't be read: %s", side, c.Fault)
			x.Do = "Mend the access to the cluster; nothing of it was checked."
			found = append(found, x)
		}
		for _, g := range c.Gaps {
			severity := finding.Block
			if g.Optional {
				severity = finding.Warn
			}
			x := finding.New(NotChecked, severity, finding.Object{Kind: "Cluster", Name: string(side)}, g.What)
			x.Side, x.Message = side, fmt.Sprintf("%s of %s can't be read: %s", g.What, side, g.Why)
			x.Do = "Give the daemon the right to read it (`clusterswitch rbac` prints what it needs), or waive this finding."
			if g.Do != "" {
				x.Do = g.Do
			}
			found = append(found, x)
		}
	}
	return found
}
