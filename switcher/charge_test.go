package switcher_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func TestSupersededDaemonNeverWritesAgain(t *testing.T) {
	w := newWorld()
	old := at25(t, w)
	successor := w.daemon()
	w.step(t, successor)
	for range 3 {
		w.step(t, old)
	}
	if got := w.turn(); !got.Superseded || got.Decision.Reason != shift.Superseded {
		t.Fatalf("the old daemon says %s", got.Decision.Reason)
	}
	w.steps(t, successor, 90*time.Second)
	if w.shares() != [2]shift.Share{100, 100} {
		t.Fatalf("the successor stands at %v", w.shares())
	}
	rollBack(w)
	w.step(t, successor)
	version, n := w.book.version, w.noted()
	for range 10 { // less than a way back may take
		w.step(t, old)
	}
	if w.book.version != version || slices.ContainsFunc(w.since(n), func(c string) bool { return c != "load" && !strings.HasPrefix(c, "look") }) {
		t.Errorf("the old daemon wrote: %q", w.since(n))
	}
	if got := w.turn().Decision.Next; got.Phase != shift.RollingBack {
		t.Errorf("the old daemon tells of %s, its successor's journal of RollingBack", got.Phase)
	}
	if lines := w.log.FilterMessageSnippet("newer daemon took charge").Len(); lines != 1 {
		t.Errorf("%d lines say so, want one", lines)
	}
}

// A newer daemon that is gone must not keep the older one from a person's
// rollback for ever.
func TestRollbackThatNobodyInChargeHeedsIsTakenUp(t *testing.T) {
	w := newWorld()
	old := at25(t, w)
	successor := w.daemon()
	w.step(t, successor)
	for range 3 {
		w.step(t, old)
	}
	if !w.turn().Superseded {
		t.Fatal("the old daemon doesn't know of its successor")
	}
	w.steps(t, old, time.Minute) // the successor is dead, and nobody asks
	if !w.turn().Superseded {
		t.Fatal("the old daemon took charge although nobody asked for a rollback")
	}
	rollBack(w)
	asked := w.clock()
	for w.shares() != [2]shift.Share{0, 0} {
		if w.clock().Sub(asked) > 30*time.Second {
			t.Fatalf("AWS shows %v 30 s after the rollback was asked for", w.shares())
		}
		w.step(t, old)
	}
	w.steps(t, old, time.Minute)
	if s := w.journaled(t); s.Phase != shift.RolledBack {
		t.Errorf("the journal tells of %s, want RolledBack", s.Phase)
	}
	n := w.noted()
	w.steps(t, successor, time.Minute) // it wasn't dead after all
	if slices.ContainsFunc(w.since(n), func(c string) bool { return strings.HasPrefix(c, "rise") }) {
		t.Errorf("the successor comes back and rises: %q", w.since(n))
	}
}

// A way back that somebody began who is gone is finished, but not before whoever is at
// it would have finished.
func TestWayBackThatNobodyFinishesIsTakenUp(t *testing.T) {
	w := newWorld()
	old := at25(t, w)
	successor := w.daemon()
	w.step(t, successor)
	rollBack(w)
	w.step(t, successor) // it journals the way back, and dies
	began := w.clock()
	for w.clock().Sub(began) < 100*time.Second {
		w.step(t, old)
	}
	if s := w.journaled(t); !w.turn().Superseded || s.Phase != shift.RollingBack {
		t.Fatalf("after 100 s the old daemon is in charge: %t, the journal tells of %s", !w.turn().Superseded, s.Phase)
	}
	w.steps(t, old, 5*time.Minute)
	if s := w.journaled(t); s.Phase != shift.RolledBack || w.shares() != [2]shift.Share{0, 0} {
		t.Errorf("the journal tells of %s, AWS shows %v", s.Phase, w.shares())
	}
}

// What keeps a write from landing is said where people look: in the journal.
func TestJournalTellsWhyAWriteDidNotLand(t *testing.T) {
	w := newWorld()
	d := at25(t, w)
	w.commits = func(shift.Change) (bool, shift.Outcome) { return false, shift.Refused }
	rollBack(w)
	w.steps(t, d, 10*time.Second)
	if got := w.book.said.Message; !strings.Contains(got, "the last write did not go through: dns:") {
		t.Errorf("the journal says %q", got)
	}
	w.commits = nil
	w.steps(t, d, time.Minute)
	if got := w.book.said.Message; strings.Contains(got, "did not go through") {
		t.Errorf("after the write landed the journal says %q", got)
	}
}

// An AWS that answers slower than an urgent look waits must not keep a rollback
// from ending.
func TestUrgentLooksTakeLongerWhenTheySeeNothing(t *testing.T) {
	w := newWorld()
	d := at25(t, w)
	w.slow = 3 * time.Second
	rollBack(w)
	for range 10 {
		w.step(t, d)
	}
	if s := w.journaled(t); s.Phase != shift.RolledBack {
		t.Errorf("after 10 turns the journal tells of %s, want RolledBack", s.Phase)
	}
}
