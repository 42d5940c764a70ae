package switcher_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

var epoch = time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)

// crash is what a port panics with when the daemon dies in a call.
type crash struct{}

// world is what a loop acts on: two entrances at AWS, a journal, people. Every
// call is noted; a test plants faults between turns or in a call's way.
type world struct {
	plan shift.Plan
	log  *observer.ObservedLogs
	core *zap.Logger

	mu       sync.Mutex // guards all below: Run has a goroutine of its own
	clock    func() time.Time
	ask      shift.Request
	groups   []*group
	book     book
	calls    []string
	turns    []switcher.Turn
	faults   []string // what broke a rule, seen where it landed
	boundary int
	crashAt  int // the boundary at which the daemon dies; 0: never
	// lastWords is the last call before the death.
	lastWords string
	// lookHangs: users' traffic is not measured before the look is ended.
	lookHangs bool
	// slow is how long AWS takes to be read; a look with less time reads nothing.
	slow      time.Duration
	errors    float64 // ratio of failing requests on green
	blueReady int     // of 4 replicas
	load      float64 // requests a second; 0: not measured
	// commits tells what becomes of a change; nil: it is applied.
	commits func(shift.Change) (landed bool, answer shift.Outcome)
	// before runs before each turn of a journey.
	before func()
	// midway runs inside each Commit, before anything is written.
	midway func(ctx context.Context)
}

// group is one entrance as AWS keeps it.
type group struct {
	shift.Entrance
	share shift.Share
	token int
	mark  *shift.Mark
	err   string
}

// book is the journal that all daemons write.
type book struct {
	content    []byte
	said       shift.Said
	version    int
	states     []shift.State // all that was ever written
	unreadable string
	loadErr    error
	saveErr    error
	hangs      bool // no call is answered
	losesReply bool // the next write lands, and its answer is lost
}

func newWorld() *world {
	core, logs := observer.New(zap.InfoLevel)
	w := &world{core: zap.New(core), log: logs, ask: shift.Request{Serve: shift.Green, Attempt: 1}, blueReady: 4}
	now := epoch
	w.clock = func() time.Time { return now }
	w.plan = shift.Plan{
		Pair:     "shop",
		Steps:    []shift.Step{{Share: 25, Hold: time.Minute}, {Share: 100, Hold: time.Minute}},
		Gates:    shift.Gates{Traffic: []shift.TrafficGate{{Name: "errors", MaxErrorRatio: 0.01, MinRequests: 1, Breaches: 1}}},
		Standby:  shift.Standby{For: 2 * time.Minute},
		Interval: 10 * time.Second, StaleAfter: 30 * time.Second,
	}
	for _, e := range []shift.Entrance{
		{Name: "dns", Route53: &shift.Route53Entrance{HostedZoneID: "Z1", Names: []string{"shop.example.com"}, Types: []string{"A"}, BlueSetIdentifier: "blue", GreenSetIdentifier: "green", Mark: true}},
		{Name: "rule", Balancer: &shift.BalancerEntrance{RuleARN: "arn:rule", BlueTargetGroupARN: "arn:blue", GreenTargetGroupARN: "arn:green", MinHealthyTargets: 1}},
	} {
		w.groups = append(w.groups, &group{Entrance: e})
		w.plan.Entrances = append(w.plan.Entrances, e)
	}
	return w
}

// daemon is one life of a daemon: a loop, and the journal as it saw it.
type daemon struct {
	*switcher.Switcher
	w    *world
	seen int // the journal's version that it loaded or saved last
	// wrote counts its writes to AWS.
	wrote int
}

func (w *world) daemon() *daemon {
	d := &daemon{w: w}
	d.Switcher = switcher.New(switcher.Options{
		Plan: w.plan, Observer: d, Journal: d, Committer: d, Reporter: d, Logger: w.core,
	})
	return d
}

// steps takes turns as Run would, without a timer, until the time is over.
func (w *world) steps(t *testing.T, d *daemon, span time.Duration) {
	t.Helper()
	for end := w.clock().Add(span); !w.clock().After(end); {
		w.step(t, d)
	}
}

