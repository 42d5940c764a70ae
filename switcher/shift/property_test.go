package shift

import (
	"encoding/json"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// TestRulesHold lets random things happen to a random plan, and checks every
// rule where the effect lands (rules_test.go). Then the faults stop, and the
// shift must reach its end. Each mood of the world has its own kind of trouble.
func TestRulesHold(t *testing.T) {
	for mood, pattern := range map[string]string{
		"anything happens":         ".",
		"entrances are in trouble": "entrance|edit|restore|adopt|targets|rollback|serve",
		"requests are counted":     "requests|restart|crash|approve|serve",
		"users and clusters are":   "users|preflight|probe|replicas|targets|unreadable|stale",
		"blue is scaled":           "load|scale|floors|replicas|users suffer|standby",
		"people change their mind": "flag|serve|attempt|pause|hands|approve|users suffer",
		"the daemon dies":          "crash|restart|journal|flag|edit|adopt",
	} {
		t.Run(mood, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) { live(rt, regexp.MustCompile(pattern)) })
		})
	}
}

// live is one life of a world.
func live(rt *rapid.T, mood *regexp.Regexp) {
	w := randomWorld(rt)
	watch(rt, w)
	for range rapid.IntRange(10, 50).Draw(rt, "turns") {
		happen(rt, w, mood)
		w.tick(rapid.SampledFrom([]time.Duration{time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second}).Draw(rt, "pass"))
	}
	heal(w)
	switch rapid.IntRange(0, 3).Draw(rt, "what people want in the end") {
	case 0:
		reachesRolledBack(rt, w)
	case 1:
		goesBackAsPlanned(rt, w)
	default:
		reachesEnd(rt, w)
	}
}

// randomWorld draws a plan; everything is fine at first, and a shift is asked for.
func randomWorld(rt *rapid.T) *world {
	w := newWorld()
	w.plan.Steps = nil
	share := 0
	for share < 100 {
		share = min(100, share+rapid.IntRange(1, 60).Draw(rt, "step"))
		w.plan.Steps = append(w.plan.Steps, Step{
			Share: Share(share), Hold: time.Duration(rapid.IntRange(0, 3).Draw(rt, "hold")) * 10 * time.Second,
			Approval: rapid.IntRange(0, 5).Draw(rt, "approval") == 0,
		})
	}
	switch rapid.IntRange(0, 3).Draw(rt, "entrances") {
	case 0:
		w.groups, w.plan.Entrances = w.groups[:1], w.plan.Entrances[:1]
	case 1:
		w.groups, w.plan.Entrances = w.groups[1:], w.plan.Entrances[1:]
	}
	w.plan.Preflight = rapid.SampledFrom([]PreflightMode{PreflightOff, PreflightWarn, PreflightBlock, PreflightBlock}).Draw(rt, "preflight")
	w.plan.Gates.Traffic[0].Breaches = rapid.IntRange(1, 3).Draw(rt, "breaches")
	w.plan.Standby.AutoRollback = rapid.Bool().Draw(rt, "standby goes back")
	w.plan.Standby.For = time.Duration(rapid.IntRange(0, 10).Draw(rt, "standby")) * time.Minute
	w.wantRandomly(rt)
	w.judgeRandomly(rt)
	w.ask = Request{Serve: Green, Attempt: 1}
	w.fate = func(c Change) fate {
		switch rapid.IntRange(0, 9).Draw(rt, "fate") {
		case 0:
			return fate{lost: true}
		case 1:
			return fate{late: time.Duration(rapid.IntRange(1, 9).Draw(rt, "late")) * time.Second}
		case 2:
			return fate{half: c.Entrance.Route53 != nil}
		}
		return fate{}
	}
	return w
}

