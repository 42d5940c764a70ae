package shift

import (
	"testing"
	"time"
)

// A person goes back at AWS, past the daemon, after the shift was over. The way
// back is opened anew and ends on blue; nothing rises after it by itself.
func TestARollbackPastTheDaemonIsJoinedAfterCompletion(t *testing.T) {
	w := newWorld()
	w.ask = Request{Serve: Green, Attempt: 1}
	for range 400 {
		if w.tick(w.plan.Interval).Next.Phase == Completed {
			break
		}
	}
	if w.mind.Phase != Completed {
		t.Fatalf("the shift stands in %s", w.mind.Phase)
	}
	for _, g := range w.groups {
		g.set(w.now, Share(0).Weights())
		g.mark = new(Mark{Attempt: w.mind.Attempt, Epoch: w.mind.Epoch, Version: 1, Phase: RollingBack, Rollback: true})
	}
	for range 60 {
		w.tick(w.plan.Interval)
	}
	if w.mind.Phase != RolledBack || !w.allBlue() || w.now.Sub(w.mind.EndedAt) < time.Minute {
		t.Errorf("the pair stands in %s since %s, all on blue: %t", w.mind.Phase, w.mind.EndedAt, w.allBlue())
	}
}