// step takes one turn and lets the time pass until the next.
func (w *world) step(t *testing.T, d *daemon) {
	t.Helper()
	now := w.clock()
	wakeAt := d.Step(t.Context(), now)
	if wakeAt.Before(now) {
		t.Fatalf("a turn at %s wants the next at %s", now, wakeAt)
	}
	w.clock = func() time.Time { return wakeAt }
}

// note writes a call down; the daemon may die here.
func (w *world) note(format string, args ...any) {
	w.calls = append(w.calls, fmt.Sprintf(format, args...))
	w.dieHere()
}

func (w *world) dieHere() {
	w.boundary++
	if w.boundary == w.crashAt {
		w.lastWords = w.calls[len(w.calls)-1]
		panic(crash{})
	}
}

// since gives the calls noted after the first n.
func (w *world) since(n int) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.calls[n:])
}

func (w *world) noted() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.calls)
}

func (w *world) turn() switcher.Turn {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.turns[len(w.turns)-1]
}

// change lets a test alter the world beside a running loop.
func (w *world) change(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

func (w *world) shares() [2]shift.Share {
	w.mu.Lock()
	defer w.mu.Unlock()
	return [2]shift.Share{w.groups[0].share, w.groups[1].share}
}

func (w *world) group(name string) *group {
	return w.groups[slices.IndexFunc(w.groups, func(g *group) bool { return g.Name == name })]
}

// journaled gives what the journal holds.
func (w *world) journaled(t *testing.T) shift.State {
	t.Helper()
	var s shift.State
	if err := json.Unmarshal(w.book.content, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// Request is a port of the loop.
func (d *daemon) Request(shift.State, bool) shift.Request {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	return d.w.ask
}

// Observe is a port of the loop.
func (d *daemon) Observe(ctx context.Context, look switcher.Look) shift.Observation {
	w := d.w
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case look.Attention == shift.Urgent:
		w.note("look urgently")
	case look.MeasureFrom.IsZero():
		w.note("look")
	default:
		w.note("look and measure")
	}
	if w.lookHangs && look.Attention != shift.Urgent {
		w.mu.Unlock()
		<-ctx.Done()
		w.mu.Lock()
	}
	now := w.clock()
	o := shift.Observation{Blue: cluster(now, w.blueReady), Green: cluster(now, 4)}
	for _, e := range look.Entrances {
		r := w.group(e.Name).reading(now)
		if end, ok := ctx.Deadline(); ok && time.Until(end) < w.slow {
			r = shift.EntranceReading{Name: e.Name, Err: "no answer"}
		}
		o.Entrances = append(o.Entrances, r)
	}
	if look.Attention != shift.Urgent && !look.MeasureFrom.IsZero() {
		o.Traffic = append(o.Traffic, w.traffic(now, look.MeasureFrom))
	}
	if w.load > 0 {
		o.Loads = []shift.LoadReading{{Name: "shop", At: now, From: now.Add(-time.Minute), To: now, FreshFor: time.Minute, Blue: w.load, Past: shift.LoadPast{Windows: 4, Least: w.load, Most: w.load}}}
	}
	return o
}

func (w *world) traffic(now, from time.Time) shift.TrafficReading {
	r := shift.TrafficReading{Gate: "errors", At: now, FreshFor: time.Minute}
	if from.Before(now) {
		r.From, r.To, r.Requests, r.Errors = from, now, 1000, int(1000*w.errors)
	}
	return r
}

func cluster(now time.Time, ready int) shift.ClusterReading {
	web := shift.Workload{Kind: "Deployment", Namespace: "shop", Name: "web", Wanted: 4, Ready: ready}
	return shift.ClusterReading{At: now, Nodes: 1, NodesReady: 1, Workloads: []shift.Workload{web}}
}

func (g *group) reading(now time.Time) shift.EntranceReading {
	if g.err != "" {
		return shift.EntranceReading{Name: g.Name, Err: g.err}
	}
	r := shift.EntranceReading{Name: g.Name, At: now, Token: fmt.Sprint(g.token), Weights: g.share.Weights(), InSync: true, Mark: g.mark}
	if g.Balancer != nil {
		r.BlueTargets = shift.Targets{Known: true, Healthy: 2, Total: 2}
		r.GreenTargets = r.BlueTargets
	}
	return r
}

// Load is a port of the loop.
func (d *daemon) Load(ctx context.Context, _ string) (shift.Found, error) {
	w := d.w
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note("load")
	switch {
	case w.book.hangs:
		w.mu.Unlock()
		<-ctx.Done()
		w.mu.Lock()
		return shift.Found{}, ctx.Err()
	case w.book.loadErr != nil:
		return shift.Found{}, w.book.loadErr
	case w.book.unreadable != "":
		return shift.Found{Unreadable: w.book.unreadable}, nil
	}
	d.seen = w.book.version
	if w.book.content == nil {
		return shift.Found{}, nil
	}
	found := shift.Found{Present: true}
	return found, json.Unmarshal(w.book.content, &found.State)
}

// Save is a port of the loop.
func (d *daemon) Save(ctx context.Context, _ string, s shift.State, said shift.Said) error {
	w := d.w
	w.mu.Lock()
	defer w.mu.Unlock()
	if said.Beside {
		w.note("say %s", said.Reason)
	} else {
		w.note("save %s %d: %s", s.Phase, s.Share, said.Reason)
	}
	switch {
	case w.book.hangs:
		w.mu.Unlock()
		<-ctx.Done()
		w.mu.Lock()
		return ctx.Err()
	case w.book.saveErr != nil:
		return w.book.saveErr
	case w.book.unreadable != "":
		w.book.said = said
		return errors.New(w.book.unreadable)
	case d.seen != w.book.version:
		return fmt.Errorf("saving: %w", switcher.ErrConflict)
	case ctx.Err() != nil:
		return ctx.Err()
	case said.Beside:
		w.book.said = said
		return nil
	}
	w.write(s, said)
	if w.book.losesReply {
		w.book.losesReply = false
		return errors.New("the answer was lost")
	}
	d.seen = w.book.version
	w.dieHere()
	return nil
}

func (w *world) write(s shift.State, said shift.Said) {
	content, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	w.book.version++
	w.book.content, w.book.said = content, said
	w.book.states = append(w.book.states, s)
}

// Commit is a port of the loop.
func (d *daemon) Commit(ctx context.Context, changes []shift.Change) []shift.Result {
	w := d.w
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.midway != nil {
		w.midway(ctx)
	}
	results := make([]shift.Result, len(changes))
	for i, c := range changes {
		w.note("%s %s to %d", c.Priority, c.Entrance.Name, c.Wanted)
		results[i] = w.commit(ctx, c)
		d.wrote++
		w.dieHere()
	}
	return results
}

func (w *world) commit(ctx context.Context, c shift.Change) shift.Result {
	g := w.group(c.Entrance.Name)
	landed, answer := true, shift.Applied
	switch {
	case ctx.Err() != nil:
		landed, answer = false, shift.Unknown
	case c.Priority == shift.Rise && c.Expected.Token != fmt.Sprint(g.token):
		landed, answer = false, shift.Conflict
	case c.Priority != shift.Rise && g.share <= c.Wanted && !c.Fence:
		landed = false
	case w.commits != nil:
		landed, answer = w.commits(c)
	}
	if landed && c.Wanted > g.share {
		w.judgeRise(c)
	}
	if landed {
		g.share, g.mark = c.Wanted, new(c.Control)
		g.token++
	}
	return shift.Result{Entrance: g.Name, Outcome: answer, At: w.clock()}
}

// judgeRise holds a rise that lands against what is journaled at that moment.
func (w *world) judgeRise(c shift.Change) {
	switch last := w.book.states[len(w.book.states)-1]; {
	case last.Share != c.Wanted:
		w.faults = append(w.faults, fmt.Sprintf("%s rose to %s while the journal intends %s", c.Entrance.Name, c.Wanted, last.Share))
	case last.Rollback != nil:
		w.faults = append(w.faults, fmt.Sprintf("%s rose to %s although the journal tells of a rollback", c.Entrance.Name, c.Wanted))
	}
}

// Report is a port of the loop.
func (d *daemon) Report(t switcher.Turn) {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	d.w.turns = append(d.w.turns, t)
}