// happen lets at most one thing happen before the next turn.
func happen(rt *rapid.T, w *world, mood *regexp.Regexp) {
	if rapid.IntRange(0, 2).Draw(rt, "calm") > 0 { // so that shifts get on
		w.ask.Approved = Approval{Attempt: w.mind.Attempt, Step: w.mind.Step + 1}
		return
	}
	g := w.groups[rapid.IntRange(0, len(w.groups)-1).Draw(rt, "group")]
	yes := rapid.Bool().Draw(rt, "yes")
	few := rapid.SampledFrom([]int{0, 2, 5, 8, 10, 10}).Draw(rt, "few")
	events := map[string]func(){
		"foreign edit": func() { w.hand(g, Share(rapid.IntRange(0, 100).Draw(rt, "share")).Weights()) },
		"foreign edit in other numbers": func() {
			w.hand(g, Weights{Blue: rapid.IntRange(0, 255).Draw(rt, "b"), Green: rapid.IntRange(0, 255).Draw(rt, "g")})
		},
		"edit back to before": func() {
			for _, e := range w.mind.Entrances {
				if e.Name == g.Name && e.Pending {
					w.hand(g, e.Was)
				}
			}
		},
		"entrance unreadable": func() { g.err = either(yes, "AccessDenied", "") },
		"entrance stale": func() {
			if g.freeze(w.now); yes {
				g.stale = nil
			}
		},
		"entrance owned":            func() { g.owner = either(yes, "external-dns", "") },
		"blue replicas":             func() { w.blue.ready = few },
		"green replicas":            func() { w.green.ready = few },
		"blue unreadable":           func() { w.blue.err = either(yes, "timeout", "") },
		"green unreadable":          func() { w.green.err = either(yes, "timeout", "") },
		"blue stale":                func() { w.blue.stale = yes },
		"green stale":               func() { w.green.stale = yes },
		"blue targets":              func() { g.blueHealthy = min(few, 3) },
		"green targets":             func() { g.greenHealthy = min(few, 3) },
		"probe fails":               func() { w.probes[0].err = either(yes, "status 503", "") },
		"blue's probe fails":        func() { w.blueProbe.err = either(yes, "status 503", "") },
		"blue's probe stops":        func() { w.blueProbe.stopped = yes },
		"blue's probe absent":       func() { w.blueProbe.absent = yes },
		"probe stops":               func() { w.probes[0].stopped = yes },
		"probe absent":              func() { w.probes[0].absent = yes },
		"users suffer":              func() { w.users.errorRatio = float64(10-few) / 50 },
		"users unmeasured":          func() { w.users.err = either(yes, "throttled", "") },
		"users stale":               func() { w.users.stale = yes },
		"users absent":              func() { w.users.absent = yes },
		"users seen from the start": func() { w.users.early = yes },
		"few users":                 func() { w.users.perSecond = few },
		"load":                      func() { w.demand.perSecond = float64(few * 20) },
		"load counted from now on":  func() { w.demand.since = w.now },
		"load unmeasured":           func() { w.demand.err = either(yes, "throttled", "") },
		"load stale":                func() { w.demand.stale = yes },
		"load absent":               func() { w.demand.absent = yes },
		"autoscaler of blue":        func() { w.blue.scales = yes },
		"floors set back":           func() { w.scalers[Blue].fight("argocd", yes) },
		"floors unreadable":         func() { w.demand.noFloors = either(yes, "forbidden", "") },
		"floors stale":              func() { w.demand.oldFloors = yes },
		"floors wanted":             func() { w.plan.Capacity.Pin = yes },
		"preflight blocks":          func() { w.preflight.blocks = 10 - few },
		"preflight impossible":      func() { w.preflight.err = either(yes, "it panicked", "") },
		"preflight stops":           func() { w.preflight.stopped = yes },
		"journal down":              func() { w.journalDown = yes },
		"crash":                     func() { w.crash = true },
		"restart":                   func() { w.restart() },
		"journal lost":              func() { w.journal = nil; w.restart() },
		"journal older": func() {
			if n := len(w.journaled); n > 0 {
				w.journal = new(w.journaled[rapid.IntRange(max(0, n-30), n-1).Draw(rt, "older")].clone())
				w.restart()
			}
		},
		"journal unreadable": func() { w.unreadable = either(yes, "forbidden", ""); w.restart() },
		"pause":              func() { w.ask.Paused = yes },
		"hands off":          func() { w.ask.HandsOff = yes },
		"force":              func() { w.ask.RollbackForce = yes },
		"approve":            func() { w.ask.Approved = Approval{Attempt: w.mind.Attempt, Step: w.mind.Step + 1} },
		"rollback flag":      func() { w.ask.RollbackBy = []string{"config", "kubectl"}[:1+few%2] },
		"flag taken away":    func() { w.ask.RollbackBy = nil },
		"serve blue":         func() { w.ask.Serve = Blue },
		"serve green":        func() { w.ask.Serve = Green },
		"serve unknown":      func() { w.ask.Serve = "" },
		"new attempt":        func() { w.ask.Attempt = max(w.ask.Attempt, w.mind.Attempt) + 1 },
		"adopt":              func() { w.answer(Adopt) },
		"restore":            func() { w.answer(Restore) },
	}
	maps.Copy(events, w.countingEvents(yes, few))
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(events)), func(name string) bool { return !mood.MatchString(name) })
	events[rapid.SampledFrom(names).Draw(rt, "event")]()
}

func (w *world) answer(how ResolveHow) {
	if q := w.mind.Question; q != nil {
		w.ask.Resolve = Resolution{ID: q.ID, How: how}
	}
}

