package probes_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/clusterswitch/clusterswitch/probes"
)

// target is what a fake probe looks at. It notes when it was asked.
type target struct {
	mu    sync.Mutex
	asked []time.Duration
	start time.Time
	look  probes.Func
}

func newTarget(look probes.Func) *target {
	return &target{start: time.Now(), look: look}
}

func (g *target) check(identity string) probes.Check {
	return probes.Custom(identity, func(ctx context.Context) error {
		g.mu.Lock()
		g.asked = append(g.asked, time.Since(g.start))
		look := g.look
		g.mu.Unlock()
		return look(ctx)
	})
}

// become changes what is seen from now on.
func (g *target) become(look probes.Func) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.look = look
}

func (g *target) times() []time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]time.Duration(nil), g.asked...)
}

func good(context.Context) error { return nil }

func bad(context.Context) error { return errors.New("connection refused") }

func after(d time.Duration, look probes.Func) probes.Func {
	return func(ctx context.Context) error {
		time.Sleep(d)
		return look(ctx)
	}
}

// spec is a probe every ten seconds that passes after two successes and fails after two failures.
func spec(name string, check probes.Check) probes.Spec {
	return probes.Spec{Name: name, Check: check, Interval: 10 * time.Second, Timeout: 3 * time.Second, Successes: 2, Failures: 2}
}

// running starts a Runner with these specs inside a bubble. The returned function ends it and waits for it.
func running(t *testing.T, opts probes.Options, specs ...probes.Spec) (*probes.Runner, func()) {
	t.Helper()
	r := probes.New(opts)
	if err := r.Set(specs); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.Run(ctx)
	}()
	return r, func() {
		cancel()
		<-ended
	}
}

// pass lets time go by in a bubble, up to when all has come to rest.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestRunsAreSpread(t *testing.T) {
	tests := map[string]struct {
		random func() float64
		want   []time.Duration
	}{
		"the lowest numbers start at once and shorten by a tenth": {
			func() float64 { return 0 },
			[]time.Duration{0, 9 * time.Second, 18 * time.Second, 27 * time.Second},
		},
		"the middle keeps the interval": {
			func() float64 { return 0.5 },
			[]time.Duration{5 * time.Second, 15 * time.Second, 25 * time.Second},
		},
		"high numbers start late and stretch": {
			func() float64 { return 0.75 },
			[]time.Duration{7500 * time.Millisecond, 18 * time.Second, 28500 * time.Millisecond},
		},
		"nothing random is the middle": {
			nil,
			[]time.Duration{5 * time.Second, 15 * time.Second, 25 * time.Second},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shop := newTarget(good)
				_, stop := running(t, probes.Options{Random: test.random}, spec("shop", shop.check("")))
				pass(29 * time.Second)
				stop()
				if diff := cmp.Diff(test.want, shop.times()); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestSnapshotFollowsTheResults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		shop := newTarget(after(time.Second, good))
		r, stop := running(t, probes.Options{}, spec("shop", shop.check("")))
		defer stop()
		run := func(n int) time.Time { return start.Add(5*time.Second + time.Duration(n)*10*time.Second) }
		want := probes.Reading{Name: "shop", Needed: 2, FreshFor: 33 * time.Second}
		check := func(when string) {
			t.Helper()
			if diff := cmp.Diff([]probes.Reading{want}, r.Snapshot()); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", when, diff)
			}
		}
		check("before the first run")

		pass(17 * time.Second)
		want.State, want.Since = probes.Passing, run(1)
		want.Consecutive, want.AlikeSince, want.LastAt = 2, run(0), run(1)
		want.History = []probes.Result{{At: run(0), Duration: time.Second}, {At: run(1), Duration: time.Second}}
		check("after two successes")

		shop.become(after(time.Second, bad))
		pass(10 * time.Second)
		want.Consecutive, want.AlikeSince, want.LastAt, want.LastError = 1, run(2), run(2), "connection refused"
		want.History = append(want.History, probes.Result{At: run(2), Duration: time.Second, Err: "connection refused"})
		check("after one failure")

		pass(10 * time.Second)
		want.State, want.Since = probes.Failing, run(3)
		want.Consecutive, want.LastAt = 2, run(3)
		want.History = append(want.History, probes.Result{At: run(3), Duration: time.Second, Err: "connection refused"})
		check("after two failures")
	})
}

