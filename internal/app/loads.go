package app

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/prometheus"
	"github.com/clusterswitch/clusterswitch/internal/promql"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// firstLoadWithin is how long a look waits for a Prometheus that was not asked
// lately. Else a look takes what is known, and what comes later is the next one's.
const firstLoadWithin = 2 * time.Second

// loadMeter measures what users ask of both sides of one pair. It keeps what it
// measured last: a look takes it from memory, and CloudWatch isn't asked again
// before there is something new.
type loadMeter struct {
	aws *aws
	now func() time.Time
	// nudged wakes run.
	nudged chan struct{}

	mu  sync.Mutex // guards all below
	set *loadSet
	had map[string]shift.LoadReading
	// pending is closed when the next run has ended; nil: nobody asked for one.
	// cloud: that run asks CloudWatch too.
	pending chan struct{}
	cloud   bool
	// past: what blue's load was before is wanted, too.
	past bool
}

// loadSet is what is measured by one configuration. It never changes.
type loadSet struct {
	loads []load
	// asked are the sources of those at a Prometheus, by name.
	asked map[string]loadSource
	// pace is the least time between two questions for one load.
	pace time.Duration
	// staleAfter is how old a reading may be at least.
	staleAfter time.Duration
}

// loadSource are the questions for one load at Prometheus servers.
type loadSource struct {
	blue, green numberOf
	past        pastOf
}

// pastOf asks for blue's load over the windows that ended within the one that ends at
// a moment.
type pastOf func(ctx context.Context, at time.Time, window time.Duration) shift.LoadPast

// numberOf asks for one number of a moment.
type numberOf func(ctx context.Context, at time.Time) (float64, error)

func newLoadMeter(a *aws, now func() time.Time) *loadMeter {
	return &loadMeter{aws: a, now: now, nudged: make(chan struct{}, 1), set: &loadSet{}}
}

// configure takes over what to measure. What was measured otherwise is forgotten.
func (m *loadMeter) configure(c *config.Config, p config.Pair) {
	next := &loadSet{loads: loadsOf(c, p), asked: map[string]loadSource{}, pace: c.Interval / 2, staleAfter: p.StaleAfter}
	m.mu.Lock()
	defer m.mu.Unlock()
	if reflect.DeepEqual(m.set.loads, next.loads) && m.set.pace == next.pace && m.set.staleAfter == next.staleAfter {
		return
	}
	for _, l := range next.loads {
		if l.prometheus != nil {
			next.asked[l.Name] = loadSource{blue: questionOf(l.prometheus.Blue), green: questionOf(l.prometheus.Green), past: pastBy(l.prometheus.Blue)}
		}
	}
	m.set, m.had = next, map[string]shift.LoadReading{}
}

// questionOf makes a question for a load of the configuration: a number that isn't
// below zero. What keeps it from being asked is its answer.
func questionOf(q config.LoadQuery) numberOf { return numberBy(q, (*prometheus.Client).Number) }

// valueOf is questionOf for any number.
func valueOf(q config.LoadQuery) numberOf { return numberBy(q, (*prometheus.Client).Value) }

func numberBy(q config.LoadQuery, ask func(*prometheus.Client, context.Context, string, time.Time) (float64, error)) numberOf {
	client, expression, err := askable(q)
	if err != nil {
		return func(context.Context, time.Time) (float64, error) { return 0, err }
	}
	return func(ctx context.Context, at time.Time) (float64, error) { return ask(client, ctx, expression, at) }
}

// askable makes a client and the expression that is narrowed to its side.
func askable(q config.LoadQuery) (client *prometheus.Client, expression string, err error) {
	expression, err = promql.Narrow(q.Query, labelsOf(q.Server)...)
	if err == nil {
		client, err = prometheusOf(q.Server)
	}
	return client, expression, err
}

// pastWindows is how many windows before the newest are asked for, at equal distances.
const pastWindows = 4

// pastBy makes a question for what blue's load was. It is one call: a query looks back
// over its window itself, from each of these moments.
func pastBy(q config.LoadQuery) pastOf {
	client, expression, err := askable(q)
	return func(ctx context.Context, at time.Time, window time.Duration) shift.LoadPast {
		if err != nil {
			return shift.LoadPast{Err: err.Error()}
		}
		all, err := client.Numbers(ctx, expression, at.Add(-window), (window / pastWindows).Truncate(time.Millisecond), pastWindows)
		if err != nil {
			return shift.LoadPast{Err: err.Error()}
		}
		return shift.LoadPast{Windows: len(all), Least: slices.Min(all), Most: slices.Max(all)}
	}
}

// known gives what was measured last, in the order of the configuration. Whoever
// reads it judges its age.
func (m *loadMeter) known() []shift.LoadReading {
	m.mu.Lock()
	defer m.mu.Unlock()
	var readings []shift.LoadReading
	for _, l := range m.set.loads {
		if r, ok := m.had[l.Name]; ok {
			readings = append(readings, r)
		}
	}
	return readings
}

