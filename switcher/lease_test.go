package switcher_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const longEnough = 13 * time.Second

// replica is a daemon with a lease, which a test gives and takes away.
type replica struct {
	*daemon
	term int64
	left time.Duration
	// lostAt is the call, of those from lostFrom on, during which the lease ends;
	// empty: it doesn't.
	lostAt   string
	lostFrom int
	told     shift.ClusterIntent
}

func (w *world) replica() *replica {
	r := &replica{daemon: &daemon{w: w}}
	r.Switcher = switcher.New(switcher.Options{
		Plan: w.plan, Observer: r, Journal: r, Committer: r, Steward: r, Reporter: r, Lease: r, Logger: w.core,
	})
	return r
}

func (r *replica) elect() *replica {
	r.term, r.left = r.term+1, longEnough
	return r
}

// lose takes the lease away.
func (r *replica) lose() { r.left = 0 }

// Term is a port of the loop.
func (r *replica) Term() (int64, time.Duration) {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	if r.lostAt != "" && len(r.w.calls) > r.lostFrom && strings.HasPrefix(r.w.calls[len(r.w.calls)-1], r.lostAt) {
		r.left = 0
	}
	return r.term, r.left
}

// Intend is a port of the loop.
func (r *replica) Intend(i shift.ClusterIntent) { r.told = i }

// leaderAt25 brings a pair to 25 %, held, by a replica that holds the lease.
func leaderAt25(t *testing.T, w *world) *replica {
	t.Helper()
	r := w.replica().elect()
	for range 100 {
		w.step(t, r.daemon)
		if w.turn().Decision.Reason == shift.Holding && w.shares() == [2]shift.Share{25, 25} {
			return r
		}
	}
	t.Fatalf("25 %% was not reached: %s", w.turn().Decision.Message)
	return nil
}

func TestOneTurnWithoutTheLease(t *testing.T) {
	stays := [2]shift.Share{25, 25}
	tests := map[string]struct {
		before func(t *testing.T, w *world) *replica
		calls  []string // of the turn that follows
		reason shift.Reason
		shares [2]shift.Share
	}{
		"who never held it reads the journal along and asks AWS nothing": {
			before: func(t *testing.T, w *world) *replica { leaderAt25(t, w); return w.replica() },
			calls:  []string{"load"}, reason: shift.NotLeader, shares: stays,
		},
		"who never held it leaves a rollback to the one that does": {
			before: func(t *testing.T, w *world) *replica { leaderAt25(t, w); rollBack(w); return w.replica() },
			calls:  []string{"load"}, reason: shift.NotLeader, shares: stays,
		},
		"who lost it stands by": {
			before: func(t *testing.T, w *world) *replica { r := leaderAt25(t, w); r.lose(); suffer(w); return r },
			calls:  []string{"load"}, reason: shift.NotLeader, shares: stays,
		},
		"who lost it carries out a person's rollback at Route 53 alone": {
			before: func(t *testing.T, w *world) *replica { r := leaderAt25(t, w); r.lose(); rollBack(w); return r },
			calls:  []string{"load", "look urgently", "rollback dns to 0"}, reason: shift.RollbackRequested, shares: [2]shift.Share{0, 25},
		},
		"who lost it goes on with a rollback that it began": {
			before: func(t *testing.T, w *world) *replica {
				r := leaderAt25(t, w)
				suffer(w)
				w.commits = func(shift.Change) (bool, shift.Outcome) { return false, shift.Refused }
				w.step(t, r.daemon)
				w.commits = nil
				r.lose()
				return r
			},
			calls: []string{"load", "look urgently", "rollback dns to 0"}, reason: shift.RollbackUnderWay, shares: [2]shift.Share{0, 25},
		},
		"hands off holds without the lease too": {
			before: func(t *testing.T, w *world) *replica {
				r := leaderAt25(t, w)
				r.lose()
				rollBack(w)
				w.ask.HandsOff = true
				return r
			},
			calls: []string{"load", "look urgently"}, reason: shift.NotLeader, shares: stays,
		},
		"a successor in the journal ends it": {
			before: func(t *testing.T, w *world) *replica {
				r := leaderAt25(t, w)
				r.lose()
				rollBack(w)
				w.takenOver(t)
				return r
			},
			calls: []string{"load"}, reason: shift.NotLeader, shares: stays,
		},
		"a successor's mark ends it where the journal is away": {
			before: func(t *testing.T, w *world) *replica {
				r := leaderAt25(t, w)
				r.lose()
				rollBack(w)
				w.book.loadErr = errors.New("connection refused")
				w.groups[1].mark.Epoch++
				return r
			},
			calls: []string{"load", "look urgently"}, reason: shift.NotLeader, shares: stays,
		},
		"who could ask nobody since its start lowers at Route 53 as asked": {
			before: func(t *testing.T, w *world) *replica {
				leaderAt25(t, w)
				rollBack(w)
				w.book.loadErr = errors.New("connection refused")
				return w.replica()
			},
			calls: []string{"load", "look urgently", "rollback dns to 0"}, reason: shift.RollbackRequested, shares: [2]shift.Share{0, 25},
		},
		"who could ask nobody since its start does nothing unasked": {
			before: func(t *testing.T, w *world) *replica {
				leaderAt25(t, w)
				suffer(w)
				w.book.loadErr = errors.New("connection refused")
				return w.replica()
			},
			calls: []string{"load"}, reason: shift.NotLeader, shares: stays,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			r := tt.before(t, w)
			n, version := w.noted(), w.book.version
			w.step(t, r.daemon)
			if diff := cmp.Diff(tt.calls, w.since(n)); diff != "" {
				t.Errorf("calls:\n%s", diff)
			}
			got := w.turn()
			if got.Decision.Reason != tt.reason || w.shares() != tt.shares {
				t.Errorf("%s, AWS shows %v; want %s, %v", got.Decision.Reason, w.shares(), tt.reason, tt.shares)
			}
			if !got.Standby || got.Superseded || !r.told.Leave || w.book.version != version {
				t.Errorf("standby %t, superseded %t, the clusters are left alone %t, %d writes of the journal; want true, false, true, 0",
					got.Standby, got.Superseded, r.told.Leave, w.book.version-version)
			}
		})
	}
}

