package record

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/chronicle"
)

// Markdown writes the record for a ticket: what people ask first comes first.
func (r Record) Markdown() string {
	p := &page{r: r}
	p.say("# Shift report: %s, attempt %d\n", text(r.Pair), r.Attempt)
	p.say("**%s**\n", r.Headline())
	p.summary()
	p.users()
	p.rollbacks()
	p.plan()
	p.timeline()
	p.verdicts()
	p.findings()
	p.calls()
	p.failures()
	p.gaps()
	return strings.ReplaceAll(p.b.String(), "\n\n\n", "\n\n")
}

// Headline says in a sentence how the attempt ended, or where it stands.
func (r Record) Headline() string {
	// An attempt that only the marks at AWS tell of has no beginning: nobody knows how long it took, nor what green had.
	after, over, since, under, most := "", "", "", "", ""
	if !r.StartedAt.IsZero() {
		last := r.SeenAt
		if r.EndedAt != nil {
			last = *r.EndedAt
		}
		lasted := span(last.Sub(r.StartedAt))
		after, over, since, under = " after "+lasted, ", over after "+lasted, ", "+lasted+" after the beginning", " for "+lasted
		most = fmt.Sprintf(" Green had at most %d %%.", r.HighestShare)
	}
	back := "by a person"
	if k := len(r.Rollbacks); k > 0 && r.Rollbacks[k-1].Automatic {
		back = "by the daemon itself"
	}
	switch r.Phase {
	case "Completed":
		return fmt.Sprintf("Completed%s: green has all traffic.", after)
	case "RolledBack":
		if len(r.Rollbacks) == 0 {
			return fmt.Sprintf("Went back as planned%s: blue has all traffic.%s", after, most)
		}
		return fmt.Sprintf("Rolled back %s%s: blue has all traffic.%s", back, over, most)
	case "RollingBack":
		return fmt.Sprintf("A rollback %s is under way%s; green was meant to have %d %%.", back, since, r.GreenShare)
	}
	return fmt.Sprintf("Under way%s, in phase %s: green was meant to have %d %%.", under, text(r.Phase), r.GreenShare)
}

// page is a report that is being written.
type page struct {
	r Record
	b strings.Builder
}

// say writes one line.
func (p *page) say(format string, args ...any) { fmt.Fprintf(&p.b, format+"\n", args...) }

// head begins a section.
func (p *page) head(title string) { p.say("\n## %s\n", title) }

// table writes rows of cells that are Markdown already; the first is the head.
func (p *page) table(rows ...[]string) {
	for i, row := range rows {
		p.say("| %s |", strings.Join(row, " | "))
		if i == 0 {
			p.say("|%s", strings.Repeat("---|", len(row)))
		}
	}
}

func (p *page) summary() {
	r := p.r
	rows := [][]string{{"", ""}, {"Asked for by", text(orNone(strings.Join(r.AskedBy, "; ")))}, {"Began", moment(&r.StartedAt)}}
	if r.EndedAt != nil {
		rows = append(rows, []string{"Ended", moment(r.EndedAt)})
	}
	rows = append(rows, []string{"Recorded until", moment(&r.SeenAt)}, []string{"Last said", text(r.Reason + ": " + r.Message)})
	for _, back := range r.Rollbacks {
		rows = append(rows, []string{"Rollback", text(fmt.Sprintf("%s, by %s: %s", clock(back.At), back.By, back.Why))})
	}
	var daemons []string
	for _, d := range r.Daemons {
		daemons = append(daemons, fmt.Sprintf("%s (%s) from %s to %s", text(d.Identity), text(d.Version), clock(d.Since), clock(d.Until)))
	}
	rows = append(rows, []string{"Led by", strings.Join(daemons, "; ")})
	if len(r.Gaps) > 0 {
		rows = append(rows, []string{"Gaps", fmt.Sprintf("**%d**, see the end: of these times nothing is recorded", len(r.Gaps))})
	}
	p.table(rows...)
}

// users tells what users met at each step.
func (p *page) users() {
	p.head("What users on green met, step by step")
	rows := [][]string{{"Step", "Green", "Sent", "Reached", "Left", "Gates on users' traffic, as last measured there"}}
	for _, s := range p.r.Steps {
		met := "not measured"
		switch {
		case s.EnteredAt == nil:
			met = "not entered"
		case len(s.Users) > 0:
			var all []string
			for _, v := range s.Users {
				all = append(all, "**"+text(v.Gate)+"**: "+measured(v))
			}
			met = strings.Join(all, "; ")
		}
		rows = append(rows, []string{fmt.Sprint(s.Number), fmt.Sprintf("%d %%", s.Share), clockOf(s.EnteredAt), clockOf(s.ReachedAt), clockOf(s.LeftAt), met})
	}
	p.table(rows...)
}

