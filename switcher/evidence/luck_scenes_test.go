package evidence

import (
	"math/rand/v2"
	"testing"
	"time"
)

func poisson(r *rand.Rand, m float64) (n float64) {
	for at := r.ExpFloat64(); at < m; at += r.ExpFloat64() {
		n++
	}
	return n
}

func TestTmp(t *testing.T) {
	for _, green := range []float64{20, 60, 200, 1000, 4000} {
		for _, bad := range []int{8, 40, 160} {
			during, after, n := 0, 0, 200
			for seed := range n {
				r := rand.New(rand.NewPCG(uint64(seed), 1))
				s := Settings{Compare: true, Tolerate: 1.25, MinExcess: 0.0005, Alarm: 0.01, Interval: 15 * time.Second, Planned: 240, Steps: 6, HasLimit: true, Limit: 0.05}
				p := Profile{Metrics: []Metric{{Name: "errors", Ratio: 0.01, Dispersion: 1}}, Rate: 10, To: time.Unix(1_800_000_000, 0)}
				at := p.To
				b := Book{}.BeginStep(at)
				for i := range bad + 120 {
					ratio := 0.01
					if i < bad {
						ratio = 0.3
					}
					iv := Interval{Start: at, End: at.Add(s.Interval), Green: []Count{{green, min(green, poisson(r, green*ratio))}}, Blue: []Count{{green * 9, poisson(r, green*9*ratio)}}}
					b, at = b.Add(s, p, iv, true), iv.End
					v := b.Judge(s, p)
					if v.Bad || v.Disaster {
						if i < bad {
							during++
						} else {
							after++
						}
						break
					}
				}
			}
			t.Logf("green %v, bad for %d intervals: of %d rolled back during %d, after %d", green, bad, n, during, after)
		}
	}
}
