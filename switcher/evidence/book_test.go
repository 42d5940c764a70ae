package evidence

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// stretch is so many intervals of the same counts of errors.
type stretch struct {
	intervals   int
	green, blue Count
}

// told are the answers of a verdict, without its numbers.
type told struct{ Bad, Disaster, BothBad, Good, Leaning, Blind bool }

// play adds stretches one after the other, of all metrics alike.
func play(s Settings, p Profile, stretches ...stretch) Book {
	var b Book
	b = b.BeginStep(p.To)
	at := p.To
	for _, st := range stretches {
		for range st.intervals {
			iv := Interval{Start: at, End: at.Add(s.Interval)}
			for range p.Metrics {
				iv.Green, iv.Blue = append(iv.Green, st.green), append(iv.Blue, st.blue)
			}
			b, at = b.Add(s, p, iv, true), iv.End
		}
	}
	return b
}

func TestWhatIsJudged(t *testing.T) {
	t.Parallel()
	even := stretch{40, Count{3750, 3.75}, Count{11250, 11.25}}
	for name, test := range map[string]struct {
		set       func(*Settings, *Profile)
		stretches []stretch
		want      told
	}{
		"nothing counted says nothing":                          {want: told{}},
		"green as good as blue passes":                          {stretches: []stretch{even}, want: told{Good: true}},
		"green five times as bad is bad":                        {stretches: []stretch{{10, Count{3750, 18.75}, Count{11250, 11.25}}}, want: told{Bad: true, Leaning: true}},
		"one burst of a thousand errors proves nothing":         {stretches: []stretch{{1, Count{15000, 1000}, Count{11250, 11}}}, want: told{Leaning: true}},
		"what both suffer is no fault of green":                 {stretches: []stretch{{40, Count{3750, 375}, Count{11250, 1125}}}, want: told{Good: true}},
		"blue worse than green is no fault of green":            {stretches: []stretch{{40, Count{3750, 3}, Count{11250, 1125}}}, want: told{Good: true}},
		"a fault long after the plan's time is found":           {stretches: []stretch{{2000, even.green, even.blue}, {30, Count{3750, 18.75}, Count{11250, 11.25}}}, want: told{Bad: true, Leaning: true}},
		"five in a million instead of one are no reason to act": {set: rare, stretches: []stretch{{100, Count{1e6, 5}, Count{1e6, 1}}}, want: told{Leaning: true}},
		"a million requests an interval pass": {
			stretches: []stretch{{100, Count{1e6, 1000}, Count{3e6, 3000}}}, want: told{Good: true},
		},
		"two intervals of disaster are one":          {stretches: []stretch{even, {2, Count{100, 20}, Count{1000, 1}}}, want: told{Disaster: true}},
		"one interval of disaster isn't one yet":     {stretches: []stretch{even, {1, Count{100, 20}, Count{1000, 1}}}, want: told{Good: true}},
		"a disaster of both is none":                 {stretches: []stretch{even, {2, Count{100, 20}, Count{1000, 200}}}, want: told{Good: true}},
		"a disaster is seen where blue has nothing":  {stretches: []stretch{{2, Count{100, 20}, Count{}}}, want: told{Disaster: true, Leaning: true, Blind: true}},
		"slow answers are no disaster":               {set: slow, stretches: []stretch{{2, Count{100, 20}, Count{1000, 1}}}, want: told{Leaning: true}},
		"bursts as blue had them are no disaster":    {set: bursty, stretches: []stretch{{2, Count{100, 50}, Count{1000, 1}}}, want: told{Leaning: true}},
		"a disaster in bursts is one all the same":   {set: bursty, stretches: []stretch{{2, Count{1000, 400}, Count{1000, 1}}}, want: told{Disaster: true, Leaning: true}},
		"where blue has nothing its past is a limit": {stretches: []stretch{{10, Count{15000, 150}, Count{}}}, want: told{Bad: true, Leaning: true, Blind: true}},
		"where blue has stragglers its past is a limit": {
			stretches: []stretch{{10, Count{15000, 150}, Count{40, 0}}}, want: told{Bad: true, Leaning: true, Blind: true},
		},
		"where blue has nothing a good green passes": {stretches: []stretch{{10, Count{15000, 15}, Count{}}}, want: told{Good: true, Blind: true}},
		"both over the given limit: to go back helps nobody": {
			set: limited, stretches: []stretch{{40, Count{3750, 375}, Count{11250, 1125}}}, want: told{BothBad: true, Leaning: true},
		},
		"both over the limit, but green far worse: to go back helps": {
			set: limited, stretches: []stretch{{40, Count{3750, 750}, Count{11250, 450}}}, want: told{Bad: true, Leaning: true, Disaster: true},
		},
		"over the given limit while blue is under it": {
			set: limited, stretches: []stretch{{40, Count{3750, 75}, Count{11250, 70}}}, want: told{Bad: true, Leaning: true},
		},
		"nothing is compared when comparing is off": {
			set: alone, stretches: []stretch{{40, Count{3750, 18.75}, Count{11250, 11.25}}}, want: told{Good: true},
		},
		"the limit counts when comparing is off": {
			set: alone, stretches: []stretch{{40, Count{3750, 75}, Count{11250, 11.25}}}, want: told{Bad: true, Leaning: true},
		},
		"without any error on either side green passes": {
			set: spotless, stretches: []stretch{{40, Count{3750, 0}, Count{11250, 0}}}, want: told{Good: true},
		},
		"few requests without an error prove nothing": {
			set: spotless, stretches: []stretch{{40, Count{50, 0}, Count{11250, 0}}}, want: told{},
		},
		"what is tolerated passes": {
			set: patient, stretches: []stretch{{200, Count{3750, 9.375}, Count{11250, 11.25}}}, want: told{Good: true},
		},
		"a limit of nothing at all can't be proven, and breaks nothing": {
			set: func(s *Settings, _ *Profile) { s.HasLimit, s.Limit = true, 0 }, stretches: []stretch{{40, Count{3750, 0}, Count{11250, 0}}}, want: told{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p := shop()
			if test.set != nil {
				test.set(&s, &p)
			}
			v := play(s, p, test.stretches...).Judge(s, p)
			got := told{v.Bad, v.Disaster, v.BothBad, v.Good, v.Leaning, v.Blind}
			if len(test.stretches) == 0 {
				got.Blind = false
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s\n%+v", diff, v)
			}
		})
	}
}