func TestBadRunsAreFailures(t *testing.T) {
	tests := map[string]struct {
		look probes.Func
		want string
	}{
		"a run that hangs until its timeout": {
			func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, "no answer within 3s",
		},
		"a good answer that comes too late": {
			after(4*time.Second, good), "no answer within 3s",
		},
		"a panic":                    {func(context.Context) error { panic("index out of range") }, "panic: index out of range"},
		"an error without a message": {func(context.Context) error { return errors.New("") }, "failed without a message"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shop := newTarget(test.look)
				r, stop := running(t, probes.Options{}, spec("shop", shop.check("")))
				defer stop()
				pass(20 * time.Second)
				if got := r.Snapshot()[0]; got.LastError != test.want || got.State != probes.Failing {
					t.Errorf("got %s with %q, want failing with %q", got.State, got.LastError, test.want)
				}
			})
		})
	}
}

func TestOneRunIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := newTarget(after(25*time.Second, good))
		s := spec("slow", slow.check(""))
		s.Timeout = time.Minute
		_, stop := running(t, probes.Options{}, s)
		pass(70 * time.Second)
		stop()
		want := []time.Duration{5 * time.Second, 30 * time.Second, 55 * time.Second}
		if diff := cmp.Diff(want, slow.times()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestAPanicLeavesTheOthersRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, stop := running(t, probes.Options{},
			spec("broken", probes.Custom("", func(context.Context) error { panic("broken") })),
			spec("shop", probes.Custom("", good)))
		defer stop()
		pass(time.Minute)
		got := r.Snapshot()
		if got[0].State != probes.Failing || got[0].Consecutive != 6 || got[1].State != probes.Passing {
			t.Errorf("got %+v", got)
		}
	})
}

func TestSetKeepsWhatDidNotChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before, renewed, other := newTarget(good), newTarget(good), newTarget(good)
		kept, changed, gone := spec("kept", before.check("a")), spec("changed", other.check("b")), spec("gone", other.check("c"))
		r, stop := running(t, probes.Options{}, kept, changed, gone)
		defer stop()
		pass(20 * time.Second)

		kept.Check = renewed.check("a")
		changed.Successes = 3
		if err := r.Set([]probes.Spec{spec("new", other.check("d")), kept, changed}); err != nil {
			t.Fatal(err)
		}
		type view struct {
			Name    string
			State   probes.State
			Results int
		}
		views := func() []view {
			var all []view
			for _, reading := range r.Snapshot() {
				all = append(all, view{reading.Name, reading.State, len(reading.History)})
			}
			return all
		}
		want := []view{{"new", probes.Unknown, 0}, {"kept", probes.Passing, 2}, {"changed", probes.Unknown, 0}}
		if diff := cmp.Diff(want, views()); diff != "" {
			t.Errorf("right after the change (-want +got):\n%s", diff)
		}
		pass(20 * time.Second)
		want = []view{{"new", probes.Passing, 2}, {"kept", probes.Passing, 4}, {"changed", probes.Unknown, 2}}
		if diff := cmp.Diff(want, views()); diff != "" {
			t.Errorf("two runs later (-want +got):\n%s", diff)
		}
		if len(before.times()) != 2 || len(renewed.times()) != 2 {
			t.Errorf("the old Func ran %d times and the new %d times, want 2 and 2", len(before.times()), len(renewed.times()))
		}
	})
}

func TestSetCutsOffARunOfADroppedProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cut := false
		hanging := probes.Custom("", func(ctx context.Context) error {
			<-ctx.Done()
			cut = errors.Is(ctx.Err(), context.Canceled)
			return ctx.Err()
		})
		r, stop := running(t, probes.Options{}, spec("shop", hanging))
		defer stop()
		pass(6 * time.Second)
		if err := r.Set(nil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !cut || len(r.Snapshot()) != 0 {
			t.Errorf("cut off: %t, left: %v", cut, r.Snapshot())
		}
	})
}

