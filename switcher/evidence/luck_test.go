package evidence

import (
	"math/rand/v2"
	"testing"
	"time"
)

// What both sides depend on fails a third of all answers, over the limit that was
// given, and is well again. With few requests the wager on green's limit, won
// meanwhile, lasts until long after; which side then seems worse of late is chance.
func TestTheEndOfATroubleOfBothSendsNobodyBack(t *testing.T) {
	t.Parallel()
	for name, green := range map[string]float64{"hardly any requests": 20, "few requests": 60, "more requests": 200} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			both := false
			for seed := range uint64(20) {
				r := rand.New(rand.NewPCG(seed, 1))
				s, p := shop()
				s.HasLimit, s.Limit = true, 0.05
				p.Metrics[0].Ratio = 0.01
				b, at := Book{}.BeginStep(p.To), p.To
				for i := range 140 {
					ratio := 0.01
					if i < 40 {
						ratio = 0.3
					}
					blue := 9 * green
					iv := Interval{Start: at, End: at.Add(s.Interval), Green: []Count{{green, min(green, poisson(r, green*ratio))}}, Blue: []Count{{blue, poisson(r, blue*ratio)}}}
					b, at = b.Add(s, p, iv, true), iv.End
					v := b.Judge(s, p)
					both = both || v.BothBad
					if v.Bad || v.Disaster {
						t.Fatalf("seed %d: users go back %s after the trouble's end: %+v", seed, time.Duration(i-40)*s.Interval, v)
					}
				}
			}
			if !both {
				t.Error("that both suffered was never said")
			}
		})
	}
}

// A green that doesn't recover with blue is found all the same.
func TestAGreenThatStaysIllAfterATroubleOfBothIsFound(t *testing.T) {
	t.Parallel()
	s, p := shop()
	s.HasLimit, s.Limit = true, 0.05
	p.Metrics[0].Ratio = 0.01
	ill, well := Count{60, 18}, Count{540, 5.4}
	b := play(s, p, stretch{40, ill, Count{540, 162}}, stretch{60, ill, well})
	if v := b.Judge(s, p); !v.Bad {
		t.Errorf("got %+v", v)
	}
}
