package shift

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// limited is judged() with a limit that a value of now keeps.
func limited(spoil func(t *turn, g *LimitGate, r *LimitReading)) *turn {
	return judged(func(t *turn) {
		g := LimitGate{Name: "latency", Max: new(0.5), UsersTraffic: true, Breaches: 2}
		r := LimitReading{Gate: "latency", At: t.now, From: t.next.ReachedAt, FreshFor: time.Minute, Value: 0.3, Attempt: 1, Step: 2}
		if spoil != nil {
			spoil(t, &g, &r)
		}
		t.p.Gates.Limits, t.o.Limits = []LimitGate{g}, append(t.o.Limits, r)
	})
}

func TestGateOnANumberFromOutside(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(t *turn, g *LimitGate, r *LimitReading)
		want  Judgement
	}{
		"the value is within its limits":                 {nil, Pass},
		"it is just the largest good one":                {func(_ *turn, _ *LimitGate, r *LimitReading) { r.Value = 0.5 }, Pass},
		"it is above":                                    {func(_ *turn, _ *LimitGate, r *LimitReading) { r.Value = 0.51 }, Fail},
		"it is below the smallest good one":              {func(_ *turn, g *LimitGate, _ *LimitReading) { g.Max, g.Min = nil, new(0.4) }, Fail},
		"it has no limits at all":                        {func(_ *turn, g *LimitGate, r *LimitReading) { g.Max = nil; r.Value = math.Inf(1) }, Pass},
		"it is infinite":                                 {func(_ *turn, _ *LimitGate, r *LimitReading) { r.Value = math.Inf(1) }, Fail},
		"it is no number":                                {func(_ *turn, _ *LimitGate, r *LimitReading) { r.Value = math.NaN() }, Unmeasured},
		"it can't be measured":                           {func(_ *turn, _ *LimitGate, r *LimitReading) { r.Err = "timeout" }, Unmeasured},
		"it was asked long ago":                          {func(t *turn, _ *LimitGate, r *LimitReading) { r.At = t.now.Add(-61 * time.Second) }, Unmeasured},
		"it was asked just in time":                      {func(t *turn, _ *LimitGate, r *LimitReading) { r.At = t.now.Add(-60 * time.Second) }, Pass},
		"it was never asked":                             {func(_ *turn, _ *LimitGate, r *LimitReading) { r.Gate = "another" }, Unmeasured},
		"it looks back to before the change":             {func(t *turn, _ *LimitGate, r *LimitReading) { r.From = t.next.ReachedAt.Add(-time.Second) }, Wait},
		"looking back it fails all the same":             {func(t *turn, _ *LimitGate, r *LimitReading) { r.From, r.Value = t.next.ReachedAt.Add(-time.Hour), 1 }, Fail},
		"the share isn't reached yet":                    {func(t *turn, _ *LimitGate, _ *LimitReading) { t.next.ReachedAt = time.Time{} }, Wait},
		"a service answered for this step":               {func(_ *turn, g *LimitGate, _ *LimitReading) { g.PerStep = true }, Pass},
		"for the step before":                            {func(_ *turn, g *LimitGate, r *LimitReading) { g.PerStep = true; r.Step = 1 }, Wait},
		"for another attempt":                            {func(_ *turn, g *LimitGate, r *LimitReading) { g.PerStep = true; r.Attempt = 7 }, Wait},
		"it refused another step, not this":              {func(_ *turn, g *LimitGate, r *LimitReading) { g.PerStep = true; r.Step, r.Value = 1, 1 }, Wait},
		"there is no next step to answer for":            {func(t *turn, g *LimitGate, r *LimitReading) { g.PerStep = true; t.next.Step = 3; r.Value = 1 }, Pass},
		"in standby nobody asks it for a step":           {func(t *turn, g *LimitGate, r *LimitReading) { g.PerStep = true; t.next.Phase = OnStandby; r.Value = 1 }, Pass},
		"green has no users, what they feel isn't asked": {func(t *turn, _ *LimitGate, r *LimitReading) { t.next.Share, t.next.Step, r.Err = 0, 0, "no data" }, Pass},
		"green has no users, but an alert fires": {func(t *turn, g *LimitGate, r *LimitReading) {
			t.next.Share, t.next.Step, g.BeforeUsers, g.UsersTraffic, r.Value = 0, 0, true, false, 1
		}, Fail},
		"green has no users, and a service was not asked": {func(t *turn, g *LimitGate, r *LimitReading) {
			t.next.Share, t.next.Step, g.PerStep, r.Gate = 0, 0, true, "another"
		}, Unmeasured},
	} {
		t.Run(name, func(t *testing.T) {
			if got := worst(usersServed(limited(test.spoil), 50)); got.Judgement != test.want {
				t.Errorf("got %+v, want %s", got, test.want)
			}
		})
	}
}

