package shift

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/evidence"
	"pgregory.net/rapid"
)

// counting is what counts users' requests on both sides, in intervals of 10 s, where
// the plan has a gate for it.
type counting struct {
	perSecond   float64
	green, blue float64 // ratios of requests that fail
	err         string
	fault       string // what is wrong with new intervals
	stopped     bool   // no new intervals come
	absent      bool   // there is no reading at all
	noPast      bool   // blue's past isn't known
	silent      bool   // green's requests are not seen
	swapped     bool
	until       time.Time
	intervals   []evidence.Interval
}

const (
	worldEvery = 10 * time.Second
	worldPast  = 0.01 // of blue's requests failed
)

func fineCounting() counting { return counting{perSecond: 1000, green: worldPast, blue: worldPast} }

// countsRequests gives the plan a gate on users' requests.
func (w *world) countsRequests(spoil func(g *RequestGate)) {
	g := RequestGate{Name: "requests", Compare: true, Tolerate: 1.25, MinExcess: 0.0005, FalseAlarms: 0.01, Interval: worldEvery}
	if spoil != nil {
		spoil(&g)
	}
	w.plan.Gates.Requests, w.counting = []RequestGate{g}, fineCounting()
	w.counting.until = w.now
}

// count closes the intervals that are over.
func (w *world) count() {
	c := &w.counting
	if len(w.plan.Gates.Requests) == 0 {
		return
	}
	share := float64(w.groups[0].weights.Share()) / 100
	if c.swapped {
		share = 1 - share
	}
	for ; !c.until.Add(worldEvery).After(w.now); c.until = c.until.Add(worldEvery) {
		if c.stopped {
			continue
		}
		all := c.perSecond * worldEvery.Seconds()
		green, blue := all*share, all*(1-share)
		if c.silent {
			green = 0
		}
		c.intervals = append(c.intervals, evidence.Interval{
			Start: c.until, End: c.until.Add(worldEvery), Fault: c.fault,
			Green: []evidence.Count{{Requests: green, Bad: green * c.green}}, Blue: []evidence.Count{{Requests: blue, Bad: blue * c.blue}},
		})
	}
}

// requests is what the gate is told: blue's past, and the newest intervals again and
// again.
func (w *world) requests() []RequestReading {
	c := w.counting
	if len(w.plan.Gates.Requests) == 0 || c.absent {
		return nil
	}
	r := RequestReading{Gate: "requests", At: w.now, FreshFor: 45 * time.Second, Err: c.err, Intervals: c.intervals[max(0, len(c.intervals)-40):]}
	if !c.noPast {
		r.Profile = &evidence.Profile{Metrics: []evidence.Metric{{Name: "errors", Ratio: worldPast, Dispersion: 1}}, Rate: c.perSecond, To: w.start}
	}
	return []RequestReading{r}
}

// healCounting ends what is wrong with counting; what was counted stays.
func (w *world) healCounting() {
	had := w.counting
	w.counting = fineCounting()
	w.counting.until, w.counting.intervals = had.until, had.intervals
}

// judgeRandomly draws a gate on users' requests, and windows.
func (w *world) judgeRandomly(rt *rapid.T) {
	if rapid.Bool().Draw(rt, "requests are counted") {
		w.countsRequests(func(g *RequestGate) {
			g.SkipFirst = time.Duration(rapid.IntRange(0, 2).Draw(rt, "skip first")) * 10 * time.Second
			if g.HasLimit = rapid.Bool().Draw(rt, "a limit"); g.HasLimit {
				g.MaxErrorRatio = 0.05
			}
		})
	}
	if rapid.IntRange(0, 3).Draw(rt, "windows") == 0 {
		from := w.start.Add(time.Duration(rapid.IntRange(-20, 10).Draw(rt, "from")) * time.Minute)
		to := from.Add(time.Duration(rapid.IntRange(1, 40).Draw(rt, "for")) * time.Minute)
		if w.plan.Gates.Freezes = []Freeze{{From: from, To: to}}; rapid.Bool().Draw(rt, "a window") {
			w.plan.Gates.Freezes = nil
			w.plan.Gates.Windows = []Window{{From: from.Sub(from.Truncate(24 * time.Hour)), To: to.Sub(to.Truncate(24 * time.Hour))}}
		}
	}
}

