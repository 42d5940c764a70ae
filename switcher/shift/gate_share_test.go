package shift

import (
	"testing"
	"time"
)

func TestGateOnTheObservedShare(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(t *turn, r *LoadReading)
		want  Judgement
		none  bool // it says nothing
	}{
		"green gets what is intended":    {func(*turn, *LoadReading) {}, Pass, false},
		"10 points more are tolerated":   {func(_ *turn, r *LoadReading) { r.Green, r.Blue = 35, 65 }, Pass, false},
		"20 are not":                     {func(_ *turn, r *LoadReading) { r.Green, r.Blue = 45, 55 }, Fail, false},
		"green gets nothing":             {func(_ *turn, r *LoadReading) { r.Green, r.Blue = 0, 100 }, Fail, false},
		"the sides are swapped":          {func(_ *turn, r *LoadReading) { r.Green, r.Blue = 75, 25 }, Fail, false},
		"it only warns":                  {func(t *turn, r *LoadReading) { r.Green, r.Blue = 75, 25; t.p.Gates.ObservedShare.Warn = true }, Pass, false},
		"it is switched off":             {func(t *turn, r *LoadReading) { r.Green, r.Blue = 75, 25; t.p.Gates.ObservedShare.Off = true }, Pass, true},
		"few requests scatter":           {func(_ *turn, r *LoadReading) { r.Green, r.Blue = 0.02, 0.02 }, Pass, false},
		"many don't":                     {func(_ *turn, r *LoadReading) { r.Green, r.Blue = 20, 20 }, Fail, false},
		"nobody asks":                    {func(_ *turn, r *LoadReading) { r.Green, r.Blue = 0, 0 }, Pass, true},
		"it was measured before too":     {func(t *turn, r *LoadReading) { r.From = t.next.ReachedAt.Add(-time.Second); r.Green = 0 }, Pass, true},
		"the share isn't reached yet":    {func(t *turn, r *LoadReading) { t.next.ReachedAt = time.Time{}; r.Green = 0 }, Pass, true},
		"it can't be measured":           {func(_ *turn, r *LoadReading) { r.Err = "throttled" }, Pass, true},
		"but it must be":                 {func(t *turn, r *LoadReading) { r.Err = "throttled"; t.p.Gates.ObservedShare.Required = true }, Unmeasured, false},
		"no source is there, but needed": {func(t *turn, _ *LoadReading) { t.p.Capacity.Loads = nil; t.p.Gates.ObservedShare.Required = true }, Unmeasured, false},
		"it must be, and soon is": {func(t *turn, r *LoadReading) {
			r.From = t.next.ReachedAt.Add(-time.Second)
			t.p.Gates.ObservedShare.Required = true
		}, Wait, false},
		"green has no users yet":                             {func(t *turn, r *LoadReading) { t.next.Share, r.Green = 0, 100 }, Pass, true},
		"all is to be on green, and a fifth is kept on blue": {func(t *turn, r *LoadReading) { t.next.Share, r.Green, r.Blue = 100, 80, 20 }, Fail, false},
		"all is to be on green, and some are kept on blue":   {func(t *turn, r *LoadReading) { t.next.Share, r.Green, r.Blue = 100, 95, 5 }, Pass, false},
	} {
		t.Run(name, func(t *testing.T) {
			turn := judged(func(t *turn) {
				t.p.Gates.ObservedShare.Tolerance = 10
				t.p.Capacity.Loads = []LoadSource{{Name: "alb"}}
				t.o.Loads = []LoadReading{{Name: "alb", At: t.now, From: t.next.ReachedAt, To: t.now, FreshFor: time.Minute, Green: 25, Blue: 75}}
				test.spoil(t, &t.o.Loads[0])
			})
			verdicts := shareObserved(turn, 50)
			if got := worst(verdicts); got.Judgement != test.want || (len(verdicts) == 0) != test.none {
				t.Errorf("got %+v, want %s (nothing said: %t)", verdicts, test.want, test.none)
			}
		})
	}
}
