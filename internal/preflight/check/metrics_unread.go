package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// unreadable finds expressions and dashboards that can't be read, one finding for
// each object that holds them.
func unreadable(all []facts.Query) []finding.Finding {
	faults, guesses := map[finding.Object][]string{}, map[finding.Object][]string{}
	var found []finding.Finding
	for _, q := range all {
		o := holder(q)
		if q.Broken != "" {
			x := finding.New(DashboardUnreadable, finding.Note, o, q.Name)
			x.Side, x.Message = shift.Blue, fmt.Sprintf("the dashboard %s of %s can't be read: %s", q.Name, o, q.Broken)
			x.Do = "Correct the dashboard, or remove the ConfigMap's label."
			found = append(found, x)
		}
		for _, fault := range q.Faults {
			into := faults
			if fault.Guessed {
				into = guesses
			}
			into[o] = append(into[o], strings.TrimPrefix(fault.Where+": "+fault.Why, ": "))
		}
	}
	for o, list := range faults {
		x := finding.New(QueryUnreadable, finding.Warn, o, "")
		x.Message = fmt.Sprintf("%s of %s can't be read as PromQL: %s", expressions(list), o, firstOf(inOrder(list), 2))
		x.Do = "Correct the expression; which metrics it uses is not known."
		found = append(found, x)
	}
	for o, list := range guesses {
		x := finding.New(QueryUnreadable, finding.Note, o, "variables")
		x.Message = fmt.Sprintf("%s of %s can't be read as PromQL, perhaps only for a variable of Grafana or a dialect: %s", expressions(list), o, firstOf(inOrder(list), 2))
		x.Do = "Look whether the expression works in blue; which metrics it uses is not known."
		found = append(found, x)
	}
	slices.SortFunc(found, finding.Finding.Compare)
	return found
}

func expressions(list []string) string {
	if n := len(inOrder(list)); n > 1 {
		return fmt.Sprintf("%d expressions", n)
	}
	return "an expression"
}

func inOrder(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }

// holder is the object that a query is a part of.
func holder(q facts.Query) finding.Object {
	if q.Use == facts.UseQuery {
		return finding.Object{Kind: "Query", Name: q.Name}
	}
	return finding.Of(q.Object.GroupKind, q.Object.Name)
}

// leftOut says what could not be looked at.
func leftOut(f *facts.Facts, all []facts.Query) []finding.Finding {
	open, elsewhere := 0, 0
	for _, q := range all {
		open, elsewhere = open+q.Open, elsewhere+q.Elsewhere
	}
	var parts []string
	if open > 0 {
		parts = append(parts, fmt.Sprintf("%d that choose metrics by a pattern, a variable or labels alone", open))
	}
	if elsewhere > 0 {
		parts = append(parts, fmt.Sprintf("%d in a library panel that Grafana keeps for itself", elsewhere))
	}
	if n := f.Metrics.LeftOut; n > 0 {
		parts = append(parts, fmt.Sprintf("%d whose labels would take more requests than one preflight may send", n))
	}
	if len(parts) == 0 {
		return nil
	}
	x := finding.New(QueriesLeftOut, finding.Note, finding.Object{Kind: "Metric"}, "")
	x.Message = "some uses of metrics were not checked: " + strings.Join(parts, ", ")
	x.Do = "Nothing, if they don't matter; what matters can be named in preflight.metrics.queries."
	return []finding.Finding{x}
}
