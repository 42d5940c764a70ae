package awscontract

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	sandbox "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const (
	// stormy is how long faults come and go.
	stormy = 8 * time.Minute
	// calm is how long the loop then has to reach its end: the shift's own holds,
	// propagation, TTLs and what AWS's slowness left behind.
	calm = 30 * time.Minute
	// backWithin is how long a rollback may take once all faults are over: the
	// longest pause between two tries, and a look.
	backWithin = 30 * time.Second
)

func loopSteps() []shift.Step {
	return []shift.Step{{Share: 25, Hold: 30 * time.Second}, {Share: 50, Hold: 30 * time.Second}, {Share: 100, Hold: 30 * time.Second}}
}

// voyage is a whole shift of one pair with a zone and a rule, and an eye on AWS.
type voyage struct {
	*stage

	plan     shift.Plan
	dns      *zone
	rules    *balancer
	dice     *rand.Rand
	book     *book
	people   *people
	stop     func() // ends the current daemon
	switches int    // faults that were switched on

	mu        sync.Mutex // guards all below
	current   *daemon
	first     map[setting]sight
	last      map[string]shift.Weights
	asked     bool            // a person asked for the rollback
	back      map[string]bool // groups that the rollback lowered
	lateRises int
	from      shift.Share // where green stood when it was asked
	faults    []string
}

func newVoyage(t *testing.T, seed uint64) *voyage {
	st := newStage(t, sandbox.Options{Propagation: 30 * time.Second})
	dns := (journey{"", shift.Rise, 0, 100}).subject("dns")
	rule := (journey{"", shift.Rise, 0, 100}).subject("rule")
	v := &voyage{
		stage: st, dice: rand.New(rand.NewPCG(seed, 3)), //nolint:gosec // the same faults each time
		dns: zoneOn(t, st, shapeOf("A and AAAA"), true, dns), rules: balancerOn(t, st, forms()[1], rule),
		book: &book{}, people: &people{asks: shift.Request{Serve: shift.Blue}},
		first: map[setting]sight{}, last: map[string]shift.Weights{}, back: map[string]bool{},
	}
	v.dns.forgetMarks(t)
	v.rules.forgetMarks(t)
	v.plan = shift.Plan{
		Pair: "shop", Steps: loopSteps(), Entrances: []shift.Entrance{dns.Entrance, rule.Entrance},
		Gates:    shift.Gates{Traffic: []shift.TrafficGate{{Name: "errors", MaxErrorRatio: 0.01, MinRequests: 1, Breaches: 1}}},
		Standby:  shift.Standby{For: time.Minute},
		Interval: 10 * time.Second, StaleAfter: 30 * time.Second,
	}
	v.see()
	v.whenLeft(func(string) { v.see() })
	v.bePatient()
	time.Sleep(time.Minute)
	return v
}

func (v *voyage) blame(format string, args ...any) {
	if blame := fmt.Sprintf(format, args...); !slices.Contains(v.faults, blame) {
		v.faults = append(v.faults, blame)
	}
}

// see holds what AWS stores to the rules: after each write that reached it.
func (v *voyage) see() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, place := range []setting{v.dns, v.rules} {
		now, err := place.look()
		if err != nil {
			v.blame("looking: %v", err)
			return
		}
		if _, ok := v.first[place]; !ok {
			v.first[place] = now
		}
		first := v.first[place]
		for key, was := range first.rest { // S11
			if is, ok := now.rest[key]; !ok || is != was {
				v.blame("S11: %s was %s and is %s", key, was, is)
			}
		}
		if len(now.rest) != len(first.rest) || len(now.weights) != len(first.weights) {
			v.blame("S1: there are %d weights and %d other things, and were %d and %d", len(now.weights), len(now.rest), len(first.weights), len(first.rest))
		}
		for group, w := range now.weights {
			v.judge(group, w, place == v.dns)
			v.last[group] = w
		}
	}
	if v.last["dns.example.com A"] != v.last["dns.example.com AAAA"] {
		v.blame("A and AAAA stand apart: %s and %s", v.last["dns.example.com A"], v.last["dns.example.com AAAA"])
	}
}

