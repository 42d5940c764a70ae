package evidence

import (
	"testing"
	"time"
)

// shop is a pair of 1,000 requests a second, of which one in a thousand fails.
func shop() (Settings, Profile) {
	return Settings{Compare: true, Tolerate: 1.25, MinExcess: 0.0005, Alarm: 0.01, Interval: 15 * time.Second, Planned: 240, Steps: 6},
		Profile{Metrics: []Metric{{Name: "errors", Ratio: 0.001, Dispersion: 1}}, Rate: 1000, To: time.Unix(1_800_000_000, 0)}
}

func TestWhatIsExpected(t *testing.T) {
	s, p := shop()
	for name, test := range map[string]struct {
		share  float64
		ratio  float64
		bad    bool
		within time.Duration
		found  bool
	}{
		"five times as bad at 25 % is found within 2.5 min": {0.25, 0.005, true, 150 * time.Second, true},
		"twice as bad at 25 % is found within 8 min":        {0.25, 0.002, true, 8 * time.Minute, true},
		"twice as bad isn't found at 1 % in 10 min":         {0.01, 0.002, true, 10 * time.Minute, false},
		"no worse is never found":                           {0.25, 0.001, true, 24 * time.Hour, false},
		"no worse passes":                                   {0.25, 0.001, false, 5 * time.Minute, true},
		"no worse passes at 100 % by the limit":             {1, 0.001, false, 5 * time.Minute, true},
	} {
		t.Run(name, func(t *testing.T) {
			e := Expect(s, p, test.share, func(Metric) float64 { return test.ratio }, test.within, func(v Verdict) bool {
				if test.bad {
					return v.Bad
				}
				return v.Good
			})
			t.Logf("%+v", e)
			if e.Found != test.found {
				t.Errorf("got %+v", e)
			}
		})
	}
}
