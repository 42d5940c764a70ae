package switcher_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// at25 brings a pair to 25 %, held, and gives its daemon.
func at25(t *testing.T, w *world) *daemon {
	t.Helper()
	d := w.daemon()
	for range 100 {
		w.step(t, d)
		if w.turn().Decision.Reason == shift.Holding && w.shares() == [2]shift.Share{25, 25} {
			return d
		}
	}
	t.Fatalf("25 %% was not reached: %s", w.turn().Decision.Message)
	return nil
}

// suffer lets half of the requests to green fail.
func suffer(w *world) { w.errors = 0.5 }

// takenOver lets another daemon take charge of the journal.
func (w *world) takenOver(t *testing.T) {
	s := w.journaled(t)
	s.Epoch++
	w.write(s, shift.Said{})
}

func rollBack(w *world) { w.ask.RollbackBy = []string{"the configuration"} }

func TestOneTurn(t *testing.T) {
	tests := map[string]struct {
		before func(t *testing.T, w *world) *daemon
		calls  []string // of the turn that follows
		reason shift.Reason
		shares [2]shift.Share
	}{
		"the first turn reads the journal, and takes charge before anything else": {
			before: func(_ *testing.T, w *world) *daemon { w.ask = shift.Request{Serve: shift.Blue}; return w.daemon() },
			calls:  []string{"load", "look", "save Idle 0: NothingToDo"}, reason: shift.NothingToDo,
		},
		"a rise is written down before it is made": {
			before: func(t *testing.T, w *world) *daemon { d := w.daemon(); w.step(t, d); return d },
			calls:  []string{"look and measure", "save Shifting 25: Rising", "rise dns to 25"}, reason: shift.Rising, shares: [2]shift.Share{25, 0},
		},
		"a rise that can't be written down is not made, and nobody is told that it was": {
			before: func(t *testing.T, w *world) *daemon {
				d := w.daemon()
				w.step(t, d)
				w.book.saveErr = errors.New("etcd is full")
				return d
			},
			calls: []string{"look and measure", "save Shifting 25: Rising"}, reason: shift.JournalUnwritable,
		},
		"a rise that somebody else's write overtook is not made": {
			before: func(t *testing.T, w *world) *daemon {
				d := w.daemon()
				w.step(t, d)
				w.book.version++
				return d
			},
			calls: []string{"look and measure", "save Shifting 25: Rising"}, reason: shift.JournalUnwritable,
		},
		"a person's rollback looks at the entrances only, goes out to all of them, and is written down after": {
			before: func(t *testing.T, w *world) *daemon { d := at25(t, w); rollBack(w); return d },
			calls:  []string{"look urgently", "rollback dns to 0", "rollback rule to 0", "save RollingBack 0: RollbackRequested"},
			reason: shift.RollbackRequested,
		},
		"a rollback of the daemon's own is written down first": {
			before: func(t *testing.T, w *world) *daemon { d := at25(t, w); suffer(w); return d },
			calls:  []string{"look and measure", "save RollingBack 0: UsersSuffer", "rollback dns to 0", "rollback rule to 0"},
			reason: shift.UsersSuffer,
		},
		"a rollback of the daemon's own that can't be written down goes out all the same": {
			before: func(t *testing.T, w *world) *daemon {
				d := at25(t, w)
				suffer(w)
				w.book.saveErr = errors.New("etcd is full")
				return d
			},
			calls:  []string{"look and measure", "save RollingBack 0: UsersSuffer", "rollback dns to 0", "rollback rule to 0"},
			reason: shift.UsersSuffer,
		},
		"a rollback of the daemon's own that meets a conflict first sees whether it is still in charge": {
			before: func(t *testing.T, w *world) *daemon { d := at25(t, w); suffer(w); w.book.version++; return d },
			calls:  []string{"look and measure", "save RollingBack 0: UsersSuffer", "load", "rollback dns to 0", "rollback rule to 0"},
			reason: shift.UsersSuffer,
		},
		"a rollback that a daemon decides after it lost its place is its successor's": {
			before: func(t *testing.T, w *world) *daemon {
				d := at25(t, w)
				suffer(w)
				w.takenOver(t)
				return d
			},
			calls:  []string{"look and measure", "save RollingBack 0: UsersSuffer", "load"},
			reason: shift.Superseded, shares: [2]shift.Share{25, 25},
		},
		"a person's rollback is obeyed even by a daemon that lost its place without knowing": {
			before: func(t *testing.T, w *world) *daemon {
				d := at25(t, w)
				rollBack(w)
				w.takenOver(t)
				return d
			},
			calls:  []string{"look urgently", "rollback dns to 0", "rollback rule to 0", "save RollingBack 0: RollbackRequested", "load"},
			reason: shift.RollbackRequested,
		},
		"an unreadable journal holds, and is not overwritten": {
			before: func(_ *testing.T, w *world) *daemon { w.book.unreadable = "it is no JSON"; return w.daemon() },
			calls:  []string{"load", "look", "say JournalUnreadable"}, reason: shift.JournalUnreadable,
		},
		"a journal that makes no sense holds, and is not overwritten": {
			before: func(_ *testing.T, w *world) *daemon {
				w.write(shift.State{Schema: shift.Schema, Phase: shift.Shifting, Share: 25}, shift.Said{})
				return w.daemon()
			},
			calls: []string{"load", "look", "say JournalUnreadable"}, reason: shift.JournalUnreadable,
		},
		"a rollback works without a journal": {
			before: func(_ *testing.T, w *world) *daemon {
				w.book.loadErr = errors.New("connection refused")
				w.groups[0].share, w.groups[1].share = 50, 50
				rollBack(w)
				return w.daemon()
			},
			calls:  []string{"load", "look urgently", "rollback dns to 0", "rollback rule to 0"},
			reason: shift.RollbackRequested,
		},
		"a journal that can't be read again is no reason to forget": {
			before: func(t *testing.T, w *world) *daemon {
				d := w.daemon()
				w.step(t, d)
				w.book.version++
				w.step(t, d) // meets the conflict
				w.book.loadErr = errors.New("connection refused")
				return d
			},
			calls: []string{"load", "look and measure"}, reason: shift.JournalUnwritable,
		},
		"a journal that makes no sense is no reason to forget": {
			before: func(t *testing.T, w *world) *daemon {
				d := w.daemon()
				w.step(t, d)
				w.write(shift.State{Schema: shift.Schema, Epoch: 1, Phase: shift.Shifting, Share: 25}, shift.Said{})
				w.step(t, d) // meets the conflict
				return d
			},
			calls: []string{"load", "look and measure", "say JournalUnwritable"}, reason: shift.JournalUnwritable,
		},
		"a rollback by itself doesn't wait for measurements while it goes on": {
			before: func(t *testing.T, w *world) *daemon {
				d := at25(t, w)
				w.errors = 0.5
				for w.turn().Decision.Next.Phase != shift.RollingBack {
					w.step(t, d)
				}
				return d
			},
			calls: []string{"look urgently", "save RolledBack 0: BackOnBlue"}, reason: shift.BackOnBlue,
		},
		"without a journal and without AWS nothing is taken for true": {
			before: func(_ *testing.T, w *world) *daemon { w.groups[0].err = "no route to host"; return w.daemon() },
			calls:  []string{"load", "look", "say EntranceUnknown"}, reason: shift.EntranceUnknown,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			d := test.before(t, w)
			n := w.noted()
			w.step(t, d)
			if diff := cmp.Diff(test.calls, w.since(n)); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			if got := w.turn().Decision.Reason; got != test.reason {
				t.Errorf("the reason is %s, want %s: %s", got, test.reason, w.turn().Decision.Message)
			}
			if w.shares() != test.shares {
				t.Errorf("AWS shows %v, want %v", w.shares(), test.shares)
			}
		})
	}
}

