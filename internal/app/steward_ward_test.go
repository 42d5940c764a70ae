package app

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	zapobserver "go.uber.org/zap/zaptest/observer"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/baton"
	"github.com/clusterswitch/clusterswitch/internal/floors"
	"github.com/clusterswitch/clusterswitch/internal/kube"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// ward is what a steward tends in these tests: two clusters of one autoscaler
// each, which do what is intended at once, unless something is wrong with them.
type ward struct {
	t       *testing.T
	steward *steward
	logs    *zapobserver.ObservedLogs
	sides   map[shift.Side]*wardSide

	mu    sync.Mutex // guards all below, and the sides
	wakes int
}

type wardSide struct {
	w *ward
	// tended are the intents of its rounds, with when each was.
	tended []tendedWith
	held   int
	fails  error
	hangs  bool
	lookUp int // how often the way was looked up
	made   int // how often keepers were made
	digest string
	// singletons are what is read of them.
	singletons baton.Reading
}

type tendedWith struct {
	Leave, Hold bool
	After       time.Duration
}

// Tend is the floors' keeper.
func (s *wardSide) Tend(ctx context.Context, i shift.ClusterIntent) (floors.Seen, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	s.tended = append(s.tended, tendedWith{i.Leave, i.Hold, time.Duration(time.Now().Unix()-began) * time.Second})
	if s.hangs {
		s.w.mu.Unlock()
		<-ctx.Done()
		s.w.mu.Lock()
		return floors.Seen{}, ctx.Err()
	}
	if s.fails != nil {
		return floors.Seen{}, s.fails
	}
	switch {
	case i.Leave:
	case i.Hold:
		s.held = 7
	default:
		s.held = 0
	}
	return floors.Seen{At: time.Now(), Autoscalers: []shift.Autoscaler{{Name: "web", Held: s.held}}}, nil
}

// wardSingletons is the singletons' keeper.
type wardSingletons struct{ *wardSide }

func (s wardSingletons) Tend(context.Context, shift.ClusterIntent) baton.Reading {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if s.fails != nil {
		return baton.Unread(baton.Order{}, s.singletons, s.fails.Error())
	}
	return s.singletons
}

const began = 946684800 // when a synctest bubble begins

// atWard lets a steward run in a bubble.
func atWard(t *testing.T, test func(w *ward)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		core, logs := zapobserver.New(zap.InfoLevel)
		w := &ward{t: t, logs: logs, sides: map[shift.Side]*wardSide{}}
		w.steward = &steward{standing: alone{}, log: zap.New(core), changed: func() { w.with(func() { w.wakes++ }) }}
		for _, side := range []shift.Side{shift.Blue, shift.Green} {
			s := &wardSide{w: w, digest: "1"}
			w.sides[side] = s
			w.steward.sides = append(w.steward.sides, &stewardSide{
				side: side, log: w.steward.log, wake: make(chan struct{}, 1),
				way: func(context.Context) (kube.Access, string, error) {
					w.mu.Lock()
					defer w.mu.Unlock()
					s.lookUp++
					return kube.Access{Server: &kube.Server{URL: "https://cluster.example.com"}}, s.digest, nil
				},
				make: func(*rest.Config, shift.Side, config.Pair) (keepers, error) {
					w.with(func() { s.made++ })
					return keepers{floors: s, singletons: wardSingletons{s}}, nil
				},
			})
		}
		test(w)
	})
}

func (w *ward) with(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

// run runs the steward, and gives what stops it.
func (w *ward) run() (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := w.steward.run(ctx); err != nil {
			w.t.Error(err)
		}
	}()
	synctest.Wait()
	return func() {
		cancel()
		<-done
	}
}

func (w *ward) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// turn is a turn of the loop: it tells of the state, and what is intended.
func (w *ward) turn(phase shift.Phase, pin bool, i shift.ClusterIntent) {
	w.steward.Intend(i)
	w.steward.Report(switcher.Turn{
		Plan:     shift.Plan{Interval: 10 * time.Second, Capacity: shift.CapacityPolicy{Pin: pin}},
		Decision: shift.Decision{Next: shift.State{Phase: phase, FloorsHeld: !i.Leave}},
	})
	synctest.Wait()
}

func (w *ward) expect(when string, side shift.Side, want ...tendedWith) {
	w.t.Helper()
	var got []tendedWith
	w.with(func() { got = slices.Clone(w.sides[side].tended) })
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("%s: rounds of %s (-want +got):\n%s", when, side, diff)
	}
}

var (
	leave = shift.ClusterIntent{Leave: true}
	hold  = shift.ClusterIntent{Attempt: 1, Hold: true, Blue: []shift.Floor{{Workload: "Deployment shop/web", Least: 7}}}
	back  = shift.ClusterIntent{Attempt: 1}
)