// due gives the queries to CloudWatch that would say something new, and the set
// that they are of.
func (m *loadMeter) due() (*loadSet, []loadQuery) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	var queries []loadQuery
	for _, l := range m.set.loads {
		if l.cloudwatch == nil {
			continue
		}
		had, ok := m.had[l.Name]
		same := had.Err == "" && had.To.Equal(l.cloudwatch.Until(now))
		if !ok || !same && now.Sub(had.At) >= m.set.pace {
			queries = append(queries, *l.cloudwatch)
		}
	}
	return m.set, queries
}

// take keeps readings of a set, unless another one counts by now.
func (m *loadMeter) take(set *loadSet, readings ...shift.LoadReading) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.set != set {
		return
	}
	for _, r := range readings {
		m.had[r.Name] = r
	}
}

// nudge asks run to ask the Prometheus servers, and CloudWatch too where that is
// wanted. The channel is closed when it has.
func (m *loadMeter) nudge(cloud bool) <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cloud = m.cloud || cloud
	if m.pending == nil {
		m.pending = make(chan struct{})
		m.nudged <- struct{}{} // there is room: run took the last one together with pending
	}
	return m.pending
}

// await lets Prometheus be asked. It waits only where the pair's readings are of
// before it was at rest, or there is none: a shift is measured from its first look
// on.
func (m *loadMeter) await(ctx context.Context) {
	set := m.current()
	if len(set.asked) == 0 {
		return
	}
	old := m.old()
	done := m.nudge(false)
	if !old {
		return
	}
	timer := time.NewTimer(firstLoadWithin)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// want tells whether what blue's load was before is wanted from now on.
func (m *loadMeter) want(past bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.past = past
}

func (m *loadMeter) wantsPast() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.past
}

func (m *loadMeter) current() *loadSet {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.set
}

// old tells whether a Prometheus was not asked for longer than its answer counts.
func (m *loadMeter) old() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	for name := range m.set.asked {
		if r, ok := m.had[name]; !ok || now.Sub(r.At) > r.FreshFor {
			return true
		}
	}
	return false
}

// run asks whenever it is nudged, until ctx ends.
func (m *loadMeter) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-m.nudged:
		}
		m.mu.Lock()
		done, cloud := m.pending, m.cloud
		m.pending, m.cloud = nil, false
		m.mu.Unlock()
		m.refresh(ctx, cloud)
		close(done)
	}
}

// refresh asks everything that is due, side by side.
func (m *loadMeter) refresh(ctx context.Context, cloud bool) {
	var asking sync.WaitGroup
	if cloud {
		asking.Go(func() {
			if set, queries := m.due(); len(queries) > 0 {
				_, readings := m.aws.measure(ctx, nil, time.Time{}, queries)
				m.take(set, readings...)
			}
		})
	}
	set, past := m.current(), m.wantsPast()
	for _, l := range set.loads {
		if l.prometheus == nil || !m.ripe(set, l.Name) {
			continue
		}
		asking.Go(func() { m.take(set, set.ask(ctx, l, m.now(), past)) })
	}
	asking.Wait()
}

// ripe tells whether a load at a Prometheus may be asked for again.
func (m *loadMeter) ripe(set *loadSet, name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	had, ok := m.had[name]
	return !ok || m.now().Sub(had.At) >= set.pace
}

// ask asks for both sides of a load at one moment, and for blue's past where that is
// wanted.
func (s *loadSet) ask(ctx context.Context, l load, at time.Time, past bool) shift.LoadReading {
	r := shift.LoadReading{Name: l.Name, At: at, FreshFor: max(l.window, s.staleAfter)}
	source := s.asked[l.Name]
	var asking sync.WaitGroup
	if past {
		asking.Go(func() { r.Past = source.past(ctx, at, l.window) })
	}
	blue, green, err := bothSides(func(side shift.Side) (float64, error) {
		if side == shift.Blue {
			return source.blue(ctx, at)
		}
		return source.green(ctx, at)
	})
	asking.Wait()
	if err != nil {
		r.Err = err.Error()
		return r
	}
	r.From, r.To = at.Add(-l.window).UTC(), at.UTC()
	r.Blue, r.Green = blue, green
	return r
}

// bothSides asks for both sides at the same time. An error names its side.
func bothSides[T any](ask func(shift.Side) (T, error)) (blue, green T, err error) {
	var (
		asking            sync.WaitGroup
		errBlue, errGreen error
	)
	asking.Go(func() { blue, errBlue = ask(shift.Blue) })
	asking.Go(func() { green, errGreen = ask(shift.Green) })
	asking.Wait()
	switch {
	case errBlue != nil:
		err = fmt.Errorf("%s: %w", shift.Blue, errBlue)
	case errGreen != nil:
		err = fmt.Errorf("%s: %w", shift.Green, errGreen)
	}
	return blue, green, err
}