func TestStoppingDecidesNothing(t *testing.T) {
	w := newWorld()
	d := at25(t, w)
	w.errors = 0.5 // what would be a rollback
	ctx, stop := context.WithCancel(t.Context())
	stop()
	n := w.noted()
	d.Step(ctx, w.clock())
	if diff := cmp.Diff([]string{"look and measure"}, w.since(n)); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestStoppingFinishesTheWriteUnderWay(t *testing.T) {
	w := newWorld()
	d := w.daemon()
	w.step(t, d)
	ctx, stop := context.WithCancel(t.Context())
	w.midway = func(context.Context) { stop() }
	d.Step(ctx, w.clock())
	if w.shares() != [2]shift.Share{25, 0} {
		t.Errorf("AWS shows %v: the write was not finished", w.shares())
	}
}

func TestRollbackWaitsLittleOrNothingForAJournalThatHangs(t *testing.T) {
	for name, test := range map[string]struct {
		begin func(*world)
		want  time.Duration
	}{
		"one that a person asks for waits for nothing":   {rollBack, 0},
		"one that the daemon decides waits for a second": {suffer, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				d := at25(t, w)
				test.begin(w)
				w.book.hangs = true
				wrote := time.Duration(-1)
				began := time.Now()
				w.midway = func(context.Context) { wrote = time.Since(began) }
				w.step(t, d)
				if wrote != test.want || w.shares() != [2]shift.Share{0, 0} {
					t.Errorf("green was lowered to %v after %s, want all after %s", w.shares(), wrote, test.want)
				}
				w.midway, w.book.hangs = nil, false
				w.steps(t, d, time.Minute)
				if s := w.journaled(t); s.Phase != shift.RolledBack || s.Rollback == nil {
					t.Errorf("the journal was not made good: %s, rollback %v", s.Phase, s.Rollback)
				}
			})
		})
	}
}