func rare(_ *Settings, p *Profile)   { p.Metrics[0].Ratio = 1e-6 }
func slow(_ *Settings, p *Profile)   { p.Metrics[0].Edge = time.Second }
func bursty(_ *Settings, p *Profile) { p.Metrics[0].Dispersion = 1000 }
func limited(s *Settings, _ *Profile) {
	s.HasLimit, s.Limit = true, 0.01
}

func alone(s *Settings, _ *Profile) {
	s.Compare, s.HasLimit, s.Limit = false, true, 0.01
}

func spotless(s *Settings, p *Profile) {
	s.MinExcess, p.Metrics[0].Ratio = 0, 0
}

func patient(s *Settings, _ *Profile) { s.Tolerate = 3 }

func TestWhatUsersDoNotFeelHidesNothing(t *testing.T) {
	t.Parallel()
	s, p := shop()
	p.Metrics = []Metric{{Name: "errors", Ratio: 1e-6, Dispersion: 1}, {Name: "slower than 1s", Edge: time.Second, Ratio: 0.01, Dispersion: 1}}
	var b Book
	for i := range 40 {
		at := p.To.Add(time.Duration(i) * s.Interval)
		b = b.Add(s, p, Interval{
			Start: at, End: at.Add(s.Interval),
			Green: []Count{{1e6, 100}, {1e6, 1.5e4}}, Blue: []Count{{1e6, 1}, {1e6, 1e4}},
		}, true)
	}
	if v := b.Judge(s, p); !v.Bad || v.Metric != 1 {
		t.Errorf("got %+v, want bad by the slow answers", v)
	}
}

