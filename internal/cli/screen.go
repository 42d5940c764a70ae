package cli

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// sample is green's share at one moment of a watch.
type sample struct {
	at    time.Time
	share int
}

// screen draws one pair for a terminal. It is a pure function of its fields: the
// same ones give the same lines.
type screen struct {
	pair v1alpha1.TrafficSwitch
	// past is what was seen so far, oldest first; a sample for each change is enough.
	past []sample
	now  time.Time
	// width and height are the terminal's, in characters.
	width, height int
	colours       bool
	// trouble says why the newest look failed; empty: it didn't.
	trouble string
}

// Colours, by their meaning. Every meaning is told by words or signs too.
const (
	inGreen  = "32"
	inBlue   = "34"
	inYellow = "33"
	inRed    = "31"
	inBold   = "1"
	inFaint  = "2"
)

// paint colours a text on terminals that want colours.
func (s screen) paint(colour, text string) string {
	if !s.colours || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// lines gives the whole picture, none longer than the terminal is wide, and no more
// than it is high: the last ones give way.
func (s screen) lines() []string {
	var out []string
	for _, part := range [][]string{s.head(), s.urgent(), s.chart(), s.gates(), s.readiness(), s.notes()} {
		out = append(out, part...)
	}
	foot := s.foot()
	if room := max(s.height-len(foot), 0); len(out) > room {
		out = out[:room]
	}
	return append(out, foot...)
}

// head says where the pair stands, and why.
func (s screen) head() []string {
	t := s.pair.Status
	switch name := s.paint(inBold, s.pair.Name); {
	case unsaid(t):
		return []string{name, "", "No daemon has said anything about it yet.", ""}
	case t.Phase == "":
		return append(append([]string{name + "  unknown", ""}, s.wrapped(orNone(t.Reason)+": "+orNone(t.Message))...), "")
	}
	step := ""
	if t.Step != "" {
		step = "  step " + t.Step
	}
	title := fmt.Sprintf("%s  %s%s  attempt %d", s.paint(inBold, s.pair.Name), s.paint(s.phaseColour(), t.Phase), step, t.Attempt)
	bar := max(min(s.width-26, 60), 10)
	green := bar * t.Share / 100
	if t.Share > 0 {
		green = max(green, 1)
	}
	share := fmt.Sprintf("green %3d%%  %s%s  blue %3d%%", t.Share,
		s.paint(inGreen, strings.Repeat("█", green)), s.paint(inBlue, strings.Repeat("░", bar-green)), 100-t.Share)
	out := []string{title, share, ""}
	return append(append(out, s.wrapped(orNone(t.Reason)+": "+orNone(t.Message))...), "")
}

func (s screen) phaseColour() string {
	switch shift.Phase(s.pair.Status.Phase) {
	case shift.OnStandby, shift.Completed:
		return inGreen
	case shift.RollingBack, shift.RolledBack:
		return inRed
	case shift.Shifting, shift.Returning, shift.InPreflight:
		return inYellow
	case shift.Idle:
	}
	return inBold
}

// chartRows is the height of the chart: each row is a quarter of all traffic.
const chartRows = 4

// chart draws green's share over the time of the watch.
func (s screen) chart() []string {
	columns := min(s.width-8, 72)
	// A low terminal has better use for its lines.
	if len(s.past) == 0 || columns < 10 || s.height < 22 || s.pair.Status.Phase == "" {
		return nil
	}
	from := s.past[0].at
	span := s.now.Sub(from)
	shares := make([]int, columns)
	for i := range shares {
		// The end of the column's time, so that the last one shows what is now.
		shares[i] = s.shareAt(from.Add(span * time.Duration(i+1) / time.Duration(columns)))
	}
	eighths := []rune(" ▁▂▃▄▅▆▇█")
	var out []string
	for row := chartRows - 1; row >= 0; row-- {
		var line strings.Builder
		for _, share := range shares {
			// In eighths of a row; the lowest stands for what is above 0 however little.
			filled := share*chartRows*8/100 - row*8
			if row == 0 && share > 0 {
				filled = max(filled, 1)
			}
			line.WriteRune(eighths[min(max(filled, 0), 8)])
		}
		out = append(out, fmt.Sprintf("%4d%% │%s", (row+1)*100/chartRows, s.paint(inGreen, strings.TrimRight(line.String(), " "))))
	}
	start, end := from.UTC().Format(time.TimeOnly), s.now.UTC().Format(time.TimeOnly)
	out = append(out, "      └"+strings.Repeat("─", columns))
	return append(out, fmt.Sprintf("       %s%s%s UTC", start, strings.Repeat(" ", max(columns-len(start)-len(end)-4, 1)), end), "")
}

func (s screen) shareAt(at time.Time) int {
	share := s.past[0].share
	for _, p := range s.past {
		if p.at.After(at) {
			break
		}
		share = p.share
	}
	return share
}

// sign tells a judgement apart without colours.
func sign(judgement string) (sign, colour string) {
	switch shift.Judgement(judgement) {
	case shift.Pass:
		return "✔", inGreen
	case shift.Fail:
		return "✘", inRed
	case shift.Wait:
		return "…", inYellow
	case shift.Unmeasured:
	}
	return "?", inYellow
}

// gates gives each gate its line; probes are gates too.
func (s screen) gates() []string {
	if len(s.pair.Status.Gates) == 0 {
		return nil
	}
	longest := 0
	for _, g := range s.pair.Status.Gates {
		longest = max(longest, utf8.RuneCountInString(g.Gate))
	}
	out := []string{s.paint(inBold, "Gates")}
	for _, g := range s.pair.Status.Gates {
		mark, colour := sign(g.Judgement)
		before := fmt.Sprintf("%-*s  %-7s  ", longest, g.Gate, g.Judgement)
		indent := 4 + utf8.RuneCountInString(before)
		if s.width-indent < 24 { // the sentence gets lines of its own
			out = append(out, "  "+s.paint(colour, mark)+" "+s.cut(strings.TrimSpace(before), s.width-4))
			out = append(out, s.wrap(g.Message, 4)...)
			continue
		}
		sentence := s.wrap(g.Message, indent)
		if len(sentence) == 0 {
			sentence = []string{""}
		}
		out = append(out, "  "+s.paint(colour, mark)+" "+before+strings.TrimSpace(sentence[0]))
		out = append(out, sentence[1:]...)
	}
	return append(out, "")
}

// readiness answers what would be if all users went back now.
func (s screen) readiness() []string {
	r := s.pair.Status.Readiness
	if r == nil {
		if s.pair.Status.BlueReady == "" {
			return nil
		}
		return []string{s.paint(inBold, "Blue") + "  " + s.pair.Status.BlueReady + " replicas ready", ""}
	}
	out := []string{s.paint(inBold, "If all users went back to blue now")}
	out = append(out, s.wrapped(r.Message)...)
	for _, t := range r.Tails {
		out = append(out, s.cut("  "+t.Entrance+": "+tailText(t), s.width))
	}
	return append(out, "")
}

// urgent is what a person must answer, and what was sent back.
func (s screen) urgent() []string {
	t := s.pair.Status
	var out []string
	if q := t.Question; q != nil {
		out = append(out, s.paint(inRed, "A question waits for you ("+q.Reason+")"))
		out = append(append(out, s.wrapped(q.Message)...), "")
	}
	if r := t.Rollback; r != nil {
		out = append(append(out, s.wrapped(fmt.Sprintf("Rolled back by %s at %s: %s", r.By, moment(r.At.Time), r.Why))...), "")
	}
	return out
}

// notes are what is asked for, and what is good to know.
func (s screen) notes() []string {
	var out []string
	if asked := askedFor(s.pair.Spec); asked != "" {
		out = append(out, s.cut("Asked for: "+asked, s.width), "")
	}
	for _, note := range s.pair.Status.Notes {
		out = append(out, s.wrapped(note)...)
	}
	return out
}

// foot says how old all of it is.
func (s screen) foot() []string {
	written, colour := s.pair.Status.UpdatedAt, inFaint
	text := "nothing written yet"
	if !written.IsZero() {
		text = fmt.Sprintf("written by the daemon %s ago", max(s.now.Sub(written.Time), 0).Round(time.Second))
		if silence(written.Time, s.now) != "" {
			text, colour = text+": is a daemon running?", inRed
		}
	}
	if help := text + "; Ctrl-C ends the view, not the shift"; utf8.RuneCountInString(help) <= s.width {
		text = help
	}
	out := []string{s.paint(colour, s.cut(text, s.width))}
	if s.trouble != "" {
		out = append([]string{s.paint(inRed, s.cut("not read anew: "+s.trouble, s.width))}, out...)
	}
	return out
}

// wrapped breaks a sentence into lines, two characters in.
func (s screen) wrapped(text string) []string { return s.wrap(text, 2) }

// wrap breaks a sentence into lines with so many blanks before.
func (s screen) wrap(text string, indent int) []string {
	var out []string
	line, width := "", s.width-indent
	flush := func() {
		if line != "" {
			out = append(out, strings.Repeat(" ", indent)+line)
		}
		line = ""
	}
	for word := range strings.FieldsSeq(text) {
		word = s.cut(word, width)
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			flush()
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	flush()
	return out
}

// cut shortens a text to the given width.
func (s screen) cut(text string, width int) string {
	runes := []rune(text)
	if len(runes) <= max(width, 1) {
		return text
	}
	return string(runes[:max(width, 1)-1]) + "…"
}
