package switcher_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// With a new term a daemon begins as a new one would, from what others wrote.
func TestNewTermJoinsTheJournalAnew(t *testing.T) {
	w := newWorld()
	first := leaderAt25(t, w)
	before := w.journaled(t).Epoch
	first.lose()
	second := w.replica().elect()
	w.steps(t, second.daemon, 90*time.Second)
	w.step(t, first.daemon)
	if got := w.turn().Decision.Next.Share; w.shares() != [2]shift.Share{100, 100} || got != 100 {
		t.Fatalf("AWS shows %v, and the first tells of %s", w.shares(), got)
	}
	second.lose()
	first.elect()
	n := w.noted()
	w.step(t, first.daemon)
	if s := w.journaled(t); s.Epoch != before+2 || s.Share != 100 || w.since(n)[0] != "load" {
		t.Errorf("the journal tells of epoch %d at %s after %q, want epoch %d at 100 %%", s.Epoch, s.Share, w.since(n), before+2)
	}
	if got := w.turn(); got.Standby || got.Superseded {
		t.Errorf("standby %t, superseded %t, want neither", got.Standby, got.Superseded)
	}
}

// A way back that went out without lease and journal is not undone once both are
// there again, whoever holds the lease then, and though no mark tells of it.
func TestWayBackWithoutTheLeaseIsRemembered(t *testing.T) {
	for name, lost := range map[string]bool{"the journal stands": false, "the custom resource is gone": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			r := leaderAt25(t, w)
			r.lose()
			rollBack(w)
			w.book.loadErr = errors.New("connection refused")
			for range 3 {
				w.step(t, r.daemon)
			}
			if w.shares() != [2]shift.Share{0, 25} {
				t.Fatalf("AWS shows %v, want Route 53 back", w.shares())
			}
			w.ask.RollbackBy, w.book.loadErr = nil, nil
			for range 3 { // the journal answers, and tells of a shift
				w.step(t, r.daemon)
			}
			w.groups[0].mark = nil
			if lost {
				w.book.content, w.book.version = nil, w.book.version+1
			}
			r.elect()
			w.steps(t, r.daemon, 2*time.Minute)
			if s := w.journaled(t); s.Phase != shift.RolledBack || w.shares() != [2]shift.Share{} || s.Rollback.By != "the configuration" {
				t.Errorf("%s by %v, AWS shows %v; want a finished rollback by the configuration", s.Phase, s.Rollback, w.shares())
			}
		})
	}
}

// The lease goes from one to the other every few turns; nothing is written by who
// doesn't hold it, and the shift ends as by one daemon.
func TestReplicasThatTakeTurnsEndTheShift(t *testing.T) {
	for name, back := range map[string]bool{"green serves": false, "rolled back": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			pair := []*replica{w.replica().elect(), w.replica()}
			for i := range 400 {
				if i%7 == 6 {
					pair[0].lose()
					pair[1].elect()
					slices.Reverse(pair)
				}
				if back && i == 60 {
					rollBack(w)
				}
				before := pair[1].wrote
				now := w.clock()
				pair[1].Step(t.Context(), now)
				if pair[1].wrote != before && !back {
					t.Fatalf("turn %d: who doesn't hold the lease wrote: %q", i, w.calls)
				}
				w.step(t, pair[0].daemon)
			}
			want, phase := [2]shift.Share{100, 100}, shift.Completed
			if back {
				want, phase = [2]shift.Share{}, shift.RolledBack
			}
			if s := w.journaled(t); w.shares() != want || s.Phase != phase || len(w.faults) > 0 {
				t.Errorf("AWS shows %v, %s; faults %q", w.shares(), s.Phase, w.faults)
			}
		})
	}
}

func TestWithoutTheLeaseIsSaidOnce(t *testing.T) {
	w := newWorld()
	r := leaderAt25(t, w)
	r.lose()
	for range 5 {
		w.step(t, r.daemon)
	}
	if n := w.log.FilterMessageSnippet("newer daemon").Len() + w.log.FilterMessageSnippet("takes charge").Len(); n != 0 {
		t.Errorf("%d lines tell of another daemon; with a lease that is no trouble", n)
	}
	rollBack(w)
	w.steps(t, r.daemon, time.Minute)
	w.ask.RollbackBy = nil
	w.steps(t, r.daemon, time.Minute)
	if n := w.log.FilterMessage("state can't be written down").Len(); n != 1 {
		t.Errorf("%d lines say that nothing is written down, want one", n)
	}
	if n := w.log.FilterMessage("state is written down again").Len(); n != 0 {
		t.Error("it claims to have written")
	}
}
