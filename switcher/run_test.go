package switcher_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// running runs a loop in a bubble, where time passes by itself. The world's
// clock is the bubble's.
func running(t *testing.T, story func(w *world, d *daemon)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.clock = func() time.Time { return time.Now().UTC() }
		d := w.daemon()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); d.Run(ctx) }()
		story(w, d)
		stop()
		<-ended
	})
}

// pass lets time pass in the bubble, and the loop come to rest.
func pass(span time.Duration) {
	time.Sleep(span)
	synctest.Wait()
}

func TestWakeTurnsAtOnce(t *testing.T) {
	running(t, func(w *world, d *daemon) {
		pass(45 * time.Second) // a share of 25 %, held; the next look is seconds away
		if w.shares() != [2]shift.Share{25, 25} {
			t.Fatalf("AWS shows %v", w.shares())
		}
		asked := time.Now()
		w.change(func() { rollBack(w) })
		d.Wake()
		synctest.Wait()
		if w.shares() != [2]shift.Share{0, 0} || time.Since(asked) != 0 {
			t.Errorf("AWS shows %v after %s, want a rollback without any wait", w.shares(), time.Since(asked))
		}
	})
}

func TestWakeCutsASlowLookShort(t *testing.T) {
	running(t, func(w *world, d *daemon) {
		pass(45 * time.Second)
		w.change(func() { w.lookHangs = true })
		pass(w.plan.Interval + time.Second) // in the middle of a look
		asked := time.Now()
		w.change(func() { rollBack(w) })
		d.Wake()
		synctest.Wait()
		if w.shares() != [2]shift.Share{0, 0} || time.Since(asked) != 0 {
			t.Errorf("AWS shows %v after %s, want a rollback without waiting for the look", w.shares(), time.Since(asked))
		}
	})
}

// However often people change their minds, every second look is whole.
func TestWakesDontStarveTheLoop(t *testing.T) {
	running(t, func(w *world, d *daemon) {
		pass(45 * time.Second)
		w.change(func() { rollBack(w) })
		pass(time.Minute) // it has what it asks for, and the flag stays
		var before int
		w.change(func() { w.lookHangs, before = true, len(w.turns) })
		for range 300 {
			d.Wake()
			pass(100 * time.Millisecond)
		}
		w.change(func() {
			if n := len(w.turns) - before; n < 2 {
				t.Errorf("%d turns in 30 s, want the loop to go on", n)
			}
		})
	})
}

func TestOtherWishesWaitForTheLook(t *testing.T) {
	running(t, func(w *world, d *daemon) {
		pass(45 * time.Second)
		w.change(func() { w.lookHangs = true })
		pass(w.plan.Interval + time.Second) // in the middle of a look
		n := w.noted()
		w.change(func() { w.ask.Paused = true })
		d.Wake()
		synctest.Wait()
		if got := w.since(n); len(got) != 0 {
			t.Errorf("a pause cut the look short: %q", got)
		}
	})
}

func TestQuietLoopOnlyLooks(t *testing.T) {
	tests := map[string]struct {
		before func(w *world)
		settle time.Duration
		reason shift.Reason
		calls  []string // of each turn
	}{
		"blue serves":  {func(w *world) { w.ask = shift.Request{Serve: shift.Blue} }, time.Second, shift.NothingToDo, []string{"look"}},
		"hands off":    {func(w *world) { w.ask.HandsOff = true }, time.Second, shift.HandsOff, []string{"look"}},
		"green serves": {func(*world) {}, 10 * time.Minute, shift.ShiftCompleted, []string{"look"}},
		"rolled back":  {func(w *world) { rollBack(w); w.groups[0].share = 25 }, time.Minute, shift.AttemptOver, []string{"look"}},
		"paused":       {func(w *world) { w.ask.Paused = true }, time.Minute, shift.Paused, []string{"look"}},
		"a long hold":  {func(w *world) { w.plan.Steps[0].Hold = 24 * time.Hour }, time.Minute, shift.Holding, []string{"look and measure"}},
		"an unreadable journal": {
			func(w *world) { w.book.unreadable = "it is no JSON" }, time.Second, shift.JournalUnreadable, []string{"load", "look"},
		},
		"AWS is away and there's no journal": {
			func(w *world) { w.groups[0].err = "no route to host" }, time.Second, shift.EntranceUnknown, []string{"load", "look"},
		},
		"a drift": {
			func(w *world) {
				w.midway = func(context.Context) {
					if w.groups[1].share == 25 {
						w.groups[0].share = 70
					}
				}
			}, 3 * time.Minute, shift.Drift, []string{"look and measure"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.clock = func() time.Time { return time.Now().UTC() }
				test.before(w)
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan struct{})
				d := w.daemon()
				go func() { defer close(ended); d.Run(ctx) }()
				pass(test.settle)
				n := w.noted()
				const turns = 50
				pass(turns * w.plan.Interval)
				stop()
				<-ended
				if got := w.turn().Decision.Reason; got != test.reason {
					t.Fatalf("the reason is %s, want %s: %s", got, test.reason, w.turn().Decision.Message)
				}
				want := strings.Repeat(strings.Join(test.calls, "\n")+"\n", turns)
				looks, saves := withoutSaves(w.since(n))
				if diff := cmp.Diff(want, strings.Join(looks, "\n")+"\n"); diff != "" {
					t.Errorf("%d turns made these calls (-want +got):\n%s", turns, diff)
				}
				// A sign of life every half minute is all that is written.
				if most := int(turns*w.plan.Interval/(30*time.Second)) + 1; saves > most {
					t.Errorf("the journal was written %d times, want at most %d", saves, most)
				}
			})
		})
	}
}