func (v *voyage) judge(group string, is shift.Weights, swapped bool) {
	was, known := v.last[group]
	switch {
	case is.Blue+is.Green <= 0:
		v.blame("S1: the weights of %s are all zero", group)
	case !known || is == was:
	case is.Share() < was.Share():
		if !v.asked || is.Share() != 0 {
			v.blame("%s went down from %s to %s, which nobody asked for", group, was, is)
		}
		v.back[group] = true
	case v.back[group] && swapped:
		v.blame("S5: %s rose from %s to %s after the rollback", group, was, is)
	case v.back[group]:
		v.lateRises++ // at a load balancer it may land, and is undone: the end tells
	default:
		next := slices.IndexFunc(v.plan.Steps, func(s shift.Step) bool { return s.Share > was.Share() })
		if !is.At(v.plan.Steps[next].Share) {
			v.blame("S3: %s rose from %s to %s, which isn't one planned step", group, was, is)
		}
	}
}

// sail starts a daemon; land ends it, as a crash of its process does.
func (v *voyage) sail(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	d := newDaemon(v.plan, v.dns.adapter(), v.rules.adapter(), v.book, v.people)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.Run(ctx)
	}()
	v.mu.Lock()
	v.current = d
	v.mu.Unlock()
	v.stop = func() {
		cancel()
		<-ended
	}
}

// storm switches faults on and off, restarts the daemon, and asks for the
// rollback at some moment if one is wanted.
func (v *voyage) storm(t *testing.T, rollback bool) {
	end := time.Now().Add(stormy)
	rollAt := end.Add(time.Hour)
	if rollback {
		rollAt = time.Now().Add(time.Minute + v.within(stormy-2*time.Minute))
	}
	for time.Now().Before(end) {
		time.Sleep(time.Second + v.within(30*time.Second))
		v.switchOn()
		time.Sleep(time.Second + v.within(25*time.Second))
		if v.dice.IntN(8) == 0 {
			v.stop()
			v.sail(t)
		}
		if time.Now().After(rollAt) {
			v.goBackSometime()
			rollAt = end.Add(time.Hour)
		}
		v.ClearFaults()
	}
	if rollback {
		v.goBack()
	}
}

// goBackSometime asks for the rollback at once, or while the next write of the
// rule is on its way, and takes its time.
func (v *voyage) goBackSometime() {
	if v.dice.IntN(2) == 0 {
		v.goBack()
		return
	}
	v.ClearFaults()
	var met atomic.Bool // a sync.Once would hold others up at a lock, which stops a bubble's clock
	v.whenArriving(func(operation string) {
		if operation == "ModifyRule" && met.CompareAndSwap(false, true) {
			v.goBack()
			time.Sleep(7 * time.Second)
		}
	})
	time.Sleep(2 * time.Minute)
}

// goBack asks for the rollback, once.
func (v *voyage) goBack() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.asked {
		return
	}
	v.asked = true
	for _, w := range v.last {
		v.from = max(v.from, w.Share())
	}
	v.people.ask(func(r *shift.Request) { r.RollbackBy = []string{"a person"} })
	v.current.Wake()
}

func (v *voyage) within(d time.Duration) time.Duration { return time.Duration(v.dice.Int64N(int64(d))) }

