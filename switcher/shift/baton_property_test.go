package shift

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestOneSideOfASingletonIsActive lets random things happen to shifts that hand
// singletons over, and judges the true clusters second by second: never are two
// sides active for longer than the declared overlap, whenever both were off a
// reported gap covers it, it is said while it lasts, and no rollback of traffic
// differs from one without singletons. In the end all is where it belongs.
func TestOneSideOfASingletonIsActive(t *testing.T) {
	for mood, pattern := range map[string]string{
		"anything happens":         ".",
		"clusters are in trouble":  "green|blue|writes|slow|vouch",
		"the daemon dies":          "crash|restart|journal|writes",
		"people change their mind": "flag|serve|attempt|pause|hands|approve|users|vouch",
	} {
		t.Run(mood, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) { handOver(rt, regexp.MustCompile(pattern)) })
		})
	}
}

type batonRules struct {
	rt     *rapid.T
	w      *world
	twice  map[string]time.Duration  // how long both sides are active by now
	nobody map[string]map[int64]bool // the seconds in which both were off
	told   map[string]map[int64]bool // those that were reported
	until  map[string]time.Time      // the end of each report
	unsaid map[string]int            // turns in a row in which it was not said
}

func handOver(rt *rapid.T, mood *regexp.Regexp) {
	w := newWorld()
	w.plan.Steps = []Step{{Share: 25, Hold: 10 * time.Second}, {Share: 50, Hold: 20 * time.Second}, {Share: 100, Hold: 10 * time.Second}}
	w.plan.Singletons = SingletonPolicy{
		At:      rapid.SampledFrom([]Share{25, 50, 100}).Draw(rt, "at"),
		Drain:   time.Duration(rapid.IntRange(0, 6).Draw(rt, "drain")) * 30 * time.Second,
		Overlap: time.Duration(rapid.IntRange(0, 3).Draw(rt, "overlap")) * 10 * time.Second,
	}
	w.plan.Standby.For = time.Duration(rapid.IntRange(0, 5).Draw(rt, "standby")) * time.Minute
	w.plan.Standby.AutoRollback = rapid.Bool().Draw(rt, "standby goes back")
	w.ask = Request{Serve: Green, Attempt: 1}
	w.hands = newHands(w.start)
	w.hands.add("CronJob shop/nightly", work{
		cron: true, every: time.Duration(rapid.IntRange(1, 4).Draw(rt, "every")) * time.Minute,
		takes: time.Duration(rapid.IntRange(1, 200).Draw(rt, "takes")) * time.Second, bounded: rapid.Bool().Draw(rt, "bounded"),
		startingDeadline: rapid.SampledFrom([]time.Duration{-1, 20 * time.Second, 5 * time.Minute}).Draw(rt, "starting deadline"),
	})
	w.hands.add("Deployment shop/mailer", work{
		replicas: rapid.IntRange(1, 3).Draw(rt, "replicas"),
		takes:    time.Duration(rapid.IntRange(0, 90).Draw(rt, "terminates")) * time.Second, bounded: rapid.Bool().Draw(rt, "graceful"),
	})
	w.hands.fate = func() fate {
		switch rapid.IntRange(0, 9).Draw(rt, "fate of a write") {
		case 0:
			return fate{lost: true}
		case 1, 2, 3, 4:
			return fate{late: time.Duration(rapid.IntRange(1, 9).Draw(rt, "late")) * time.Second}
		}
		return fate{}
	}
	r := &batonRules{rt: rt, w: w, twice: map[string]time.Duration{}, nobody: map[string]map[int64]bool{}, told: map[string]map[int64]bool{}, until: map[string]time.Time{}, unsaid: map[string]int{}}
	w.hands.judge = r.second
	w.seen = r.decided
	for range rapid.IntRange(10, 60).Draw(rt, "turns") {
		r.happen(mood)
		r.tick(rapid.SampledFrom([]time.Duration{time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second}).Draw(rt, "pass"))
	}
	r.end(rapid.Bool().Draw(rt, "a person wants back"))
}

func (r *batonRules) tick(d time.Duration) Decision {
	decision := r.w.tick(d)
	if j := r.w.journal; j != nil {
		r.collect(*j)
	}
	return decision
}

