package rehearsal

import (
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/evidence"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Finds is what one request gate can tell at one step.
type Finds struct {
	Gate  string
	Step  int // counts from 1
	Share shift.Share
	Hold  time.Duration
	// Rate is how many requests a second green has there.
	Rate float64
	// Fine is when a green that is as good as blue passes.
	Fine evidence.Expected
	// Twice, Five and Point are when a fault is found that is there from the
	// step's beginning: twice and five times blue's ratio of errors, and one
	// percentage point more.
	Twice, Five, Point evidence.Expected
}

// farthest is how far ahead it is looked for: what isn't found within a day isn't
// found.
const farthest = 24 * time.Hour

// find reckons what a gate tells at each step.
func find(s evidence.Settings, gate string, p evidence.Profile, steps []shift.Step) []Finds {
	var all []Finds
	for i, step := range steps {
		share := float64(step.Share) / 100
		expect := func(errors func(float64) float64, proven func(evidence.Verdict) bool) evidence.Expected {
			return evidence.Expect(s, p, share, func(m evidence.Metric) float64 {
				if m.Edge != 0 {
					return m.Ratio
				}
				return errors(m.Ratio)
			}, farthest, proven)
		}
		bad := func(v evidence.Verdict) bool { return v.Bad || v.Disaster }
		all = append(all, Finds{
			Gate: gate, Step: i + 1, Share: step.Share, Hold: step.Hold, Rate: p.Rate * share,
			Fine:  expect(func(r float64) float64 { return r }, func(v evidence.Verdict) bool { return v.Good }),
			Twice: expect(func(r float64) float64 { return 2 * r }, bad),
			Five:  expect(func(r float64) float64 { return 5 * r }, bad),
			Point: expect(func(r float64) float64 { return r + 0.01 }, bad),
		})
	}
	return all
}
