package app

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap/zapcore"
	zapobserver "go.uber.org/zap/zaptest/observer"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/baton"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func TestTheStewardTendsWhileThereIsSomethingToTend(t *testing.T) {
	t.Parallel()
	atWard(t, func(w *ward) {
		defer w.run()()
		w.pass(time.Hour)
		w.expect("before the loop has said anything", shift.Blue)
		w.turn(shift.Idle, false, leave)
		w.pass(time.Hour)
		w.expect("at rest, without pins", shift.Blue)
		start := 2 * time.Hour
		w.turn(shift.Idle, true, leave)
		w.pass(90 * time.Second)
		rounds := []tendedWith{{Leave: true, After: start}, {Leave: true, After: start + time.Minute}}
		w.expect("at rest, with pins", shift.Blue, rounds...)
		w.turn(shift.Shifting, true, hold)
		w.pass(15 * time.Second)
		start += 90 * time.Second
		rounds = append(rounds, tendedWith{Hold: true, After: start}, tendedWith{Hold: true, After: start + 10*time.Second})
		if got := w.sides[shift.Green].tended; len(got) < len(rounds) {
			t.Errorf("green was tended %v", got)
		}
		w.with(func() {
			w.sides[shift.Blue].tended = slices.CompactFunc(w.sides[shift.Blue].tended, func(a, b tendedWith) bool { return a == b })
		})
		w.expect("while floors are to be held", shift.Blue, rounds...)
		w.turn(shift.RolledBack, true, back)
		w.turn(shift.RolledBack, false, leave)
		w.with(func() { w.sides[shift.Blue].tended = nil })
		w.pass(time.Hour)
		w.expect("when all is given back", shift.Blue)
		if r := w.steward.reading(); !r.At.IsZero() || len(r.Blue) > 0 {
			t.Errorf("what is no longer read is still told: %+v", r)
		}
	})
}

// What one cluster does to a round, the other doesn't feel; and nobody who tells
// the steward something waits for either.
func TestASideThatHangsDelaysNobody(t *testing.T) {
	t.Parallel()
	atWard(t, func(w *ward) {
		defer w.run()()
		w.turn(shift.Shifting, true, hold)
		first := time.Now()
		w.with(func() { w.sides[shift.Green].hangs = true })
		w.pass(time.Minute)
		r := w.steward.reading()
		if len(r.Blue) != 1 || r.Blue[0].Held != 7 || len(r.Green) != 1 || !r.At.Equal(first) || !strings.Contains(r.Err, "green: context deadline exceeded") {
			t.Errorf("with green hanging, %v after %v, it reads %+v", time.Now(), first, r)
		}
		w.with(func() {
			if n := len(w.sides[shift.Blue].tended); n < 6 {
				t.Errorf("blue was tended %d times in a minute", n)
			}
		})
		before := time.Now()
		w.steward.Intend(back)
		w.steward.configure(config.Pair{})
		if took := time.Since(before); took != 0 {
			t.Errorf("telling it took %v", took)
		}
		w.with(func() { w.sides[shift.Green].hangs = false })
		w.pass(time.Minute)
		if r := w.steward.reading(); r.Err != "" || r.Blue[0].Held+r.Green[0].Held != 0 || time.Since(r.At) > 10*time.Second {
			t.Errorf("in the end it reads %+v", r)
		}
		if n := w.logs.FilterLevelExact(zapcore.WarnLevel).Len(); n != 1 {
			t.Errorf("the same trouble was logged %d times", n)
		}
	})
}

func TestTheLoopIsWokenByNewsAlone(t *testing.T) {
	t.Parallel()
	atWard(t, func(w *ward) {
		defer w.run()()
		w.turn(shift.Shifting, true, hold)
		w.pass(time.Minute)
		wakes := func(when string, want int) {
			t.Helper()
			w.with(func() {
				if w.wakes != want {
					t.Errorf("%s: woken %d times, want %d", when, w.wakes, want)
				}
				w.wakes = 0
			})
		}
		wakes("by the first answers", 2)
		w.pass(10 * time.Minute)
		wakes("by the same answers", 0)
		again := hold
		again.Blue = []shift.Floor{{Workload: "Deployment shop/web", Least: 6}}
		w.turn(shift.Shifting, true, again)
		w.pass(time.Minute)
		wakes("by answers to a new intent", 2)
		w.with(func() { w.sides[shift.Blue].fails = errors.New("forbidden") })
		w.pass(time.Minute)
		wakes("by trouble", 1)
	})
}

