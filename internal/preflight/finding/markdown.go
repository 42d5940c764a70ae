package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Group is findings of one severity and code that a report tells together.
type Group struct {
	Code     Code
	Findings []Finding
	// Do is what to do, where that is the same for all of them; else empty.
	Do string
}

// Section is the findings of one severity, or the waived ones.
type Section struct {
	// Severity is empty for the waived ones.
	Severity Severity
	Groups   []Group
	// Count counts those that are left out too, LeftOut only them.
	Count, LeftOut int
}

// Title says what the section holds.
func (s Section) Title() string {
	switch s.Severity {
	case Block:
		return "Blocks: no user is sent to green before these are mended or waived"
	case Warn:
		return "Warns: a person should know"
	case Note:
		return "Notes: for the record"
	}
	return "Waived: the configuration takes their force away for a time"
}

// Sections gives the findings as people read them: by force, then by code.
// Sections without findings are left out.
func (r Report) Sections() []Section {
	tally := r.Tally()
	all := []Section{
		{Severity: Block, Count: tally.Block, LeftOut: r.LeftOut.Block},
		{Severity: Warn, Count: tally.Warn, LeftOut: r.LeftOut.Warn},
		{Severity: Note, Count: tally.Note, LeftOut: r.LeftOut.Note},
		{Count: tally.Waived, LeftOut: r.LeftOut.Waived},
	}
	for _, f := range slices.SortedFunc(slices.Values(r.Findings), Finding.Compare) {
		s := &all[len(all)-1]
		if !f.Waived.inForce() {
			s = &all[f.Severity.rank()]
		}
		s.put(f)
	}
	return slices.DeleteFunc(all, func(s Section) bool { return s.Count == 0 })
}

// put adds a finding to its code's group.
func (s *Section) put(f Finding) {
	i := slices.IndexFunc(s.Groups, func(g Group) bool { return g.Code == f.Code })
	if i < 0 {
		s.Groups = append(s.Groups, Group{Code: f.Code, Do: f.Do, Findings: []Finding{f}})
		return
	}
	g := &s.Groups[i]
	g.Findings = append(g.Findings, f)
	if g.Do != f.Do {
		g.Do = ""
	}
}

// Summary counts in a few words: 3 findings block, 2 warn, 5 notes, 1 waived.
func (r Report) Summary() string {
	t := r.Tally()
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{t.Warn, "warn"}, {t.Note, "for the record"}, {t.Waived, "waived"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	first := "nothing blocks"
	switch {
	case t.Block == 1:
		first = "1 finding blocks"
	case t.Block > 1:
		first = fmt.Sprintf("%d findings block", t.Block)
	}
	return strings.Join(append([]string{first}, parts...), ", ")
}

// Moment gives a time as reports write it.
func Moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// Day gives the day on which a waiver ends.
func (w Waived) Day() string { return w.Until.UTC().Format(time.DateOnly) }

// Markdown writes the report for a ticket.
func (r Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Preflight of %s\n\n**%s.**\n\n", text(r.Pair), upper(r.Summary()))
	b.WriteString("| Side | Cluster | Version | Objects | Kinds |\n|---|---|---|---|---|\n")
	for _, side := range []struct {
		name string
		Cluster
	}{{"blue", r.Blue}, {"green", r.Green}} {
		fmt.Fprintf(&b, "| %s | %s | %s | %d | %d |\n", side.name, text(side.Name), text(cmp.Or(side.Version, "unknown")), side.Objects, side.Kinds)
	}
	fmt.Fprintf(&b, "\n%s look, begun at %s", upper(string(r.Scope)), Moment(r.At))
	if r.Attempt > 0 {
		fmt.Fprintf(&b, ", for attempt %d", r.Attempt)
	}
	b.WriteString(".\n")
	if n := r.LeftOut.Total(); n > 0 {
		fmt.Fprintf(&b, "\n**%d findings are left out here for want of room, %d of them block.** `clusterswitch preflight %s` prints all.\n",
			n, r.LeftOut.Block, r.Pair)
	}
	for _, s := range r.Sections() {
		fmt.Fprintf(&b, "\n## %s (%d)\n", s.Title(), s.Count)
		for _, g := range s.Groups {
			g.markdown(&b)
		}
		if s.LeftOut > 0 {
			fmt.Fprintf(&b, "\n%d more are left out here.\n", s.LeftOut)
		}
	}
	if r.Against != nil {
		r.Against.markdown(&b, r.Findings)
	}
	return b.String()
}

func (g Group) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "\n### %s (%d)\n\n", g.Code, len(g.Findings))
	if g.Do != "" {
		fmt.Fprintf(b, "%s\n\n", text(g.Do))
	}
	for _, f := range g.Findings {
		fmt.Fprintf(b, "- **%s**: %s", text(f.Object.String()), ended(text(f.Message)))
		if g.Do == "" {
			fmt.Fprintf(b, " %s", text(f.Do))
		}
		if f.Waived != nil {
			state := "Waived until"
			if f.Waived.Expired {
				state = "The waiver expired on"
			}
			fmt.Fprintf(b, " %s %s: %s", state, f.Waived.Day(), ended(text(f.Waived.Reason)))
		}
		fmt.Fprintf(b, "  \n  %s\n", code(f.ID))
	}
}

func (d Difference) markdown(b *strings.Builder, findings []Finding) {
	fmt.Fprintf(b, "\n## Against the report of %s\n\n", Moment(d.At))
	if d.None() {
		b.WriteString("The same findings.\n")
		return
	}
	fmt.Fprintf(b, "%d new, %d gone, %d changed.\n\n", len(d.New), len(d.Gone), len(d.Changed))
	now := byID(findings)
	for _, id := range d.New {
		fmt.Fprintf(b, "- new: %s %s\n", now[id].Severity, code(id))
	}
	for _, f := range d.Gone {
		fmt.Fprintf(b, "- gone: %s %s\n", f.Severity, code(f.ID))
	}
	for _, f := range d.Changed {
		fmt.Fprintf(b, "- changed: %s %s: it was: %s\n", f.Severity, code(f.ID), text(f.Message))
	}
}

// text keeps what clusters say from being read as Markdown or HTML.
func text(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if strings.Count(s, "`")%2 == 1 {
		s = strings.ReplaceAll(s, "`", "'")
	}
	var b strings.Builder
	inCode := false
	for _, c := range s {
		inCode = inCode != (c == '`')
		if !inCode && strings.ContainsRune(`\*_[]<>#|`, c) {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// code writes a token between backticks.
func code(s string) string { return "`" + strings.ReplaceAll(s, "`", "'") + "`" }

// ended gives a sentence its end.
func ended(s string) string { return strings.TrimSuffix(s, ".") + "." }

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
