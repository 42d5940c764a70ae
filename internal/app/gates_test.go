package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/evidence"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// scriptedCounter counts 100 requests on each side in each interval, and remembers
// what it was asked for.
type scriptedCounter struct {
	chosen []time.Duration
	takes  time.Duration

	mu  sync.Mutex // guards all below
	err error
	// out is a time of which the source has nothing.
	out   [2]time.Time
	calls []string
}

// becomes changes what it answers from now on.
func (c *scriptedCounter) becomes(err error, out ...time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
	copy(c.out[:], out)
}

func (c *scriptedCounter) called(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, what)
}

func (c *scriptedCounter) edges(ctx context.Context, over time.Duration, _ time.Time) ([]time.Duration, error) {
	c.called("edges of " + over.String())
	return c.chosen, c.answer(ctx)
}

func (c *scriptedCounter) count(ctx context.Context, s countSpan, blueOnly bool) ([]evidence.Interval, error) {
	what := "both"
	if blueOnly {
		what = "blue"
	}
	c.called(fmt.Sprintf("%s %s-%s by %v", what, clock(s.from), clock(s.to), s.edges))
	if err := c.answer(ctx); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var got []evidence.Interval
	for at := s.from; at.Before(s.to); at = at.Add(s.interval) {
		iv := evidence.Interval{Start: at, End: at.Add(s.interval)}
		for range 1 + len(s.edges) {
			iv.Blue = append(iv.Blue, evidence.Count{Requests: 100, Bad: 1})
			iv.Green = append(iv.Green, evidence.Count{Requests: 100, Bad: 1})
		}
		if !at.Before(c.out[0]) && at.Before(c.out[1]) {
			continue
		}
		got = append(got, iv)
	}
	return got, nil
}

func (c *scriptedCounter) answer(ctx context.Context) error {
	select {
	case <-time.After(c.takes):
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func clock(t time.Time) string { return t.UTC().Format(time.TimeOnly) }

// gateScene is an observer with gates. It runs in a bubble, whose clock begins at
// midnight, and it looks a second after intervals end.
type gateScene struct {
	*testing.T
	meter    *gateMeter
	observer *observer
	stop     func()
}

func newGateScene(t *testing.T, gauges map[string]gauge) *gateScene {
	s := &gateScene{T: t, meter: newGateMeter(newAWS(adapters{}), time.Now)}
	time.Sleep(time.Second)
	s.observer = &observer{aws: s.meter.aws, blue: still{}, green: still{}, probes: noProbes{}, gates: s.meter}
	s.configure(gauges)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.meter.run(ctx) }()
	s.stop = func() { cancel(); <-ended }
	t.Cleanup(s.stop)
	return s
}

// configure makes the gates anew: each is one that there wasn't before.
func (s *gateScene) configure(gauges map[string]gauge) {
	var specs []gateSpec
	for name := range gauges {
		specs = append(specs, gateSpec{gate: config.Gate{Name: name}, pair: time.Now().String()})
	}
	slices.SortFunc(specs, func(a, b gateSpec) int { return strings.Compare(a.gate.Name, b.gate.Name) })
	s.meter.take(specs, time.Minute, func(spec gateSpec) gauge { return gauges[spec.gate.Name] })
}

// look looks, and lets what it asks for come.
func (s *gateScene) look(l switcher.Look) shift.Observation {
	o := s.observer.Observe(s.Context(), l)
	synctest.Wait()
	return o
}

// during looks every ten seconds for a time, and gives the last look's answer.
func (s *gateScene) during(d time.Duration, l func() switcher.Look) (o shift.Observation) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(10 * time.Second) {
		s.look(l())
	}
	return s.look(l())
}

func (s *gateScene) expect(what string, want, got any) {
	s.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		s.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func counting(c counter) *requestGauge {
	return &requestGauge{
		gate: "users", interval: 15 * time.Second, settle: 30 * time.Second, history: time.Hour, freshFor: time.Minute,
		chosen: true, counter: c,
	}
}

// wanted is the look of a shift that is about to begin.
func wanted() switcher.Look { return switcher.Look{Loads: true, Asking: shift.Asking{Attempt: 1}} }

// usersSince is the look of a shift whose green has had users since a time.
func usersSince(since time.Time, edges ...time.Duration) switcher.Look {
	return switcher.Look{
		Loads: true, Attention: shift.Watching, MeasureFrom: since,
		Asking:   shift.Asking{Attempt: 1, Step: 2, Share: 25, Now: 5, Since: since},
		Evidence: []shift.GateEvidence{{Gate: "users", Profile: evidence.Profile{Metrics: metricsOf(edges)}}},
	}
}

func TestBluesPastIsMeasuredBeforeAShiftAndNotOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &scriptedCounter{chosen: []time.Duration{250 * time.Millisecond}, takes: 100 * time.Millisecond}
		s := newGateScene(t, map[string]gauge{"users": counting(c)})
		s.expect("the first look", 0, len(s.look(wanted()).Requests))
		time.Sleep(2 * time.Second)
		seen := s.look(wanted()).Requests
		s.expect("readings", 1, len(seen))
		s.expect("the profile's metrics", []evidence.Metric{
			{Name: "errors", Ratio: 0.01, Dispersion: evidence.AssumedDispersion}, // an hour is too short
			{Name: "slower than 250ms", Edge: 250 * time.Millisecond, Ratio: 0.01, Dispersion: evidence.AssumedDispersion},
		}, seen[0].Profile.Metrics)
		s.expect("its rate", 6.666667, seen[0].Profile.Rate)
		s.expect("intervals", 0, len(seen[0].Intervals))
		s.during(6*time.Minute, wanted)
		s.expect("calls", []string{
			"edges of 1h0m0s", "blue 22:59:30-23:59:30 by [250ms]",
			"edges of 1h0m0s", "blue 23:04:30-00:04:30 by [250ms]",
		}, c.calls)
	})
}