func TestALimitGoesBackAfterSoManyInARow(t *testing.T) {
	type look struct {
		after time.Duration
		value float64
		old   bool // it looks back to before the attempt
	}
	every := 30 * time.Second
	for name, test := range map[string]struct {
		hold bool
		see  []look
		back bool
	}{
		"one bad value":                          {see: []look{{every, 1, false}}},
		"two in a row":                           {see: []look{{every, 1, false}, {every, 1, false}}, back: true},
		"the same value seen twice counts once":  {see: []look{{every, 1, false}, {0, 1, false}}},
		"a good one between":                     {see: []look{{every, 1, false}, {every, 0, false}, {every, 1, false}}},
		"from before the attempt":                {see: []look{{every, 1, true}, {every, 1, true}}},
		"what isn't on users' traffic holds":     {hold: true, see: []look{{every, 1, false}, {every, 1, false}, {every, 1, false}}},
		"good ones go on":                        {see: []look{{every, 0, false}, {every, 0, false}}},
		"two in a row after a good one go back":  {see: []look{{every, 0, false}, {every, 1, false}, {every, 1, false}}, back: true},
		"an old one says nothing against others": {see: []look{{every, 1, false}, {every, 1, true}, {every, 1, false}}, back: true},
	} {
		t.Run(name, func(t *testing.T) {
			turn := limited(func(_ *turn, g *LimitGate, _ *LimitReading) { g.UsersTraffic = !test.hold })
			back := false
			for _, l := range test.see {
				turn.now = turn.now.Add(l.after)
				r := &turn.o.Limits[0]
				if r.At, r.Value, r.From = turn.now, l.value, turn.next.ReachedAt; l.old {
					r.From = turn.next.StartedAt.Add(-time.Second)
				}
				turn.countBreaches()
				_, back = turn.usersSuffer()
			}
			if back != test.back {
				t.Errorf("it goes back: %t, want %t; %+v", back, test.back, turn.next.Breaches)
			}
		})
	}
}

func TestUsersAreWatchedByOneGateAtLeast(t *testing.T) {
	for name, test := range map[string]struct {
		gates Gates
		want  bool
	}{
		"by none":                        {Gates{}, false},
		"by a ratio over a window":       {Gates{Traffic: []TrafficGate{{}}}, true},
		"by requests":                    {Gates{Requests: []RequestGate{{}}}, true},
		"by a number that users feel":    {Gates{Limits: []LimitGate{{UsersTraffic: true}}}, true},
		"an alert that only holds isn't": {Gates{Limits: []LimitGate{{}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.gates.watchUsers(); got != test.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

// TestBadLuckIsTheBinomialsTail compares with the sum from the other end, term by
// term.
func TestBadLuckIsTheBinomialsTail(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 3000).Draw(rt, "requests")
		limit := rapid.Float64Range(0.0001, 0.5).Draw(rt, "limit")
		least := int(limit*float64(n)) + 1
		k := min(n, least+rapid.IntRange(0, 60).Draw(rt, "more"))
		below := 0.0
		for i := range k {
			below += math.Exp(logFactorial(float64(n)) - logFactorial(float64(i)) - logFactorial(float64(n-i)) +
				float64(i)*math.Log(limit) + float64(n-i)*math.Log(1-limit))
		}
		tail := 1 - below
		if near := math.Abs(tail-luck) < 1e-9; !near && likely(k, n, limit) != (tail > luck) {
			rt.Fatalf("%d of %d at %g: the tail is %g", k, n, limit, tail)
		}
	})
}

func TestTheChanceOfAFalseAlarmIsSharedByAllRequestGates(t *testing.T) {
	p := newWorld().plan
	p.Standby.For = time.Hour
	p.Steps = []Step{{Share: 50, Hold: 30 * time.Minute}, {Share: 100, Hold: 30 * time.Minute}}
	p.Gates.Requests = []RequestGate{{Name: "a", FalseAlarms: 0.02, Interval: time.Minute}, {Name: "b", FalseAlarms: 0.01}, {Name: "c"}, {Name: "d", FalseAlarms: 0.05}}
	s := EvidenceSettings(p, p.Steps, p.Gates.Requests[0])
	if s.Alarm != 0.01/4 || s.Planned != 60 || s.Steps != 2 || s.Tolerate != 1 {
		t.Errorf("got %+v", s)
	}
	if p.Gates.Requests = nil; p.Gates.alarm() != usualAlarm {
		t.Errorf("nobody asked: %v", p.Gates.alarm())
	}
}
