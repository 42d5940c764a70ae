package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/evidence"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// counter counts the requests of a pair's sides.
type counter interface {
	// edges chooses times beyond which answers are slow, by blue's answers in the time
	// before at; none: latency isn't counted.
	edges(ctx context.Context, over time.Duration, at time.Time) ([]time.Duration, error)
	// count gives intervals from the one that begins at span.from. Their counts are
	// those of errors, and of answers slower than each edge. blueOnly: green's are not
	// wanted.
	count(ctx context.Context, s countSpan, blueOnly bool) ([]evidence.Interval, error)
}

// countSpan is a time to count, in whole intervals.
type countSpan struct {
	from, to time.Time
	interval time.Duration
	edges    []time.Duration
	// alone: green has all users, and blue's counts may be missing.
	alone bool
}

const (
	// keptIntervals are how many intervals a look is given at most.
	keptIntervals = 40
	// profileEvery is how often blue's past is measured while a shift is about to
	// start; profileRetry, how soon again when that failed, or found no requests.
	profileEvery = 5 * time.Minute
	profileRetry = time.Minute
	// profileFresh is how old a profile may be for a shift to start with it.
	profileFresh = 3 * profileEvery
)

// requestGauge counts for one gate on users' requests: before a shift, blue's past;
// from then on the intervals of both sides.
type requestGauge struct {
	gate     string
	interval time.Duration
	settle   time.Duration
	history  time.Duration
	freshFor time.Duration
	// given are the edges of the configuration; chosen: the counter chooses them.
	given   []time.Duration
	chosen  bool
	counter counter

	profile profiled
	counted counted
}

// profiled is what is known of blue's past.
type profiled struct {
	asked   time.Time
	at      time.Time // when profile was measured
	profile *evidence.Profile
	err     string
}

// counted is what was counted by one profile in one attempt.
type counted struct {
	attempt   int
	edges     []time.Duration
	asked     time.Time
	until     time.Time // all up to here was counted
	intervals []evidence.Interval
	err       string
}

// pastOnly tells whether only blue's past is wanted: until green's first user the
// profile follows it, however long that takes.
func (g *requestGauge) pastOnly(l gateLook) (shift.GateEvidence, bool) {
	e, known := l.of(g.gate)
	return e, !known || l.asking.Step == 1 && l.asking.Now == 0 && e.Book.Last.IsZero()
}

// due tells when there is something new to ask for.
func (g *requestGauge) due(l gateLook, now time.Time) (time.Time, bool) {
	e, past := g.pastOnly(l)
	if past {
		return g.profileDue(), true
	}
	if l.since.IsZero() {
		return time.Time{}, false // green has no users
	}
	g.begin(l, e)
	from, to := g.span(l, e, now)
	at := from.Add(g.interval + g.settle)
	if from.Before(to) {
		at = now
	}
	if again := g.counted.asked.Add(g.interval); again.After(at) {
		at = again
	}
	return at, true
}

func (g *requestGauge) profileDue() time.Time {
	switch {
	case g.profile.asked.IsZero():
		return g.profile.asked
	case g.profile.err != "", g.profile.profile != nil && g.profile.profile.Rate <= 0:
		return g.profile.asked.Add(profileRetry) // somebody mends it, and waits
	}
	return g.profile.asked.Add(profileEvery)
}

// begin forgets what was counted for another attempt or by other edges.
func (g *requestGauge) begin(l gateLook, e shift.GateEvidence) {
	edges := edgesOf(e.Profile)
	if g.counted.attempt != l.asking.Attempt || !slices.Equal(g.counted.edges, edges) {
		g.counted = counted{attempt: l.asking.Attempt, edges: edges}
	}
}

// span gives the whole intervals that have settled and were not counted yet. None
// begins before green had users, or is so old that nobody would look at it.
func (g *requestGauge) span(l gateLook, e shift.GateEvidence, now time.Time) (from, to time.Time) {
	to = now.Add(-g.settle).Truncate(g.interval).UTC()
	from = to.Add(-keptIntervals * g.interval)
	for _, least := range []time.Time{g.counted.until, e.Book.Last, l.since} {
		if least.After(from) {
			from = least
		}
	}
	if whole := from.Truncate(g.interval); whole.Before(from) {
		from = whole.Add(g.interval)
	}
	return from.UTC(), to
}