// switchOn switches one fault on, of any kind, at any call.
func (v *voyage) switchOn() {
	writes := map[sandbox.Service]string{sandbox.Route53: "ChangeResourceRecordSets", sandbox.ELB: "ModifyRule"}
	service := []sandbox.Service{sandbox.Route53, sandbox.ELB}[v.dice.IntN(2)]
	kinds := []sandbox.FaultKind{
		sandbox.Throttle, sandbox.ServerError, sandbox.ServiceUnavailable, sandbox.AccessDenied, sandbox.ExpiredCredentials,
		sandbox.LostReply, sandbox.LostRequest, sandbox.Delay, sandbox.PriorRequestNotComplete, sandbox.SlowSync, sandbox.StaleReads,
	}
	f := sandbox.Fault{Kind: kinds[v.dice.IntN(len(kinds))], Service: service, Times: v.dice.IntN(4)}
	if v.dice.IntN(3) > 0 {
		f.Operation = writes[service]
	}
	switch f.Kind {
	case sandbox.PriorRequestNotComplete, sandbox.SlowSync:
		f.Service, f.Operation, f.Delay = sandbox.Route53, writes[sandbox.Route53], time.Minute
	case sandbox.StaleReads:
		f.Service, f.Operation, f.Delay, f.Times = sandbox.ELB, "", 4*time.Second, 0
	case sandbox.Delay: // no longer than a write may be on its way
		f.Delay = time.Second + v.within(7*time.Second)
	default:
	}
	v.inject(f)
	v.switches++
}

// arrive waits for the end of the journey, and judges it.
func (v *voyage) arrive(t *testing.T, rollback bool) []string {
	want, ends := shift.Full, []shift.Phase{shift.OnStandby, shift.Completed}
	if rollback {
		want, ends = 0, []shift.Phase{shift.RolledBack}
		time.Sleep(backWithin)
		if !v.standsAt(0) {
			v.mu.Lock()
			v.blame("%s after the last fault green still has users: %v", backWithin, v.last)
			v.mu.Unlock()
		}
	}
	for end := time.Now().Add(calm); time.Now().Before(end) && !slices.Contains(ends, v.book.state(t).Phase); {
		time.Sleep(time.Second)
	}
	time.Sleep(time.Minute)
	v.see()
	v.stop()
	stands, phase := v.standsAt(want), v.book.state(t).Phase
	v.mu.Lock()
	defer v.mu.Unlock()
	if !stands || !slices.Contains(ends, phase) {
		d := v.current.last().Decision
		v.blame("in the end it is %s at %v: %s: %s", phase, v.last, d.Reason, d.Message)
	}
	return v.faults
}

func (v *voyage) standsAt(want shift.Share) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, w := range v.last {
		if !w.At(want) {
			return false
		}
	}
	return true
}

// A whole shift from 0 to 100 % with faults that come and go, half of the times
// with a rollback at some moment: the rules hold at AWS after each write, and when
// the faults are over everything reaches its end.
func TestAWholeShiftKeepsTheRulesUnderFaults(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var calls, violations, faults, late, back int
	all := runs(100)
	t.Run("runs", func(t *testing.T) {
		for half, name := range []string{"to the end", "with a rollback"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				for seed := uint64(half); seed < all; seed += 2 {
					synctest.Test(t, func(t *testing.T) {
						v := newVoyage(t, seed)
						v.sail(t)
						v.people.ask(func(r *shift.Request) { r.Serve, r.Attempt = shift.Green, 1 })
						v.storm(t, half == 1)
						wrong := v.arrive(t, half == 1)
						for _, w := range wrong {
							t.Errorf("seed %d: %s", seed, w)
						}
						mu.Lock()
						defer mu.Unlock()
						calls, violations, faults, late = calls+len(v.Calls()), violations+len(wrong), faults+v.switches, late+v.lateRises
						if v.from > 0 {
							back++
						}
					})
				}
			})
		}
	})
	if back == 0 {
		t.Error("no rollback began with users on green, so none was tried")
	}
	tell(t, "whole shifts under faults: %d runs, %d of them rolled back with users on green, %d faults switched on, %d calls to AWS, %d violations; %d rises that were on their way landed at the load balancer after the rollback",
		all, back, faults, calls, violations, late)
}