// heal ends every fault; people's wishes stay.
func heal(w *world) {
	for _, g := range w.groups {
		g.err, g.owner, g.stale, g.blueHealthy, g.greenHealthy = "", "", nil, 3, 3
	}
	*w.blue, *w.green = cluster{ready: 10}, cluster{ready: 10}
	*w.probes[0] = prober{name: "storefront", results: w.probes[0].results}
	*w.blueProbe = prober{name: "storefront", results: w.blueProbe.results}
	w.users, w.preflight = users{perSecond: 100}, checkup{newest: w.preflight.newest}
	w.healDemand()
	w.healCounting()
	w.plan.Gates.Windows, w.plan.Gates.Freezes = nil, nil
	w.journalDown, w.unreadable, w.fate, w.crash = false, "", nil, false
	w.ask.Paused, w.ask.HandsOff, w.ask.RollbackForce = false, false, false
}

// helpAlong does what a person would do about what the daemon says.
func (w *world) helpAlong(d Decision) {
	w.answer(Adopt)
	switch d.Reason {
	case ApprovalNeeded:
		w.ask.Approved = Approval{Attempt: w.mind.Attempt, Step: w.mind.Step + 1}
	case NotAtStart, Drift:
		if !w.mind.Active() {
			for _, g := range w.groups {
				w.hand(g, Share(0).Weights())
			}
		}
	}
}

const enough = 300 // turns of 30 s

// reachesRolledBack is liveness of the manual flag.
func reachesRolledBack(rt *rapid.T, w *world) {
	w.ask.RollbackBy = []string{"config"}
	var d Decision
	for range enough {
		d = w.tick(30 * time.Second)
		if back := w.mind.Phase == RolledBack || w.mind.Phase == Idle; back && w.allBlue() && w.allGivenBack() {
			return
		}
	}
	rt.Fatalf("L1: the flag is set, yet the pair stands in %s: %s: %s", w.mind.Phase, d.Reason, d.Message)
}

// reachesEnd is liveness of the shift: Completed, if need be with a new attempt
// after one that went back.
func reachesEnd(rt *rapid.T, w *world) {
	w.ask.RollbackBy, w.ask.Serve = nil, Green
	var d Decision
	for range enough {
		d = w.tick(30 * time.Second)
		w.helpAlong(d)
		if w.mind.Phase == RolledBack || w.mind.Phase == Idle {
			w.ask.Attempt = w.mind.Attempt + 1
		}
		if w.mind.Phase == Completed && w.allGivenBack() {
			return
		}
	}
	rt.Fatalf("L1: all is well, yet the shift stands in %s: %s: %s", w.mind.Phase, d.Reason, d.Message)
}

func (w *world) allBlue() bool {
	for _, g := range w.groups {
		if !g.reading(w.now).StandsAt(0) {
			return false
		}
	}
	return true
}

// sound checks what every decision owes, whatever the rules say.
func (r *rules) sound(s State, o Observation, d Decision) {
	rt, p, now := r.rt, r.w.plan, r.w.now
	if again := Decide(p, s, o, now); !reflect.DeepEqual(again, d) {
		rt.Fatalf("Decide is not deterministic:\n%s", cmp.Diff(d, again))
	}
	if !d.WakeAt.After(now) {
		rt.Fatalf("WakeAt %s is not after now %s", d.WakeAt, now)
	}
	if d.Message == "" || !r.documented[d.Reason] {
		rt.Fatalf("reason %q (message %q) is not documented", d.Reason, d.Message)
	}
	if d.Next.Version < s.Version || len(d.Changes) > 0 && d.Next.Phase == s.Phase && d.Next.Share != s.Share && d.Next.Version == s.Version {
		rt.Fatalf("intent changed without a new version: %d, then %d", s.Version, d.Next.Version)
	}
	if d.Next.Version == s.Version { // it changed nothing, so it goes on changing nothing
		again := Decide(p, d.Next, o, now)
		same := again.Next.Version == s.Version && again.Next.Phase == d.Next.Phase && again.Next.Share == d.Next.Share && again.Next.Step == d.Next.Step
		for _, c := range again.Changes {
			same = same && slices.ContainsFunc(d.Changes, func(b Change) bool { return b.Entrance.Name == c.Entrance.Name && b.Wanted == c.Wanted })
		}
		if !same {
			rt.Fatalf("deciding again changes intent: %s (%s), then %s (%s)", d.Reason, d.Message, again.Reason, again.Message)
		}
	}
	r.kept(s, o, d)
	if d.Next.Version != s.Version {
		survivesTheJournal(rt, d.Next)
	}
}

// survivesTheJournal: what is written down is read back without loss.
func survivesTheJournal(rt *rapid.T, s State) {
	b, err := json.Marshal(s)
	if err != nil {
		rt.Fatal(err)
	}
	var back State
	if err := json.Unmarshal(b, &back); err != nil {
		rt.Fatal(err)
	}
	if diff := cmp.Diff(s, back, cmpopts.EquateEmpty()); diff != "" {
		rt.Fatalf("the journal loses something:\n%s", diff)
	}
}

func either(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}