func (p *page) rollbacks() {
	if len(p.r.Rollbacks) == 0 {
		return
	}
	p.head("Rollbacks")
	for _, r := range p.r.Rollbacks {
		from, done := "", "That blue had all traffic again was not seen."
		if r.FromShare != nil {
			from = fmt.Sprintf(" at %d %%", *r.FromShare)
		}
		if r.DoneAt != nil {
			done = fmt.Sprintf("Blue had all traffic again at %s, %s later.", clock(*r.DoneAt), span(r.DoneAt.Sub(r.At)))
		}
		p.say("- **%s**%s, asked for by %s: %s. %s", moment(&r.At), from, text(r.By), strings.TrimSuffix(text(r.Why), "."), done)
		for _, v := range r.Users {
			p.say("  - %s: %s", text(v.Gate), measured(v))
		}
	}
}

func (p *page) plan() {
	r := p.r
	p.head("Plan")
	rows := [][]string{{"Step", "Green", "Hold", "Approval"}}
	for _, s := range r.Steps {
		rows = append(rows, []string{fmt.Sprint(s.Number), fmt.Sprintf("%d %%", s.Share), span(seconds(s.HoldSeconds)), yes(s.Approval)})
	}
	p.table(rows...)
	p.say("")
	for _, e := range r.Plan.Entrances {
		p.say("- Entrance **%s**: %s %s", text(e.Name), e.Kind, code(e.Target))
	}
	for _, g := range r.Plan.Gates {
		p.say("- Gate **%s**: %s", text(g.Name), text(g.Limit))
	}
	if len(r.Plan.Gates) == 0 {
		p.say("- There is no gate on users' traffic.")
	}
	if len(r.Plan.Probes) > 0 {
		p.say("- Probes: %s", text(strings.Join(r.Plan.Probes, ", ")))
	}
	automatic := "only a person goes back then"
	if r.Plan.AutoRollback {
		automatic = "the daemon goes back by itself then too"
	}
	p.say("- Preflight: %s", r.Plan.Preflight)
	p.say("- Standby: %s, %s; blue counts as ready from %d %% of the load", span(seconds(r.Plan.StandbySeconds)), automatic, r.Plan.BlueAtLeast)
	for _, c := range r.Configurations {
		p.say("- Configuration %s from %s (its SHA-256)", code(c.Digest), moment(&c.Since))
	}
}

func (p *page) timeline() {
	p.head("Timeline")
	rows := [][]string{{"UTC", "Phase", "Green", "What", "More"}}
	day := ""
	for _, e := range p.r.Timeline {
		at := clock(e.At)
		if today := e.At.UTC().Format(time.DateOnly); e.At.IsZero() {
			at = "not known"
		} else if today != day {
			day, at = today, today+" "+at
		}
		more := text(e.Text)
		if e.Count > 1 && e.Until != nil {
			more = strings.TrimSpace(fmt.Sprintf("%s (seen %d times until %s)", more, e.Count, clock(*e.Until)))
		}
		what := text(e.Title)
		if e.Restored {
			what += " (by the journal)"
		}
		if loud(e.Kind) {
			what = "**" + what + "**"
		}
		rows = append(rows, []string{at, text(e.Phase), fmt.Sprintf("%d %%", e.GreenShare), what, more})
	}
	p.table(rows...)
	if p.r.LeftOut > 0 {
		p.say("\n%d entries had no room and are left out: repeats, findings, verdicts that passed, restarts; no rise, rollback, question or answer is.", p.r.LeftOut)
	}
}

// loud tells which kinds a reader looks for.
func loud(kind string) bool {
	return slices.Contains([]string{"rollback", "question", "failed-write", "gap", "journal"}, kind)
}

// measured gives a verdict with its numbers.
func measured(v Verdict) string {
	var parts []string
	if v.Judgement != "" {
		parts = append(parts, v.Judgement)
	}
	for _, n := range v.Numbers {
		parts = append(parts, numberText(n))
	}
	if len(v.Numbers) == 0 && v.Message != "" {
		parts = append(parts, text(v.Message))
	}
	return strings.Join(parts, ", ")
}

func numberText(n chronicle.Number) string {
	unit := ""
	if n.Unit == "percent" {
		unit = " %"
	}
	var limits []string
	if n.AtMost != nil {
		limits = append(limits, "at most "+rounded(*n.AtMost)+unit)
	}
	if n.AtLeast != nil {
		limits = append(limits, "at least "+rounded(*n.AtLeast)+unit)
	}
	said := text(n.Name) + " " + rounded(n.Value) + unit
	if len(limits) > 0 {
		said += " (" + strings.Join(limits, ", ") + ")"
	}
	return said
}

// rounded gives a number with the digits that people look at.
func rounded(f float64) string {
	if f == float64(int64(f)) {
		return fmt.Sprint(int64(f))
	}
	s := fmt.Sprintf("%.3g", f)
	if f >= 1000 {
		s = fmt.Sprintf("%.0f", f)
	}
	return s
}
