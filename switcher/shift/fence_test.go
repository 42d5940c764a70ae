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

// A journal that was set back doesn't know what was sent since. The daemon does.
func TestWhatWasSentOutlivesAJournalThatWasSetBack(t *testing.T) {
	sent := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	at := func(times ...time.Time) State {
		s := State{}
		for i, at := range times {
			s.Entrances = append(s.Entrances, EntranceState{Entrance: Entrance{Name: string(rune('a' + i))}, SentAt: at})
		}
		return s
	}
	back := at(time.Time{}, sent.Add(time.Minute), sent)
	back.KeepSent(at(sent, sent))
	for i, want := range []time.Time{sent, sent.Add(time.Minute), sent} {
		if got := back.Entrances[i].SentAt; !got.Equal(want) {
			t.Errorf("entrance %d: %s, want %s", i, got, want)
		}
	}
}

// The journal of a former attempt may be lost with what it sent: an attempt that has
// only just begun is fenced off too.
func TestAnAttemptThatJustBeganIsFencedOff(t *testing.T) {
	now := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	for _, ago := range []time.Duration{time.Second, time.Hour} {
		s := State{Phase: RollingBack, StartedAt: now.Add(-ago), Entrances: []EntranceState{{Entrance: Entrance{Name: "dns", Route53: &Route53Entrance{Mark: true}}}}}
		o := Observation{Entrances: []EntranceReading{{Name: "dns", At: now, Weights: Share(0).Weights()}}}
		if fenced := len(newTurn(Plan{StaleAfter: time.Minute}, s, o, now).fences()) > 0; fenced != (ago < time.Minute) {
			t.Errorf("begun %s ago, fenced: %t", ago, fenced)
		}
	}
}
