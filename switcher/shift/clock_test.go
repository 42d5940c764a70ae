package shift

import (
	"testing"
	"time"
)

// A daemon whose clock is minutes ahead counted a failing measurement and wrote that
// down. The next one, whose clock is right, doesn't wait until that time has come:
// users suffer meanwhile.
func TestWhatAFastClockCountedStopsNoRollback(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"by a clock that is right": 0, "by one that is minutes ahead": 5 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			e := Entrance{Name: "dns", Route53: &Route53Entrance{Mark: true}}
			s := State{
				Phase: Shifting, Attempt: 1, Epoch: 2, Version: 2, Share: 40, Step: 1, Steps: []Step{{Share: 40, Hold: time.Hour}, {Share: 100}},
				Baseline: Baseline{At: tenOClock, Ready: 8}, StartedAt: tenOClock.Add(-time.Hour), ReachedAt: tenOClock.Add(-time.Minute),
				Entrances: []EntranceState{{Entrance: e, Share: 40}},
				Breaches:  []Breach{{Gate: "errors", Count: 1, To: tenOClock.Add(ahead)}},
			}
			p := planOf(s)
			p.Gates = Gates{Traffic: []TrafficGate{{Name: "errors", MaxErrorRatio: 0.01, MinRequests: 50, Breaches: 2}}}
			var d Decision
			for now := tenOClock.Add(10 * time.Second); now.Before(tenOClock.Add(time.Minute)) && d.Reason != UsersSuffer; now = now.Add(10 * time.Second) {
				d = Decide(p, s, Observation{
					Request: Request{Serve: Green, Attempt: 1}, Green: ready(), Blue: ready(),
					Entrances: []EntranceReading{{Name: "dns", At: now, Weights: Share(40).Weights(), InSync: true}},
					Traffic:   []TrafficReading{{Gate: "errors", At: now, From: s.ReachedAt, To: now, Requests: 1000, Errors: 500, FreshFor: time.Minute}},
				}, now)
				s = d.Next
			}
			if d.Reason != UsersSuffer {
				t.Errorf("after a minute: %s: %s", d.Reason, d.Message)
			}
		})
	}
}