// second judges the true world.
func (r *batonRules) second(now time.Time) {
	blue, green := r.w.hands.sides[Blue], r.w.hands.sides[Green]
	for key, b := range blue.work {
		g := green.work[key]
		if !b.active() || !g.active() {
			r.twice[key] = 0
		} else if r.twice[key] += time.Second; r.twice[key] > r.w.plan.Singletons.Overlap+time.Second {
			r.rt.Fatalf("S18: at %s both sides of %s are active since %s, at most %s is declared: blue %+v, green %+v; state %+v",
				now.Format(time.TimeOnly), key, r.twice[key], r.w.plan.Singletons.Overlap, *b, *g, r.w.mind.Baton)
		}
		if !b.on() && !g.on() {
			mark(r.nobody, key, now, now)
		}
	}
}

func mark(m map[string]map[int64]bool, key string, from, to time.Time) {
	if m[key] == nil {
		m[key] = map[int64]bool{}
	}
	for at := from.Unix(); at <= to.Unix(); at++ {
		m[key][at] = true
	}
}

// report takes down a gap, each second of it once.
func (r *batonRules) report(key string, from, to time.Time) {
	id := key + from.String()
	start := from
	if until, ok := r.until[id]; ok {
		start = until
	}
	if to.After(start) {
		mark(r.told, key, start, to)
		r.until[id] = to
	}
}

// collect takes down what the journal reports.
func (r *batonRules) collect(s State) {
	for _, g := range s.Gaps {
		r.report(g.Key, g.From, g.To)
	}
	for _, e := range s.Baton {
		if e.Gap != nil {
			r.report(e.Key, e.Gap.From, e.Gap.To)
		}
		if !e.OffSince.IsZero() {
			r.report(e.Key, e.OffSince, r.w.now)
		}
	}
}

func (r *batonRules) decided(s State, o Observation, d Decision) {
	r.rt.Logf("%s attempt %d %s %s: %s: %s", r.w.now.Format(time.TimeOnly), d.Next.Attempt, d.Next.Phase, d.Next.Share, d.Reason, d.Message)
	for _, e := range d.Next.Baton {
		r.rt.Logf("   %s %s %s since %s off since %s: %s", e.Key, e.Stage, e.Side, clock(e.Since), clock(e.OffSince), e.Failed)
	}
	r.trafficFirst(s, o, d)
	if !reflect.DeepEqual(s.Baton, d.Next.Baton) {
		survivesTheJournal(r.rt, d.Next)
	}
	if d.Next.Phase != s.Phase && d.Next.Phase == OnStandby {
		for _, one := range o.Singletons {
			if !one.Green.On || one.Blue.On {
				r.rt.Fatalf("standby begins while %s is not in green: %+v", one.Key, one)
			}
		}
	}
	said := d.Message + strings.Join(Notes(d.Next, o, r.w.now), "; ")
	for key, b := range r.w.hands.sides[Blue].work {
		if g := r.w.hands.sides[Green].work[key]; b.on() || g.on() || o.Request.HandsOff || strings.Contains(said, key) {
			r.unsaid[key] = 0
		} else if r.unsaid[key]++; r.unsaid[key] > 3 {
			r.rt.Fatalf("%s is off in both clusters and nobody says so: %s: %s", key, d.Reason, said)
		}
	}
}

// trafficFirst: a way back of the traffic is what it would be without singletons.
func (r *batonRules) trafficFirst(s State, o Observation, d Decision) {
	p := r.w.plan
	p.Singletons, s.Baton, o.Singletons = SingletonPolicy{}, nil, nil
	without := Decide(p, s, o, r.w.now)
	lowers := slices.ContainsFunc(without.Changes, func(c Change) bool { return c.Priority != Rise })
	back := without.Next.Phase == RollingBack || without.Next.Phase == Returning || without.Next.Phase == RolledBack
	if (lowers || back) && (!reflect.DeepEqual(without.Changes, d.Changes) || without.Next.Phase != d.Next.Phase || without.WakeAt.Before(d.WakeAt)) {
		r.rt.Fatalf("singletons change a way back: %s: %s instead of %s: %s", d.Reason, d.Message, without.Reason, without.Message)
	}
}

