package gates

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/evidence"
)

// table is a set of rows that are printed alike.
type table struct {
	name, title string
	rows        []row
	print       func(io.Writer, []tally)
	// healthy: an alarm in it is a false one. wrongPass: so is a pass.
	healthy, wrongPass bool
}

func tables() []table {
	rampOf, own := rampRows(referenceKinds()), rampRows(ownKinds())
	return []table{
		{
			name: "even", title: "FALSE ROLLBACK within an hour, constant share, even traffic (% of hours)",
			rows: evenRows(), print: printFalse, healthy: true,
		},
		{
			name: "ramp", title: "FALSE ROLLBACK in a ramp of six steps of 10 min, 1,000 rps (% of hours)",
			rows: rampOf, print: printFalse, healthy: true,
		},
		{
			name: "own", title: "FALSE ROLLBACK in the same ramp, traffic that the reference leaves out (% of hours)",
			rows: own, print: printFalse, healthy: true,
		},
		{
			name: "bare", title: "FALSE ROLLBACK in both, were the scatter of blue's past not measured (% of hours)",
			rows: barely(slices.Concat(rampOf, own)), print: printFalse,
		},
		{
			name: "detect", title: "DETECTION of a fault from the beginning: % of hours, median in intervals of 15 s, and what a plan would say",
			rows: detectRows(), print: printDetection,
		},
		{name: "late", title: "DETECTION of a fault that begins late", rows: lateRows(), print: printDetection},
		{name: "faults", title: "DETECTION of faults that the reference leaves out", rows: ownFaults(), print: printDetection},
		{name: "pass", title: "PASS of a healthy green: % of hours, median in intervals of 15 s", rows: passRows(), print: printPass, healthy: true},
		{name: "wrong-pass", title: "WRONG PASS of a green that is as bad as a pass must exclude", rows: wrongPassRows(), print: printPass, wrongPass: true},
		{
			name: "latency", title: "LATENCY, and errors beside it: % of hours, median in intervals; rivals: p99 > 0.9 s, M-W of p99, z of slower than 0.5 s",
			rows: latencyRows(), print: printDetection,
		},
	}
}

func printFalse(w io.Writer, tallies []tally) {
	header := "row\tgate\tupper 95 %\tscatter"
	if len(tallies) > 0 && len(tallies[0].rivals) == len(rivalNames()) {
		header += "\t" + strings.Join(rivalNames(), "\t")
	}
	fmt.Fprintln(w, header)
	for _, t := range tallies {
		fmt.Fprintf(w, "%s\t%s\t%s\t%.1f", t.row.name, percent(t.alarms, t.hours), fraction(upper95(t.alarms, t.hours)), t.scatter/float64(t.hours))
		for _, r := range t.rivals {
			fmt.Fprintf(w, "\t%s", percent(r.alarms, t.hours))
		}
		fmt.Fprintln(w)
	}
}

func printDetection(w io.Writer, tallies []tally) {
	header := "row\tgate\tplanned\tgreen's requests\tscatter\tpassed"
	if len(tallies) > 0 && len(tallies[0].rivals) == len(rivalNames()) {
		header += "\t" + strings.Join(rivalNames(), "\t")
	} else {
		header += "\tp99\tM-W\tz"
	}
	fmt.Fprintln(w, header)
	for _, t := range tallies {
		requests := "-"
		if n, found := median(t.requests, t.hours); found {
			requests = fmt.Sprintf("%.3g", n)
		}
		scatter := t.scatter / float64(t.hours)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.1f\t%s", t.row.name, found(t.times, t.alarms, t.hours), planned(t.row, scatter), requests, scatter,
			percent(t.passes, t.hours))
		for _, r := range t.rivals {
			fmt.Fprintf(w, "\t%s", found(r.times, r.alarms, t.hours))
		}
		fmt.Fprintln(w)
	}
}

func printPass(w io.Writer, tallies []tally) {
	fmt.Fprintln(w, "row\tpassed\tupper 95 %\twent back\tscatter")
	for _, t := range tallies {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.1f\n", t.row.name, found(t.passing, t.passes, t.hours), fraction(upper95(t.passes, t.hours)),
			percent(t.alarms, t.hours), t.scatter/float64(t.hours))
	}
}

// planned is what a plan would promise of the row: the intervals until the fault is
// found, by what is expected of the counts.
func planned(w row, scatter float64) string {
	if w.onset != 0 || w.latency || len(w.shares) > 1 {
		return ""
	}
	profile := evidence.Profile{
		Metrics: []evidence.Metric{{Name: "errors", Ratio: w.traffic.base, Dispersion: scatter}},
		Rate:    w.traffic.rps, To: beginning(),
	}
	times, more := w.traffic.green(0)
	e := evidence.Expect(w.gateSettings(), profile, w.shares[0], func(m evidence.Metric) float64 { return m.Ratio*times + more },
		time.Hour, func(v evidence.Verdict) bool { return v.Bad || v.Disaster })
	if !e.Found {
		return "-"
	}
	return fmt.Sprint(int(e.After / interval))
}

func fraction(p float64) string { return fmt.Sprintf("%.2f", 100*p) }

func percent(hits, n int) string { return fraction(float64(hits) / float64(n)) }

// found tells how many of the hours had it, where not nearly all had, and when.
func found(times []int, hits, n int) string {
	at, most := median(times, n)
	switch {
	case hits == 0:
		return "0 %"
	case !most:
		return fmt.Sprintf("%.0f %%", 100*float64(hits)/float64(n))
	case 100*hits >= 98*n:
		return fmt.Sprint(at)
	}
	return fmt.Sprintf("%.0f %% / %d", 100*float64(hits)/float64(n), at)
}