// A gate that is to fail several times in a row is counted in memory while nothing can
// be written down: users don't suffer for want of a journal.
func TestBreachesCountWithoutAJournal(t *testing.T) {
	w := newWorld()
	w.plan.Gates.Traffic[0].Breaches = 3
	d := at25(t, w)
	suffer(w)
	w.book.saveErr = errors.New("etcd is full")
	for n := 1; n <= 3; n++ {
		if w.step(t, d); (w.shares() == [2]shift.Share{}) != (n == 3) {
			t.Fatalf("after %d failing measurements AWS shows %v: %s", n, w.shares(), w.turn().Decision.Message)
		}
	}
}

func TestSlowJournalAtTheStartIsWaitedForButNotByARollback(t *testing.T) {
	for name, test := range map[string]struct {
		rollback bool
		want     time.Duration
	}{
		"a start waits as long as a rise would": {false, 10 * time.Second},
		"a rollback waits for a second":         {true, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.book.hangs = true
				if test.rollback {
					rollBack(w)
				}
				began := time.Now()
				w.step(t, w.daemon())
				if took := time.Since(began); took != test.want {
					t.Errorf("the turn took %s, want %s", took, test.want)
				}
			})
		})
	}
}

// A rollback that went out while nobody could read the journal is not undone
// when it can be read again, even where no mark tells of it and the flag is
// gone by then.
func TestRollbackWithoutJournalIsRemembered(t *testing.T) {
	w := newWorld()
	w.groups = w.groups[:1]
	w.plan.Entrances = w.plan.Entrances[:1]
	at := w.daemon()
	w.step(t, at)
	s := w.journaled(t) // in attempt 1, before the first rise
	s.Entrances[0].Share, s.Entrances[0].Pending, s.Share, s.Step = 25, true, 25, 1
	s.Entrances[0].Was = shift.Share(0).Weights()
	w.write(s, shift.Said{})

	w.book.loadErr = errors.New("connection refused")
	rollBack(w)
	d := w.daemon()
	w.step(t, d)
	w.groups[0].mark = nil
	w.ask.RollbackBy, w.book.loadErr = nil, nil
	w.steps(t, d, 10*time.Minute)
	if s := w.journaled(t); s.Phase != shift.RolledBack || w.groups[0].share != 0 {
		t.Errorf("%s at %s, AWS shows %s; want a finished rollback", s.Phase, s.Share, w.groups[0].share)
	}
	n := 0
	for _, turn := range w.turns {
		if turn.Before.Rollback == nil && turn.Decision.Next.Rollback != nil {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d turns began a rollback, want one", n)
	}
}

// A save whose answer was lost looks like somebody else's write. It is joined,
// and the daemon goes on.
func TestOwnLostSaveIsNoRival(t *testing.T) {
	for name, where := range map[string]string{"at the start": "start", "in mid-shift": "hold", "on the way back": "rollback"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			d := w.daemon()
			if where != "start" {
				d = at25(t, w)
			}
			if where == "rollback" {
				rollBack(w)
			}
			w.book.losesReply = true
			w.steps(t, d, 10*time.Minute)
			want := [2]shift.Share{100, 100}
			if where == "rollback" {
				want = [2]shift.Share{0, 0}
			}
			if w.shares() != want || w.turn().Superseded || w.book.losesReply {
				t.Errorf("AWS shows %v, superseded: %t", w.shares(), w.turn().Superseded)
			}
		})
	}
}

// The custom resource is deleted in the middle of a rollback that the daemon
// began by itself. Nothing asks for it any more, and it goes on.
func TestLostJournalDoesNotStopARollback(t *testing.T) {
	w := newWorld()
	d := at25(t, w)
	w.errors = 0.5
	w.commits = func(c shift.Change) (bool, shift.Outcome) {
		ok := c.Entrance.Name == "dns"
		return ok, map[bool]shift.Outcome{true: shift.Applied, false: shift.Refused}[ok]
	}
	for w.shares() != [2]shift.Share{0, 25} {
		w.step(t, d)
	}
	w.book.content = nil
	w.book.version++
	w.commits = nil
	w.steps(t, d, time.Minute)
	if s := w.journaled(t); w.shares() != [2]shift.Share{0, 0} || s.Phase != shift.RolledBack {
		t.Errorf("AWS shows %v in phase %s, want a finished rollback", w.shares(), s.Phase)
	}
}

// A rise that is decided on a slow look, or journaled slowly, has less time to
// be sent: what may still land is counted from the start of the turn.
func TestRiseLeavesWithinTheWriteDeadlineOfItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.clock = func() time.Time { return time.Now().UTC() }
		d := w.daemon()
		w.slow = 8 * time.Second
		began, committed := time.Now(), false
		w.midway = func(ctx context.Context) {
			committed = true
			if end, ok := ctx.Deadline(); !ok || end.After(began.Add(shift.WriteDeadline)) {
				t.Errorf("the write may take until %s after the turn's start, want at most %s", end.Sub(began), shift.WriteDeadline)
			}
		}
		for range 20 {
			began = time.Now()
			w.step(t, d)
			if committed {
				return
			}
			time.Sleep(time.Second) // the bubble's clock
		}
		t.Fatalf("nothing rose: %s", w.turn().Decision.Message)
	})
}
