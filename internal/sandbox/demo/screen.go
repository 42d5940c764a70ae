package demo

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/load"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/story"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

// redraw is how often the live view is drawn.
const redraw = 200 * time.Millisecond

// screen shows a person what happens. On a terminal the running scenario is
// drawn in place; elsewhere each change is a line.
type screen struct {
	out      io.Writer
	terminal bool
	width    int // of the terminal, in columns; 0: no terminal
	lines    int // of the live view, to go back over
}

func newScreen(out io.Writer, width int) *screen {
	return &screen{out: out, terminal: width > 0, width: width}
}

// say prints a line. A screen that can't be written to has nobody to tell.
func (s *screen) say(line string) { _, _ = fmt.Fprintln(s.out, line) }

func (s *screen) paint(colour, text string) string {
	if !s.terminal {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

const (
	bold   = "1"
	red    = "31"
	green  = "32"
	yellow = "33"
	blue   = "34"
)

// show draws the scenario until the returned function is called.
func (s *screen) show(sc scenario, st *stage) (stop func()) {
	s.say("")
	s.say(s.paint(bold, "▶ "+sc.name) + "  " + sc.title)
	s.lines = 0
	done := make(chan struct{})
	var drawing sync.WaitGroup
	drawing.Go(func() {
		tick := time.NewTicker(redraw)
		defer tick.Stop()
		told := 0
		for {
			select {
			case <-done:
				s.draw(st, &told)
				return
			case <-tick.C:
				s.draw(st, &told)
			}
		}
	})
	return func() { close(done); drawing.Wait() }
}

// draw tells new moments as lines, and below them, on a terminal, how users
// fare right now.
func (s *screen) draw(st *stage, told *int) {
	if s.lines > 0 {
		_, _ = fmt.Fprintf(s.out, "\x1b[%dA\x1b[J", s.lines)
		s.lines = 0
	}
	lines := st.Story.Told()
	counts := st.users.Snapshot()
	for ; *told < len(lines); *told++ {
		s.say(s.line(lines[*told], counts))
	}
	if !s.terminal {
		return
	}
	view := []string{
		s.bar("www  Route 53", counts.RecentByHost[world.WebName]),
		s.bar("api  ALB     ", counts.RecentByHost[world.APIName]),
		fmt.Sprintf("    %d req/s · %s requests · %s · p99 %s", counts.Recent.Requests, thousands(counts.Requests), s.failures(counts), counts.P99.Round(time.Millisecond)),
	}
	s.say(strings.Join(view, "\n"))
	s.lines = len(view)
}

func (s *screen) line(l story.Line, counts load.Snapshot) string {
	m := l.Moment
	if l.Deed != "" {
		return s.paint(yellow, s.fit(fmt.Sprintf("  %5.1fs  » %s", m.T, l.Deed)))
	}
	text := fmt.Sprintf("  %5.1fs  %-11s %3d %%  %-18s %s", m.T, m.Phase, m.Share, m.Reason, m.Message)
	if !s.terminal {
		return fmt.Sprintf("%s  [users on green %.0f %%, %s failed]", text, counts.Recent.Share("green"), thousands(counts.Failed))
	}
	text = s.fit(text)
	if m.Phase == "RollingBack" || m.Reason == "Drift" {
		return s.paint(red, text)
	}
	return text
}

// fit cuts a line to the terminal's width: a line that wraps would break the
// live view below it.
func (s *screen) fit(text string) string {
	runes := []rune(text)
	if s.width <= 0 || len(runes) < s.width {
		return text
	}
	return string(runes[:s.width-2]) + "…"
}

// bar draws what users of one name got within the last second.
func (s *screen) bar(name string, c load.Count) string {
	const width = 40
	share := c.Share("green")
	n := int(share*width/100 + 0.5)
	return fmt.Sprintf("    %s %s%s %3.0f %% green", name,
		s.paint(green, strings.Repeat("█", n)), s.paint(blue, strings.Repeat("█", width-n)), share)
}

func (s *screen) failures(counts load.Snapshot) string {
	if counts.Failed == 0 {
		return s.paint(green, "0 failed")
	}
	var causes []string
	for cause, n := range counts.FailedByCause {
		if n > 0 {
			causes = append(causes, fmt.Sprintf("%s %s", thousands(n), cause))
		}
	}
	return s.paint(red, strings.Join(causes, ", "))
}

// ended says how a scenario ended.
func (s *screen) ended(r Result) {
	if r.Result == Passed {
		s.say(s.paint(green, "  ✔ passed"))
		return
	}
	s.say(s.paint(red, "  ✘ failed: ") + r.Why)
}

// table sums the demo up.
func (s *screen) table(r Report) {
	s.say("")
	s.say(s.paint(bold, fmt.Sprintf("%-16s %-7s %9s %8s %8s %9s %12s  %s", "SCENARIO", "RESULT", "REQUESTS", "PER S", "FAILED", "P99", "ROLLBACK", "FAILED BY CAUSE")))
	for _, sc := range r.Scenarios {
		rollback := "–"
		if sc.RollbackMs != nil {
			rollback = fmt.Sprintf("%.0f ms", *sc.RollbackMs)
		}
		var causes []string
		for cause, n := range sc.FailedByCause {
			if n > 0 {
				causes = append(causes, fmt.Sprintf("%s %d", cause, n))
			}
		}
		perSecond := 0.0
		if sc.Seconds > 0 {
			perSecond = float64(sc.Requests) / sc.Seconds
		}
		s.say(fmt.Sprintf("%-16s %-7s %9s %8.0f %8s %9s %12s  %s", sc.Name, sc.Result, thousands(sc.Requests), perSecond, thousands(sc.Failed),
			fmt.Sprintf("%.0f ms", sc.P99Ms), rollback, strings.Join(causes, ", ")))
	}
}

// thousands writes a count with separators.
func thousands(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
