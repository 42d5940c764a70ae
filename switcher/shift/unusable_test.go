package shift

import (
	"strings"
	"testing"
	"time"
)

// held brings a world to the hold at 25 %.
func held(t *testing.T) *world {
	t.Helper()
	w := newWorld()
	w.ask = Request{Serve: Green, Attempt: 1}
	for range 200 {
		if d := w.tick(w.plan.Interval); d.Next.Share == 25 && d.Reason == Holding {
			return w
		}
	}
	t.Fatalf("25 %% was not held within 200 turns: %s at %s", w.mind.Phase, w.mind.Share)
	return nil
}

// A hold may take hours. Somebody who deleted a record hears of it now, not
// when the hold is over.
func TestAnEntranceThatBecameUnusableIsNamedWhileTheShareIsHeld(t *testing.T) {
	w := held(t)
	w.group("dns").err = "the record green is gone"
	d := w.tick(time.Second)
	if d.Reason != EntranceUnknown || !strings.Contains(d.Message, "the record green is gone") {
		t.Errorf("got %s: %s", d.Reason, d.Message)
	}
}

func TestARollbackSaysWhatItCantReadBack(t *testing.T) {
	w := held(t)
	w.group("dns").err = "its mark can't be read: delete it"
	w.ask.RollbackBy = []string{"the configuration"}
	for range 10 {
		w.tick(w.plan.Interval)
	}
	d := w.tick(w.plan.Interval)
	if d.Reason != RollbackUnderWay || !strings.Contains(d.Message, "dns can't be read back: its mark can't be read: delete it") {
		t.Errorf("got %s: %s", d.Reason, d.Message)
	}
}