// question asks for blue's past, or for the intervals that settled.
func (g *requestGauge) question(l gateLook, now time.Time) func(context.Context) func() {
	e, past := g.pastOnly(l)
	if past {
		g.profile.asked = now
		return func(ctx context.Context) func() { return g.askProfile(ctx, now) }
	}
	from, to := g.span(l, e, now)
	g.counted.asked = now
	s := countSpan{from: from, to: to, interval: g.interval, edges: g.counted.edges, alone: l.asking.Now == shift.Full}
	return func(ctx context.Context) func() { return g.askCounts(ctx, l.asking.Attempt, s) }
}

// askProfile measures blue's past.
func (g *requestGauge) askProfile(ctx context.Context, now time.Time) func() {
	profile, err := g.measure(ctx, now)
	return func() {
		if err != nil {
			g.profile.err = fmt.Sprintf("blue's history can't be measured: %s", err)
			return
		}
		g.profile.err, g.profile.at, g.profile.profile = "", now, &profile
	}
}

func (g *requestGauge) measure(ctx context.Context, now time.Time) (evidence.Profile, error) {
	to := now.Add(-g.settle).Truncate(g.interval).UTC()
	s := countSpan{from: to.Add(-g.history).Truncate(g.interval), to: to, interval: g.interval, edges: g.given}
	if g.chosen {
		var err error
		if s.edges, err = g.counter.edges(ctx, g.history, to); err != nil {
			return evidence.Profile{}, err
		}
	}
	past, err := g.counter.count(ctx, s, true)
	if err != nil {
		return evidence.Profile{}, err
	}
	return evidence.Measure(metricsOf(s.edges), past), nil
}

// askCounts counts the intervals of a span on both sides.
func (g *requestGauge) askCounts(ctx context.Context, attempt int, s countSpan) func() {
	got, err := g.counter.count(ctx, s, false)
	return func() {
		if g.counted.attempt != attempt || !slices.Equal(g.counted.edges, s.edges) {
			return // it was asked for another attempt
		}
		if err != nil {
			g.counted.err = err.Error()
			return
		}
		if !g.counted.until.Equal(s.from) {
			g.counted.intervals = nil // there would be a hole
		}
		g.counted.err, g.counted.until = "", s.to
		g.counted.intervals = append(g.counted.intervals, whole(s, got)...)
		g.counted.intervals = slices.Clone(g.counted.intervals[max(0, len(g.counted.intervals)-keptIntervals):])
	}
}

// whole gives every interval of a span: one that the source doesn't have is a
// fault.
func whole(s countSpan, got []evidence.Interval) []evidence.Interval {
	by := map[int64]evidence.Interval{}
	for _, iv := range got {
		by[iv.Start.UnixMilli()] = iv
	}
	var all []evidence.Interval
	for at := s.from; at.Before(s.to); at = at.Add(s.interval) {
		iv, ok := by[at.UnixMilli()]
		if !ok || !iv.End.Equal(at.Add(s.interval)) {
			iv = evidence.Interval{Fault: "the source has nothing of this time"}
		}
		iv.Start, iv.End = at.UTC(), at.Add(s.interval).UTC()
		all = append(all, iv)
	}
	return all
}

// read gives the profile until the shift has one, then the intervals.
func (g *requestGauge) read(l gateLook, now time.Time, o *shift.Observation) {
	r := shift.RequestReading{Gate: g.gate, FreshFor: g.freshFor}
	if e, past := g.pastOnly(l); past {
		r.At, r.Err = g.profile.asked, g.profile.err
		if now.Sub(g.profile.at) <= profileFresh {
			r.Profile = g.profile.profile
		}
	} else {
		g.begin(l, e)
		r.At, r.Err, r.Intervals = g.counted.asked, g.counted.err, g.counted.intervals
	}
	if !r.At.IsZero() {
		o.Requests = append(o.Requests, r)
	}
}

// metricsOf names what is counted: errors, and answers slower than each edge.
func metricsOf(edges []time.Duration) []evidence.Metric {
	metrics := []evidence.Metric{{Name: "errors"}}
	for _, edge := range edges {
		metrics = append(metrics, evidence.Metric{Name: "slower than " + edge.String(), Edge: edge})
	}
	return metrics
}

// edgesOf gives the edges that a profile was measured by.
func edgesOf(p evidence.Profile) []time.Duration {
	var edges []time.Duration
	for _, m := range p.Metrics {
		if m.Edge > 0 {
			edges = append(edges, m.Edge)
		}
	}
	return edges
}
