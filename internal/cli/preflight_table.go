package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
)

// width is where sentences are broken: they read well in a terminal of 80
// letters and more. What is copied, as an id, is never broken.
const width = 80

// preflightTable prints a report for a person at a terminal.
func preflightTable(out *paper, r finding.Report) {
	out.say("Preflight of %s: %s.\n", r.Pair, r.Summary())
	rows := [][]string{{"SIDE", "VERSION", "OBJECTS", "KINDS", "CLUSTER"}}
	for _, side := range []struct {
		name string
		finding.Cluster
	}{{"blue", r.Blue}, {"green", r.Green}} {
		rows = append(rows, []string{side.name, cmp.Or(side.Version, "unknown"), fmt.Sprint(side.Objects), fmt.Sprint(side.Kinds), side.Name})
	}
	table(out, rows)
	out.say("\n%s", lookedAt(r))
	if n := r.LeftOut.Total(); n > 0 {
		out.say("WARNING: a ConfigMap can't hold all: %s left out here, %d of them block.", count(n, "finding"), r.LeftOut.Block)
		out.say("Without --stored the command looks itself, and prints all.")
	}
	sections := r.Sections()
	overview(out, sections)
	for _, s := range sections {
		out.say("\n%s (%d)", s.Title(), s.Count)
		for _, g := range s.Groups {
			groupTable(out, g)
		}
		if s.LeftOut > 0 {
			out.say("\n  %d more are left out here.", s.LeftOut)
		}
	}
	if r.Against != nil {
		againstTable(out, r)
	}
}

// lookedAt says when, and how much, was looked at.
func lookedAt(r finding.Report) string {
	attempt := ""
	if r.Attempt > 0 {
		attempt = fmt.Sprintf(", for attempt %d", r.Attempt)
	}
	return fmt.Sprintf("A %s look, begun at %s%s.", r.Scope, finding.Moment(r.At), attempt)
}

// overview counts by code, so that a long list is understood before it is read.
func overview(out *paper, sections []finding.Section) {
	rows := [][]string{{"SEVERITY", "FINDINGS", "CODE"}}
	for _, s := range sections {
		for _, g := range s.Groups {
			rows = append(rows, []string{cmp.Or(string(s.Severity), "waived"), fmt.Sprint(len(g.Findings)), string(g.Code)})
		}
	}
	if len(rows) > 1 {
		out.say("")
		table(out, rows)
	}
}

func groupTable(out *paper, g finding.Group) {
	out.say("\n  %s (%d)", g.Code, len(g.Findings))
	if g.Do != "" {
		wrap(out, "    ", "What to do: "+plain(g.Do))
	}
	for _, f := range g.Findings {
		out.say("\n    %s", f.Object)
		wrap(out, "      ", f.Message)
		if g.Do == "" {
			wrap(out, "      ", "What to do: "+plain(f.Do))
		}
		if w := f.Waived; w != nil && w.Expired {
			wrap(out, "      ", fmt.Sprintf("Its waiver expired on %s: %s", w.Day(), w.Reason))
		} else if w != nil {
			wrap(out, "      ", fmt.Sprintf("Waived until %s: %s", w.Day(), w.Reason))
		}
		out.say("      id: %s", f.ID)
	}
}

func againstTable(out *paper, r finding.Report) {
	d := r.Against
	if d.None() {
		out.say("\nThe findings are those of the report of %s.", finding.Moment(d.At))
		return
	}
	out.say("\nSince the report of %s: %d new, %d gone, %d changed", finding.Moment(d.At), len(d.New), len(d.Gone), len(d.Changed))
	severity := map[string]finding.Severity{}
	for _, f := range r.Findings {
		severity[f.ID] = f.Severity
	}
	for _, id := range d.New {
		out.say("  new      %-5s  %s", severity[id], id)
	}
	for _, f := range d.Gone {
		out.say("  gone     %-5s  %s", f.Severity, f.ID)
	}
	for _, f := range d.Changed {
		out.say("  changed  %-5s  %s", severity[f.ID], f.ID)
		wrap(out, "           ", fmt.Sprintf("It was %s: %s", f.Severity, f.Message))
	}
}

// plain takes out the backticks that are meant for documents.
func plain(s string) string { return strings.ReplaceAll(s, "`", "") }

// wrap says a sentence in lines of at most width letters, where its words allow.
func wrap(out *paper, indent, sentence string) {
	line := indent
	for word := range strings.FieldsSeq(sentence) {
		if line != indent && len(line)+1+len(word) > width {
			out.say("%s", line)
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	if line != indent {
		out.say("%s", line)
	}
}