func (r *batonRules) happen(mood *regexp.Regexp) {
	rt, w := r.rt, r.w
	taking := slices.ContainsFunc(w.mind.Baton, func(e BatonState) bool { return e.Stage == BatonTaking && e.Side == Green })
	if taking && mood.MatchString("rollback flag") && rapid.IntRange(0, 2).Draw(rt, "in the middle") == 0 {
		w.ask.RollbackBy = []string{"config"}
		return
	}
	if rapid.IntRange(0, 2).Draw(rt, "calm") > 0 {
		return
	}
	yes := rapid.Bool().Draw(rt, "yes")
	blue, green := w.hands.sides[Blue], w.hands.sides[Green]
	events := map[string]func(){
		"green dies":       func() { green.err, green.dead, w.green.err = "connection refused", true, "connection refused" },
		"green comes back": func() { green.err, green.dead, w.green.err = "", false, "" },
		"green unreadable": func() { green.err = either(yes, "timeout", "") },
		"blue unreadable":  func() { blue.err = either(yes, "timeout", "") },
		"writes to green":  func() { green.deaf = yes },
		"writes to blue":   func() { blue.deaf = yes },
		"slow readings":    func() { w.hands.slow = slowly(rt, yes) },
		"vouch":            r.vouch,
		"users suffer":     func() { w.users.errorRatio = map[bool]float64{true: 0.5}[yes] },
		"journal down":     func() { w.journalDown = yes },
		"crash":            func() { w.crash = true },
		"restart":          func() { w.restart() },
		"pause":            func() { w.ask.Paused = yes },
		"hands off":        func() { w.ask.HandsOff = yes },
		"rollback flag":    func() { w.ask.RollbackBy = []string{"config"} },
		"flag taken away":  func() { w.ask.RollbackBy = nil },
		"serve blue":       func() { w.ask.Serve = Blue },
		"serve green":      func() { w.ask.Serve = Green },
		"new attempt": func() {
			w.ask.RollbackBy, w.ask.Serve, w.ask.Attempt = nil, Green, max(w.ask.Attempt, w.mind.Attempt)+1
		},
	}
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(events)), func(name string) bool { return !mood.MatchString(name) })
	name := rapid.SampledFrom(names).Draw(rt, "event")
	rt.Logf("%s -- %s (%t)", w.now.Format(time.TimeOnly), name, yes)
	events[name]()
}

func slowly(rt *rapid.T, yes bool) func() time.Duration {
	if !yes {
		return nil
	}
	return func() time.Duration { return time.Duration(rapid.IntRange(0, 20).Draw(rt, "seconds")) * time.Second }
}

// vouch: a person looked at green and says the truth, and no write is on its way
// there.
func (r *batonRules) vouch() {
	green := r.w.hands.sides[Green]
	for _, w := range green.work {
		if w.active() || len(green.late) > 0 || green.err == "" || r.w.mind.Phase != RollingBack && r.w.mind.Phase != RolledBack {
			return
		}
	}
	r.w.ask.Vouch = Vouch{Attempt: r.w.mind.Attempt, Take: Blue}
}

// end heals everything and sees where it ends.
func (r *batonRules) end(back bool) {
	w := r.w
	heal(w)
	w.hands.fate, w.hands.slow = nil, nil
	w.plan.Singletons.Drain = 5 * time.Minute // more than any job takes
	for _, c := range w.hands.sides {
		c.err, c.dead, c.deaf = "", false, false
	}
	if back {
		reachesRolledBack(r.rt, w)
	} else {
		reachesEnd(r.rt, w)
	}
	for range 60 {
		if r.tick(30 * time.Second); w.hands.told.Leave {
			break
		}
	}
	home := Blue
	if w.mind.Phase == Completed {
		home = Green
	}
	for key, b := range w.hands.sides[Blue].work {
		g := w.hands.sides[Green].work[key]
		if b.on() != (home == Blue) || g.on() != (home == Green) {
			r.rt.Fatalf("%s ends on in blue %t, in green %t; phase %s, %+v", key, b.on(), g.on(), w.mind.Phase, w.mind.Baton)
		}
		if home == Blue && (b.handed || g.handed || len(w.mind.Baton) > 0) {
			r.rt.Fatalf("%s is not given back: blue %t, green %t, %+v", key, b.handed, g.handed, w.mind.Baton)
		}
		for at := range r.nobody[key] {
			if !r.told[key][at] {
				r.rt.Fatalf("%s was off in both clusters at %s, which no gap reports", key, time.Unix(at, 0).UTC().Format(time.TimeOnly))
			}
		}
	}
	if !w.hands.told.Leave {
		r.rt.Fatalf("in the end something is still to be written: %+v", w.hands.told)
	}
}
