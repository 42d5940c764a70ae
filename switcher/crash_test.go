package switcher_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// end is what a journey leaves behind, as users and people see it.
type end struct {
	Phase   shift.Phase
	Attempt int
	Share   shift.Share
	Shares  [2]shift.Share
}

// journeys are whole ways through a loop's life; each runs until nothing moves
// any more.
func journeys() map[string]struct {
	play func(t *testing.T, w *world, live func(time.Duration))
	want end
} {
	return map[string]struct {
		play func(t *testing.T, w *world, live func(time.Duration))
		want end
	}{
		"a healthy shift": {
			play: func(_ *testing.T, _ *world, live func(time.Duration)) { live(10 * time.Minute) },
			want: end{shift.Completed, 1, 100, [2]shift.Share{100, 100}},
		},
		"a person's rollback at 25 %": {
			play: func(_ *testing.T, w *world, live func(time.Duration)) {
				live(50 * time.Second)
				w.ask.RollbackBy = []string{"the configuration"}
				live(10 * time.Minute)
			},
			want: end{shift.RolledBack, 1, 0, [2]shift.Share{0, 0}},
		},
		"users who suffer": {
			play: func(_ *testing.T, w *world, live func(time.Duration)) {
				live(50 * time.Second)
				w.errors = 0.5
				live(10 * time.Minute)
			},
			want: end{shift.RolledBack, 1, 0, [2]shift.Share{0, 0}},
		},
		"the planned way back": {
			play: func(_ *testing.T, w *world, live func(time.Duration)) {
				live(10 * time.Minute)
				w.ask.Serve = shift.Blue
				live(10 * time.Minute)
			},
			want: end{shift.RolledBack, 2, 0, [2]shift.Share{0, 0}},
		},
	}
}

// travel plays a journey; a daemon that dies is followed by the next.
func travel(t *testing.T, w *world, play func(*testing.T, *world, func(time.Duration))) end {
	t.Helper()
	d := w.daemon()
	live := func(span time.Duration) {
		for until := w.clock().Add(span); !w.clock().After(until); {
			if w.before != nil {
				w.before()
			}
			if died := survive(func() { w.step(t, d) }); died {
				d = w.daemon()
			}
		}
	}
	play(t, w, live)
	s := w.journaled(t)
	return end{s.Phase, s.Attempt, s.Share, w.shares()}
}

func survive(turn func()) (died bool) {
	defer func() {
		switch r := recover(); r {
		case nil:
		case crash{}:
			died = true
		default:
			panic(r)
		}
	}()
	turn()
	return false
}

// TestCrashAtAnyCallEndsTheSame lets the daemon die before and after each call
// of a whole journey, one at a time: L3.
func TestCrashAtAnyCallEndsTheSame(t *testing.T) {
	for name, journey := range journeys() {
		t.Run(name, func(t *testing.T) {
			calm := newWorld()
			if diff := cmp.Diff(journey.want, travel(t, calm, journey.play)); diff != "" {
				t.Fatalf("without a crash (-want +got):\n%s", diff)
			}
			for at := 1; at <= calm.boundary; at++ {
				w := newWorld()
				w.crashAt = at
				if diff := cmp.Diff(journey.want, travel(t, w, journey.play)); diff != "" {
					t.Errorf("crash at call boundary %d of %d, after %q (-want +got):\n%s", at, calm.boundary, w.lastWords, diff)
				}
				rulesHeld(t, w, fmt.Sprintf("crash at call boundary %d", at))
			}
		})
	}
}

// TestManyTroublesEndTheSame plays the journeys with random crashes, lost
// answers, refusals and outages of the journal, which end some day: L1.
func TestManyTroublesEndTheSame(t *testing.T) {
	for name, journey := range journeys() {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				w := newWorld()
				troubles := rapid.SliceOfN(rapid.IntRange(0, 6), 0, 40).Draw(rt, "troubles")
				w.before = func() {
					w.crashAt, w.commits, w.book.saveErr, w.book.loadErr = 0, nil, nil, nil
					if len(troubles) == 0 {
						return
					}
					w.trouble(troubles[0])
					troubles = troubles[1:]
				}
				got := travel(t, w, journey.play)
				if diff := cmp.Diff(journey.want, got); diff != "" {
					rt.Errorf("the end (-want +got):\n%s", diff)
				}
				rulesHeld(t, w, "random troubles")
			})
		})
	}
}

// trouble plants what befalls the next turn.
func (w *world) trouble(kind int) {
	switch kind {
	case 1:
		w.crashAt = w.boundary + 1
	case 2:
		w.crashAt = w.boundary + 3
	case 3:
		w.book.losesReply = true
	case 4:
		w.book.saveErr, w.book.loadErr = errors.New("etcd is full"), errors.New("connection refused")
	case 5:
		w.commits = func(shift.Change) (bool, shift.Outcome) { return false, shift.Unknown }
	case 6:
		w.commits = func(shift.Change) (bool, shift.Outcome) { return true, shift.Unknown }
	}
}

// rulesHeld checks what must hold in any story: no rise lands that is not
// written down, and after a rollback nothing rises in the same attempt.
func rulesHeld(t *testing.T, w *world, story string) {
	t.Helper()
	for _, fault := range w.faults {
		t.Errorf("%s: %s", story, fault)
	}
	type last struct {
		share      shift.Share
		rolledBack bool
	}
	attempts := map[int]last{}
	for i, s := range w.book.states {
		before := attempts[s.Attempt]
		if before.rolledBack && (s.Share > before.share || s.Rollback == nil) {
			t.Errorf("%s: journal entry %d goes up to %s, or forgets the rollback, in attempt %d", story, i, s.Share, s.Attempt)
		}
		attempts[s.Attempt] = last{s.Share, s.Rollback != nil}
	}
}

// TestSecondDaemonTakesOver starts a second daemon at any moment of a shift,
// and lets both go on. Whoever is in charge stays it: S8.
func TestSecondDaemonTakesOver(t *testing.T) {
	for at := 1; at <= 60; at++ {
		w := newWorld()
		old, next := w.daemon(), w.daemon()
		for range at {
			w.step(t, old)
		}
		w.step(t, next) // takes charge
		wrote := old.wrote
		for end := w.clock().Add(10 * time.Minute); w.clock().Before(end); {
			now := w.clock()
			old.Step(t.Context(), now)
			w.step(t, next)
			if !w.clock().After(now) {
				w.clock = func() time.Time { return now.Add(time.Millisecond) }
			}
		}
		if got := w.shares(); old.wrote != wrote || got != [2]shift.Share{100, 100} {
			t.Errorf("second daemon after %d turns: the first wrote %d times after it, AWS shows %v", at, old.wrote-wrote, got)
		}
		rulesHeld(t, w, fmt.Sprintf("second daemon after %d turns", at))
	}
}