// A shift may wait long for its first step: for a window, or for an approval.
func TestTheProfileFollowsBlueUntilGreensFirstUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &scriptedCounter{}
		s := newGateScene(t, map[string]gauge{"users": counting(c)})
		waits := usersSince(time.Now())
		waits.Asking.Step, waits.Asking.Now = 1, 0
		seen := s.during(11*time.Minute, func() switcher.Look { return waits }).Requests[0]
		s.expect("looks at the past", 3, strings.Count(strings.Join(c.calls, " "), "blue"))
		s.expect("it is offered", true, seen.Profile != nil)
		waits.Asking.Now = 5
		s.expect("with users it is fixed", true, s.look(waits).Requests == nil)
	})
}

func TestAProfileOfLongAgoStartsNoShift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newGateScene(t, map[string]gauge{"users": counting(&scriptedCounter{takes: 100 * time.Millisecond})})
		s.look(wanted())
		time.Sleep(time.Second)
		s.expect("it is known", true, s.look(wanted()).Requests[0].Profile != nil)
		time.Sleep(time.Hour)
		s.expect("it is known after an hour of rest", false, s.look(wanted()).Requests[0].Profile != nil)
		time.Sleep(time.Second)
		s.expect("it is known anew", true, s.look(wanted()).Requests[0].Profile != nil)
	})
}

func TestIntervalsAreCountedOnceSettledByTheEdgesOfTheProfile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &scriptedCounter{chosen: []time.Duration{time.Second}}
		s := newGateScene(t, map[string]gauge{"users": counting(c)})
		since := time.Now()
		seen := s.during(2*time.Minute, func() switcher.Look { return usersSince(since, 250*time.Millisecond) }).Requests[0]
		// Asked as soon as each has settled, however long the loop sleeps.
		s.expect("calls", []string{
			"both 00:00:15-00:00:30 by [250ms]", "both 00:00:30-00:00:45 by [250ms]", "both 00:00:45-00:01:00 by [250ms]",
			"both 00:01:00-00:01:15 by [250ms]", "both 00:01:15-00:01:30 by [250ms]",
		}, c.calls)
		s.expect("the first begins after green has users", "00:00:15", clock(seen.Intervals[0].Start))
		s.expect("intervals", 5, len(seen.Intervals))
		s.expect("their metrics", 2, len(seen.Intervals[0].Green))
		s.expect("no profile", true, seen.Profile == nil)

		again := s.look(usersSince(since, 250*time.Millisecond)).Requests[0]
		s.expect("a look at once has the same", seen, again)
	})
}

// Whatever is given twice counts once.
func TestWhatWasCountedBeforeARestartIsNotAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &scriptedCounter{}
		s := newGateScene(t, map[string]gauge{"users": counting(c)})
		time.Sleep(10 * time.Minute)
		l := usersSince(time.Now().Add(-10 * time.Minute))
		l.Evidence[0].Book.Last = time.Now().Add(-time.Minute).Truncate(time.Minute)
		s.look(l)
		s.expect("calls", []string{"both 00:09:00-00:09:30 by []"}, c.calls)

		book, settings := evidence.Book{}, evidence.Settings{Compare: true, Tolerate: 1.25, Alarm: 0.01, Interval: 15 * time.Second, Planned: 100, Steps: 5}
		count := func() {
			for _, iv := range s.look(l).Requests[0].Intervals {
				book = book.Add(settings, l.Evidence[0].Profile, iv, true)
			}
		}
		count()
		once := book
		count()
		s.expect("the book", once, book)
		s.expect("something was counted", true, book.Metrics[0].Green[0] == 200)
	})
}

func TestASourceThatIsDownForTenMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &scriptedCounter{}
		s := newGateScene(t, map[string]gauge{"users": counting(c)})
		since := time.Now()
		look := func() switcher.Look { return usersSince(since) }
		s.during(2*time.Minute, look)

		c.becomes(errors.New("no route to host"))
		seen := s.during(10*time.Minute, look).Requests[0]
		s.expect("while it is down", "no route to host", seen.Err)
		s.expect("what was counted before stays", "00:01:30", clock(seen.Intervals[len(seen.Intervals)-1].End))
		s.expect("it is asked once an interval", true, len(c.calls) <= 4*12+1)

		c.becomes(nil, since.Add(2*time.Minute-time.Second), since.Add(12*time.Minute-time.Second))
		seen = s.during(2*time.Minute, look).Requests[0]
		s.expect("when it is back", "", seen.Err)
		faults, sound := map[string]int{}, 0
		for i, iv := range seen.Intervals {
			if i > 0 && !iv.Start.Equal(seen.Intervals[i-1].End) {
				s.Errorf("there is a hole before %s", clock(iv.Start))
			}
			if iv.Fault != "" {
				faults[iv.Fault]++
			} else {
				sound++
			}
		}
		s.expect("intervals", 40, len(seen.Intervals))
		s.expect("those of the outage", true, faults["the source has nothing of this time"] == 40-sound)
		s.expect("those since", 6, sound)
	})
}

func TestASourceThatHangsHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs, answers := &scriptedCounter{takes: time.Hour}, &scriptedCounter{}
		other := counting(answers)
		other.gate = "cloud"
		s := newGateScene(t, map[string]gauge{"users": counting(hangs), "cloud": other})
		since := time.Now()
		look := func() switcher.Look {
			l := usersSince(since)
			l.Evidence = append(l.Evidence, shift.GateEvidence{Gate: "cloud", Profile: l.Evidence[0].Profile})
			return l
		}
		began := time.Now()
		s.look(look())
		s.expect("a look takes", time.Duration(0), time.Since(began))
		seen := s.during(3*time.Minute, look).Requests
		s.expect("readings", 2, len(seen))
		s.expect("the other's intervals", 9, len(seen[0].Intervals))
		s.expect("the hanging one's error", "context deadline exceeded", seen[1].Err)
		s.expect("it was asked", true, len(hangs.calls) <= 2)
	})
}

func TestGatesOfAPairAtRestAreNotMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, asked := &scriptedCounter{}, atomic.Int64{}
		limit := &limitGauge{gate: "alerts", interval: time.Second, ask: func(context.Context, time.Time, shift.Asking) (float64, string, error) {
			asked.Add(1)
			return 0, "", nil
		}}
		s := newGateScene(t, map[string]gauge{"users": counting(c), "alerts": limit})
		o := s.during(time.Hour, func() switcher.Look { return switcher.Look{Asking: shift.Asking{Attempt: 3}} })
		s.expect("readings", [2]int{}, [2]int{len(o.Requests), len(o.Limits)})
		s.expect("calls", []string(nil), c.calls)
		s.expect("calls for limits", int64(0), asked.Load())

		s.look(wanted())
		time.Sleep(30 * time.Second)
		synctest.Wait()
		s.expect("calls once a shift is wanted", 2, len(c.calls))
		had := asked.Load()
		time.Sleep(time.Hour) // the loop stands still
		synctest.Wait()
		s.expect("calls without looks", true, asked.Load()-had <= 31)
	})
}

func TestAnUrgentLookAsksNoGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &scriptedCounter{}
		s := newGateScene(t, map[string]gauge{"users": counting(c)})
		urgent := usersSince(time.Now().Add(-time.Hour))
		urgent.Attention = shift.Urgent
		s.during(5*time.Minute, func() switcher.Look { return urgent })
		s.expect("calls", []string(nil), c.calls)
	})
}

func TestAGateThatIsMeasuredOtherwiseBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := &scriptedCounter{takes: 5 * time.Second}, &scriptedCounter{takes: 100 * time.Millisecond}
		s := newGateScene(t, map[string]gauge{"users": counting(first)})
		since := time.Now()
		s.during(2*time.Minute, func() switcher.Look { return usersSince(since) })
		s.configure(map[string]gauge{"users": counting(second)})
		for _, r := range s.look(usersSince(since)).Requests {
			s.expect("what the former one counted", 0, len(r.Intervals))
		}
		time.Sleep(time.Second)
		s.expect("the other's intervals", 5, len(s.look(usersSince(since)).Requests[0].Intervals))

		l := usersSince(since.Add(time.Minute))
		l.Asking.Attempt = 2
		s.look(l)
		time.Sleep(time.Second)
		synctest.Wait()
		s.expect("calls", []string{"both 00:00:15-00:01:30 by []", "both 00:01:15-00:01:30 by []"}, second.calls)
	})
}