func TestSetRefusesABadSetAndKeepsTheOld(t *testing.T) {
	shop := spec("shop", probes.Custom("", good))
	r := probes.New(probes.Options{})
	if err := r.Set([]probes.Spec{shop}); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		specs []probes.Spec
		want  string
	}{
		"a name used twice": {[]probes.Spec{shop, shop}, `probe "shop": the name is used twice`},
		"an empty spec":     {[]probes.Spec{{}}, "there is nothing to run"},
		"all faults at once": {[]probes.Spec{{Name: "a", Check: shop.Check}}, strings.Join([]string{
			`probe "a": the interval is not above zero`, `probe "a": the timeout is not above zero`,
			`probe "a": the number of successes is below 1`, `probe "a": the number of failures is below 1`,
		}, "\n")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if err := r.Set(test.specs); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if got := r.Snapshot(); len(got) != 1 || got[0].Name != "shop" {
				t.Errorf("got %v, want the old set", got)
			}
		})
	}
}

func TestStoppingSaysNothingAboutTheProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hanging := probes.Custom("", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		r, stop := running(t, probes.Options{}, spec("shop", hanging))
		pass(6 * time.Second)
		stop()
		if got := r.Snapshot()[0]; len(got.History) != 0 {
			t.Errorf("a run that was cut off left %v", got.History)
		}
	})
}

func TestEachChangeOfStateIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.InfoLevel)
		shop := newTarget(good)
		_, stop := running(t, probes.Options{Logger: zap.New(core)}, spec("shop", shop.check("")))
		pass(time.Minute)
		shop.become(bad)
		pass(time.Minute)
		stop()
		var got []string
		for _, entry := range logs.All() {
			got = append(got, entry.Level.String()+" "+entry.Message)
		}
		if diff := cmp.Diff([]string{"info probe is passing", "warn probe is failing"}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// A probe with a limit of latency passes when so many answers were timed that the limit means something, fails when they
// get slow, and says so.
func TestLatencyMakesAProbeFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newTarget(after(100*time.Millisecond, good))
		timed := spec("shop", g.check("shop"))
		timed.MaxP95 = 300 * time.Millisecond
		r, stop := running(t, probes.Options{}, timed)
		defer stop()
		look := func(when string, want probes.State, lastError string) {
			t.Helper()
			got := r.Snapshot()[0]
			if got.State != want || got.LastError != lastError || got.Needed != 10 {
				t.Errorf("%s: it is %s with error %q and needs %d", when, got.State, got.LastError, got.Needed)
			}
		}
		pass(89 * time.Second) // runs at 5s, 15s, …
		look("after nine good runs", probes.Unknown, "")
		pass(10 * time.Second)
		look("after ten", probes.Passing, "")
		g.become(after(400*time.Millisecond, good))
		pass(10 * time.Second)
		look("after one slow run", probes.Passing, "")
		pass(10 * time.Second)
		look("after two", probes.Passing, "p95 of the last 12 answers is 400ms, at most 300ms is wanted")
		pass(10 * time.Second)
		look("after three", probes.Failing, "p95 of the last 13 answers is 400ms, at most 300ms is wanted")
		g.become(after(100*time.Millisecond, good))
		pass(180 * time.Second) // the last two slow runs are still among the last 20
		look("while the slow runs are remembered", probes.Failing, "p95 of the last 20 answers is 400ms, at most 300ms is wanted")
		pass(10 * time.Second)
		look("when they are not", probes.Failing, "")
		pass(90 * time.Second)
		look("after ten good runs more", probes.Passing, "")

		timed.MaxP95 = time.Second
		if err := r.Set([]probes.Spec{timed}); err != nil {
			t.Fatal(err)
		}
		if got := r.Snapshot()[0].State; got != probes.Unknown {
			t.Errorf("with another limit it goes on as %s", got)
		}
	})
}