// countingEvents are what may befall the counting of requests.
func (w *world) countingEvents(yes bool, few int) map[string]func() {
	c := &w.counting
	return map[string]func(){
		"requests suffer on green":      func() { c.green = float64(11-few) / 50 },
		"requests suffer a little":      func() { c.green = worldPast * float64(14-few) / 4 },
		"requests suffer on both sides": func() { c.green, c.blue = float64(11-few)/20, float64(11-few)/20 },
		"requests are fine again":       func() { c.green, c.blue = worldPast, worldPast },
		"requests can't be counted":     func() { c.err = either(yes, "connection refused", "") },
		"requests faulty":               func() { c.fault = either(yes, "counters were set back", "") },
		"requests stop coming":          func() { c.stopped = yes },
		"requests absent":               func() { c.absent = yes },
		"requests of green unseen":      func() { c.silent = yes },
		"requests swapped":              func() { c.swapped = yes },
		"requests of before unknown":    func() { c.noPast = yes },
		"few requests":                  func() { c.perSecond = float64(few) },
	}
}

// counted judges a new step by what was counted: S2, S9.
func (r *rules) counted(s State, o Observation, d Decision) {
	if len(r.w.plan.Gates.Requests) == 0 {
		return
	}
	i := slices.IndexFunc(d.Next.Evidence, func(e GateEvidence) bool { return e.Gate == "requests" && e.Profile.Rate > 0 })
	if i < 0 {
		r.rt.Fatalf("S9: a rise to %s by a gate that doesn't know blue's past", d.Next.Share)
	}
	if s.Share == 0 {
		return
	}
	if len(o.Requests) == 0 || o.Requests[0].Err != "" || len(o.Requests[0].Intervals) == 0 {
		r.rt.Fatalf("S9: a rise though requests are not counted")
	}
	read := o.Requests[0]
	newest := read.Intervals[len(read.Intervals)-1]
	if newest.Fault != "" || r.w.now.Sub(newest.End) > read.FreshFor {
		r.rt.Fatalf("S9: a rise though the newest interval is %+v", newest)
	}
	// Green's bad requests, and as many as it would have had, were it as bad as blue in
	// each interval: both may have had bad times while green's share was another.
	requests, bad, asBlue := 0.0, 0.0, 0.0
	for _, iv := range read.Intervals {
		if iv.Fault == "" && !iv.Start.Before(s.ReachedAt) {
			blue := worldPast
			if iv.Blue[0].Requests > 0 {
				blue = max(blue, iv.Blue[0].Bad/iv.Blue[0].Requests)
			}
			requests, bad, asBlue = requests+iv.Green[0].Requests, bad+iv.Green[0].Bad, asBlue+iv.Green[0].Requests*blue
		}
	}
	v := d.Next.Evidence[i].Book.Judge(EvidenceSettings(r.w.plan, s.Steps, r.w.plan.Gates.Requests[0]), d.Next.Evidence[i].Profile)
	switch limit := r.w.plan.Gates.Requests[0].MaxErrorRatio; {
	case requests <= 0 && len(read.Intervals) < 40:
		r.rt.Fatalf("S2: a rise though green was seen to have no requests")
	case bad > max(2*asBlue, limit*requests):
		r.rt.Fatalf("S2: a rise though %v of %v of green's requests failed, %v would have on blue", bad, requests, asBlue)
	case v.Leaning || v.Bad || v.BothBad:
		r.rt.Fatalf("S2: a rise on evidence that speaks against green: %+v", v)
	}
}

// kept judges what becomes of evidence: it belongs to one attempt, is measured by
// what was known before it, and a replay adds nothing.
func (r *rules) kept(s State, o Observation, d Decision) {
	if !d.Next.Active() && len(d.Next.Evidence) > 0 {
		r.rt.Fatalf("the attempt is over, its evidence isn't dropped")
	}
	for i, e := range d.Next.Evidence {
		if len(s.Evidence) <= i || s.Share == 0 || s.Attempt != d.Next.Attempt {
			continue
		}
		had := s.Evidence[i]
		if e.Profile.Rate != had.Profile.Rate || e.Book.Last.Before(had.Book.Last) || e.Book.Spent < had.Book.Spent {
			r.rt.Fatalf("evidence changes its measure, or goes back:\n%+v\n%+v", had, e)
		}
	}
	if d.Next.Phase != s.Phase || d.Next.Share != s.Share || !d.Next.ReachedAt.Equal(s.ReachedAt) {
		return
	}
	again := Decide(r.w.plan, d.Next, o, r.w.now).Next.Evidence
	if fmt.Sprint(again) != fmt.Sprint(d.Next.Evidence) {
		r.rt.Fatalf("the same intervals count twice:\n%+v\n%+v", d.Next.Evidence, again)
	}
}

