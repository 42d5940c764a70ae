package shift

import (
	"testing"
	"time"
)

// A rise that nobody got an answer for may land after the way back. Where nothing is to
// be lowered the mark alone fences it off, for as long as it may land.
func TestAWayBackFencesOffWhatIsOnItsWay(t *testing.T) {
	now := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		ago      time.Duration // since it was sent, by this daemon's clock
		clockOff time.Duration
		want     bool
	}{
		"sent a minute ago":                                   {time.Minute, 0, true},
		"sent too long ago to land":                           {3 * time.Minute, 0, false},
		"long ago only by a clock that is ahead":              {7 * time.Minute, 6 * time.Minute, true},
		"long ago by any clock":                               {20 * time.Minute, 6 * time.Minute, false},
		"a minute ago by a clock that is behind":              {time.Minute, -6 * time.Minute, true},
		"in the future, by a clock that is far behind":        {-5 * time.Minute, -6 * time.Minute, true},
		"longer ago than what a clock that is behind excuses": {3 * time.Minute, -6 * time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := Entrance{Name: "dns", Route53: &Route53Entrance{Mark: true}}
			s := State{Phase: RollingBack, Entrances: []EntranceState{{Entrance: e, SentAt: now.Add(-c.ago)}}}
			o := Observation{ClockOff: c.clockOff, Entrances: []EntranceReading{{Name: "dns", At: now, Weights: Share(0).Weights()}}}
			turn := newTurn(Plan{StaleAfter: time.Minute}, s, o, now)
			if got := len(turn.fences()) > 0; got != c.want {
				t.Errorf("fenced: %t", got)
			}
		})
	}
}