// withoutSaves parts the calls from the writes of the journal.
func withoutSaves(calls []string) (others []string, saves int) {
	for _, c := range calls {
		if strings.HasPrefix(c, "save") || strings.HasPrefix(c, "say") {
			saves++
			continue
		}
		others = append(others, c)
	}
	return others, saves
}

// A write that is refused again and again is tried at growing distance, at most
// as far apart as the looks.
func TestRefusedWritesAreTriedAtGrowingDistance(t *testing.T) {
	running(t, func(w *world, d *daemon) {
		pass(45 * time.Second)
		var tried []time.Duration
		asked := time.Now()
		w.change(func() {
			rollBack(w)
			w.commits = func(c shift.Change) (bool, shift.Outcome) {
				if c.Entrance.Name == "rule" {
					tried = append(tried, time.Since(asked))
				}
				return false, shift.Refused
			}
		})
		d.Wake()
		pass(35 * time.Second)
		var want []time.Duration
		var next time.Duration
		for _, ms := range []int{0, 100, 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000} {
			next += time.Duration(ms) * time.Millisecond
			want = append(want, next)
		}
		w.change(func() {
			if diff := cmp.Diff(want, tried); diff != "" {
				t.Errorf("tries after the request (-want +got):\n%s", diff)
			}
		})
		w.change(func() { w.commits = nil })
		pass(time.Minute)
		if w.shares() != [2]shift.Share{0, 0} {
			t.Errorf("AWS shows %v after the refusals ended", w.shares())
		}
	})
}

// A daemon that is restarted writes the journal once, to take charge, and then
// no more: what it reads back equals what it has in mind.
func TestRestartWritesTheJournalOnce(t *testing.T) {
	w := newWorld()
	at25(t, w)
	next := w.daemon()
	w.step(t, next)
	n := w.noted()
	for range 2 {
		w.step(t, next)
	}
	if diff := cmp.Diff([]string{"look and measure", "look and measure"}, w.since(n)); diff != "" {
		t.Errorf("calls after the first turn (-want +got):\n%s", diff)
	}
	if s := w.journaled(t); s.Epoch != 2 {
		t.Errorf("the journal tells of epoch %d, want 2", s.Epoch)
	}
}

// Somebody deletes the custom resource of a pair at rest. Without it nobody
// could ask for anything.
func TestLostJournalOfAPairAtRestIsMadeAnew(t *testing.T) {
	running(t, func(w *world, _ *daemon) {
		w.change(func() { w.ask = shift.Request{Serve: shift.Blue} })
		pass(time.Minute)
		w.change(func() {
			w.book.content, w.ask.Unknown = nil, "the custom resource is gone"
			w.book.version++
		})
		pass(time.Minute)
		w.change(func() {
			if w.book.content == nil {
				t.Error("there is no journal after a minute")
			}
		})
	})
}

// Blue's readiness is news although nothing else changes, but not at every turn.
func TestJournalTellsOfBluesReadiness(t *testing.T) {
	running(t, func(w *world, _ *daemon) {
		w.change(func() { w.ask = shift.Request{Serve: shift.Blue} })
		pass(time.Minute)
		n := w.noted()
		w.change(func() { w.blueReady = 3 })
		pass(20 * time.Second) // less than from one sign of life to the next
		_, saves := withoutSaves(w.since(n))
		w.change(func() {
			if saves != 1 || w.book.said.BlueReady != "3/4" {
				t.Errorf("%d saves, and the journal says that blue has %q; want one and 3/4", saves, w.book.said.BlueReady)
			}
		})
	})
}