func TestAdd(t *testing.T) {
	t.Parallel()
	s, p := shop()
	before := play(s, p, stretch{3, Count{3750, 20}, Count{11250, 11}})
	at := before.Last
	sound := Interval{Start: at, End: at.Add(s.Interval), Green: []Count{{3750, 20}}, Blue: []Count{{11250, 11}}}
	with := func(change func(*Interval)) Interval {
		iv := sound
		iv.Green, iv.Blue = []Count{sound.Green[0]}, []Count{sound.Blue[0]}
		change(&iv)
		return iv
	}
	looked := before
	looked.Last = sound.End
	for name, test := range map[string]struct {
		interval Interval
		want     Book
	}{
		"one that was counted changes nothing":             {with(func(iv *Interval) { iv.Start = at.Add(-1) }), before},
		"one without length changes nothing":               {with(func(iv *Interval) { iv.End = iv.Start }), before},
		"one that ends before it begins changes nothing":   {with(func(iv *Interval) { iv.End = at.Add(-time.Hour) }), before},
		"a gap only says how far was looked":               {with(func(iv *Interval) { iv.Fault = "gap" }), looked},
		"so does what is no number":                        {with(func(iv *Interval) { iv.Green[0].Bad = math.NaN() }), looked},
		"so does what has no end":                          {with(func(iv *Interval) { iv.Blue[0].Requests = math.Inf(1) }), looked},
		"so do more requests than there can be":            {with(func(iv *Interval) { iv.Blue[0].Requests = 1e300 }), looked},
		"so does what is negative":                         {with(func(iv *Interval) { iv.Blue[0] = Count{-1, -1} }), looked},
		"so do more bad requests than requests":            {with(func(iv *Interval) { iv.Green[0] = Count{1, 2} }), looked},
		"so does what was counted by other metrics":        {with(func(iv *Interval) { iv.Green = append(iv.Green, Count{}) }), looked},
		"so does what was counted on one side only":        {with(func(iv *Interval) { iv.Blue = nil }), looked},
		"one without requests spends time, proves nothing": {with(func(iv *Interval) { iv.Green[0], iv.Blue[0] = Count{}, Count{} }), Book{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := before.Add(s, p, test.interval, true)
			if test.want.Last.IsZero() {
				if was, is := before.Judge(s, p), got.Judge(s, p); is.Times > was.Times*1.01 || got.Counted != before.Counted+1 {
					t.Errorf("from %+v to %+v", was, is)
				}
				return
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatIsNotSettledCountsForDisastersOnly(t *testing.T) {
	t.Parallel()
	s, p := shop()
	var b Book
	for i := range 2 {
		at := p.To.Add(time.Duration(i) * s.Interval)
		b = b.Add(s, p, Interval{Start: at, End: at.Add(s.Interval), Green: []Count{{100, 90}}, Blue: []Count{{1000, 0}}}, false)
	}
	want := Verdict{Disaster: true, Times: 1, Needed: 100, Metrics: 1, Blind: true, BlueRatio: 0.001}
	if diff := cmp.Diff(want, b.Judge(s, p), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Error(diff)
	}
}

func TestAStepBeginsPassingAnew(t *testing.T) {
	t.Parallel()
	s, p := shop()
	b := play(s, p, stretch{40, Count{3750, 3.75}, Count{11250, 11.25}})
	if !b.Judge(s, p).Good {
		t.Fatal("a good green doesn't pass")
	}
	begun := b.BeginStep(b.Last)
	if v := begun.Judge(s, p); v.Good || v.Green != (Tally{}) {
		t.Errorf("what was proven for the step before still counts: %+v", v)
	}
	if diff := cmp.Diff(begun, begun.BeginStep(begun.Step)); diff != "" {
		t.Errorf("to begin twice isn't the same as once:\n%s", diff)
	}
	if diff := cmp.Diff(b.Metrics[0].Worse, begun.Metrics[0].Worse); diff != "" {
		t.Errorf("the wager on a bad green began anew:\n%s", diff)
	}
}

func TestTheCapitalIsNeverMoreThanOne(t *testing.T) {
	t.Parallel()
	s, p := shop()
	s.Planned, s.Steps = 10, 2
	b := Book{}
	for i := range 5000 {
		at := p.To.Add(time.Duration(i) * s.Interval)
		if i%100 == 0 {
			b = b.BeginStep(at)
		}
		had := b.Spent
		b = b.Add(s, p, Interval{Start: at, End: at.Add(s.Interval), Green: []Count{{1, 0}}, Blue: []Count{{1, 0}}}, true)
		if b.Spent > 1 || b.Spent <= had {
			t.Fatalf("interval %d: from %g to %g", i, had, b.Spent)
		}
	}
}