// What a lowering without the lease leaves undone is said with what to do.
func TestWithoutTheLeaseALoadBalancerNeedsAPerson(t *testing.T) {
	w := newWorld()
	r := leaderAt25(t, w)
	r.lose()
	rollBack(w)
	w.step(t, r.daemon)
	got := w.turn()
	if !strings.Contains(got.Decision.Message, "rollback PAIR --direct") {
		t.Errorf("the message is %q", got.Decision.Message)
	}
	want := []shift.Result{
		{Entrance: "dns", Outcome: shift.Applied, At: got.Now},
		{Entrance: "rule", Outcome: shift.Refused, Note: "nothing was written: only the daemon that holds the lease writes a load balancer; `clusterswitch rollback PAIR --direct` does it at once"},
	}
	if diff := cmp.Diff(want, got.Results); diff != "" {
		t.Error(diff)
	}
}

func TestLeaseThatEndsInsideATurn(t *testing.T) {
	tests := map[string]struct {
		rollback bool
		lostAt   string
		calls    []string
		reason   shift.Reason
	}{
		"while it looks: nothing is written": {
			lostAt: "look", calls: []string{"look and measure"}, reason: shift.NotLeader,
		},
		"while it journals: the rise is not made": {
			lostAt: "save", calls: []string{"look and measure", "save Shifting 25: Rising"}, reason: shift.Rising,
		},
		"while it looks for a rollback: Route 53 goes back all the same": {
			rollback: true, lostAt: "look", calls: []string{"look urgently", "rollback dns to 0"}, reason: shift.RollbackRequested,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			r := w.replica().elect()
			if w.step(t, r.daemon); tt.rollback {
				for w.shares() != [2]shift.Share{25, 25} {
					w.step(t, r.daemon)
				}
				rollBack(w)
			}
			n := w.noted()
			r.lostAt, r.lostFrom = tt.lostAt, n
			w.step(t, r.daemon)
			if diff := cmp.Diff(tt.calls, w.since(n)); diff != "" {
				t.Errorf("calls:\n%s", diff)
			}
			if got := w.turn().Decision.Reason; got != tt.reason {
				t.Errorf("it says %s, want %s", got, tt.reason)
			}
		})
	}
}

// What begins must be able to end within the lease.
func TestRiseIsNotBegunOnTheLastSecondsOfALease(t *testing.T) {
	w := newWorld()
	r := w.replica().elect()
	w.step(t, r.daemon)
	r.left = shift.WriteDeadline - time.Millisecond
	n := w.noted()
	w.step(t, r.daemon)
	if diff := cmp.Diff([]string{"look and measure"}, w.since(n)); diff != "" {
		t.Errorf("calls:\n%s", diff)
	}
	if got := w.turn(); got.Decision.Reason != shift.NotLeader || got.JournalErr == nil || got.Standby {
		t.Errorf("%s, %v, standby %t", got.Decision.Reason, got.JournalErr, got.Standby)
	}
	r.left = longEnough
	w.step(t, r.daemon)
	if w.shares() != [2]shift.Share{25, 0} {
		t.Errorf("with the lease renewed AWS shows %v, want a rise", w.shares())
	}
}

// A write that needs the lease ends within it; one that doesn't has its time.
func TestWritesEndWithinTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		r := leaderAt25(t, w)
		r.left = 3 * time.Second
		rollBack(w)
		var bounds []time.Duration
		w.midway = func(ctx context.Context) {
			end, _ := ctx.Deadline()
			bounds = append(bounds, time.Until(end))
		}
		n := w.noted()
		w.step(t, r.daemon)
		want := []string{"look urgently", "rollback rule to 0", "rollback dns to 0", "save RollingBack 0: RollbackRequested"}
		if diff := cmp.Diff(want, w.since(n)); diff != "" {
			t.Errorf("calls:\n%s", diff)
		}
		if diff := cmp.Diff([]time.Duration{3 * time.Second, 10 * time.Second}, bounds); diff != "" {
			t.Errorf("bounds of the load balancer's and Route 53's write:\n%s", diff)
		}
		for i, result := range w.turn().Results {
			if want := w.turn().Decision.Changes[i].Entrance.Name; result.Entrance != want {
				t.Errorf("the answer to %s is that to %s", want, result.Entrance)
			}
		}
	})
}