// suffers tells whether requests that were counted lately were worse on green: S15.
func (r *rules) suffers(o Observation) bool {
	if len(o.Requests) == 0 || o.Requests[0].Err != "" || len(r.w.plan.Gates.Requests) == 0 {
		return false
	}
	return slices.ContainsFunc(o.Requests[0].Intervals, func(iv evidence.Interval) bool {
		if iv.Fault != "" || iv.Green[0].Requests <= 0 || r.w.now.Sub(iv.End) > 45*time.Second+40*worldEvery {
			return false
		}
		blue := worldPast
		if iv.Blue[0].Requests > 0 {
			blue = iv.Blue[0].Bad / iv.Blue[0].Requests
		}
		return iv.Green[0].Bad/iv.Green[0].Requests >= blue+0.0005-1e-9
	})
}

// requestsAre: "counted", "limit N%", "green N%", "blue N%", "both N%", "fine",
// "faulty WHY", "unmeasured WHY", "measured", "stop", "come", "unseen", "swapped",
// "past unknown", "past known" say what is counted from now on.
func (s *story) requestsAre(words []string) {
	c, rest := &s.w.counting, strings.Join(words[1:], " ")
	ratio := func() float64 { return float64(s.number(strings.TrimSuffix(rest, "%"))) / 100 }
	does := map[string]func(){
		"counted":    func() { s.w.countsRequests(nil) },
		"limit":      func() { s.w.plan.Gates.Requests[0].MaxErrorRatio, s.w.plan.Gates.Requests[0].HasLimit = ratio(), true },
		"green":      func() { c.green = ratio() },
		"blue":       func() { c.blue = ratio() },
		"both":       func() { c.green, c.blue = ratio(), ratio() },
		"fine":       s.w.healCounting,
		"faulty":     func() { c.fault = rest },
		"unmeasured": func() { c.err = rest },
		"measured":   func() { c.err, c.fault = "", "" },
		"stop":       func() { c.stopped = true },
		"come":       func() { c.stopped = false },
		"unseen":     func() { c.silent = true },
		"swapped":    func() { c.swapped = true },
		"past":       func() { c.noPast = rest == "unknown" },
	}
	f, ok := does[words[0]]
	if !ok {
		s.t.Fatalf("requests can't be %q", words)
	}
	f()
}

// evidence tells what is remembered of the gate on users' requests.
func (s *story) evidence() {
	if len(s.w.mind.Evidence) == 0 {
		s.lines = append(s.lines, "          nothing is remembered of requests")
	}
	for _, e := range s.w.mind.Evidence {
		green := evidence.Tally{}
		if len(e.Book.Metrics) > 0 {
			green = e.Book.Metrics[0].Green
		}
		s.lines = append(s.lines, fmt.Sprintf("          %s: counted up to %s, %v of %v requests to green failed since the step began, %d intervals unknown, capital spent %.3f",
			e.Gate, e.Book.Last.Format(time.TimeOnly), math.Round(green[1]), math.Round(green[0]), e.Unknown, e.Book.Spent))
	}
}

// window: "15:00-16:00", or "off"; freeze: "10:30-11:00 WHY", or "off".
func (s *story) window(words []string) {
	day := s.w.start.Truncate(24 * time.Hour)
	at := func(clock string) time.Duration {
		t, err := time.Parse("15:04", clock)
		if err != nil {
			s.t.Fatal(err)
		}
		return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
	}
	g := &s.w.plan.Gates
	from, to, _ := strings.Cut(words[1], "-")
	switch {
	case words[1] == "off":
		g.Windows, g.Freezes = nil, nil
	case words[0] == "freeze":
		g.Freezes = []Freeze{{From: day.Add(at(from)), To: day.Add(at(to)), Why: strings.Join(words[2:], " ")}}
	default:
		g.Windows = []Window{{From: at(from), To: at(to)}}
	}
}
