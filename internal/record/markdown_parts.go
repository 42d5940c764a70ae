package record

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

func (p *page) verdicts() {
	p.head("Verdicts")
	if len(p.r.Grants) == 0 {
		p.say("No rise was granted.")
	}
	for _, g := range p.r.Grants {
		p.say("### %s: %s\n", moment(&g.At), text(g.To))
		rows := [][]string{{"Gate", "Verdict", "Numbers", "Why"}}
		for _, v := range g.Verdicts {
			var numbers []string
			for _, n := range v.Numbers {
				numbers = append(numbers, numberText(n))
			}
			rows = append(rows, []string{text(v.Gate), v.Judgement, strings.Join(numbers, ", "), text(v.Message)})
		}
		if len(rows) > 1 {
			p.table(rows...)
		} else {
			p.say("No gate was asked.")
		}
		p.say("")
	}
}

func (p *page) findings() {
	p.head("Preflight: findings and waivers")
	if p.r.PreflightAtStart == nil && p.r.Preflight == nil {
		p.say("No preflight is recorded.")
		return
	}
	for _, one := range []struct {
		when string
		is   *Preflight
	}{{"Before the first rise", p.r.PreflightAtStart}, {"The newest", p.r.Preflight}} {
		if one.is == nil {
			continue
		}
		p.say("%s, looked at %s: %s.\n", one.when, moment(&one.is.At), text(one.is.Summary))
		for _, f := range one.is.Findings {
			waiver := ""
			if f.Waiver != "" || f.WaivedUntil != nil {
				waiver = fmt.Sprintf(" **Waived** until %s: %s", day(f.WaivedUntil), text(f.Waiver))
				if f.Expired {
					waiver = fmt.Sprintf(" The waiver expired on %s: %s", day(f.WaivedUntil), text(f.Waiver))
				}
			}
			p.say("- %s %s: %s%s", f.Severity, code(f.ID), text(f.Message), waiver)
		}
		p.say("")
	}
}

// column is a column of the table of calls, and the outcomes that it counts.
type column struct {
	title string
	of    []string
}

func outcomes() []column {
	return []column{
		{"OK", []string{"ok"}},
		{"Throttled", []string{"throttled"}},
		{"Held back by our own budget", []string{"held"}},
		{"Refused", []string{"refused", "access_denied", "not_found", "invalid", "conflict"}},
		{"No answer", []string{"no_answer"}},
	}
}

func (p *page) calls() {
	p.head("Calls to AWS")
	if len(p.r.Calls) == 0 {
		p.say("None is recorded.")
		return
	}
	p.say("Tries, the SDK's repetitions included. A look that several pairs share counts for the one that began it.\n")
	rows := [][]string{{"Operation"}}
	for _, o := range outcomes() {
		rows[0] = append(rows[0], o.title)
	}
	total := make([]int, len(outcomes()))
	for i := 0; i < len(p.r.Calls); {
		first := p.r.Calls[i]
		counts := make([]int, len(outcomes()))
		for ; i < len(p.r.Calls) && p.r.Calls[i].Service == first.Service && p.r.Calls[i].Operation == first.Operation; i++ {
			for k, o := range outcomes() {
				if slices.Contains(o.of, p.r.Calls[i].Outcome) {
					counts[k] += p.r.Calls[i].Count
					total[k] += p.r.Calls[i].Count
				}
			}
		}
		rows = append(rows, counted(text(first.Service+" "+first.Operation), counts))
	}
	p.table(append(rows, counted("**All**", total))...)
}

func counted(first string, counts []int) []string {
	row := []string{first}
	for _, n := range counts {
		row = append(row, fmt.Sprint(n))
	}
	return row
}

func (p *page) failures() {
	p.head("Failures")
	r := p.r
	had := false
	fail := func(format string, args ...any) {
		had = true
		p.say("- "+format, args...)
	}
	for _, w := range r.Writes {
		if w.Outcome != "applied" {
			fail("Writes of %s with the outcome %s: %d", text(w.Entrance), w.Outcome, w.Count)
		}
	}
	if r.JournalErrors > 0 {
		fail("Turns in which the journal could not be written: %d", r.JournalErrors)
	}
	for _, u := range slices.SortedFunc(slices.Values(r.Unknown), func(a, b Unknown) int { return cmp.Compare(b.Seconds, a.Seconds) }) {
		if u.Seconds >= 1 {
			fail("Unknown or unmeasured: %s for %s of %s", text(u.Of), span(seconds(u.Seconds)), span(seconds(r.WatchedSeconds)))
		}
	}
	if !had {
		p.say("None is recorded: every write was applied, the journal was always written, and everything could be read.")
	}
}

func (p *page) gaps() {
	p.head("Gaps")
	for _, g := range p.r.Gaps {
		if g.From.IsZero() {
			p.say("- Nothing is recorded before %s: %s.", moment(&g.Until), text(g.Why))
			continue
		}
		meanwhile := "Nothing that a daemon decides had changed afterwards."
		if g.Meanwhile != "" {
			meanwhile = "Meanwhile: " + text(g.Meanwhile) + "."
		}
		p.say("- Nothing is recorded between %s and %s (%s): %s. %s", moment(&g.From), moment(&g.Until), span(g.Until.Sub(g.From)), text(g.Why), meanwhile)
	}
	if len(p.r.Gaps) == 0 {
		p.say("None: one daemon recorded the whole attempt.")
	}
	p.say("\nThe record is for people, and no decision depends on it. What counts is the journal, and the weights at AWS.")
}

// text keeps what others say from being read as Markdown or HTML, and in its line.
func text(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return strings.NewReplacer(`\`, `\\`, "`", "'", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", `\<`, ">", `\>`, "|", `\|`, "#", `\#`).Replace(s)
}

// code writes a token between backticks; in a table a bar would end its cell.
func code(s string) string {
	return "`" + strings.NewReplacer("`", "'", "|", "¦", "\n", " ", "\r", " ").Replace(s) + "`"
}

// moment gives a time as reports write it.
func moment(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "not known"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

func day(t *time.Time) string {
	if t == nil {
		return "a day that isn't known"
	}
	return t.UTC().Format(time.DateOnly)
}

func clockOf(t *time.Time) string {
	if t == nil {
		return "–"
	}
	return clock(*t)
}

// span gives a length of time in whole seconds.
func span(d time.Duration) string {
	s := d.Round(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func seconds(f float64) time.Duration { return time.Duration(f * float64(time.Second)) }

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

func orNone(s string) string {
	if s == "" {
		return "not known"
	}
	return s
}