// A pair that leaves gives back what it holds; a daemon that only stops doesn't,
// and one that isn't in charge writes nothing.
func TestWhoGivesBackInTheEnd(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		last  shift.ClusterIntent
		green func(s *wardSide)
		sides []shift.Side
		held  int // on blue and green together
		says  string
	}{
		"the daemon stops":                    {last: hold, held: 14},
		"the pair left the configuration":     {last: hold, sides: []shift.Side{shift.Blue, shift.Green}, says: "floors of autoscalers given back, the pair no longer tends the cluster"},
		"green is another cluster from now":   {last: hold, sides: []shift.Side{shift.Green}, held: 7, says: "floors of autoscalers given back, the pair no longer tends the cluster"},
		"it holds nothing":                    {last: back, sides: []shift.Side{shift.Blue, shift.Green}},
		"a newer daemon is in charge":         {last: leave, sides: []shift.Side{shift.Blue, shift.Green}, held: 14, says: "floors of autoscalers may stay held, the daemon was not to touch them"},
		"green can't be reached":              {last: hold, green: func(s *wardSide) { s.fails = errors.New("nobody answers") }, sides: []shift.Side{shift.Blue, shift.Green}, held: 7, says: "floors of autoscalers stay held, they could not be given back"},
		"green hangs, which nobody waits for": {last: hold, green: func(s *wardSide) { s.hangs = true }, sides: []shift.Side{shift.Green}, held: 14, says: "floors of autoscalers stay held, they could not be given back"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			atWard(t, func(w *ward) {
				stop := w.run()
				w.turn(shift.Shifting, true, hold)
				w.pass(time.Minute)
				w.steward.Intend(test.last)
				w.pass(time.Second)
				stop()
				if test.green != nil {
					w.with(func() { test.green(w.sides[shift.Green]) })
				}
				before := time.Now()
				if len(test.sides) > 0 {
					w.steward.giveBack(w.t.Context(), test.sides...)
				}
				if took := time.Since(before); took > giveBackWithin {
					t.Errorf("it took %v", took)
				}
				if held := w.sides[shift.Blue].held + w.sides[shift.Green].held; held != test.held {
					t.Errorf("%d replicas are held in the end, want %d", held, test.held)
				}
				said := w.logs.All()
				if test.says != "" && !slices.ContainsFunc(said, func(e zapobserver.LoggedEntry) bool { return e.Message == test.says }) || test.says == "" && len(said) > 0 {
					t.Errorf("it logs %v, want %q", said, test.says)
				}
			})
		})
	}
}

// The clusters that a pair abandons are those that its successor doesn't tend.
func TestWhichClustersAPairAbandons(t *testing.T) {
	t.Parallel()
	of := func(blue, green string, namespaces ...string) *config.Pair {
		return &config.Pair{
			Blue: config.Cluster{Kubeconfig: &config.Kubeconfig{Path: blue}}, Green: config.Cluster{Kubeconfig: &config.Kubeconfig{Path: green}},
			Workloads: config.Workloads{Namespaces: namespaces},
		}
	}
	both := []shift.Side{shift.Blue, shift.Green}
	for name, test := range map[string]struct {
		next *config.Pair
		want []shift.Side
	}{
		"nothing follows":            {nil, both},
		"the same clusters":          {of("b", "g"), nil},
		"another green":              {of("b", "h"), []shift.Side{shift.Green}},
		"they are swapped":           {of("g", "b"), both},
		"other namespaces are meant": {of("b", "g", "shop"), both},
	} {
		p := &pair{config: *of("b", "g")}
		if diff := cmp.Diff(test.want, p.abandoned(test.next)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// A cluster that fails is looked up anew, and reached anew where it moved; else
// whoever tends it stays the same.
func TestAClusterThatMovedIsFoundAnew(t *testing.T) {
	t.Parallel()
	atWard(t, func(w *ward) {
		defer w.run()()
		blue := w.sides[shift.Blue]
		w.turn(shift.Shifting, true, hold)
		w.pass(5 * time.Minute)
		counts := func(when string, lookUp, made int) {
			t.Helper()
			w.with(func() {
				if blue.lookUp != lookUp || blue.made != made {
					t.Errorf("%s: looked up %d times and made %d, want %d and %d", when, blue.lookUp, blue.made, lookUp, made)
				}
			})
		}
		counts("while it answers", 1, 1)
		w.with(func() { blue.fails = errors.New("gone") })
		w.pass(25 * time.Second)
		counts("while it doesn't", 2, 1)
		w.with(func() { blue.digest = "2" })
		w.pass(10 * time.Second)
		counts("when it moved", 3, 2)
	})
}

func TestWhatIsToldOfSingletons(t *testing.T) {
	t.Parallel()
	atWard(t, func(w *ward) {
		start := time.Now()
		seen := shift.SingletonSide{At: start, On: true, Running: 1}
		w.with(func() {
			none := shift.SingletonSide{At: start, Absent: true}
			w.sides[shift.Blue].singletons = baton.Reading{"CronJob shop/bill": seen, "CronJob shop/*": none}
			w.sides[shift.Green].singletons = baton.Reading{"CronJob shop/*": none}
		})
		defer w.run()()
		i := shift.ClusterIntent{Attempt: 1, Singletons: []shift.SingletonIntent{{Key: "CronJob shop/mail", Blue: shift.SwitchOn}}}
		w.steward.Intend(shift.ClusterIntent{Leave: true, Singletons: i.Singletons})
		absent := shift.SingletonSide{At: start, Absent: true}
		for _, step := range []struct {
			when  string
			fails error
			want  []shift.SingletonReading
		}{
			{"all is read", nil, []shift.SingletonReading{
				{Key: "CronJob shop/bill", Blue: seen, Green: absent}, {Key: "CronJob shop/mail", Blue: absent, Green: absent},
			}},
			{"blue can't be", errors.New("forbidden"), []shift.SingletonReading{
				{Key: "CronJob shop/bill", Blue: shift.SingletonSide{Err: "forbidden"}, Green: absent},
				{Key: "CronJob shop/mail", Blue: shift.SingletonSide{Err: "forbidden"}, Green: absent},
			}},
		} {
			w.with(func() { w.sides[shift.Blue].fails = step.fails })
			w.steward.awake()
			synctest.Wait()
			if diff := cmp.Diff(step.want, w.steward.singletons()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", step.when, diff)
			}
		}
	})
}
