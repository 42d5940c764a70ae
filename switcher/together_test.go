package switcher

import (
	"testing"
	"time"
)

func TestRegularLooksOfAllPairsFallTogether(t *testing.T) {
	at := func(s float64) time.Time {
		return time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC).Add(time.Duration(s * float64(time.Second)))
	}
	for name, test := range map[string]struct{ now, wakeAt, want float64 }{
		"a regular look comes at the next common instant": {now: 3.2, wakeAt: 13.2, want: 10},
		"one that is there already stays":                 {now: 10, wakeAt: 20, want: 20},
		"one that was a moment late doesn't skip a beat":  {now: 10.004, wakeAt: 20.004, want: 20},
		"a look with a time of its own keeps it":          {now: 3.2, wakeAt: 7.1, want: 7.1},
		"a retry keeps its distance":                      {now: 9.95, wakeAt: 10.05, want: 10.05},
	} {
		t.Run(name, func(t *testing.T) {
			if got := together(at(test.wakeAt), at(test.now), 10*time.Second); !got.Equal(at(test.want)) {
				t.Errorf("got %s, want %s", got, at(test.want))
			}
		})
	}
}
