package shift

import (
	"testing"
	"time"
)

// A rise that nobody got an answer for may land after the way back. Where nothing is to
// be lowered the mark alone fences it off: once, and however long nothing was sent that
// the journal tells of, since it may be an older one.
func TestAWayBackFencesOffWhatIsOnItsWay(t *testing.T) {
	now := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	blue := EntranceReading{Name: "dns", At: now, Weights: Share(0).Weights()}
	marked := func(m Mark) EntranceReading {
		r := blue
		r.Mark = &m
		return r
	}
	records := Entrance{Name: "dns", Route53: &Route53Entrance{Mark: true}}
	for name, c := range map[string]struct {
		entrance Entrance
		reading  EntranceReading
		want     bool
	}{
		"a name without a mark":                            {records, blue, true},
		"the mark of this attempt's rise":                  {records, marked(Mark{Attempt: 2, Phase: Shifting}), true},
		"the mark of a former attempt's way back":          {records, marked(Mark{Attempt: 1, Rollback: true}), true},
		"the mark of this way back":                        {records, marked(Mark{Attempt: 2, Rollback: true}), false},
		"a name that can't be read":                        {records, EntranceReading{Name: "dns", Err: "no answer"}, false},
		"a name without marks by the configuration":        {Entrance{Name: "dns", Route53: &Route53Entrance{}}, blue, false},
		"a load balancer, where a mark fences off nothing": {Entrance{Name: "dns", Balancer: &BalancerEntrance{}}, blue, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := State{Phase: RollingBack, Attempt: 2, StartedAt: now.Add(-time.Hour), Entrances: []EntranceState{{Entrance: c.entrance}}}
			turn := newTurn(Plan{StaleAfter: time.Minute}, s, Observation{Entrances: []EntranceReading{c.reading}}, now)
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
