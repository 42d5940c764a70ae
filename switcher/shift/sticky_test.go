package shift

import (
	"strings"
	"testing"
	"time"
)

// wentBack brings a world with a sticky rule to the end of a rollback that
// switched its stickiness off.
func wentBack(t *testing.T, restore bool) *world {
	t.Helper()
	w := held(t)
	for _, s := range w.mind.Entrances {
		if s.Balancer != nil {
			s.Balancer.RestoreStickiness = restore
		}
	}
	w.journal = new(w.mind.clone())
	w.ask.RollbackBy = []string{"the configuration"}
	for range 20 {
		if d := w.tick(w.plan.Interval); d.Next.Phase == RolledBack {
			w.group("rule").unstuck = &Unstuck{At: w.now, For: time.Hour}
			return w
		}
	}
	t.Fatalf("the rollback didn't end: %s", w.mind.Phase)
	return nil
}

func TestStickinessIsRestoredWhenItsLastCookieIsDead(t *testing.T) {
	w := wentBack(t, true)
	back := w.now
	for w.now.Sub(back) < 2*time.Hour {
		d := w.tick(time.Minute)
		if d.Reason != RestoringStickiness {
			continue
		}
		if passed := w.now.Sub(back); passed < time.Hour || passed > time.Hour+2*time.Minute {
			t.Errorf("stickiness is switched on after %s, want about an hour", passed)
		}
		if len(d.Changes) != 1 || !d.Changes[0].Restick || d.Changes[0].Wanted != 0 || d.Changes[0].Priority == Rise {
			t.Errorf("got the changes %+v", d.Changes)
		}
		return
	}
	t.Error("stickiness was never switched on again")
}

func TestStickinessStaysOffUnlessAskedFor(t *testing.T) {
	w := wentBack(t, false)
	for range 180 {
		if d := w.tick(time.Minute); d.Reason == RestoringStickiness || len(d.Changes) > 0 {
			t.Fatalf("%s: %s", d.Reason, d.Message)
		}
	}
}

func TestStickinessOfAnEditedRuleIsLeftAlone(t *testing.T) {
	w := wentBack(t, true)
	w.ask.RollbackBy = nil
	w.hand(w.group("rule"), Weights{Blue: 70, Green: 30})
	for range 180 {
		if d := w.tick(time.Minute); len(d.Changes) > 0 {
			t.Fatalf("%s: %s", d.Reason, d.Message)
		}
	}
}

func TestTheTailIsSaidAfterARollbackThatCouldNotSwitchStickinessOff(t *testing.T) {
	w := held(t)
	w.group("rule").sticky = time.Hour
	o := w.observe(w.mind)
	if tail, notes := w.mind.Tail(o), Notes(w.mind, o, w.now); !tail.IsZero() || len(notes) > 0 {
		t.Errorf("on the way up there is a tail until %s (%q)", tail, notes)
	}
	w.ask.RollbackBy = []string{"the configuration"}
	lowered := w.tick(w.plan.Interval)
	o = w.observe(w.mind)
	if tail := w.mind.Tail(o); len(lowered.Changes) == 0 || !tail.Equal(w.now.Add(time.Hour)) {
		t.Errorf("the tail lasts until %s, want an hour from %s on", tail, w.now)
	}
	notes := Notes(w.mind, o, w.now)
	if len(notes) != 2 || !strings.HasPrefix(notes[0], "dns: resolvers may send clients to green until") || !strings.Contains(notes[1], "rule: clients that hold its cookie may stay on green until") {
		t.Errorf("it is said as %q", notes)
	}
	if later := w.now.Add(2 * time.Hour); len(Notes(w.mind, o, later)) > 0 {
		t.Error("it is still said when the last cookie is dead")
	}
}

func TestNotesOfReadingsNameTheirEntrance(t *testing.T) {
	o := Observation{Entrances: []EntranceReading{{Name: "dns", Notes: []string{"the record \"canary\" gets a tenth"}}}}
	if got := Notes(NewState(), o, time.Time{}); len(got) != 1 || got[0] != `dns: the record "canary" gets a tenth` {
		t.Errorf("got %q", got)
	}
}
