package app

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// lentStanding is a lease that a test takes away.
type lentStanding struct {
	mu    sync.Mutex
	lost  bool
	ended []context.CancelFunc
}

func (l *lentStanding) Term() (int64, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost {
		return 1, 0
	}
	return 1, time.Minute
}

func (l *lentStanding) While(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost {
		cancel()
	}
	l.ended = append(l.ended, cancel)
	return ctx, cancel
}

func (l *lentStanding) lose() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost = true
	for _, end := range l.ended {
		end()
	}
}

// What a steward writes ends with the lease, also in the middle of a round that
// hangs; from then on it only reads, whatever the loop said last.
func TestAStewardWithoutTheLeaseOnlyReads(t *testing.T) {
	t.Parallel()
	atWard(t, func(w *ward) {
		lent := &lentStanding{}
		w.steward.standing = lent
		defer w.run()()
		w.turn(shift.Shifting, true, hold)
		w.with(func() { w.sides[shift.Blue].hangs = true })
		w.pass(15 * time.Second)
		lent.lose()
		w.with(func() { w.sides[shift.Blue].hangs = false })
		w.with(func() { w.sides[shift.Blue].tended, w.sides[shift.Green].tended = nil, nil })
		w.pass(25 * time.Second)
		for side, s := range w.sides {
			writes := func(r tendedWith) bool { return !r.Leave }
			if got := s.tended; len(got) == 0 || slices.ContainsFunc(got, writes) {
				t.Errorf("without the lease the rounds of %s are %+v, want some that leave all as it is", side, got)
			}
		}
		if r := w.steward.reading(); r.Err != "" {
			t.Errorf("a round that the lease's end cut short is told as trouble: %s", r.Err)
		}
	})
}

func TestAStandbyWritesNoRunbook(t *testing.T) {
	atDesk(t, func(d *desk) {
		d.scribe.Report(switcher.Turn{Standby: true, Decision: shift.Decision{Next: shift.State{Phase: shift.Shifting, Attempt: 1}}})
		synctest.Wait()
		d.expect("standing by", 0)
		lent := &lentStanding{}
		lent.lose()
		d.scribe.standing = lent
		d.turn(shift.Shifting, 1, shift.ShiftStarted)
		d.expect("with a lease that was lost since the turn", 0)
	})
}
