package awscontract

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// patience is how often the loop looks and writes again before a case is lost,
// and pace the time between: about a minute in all.
const (
	patience = 12
	pace     = 5 * time.Second
)

// tally counts cases and what was wrong with them.
type tally struct {
	mu                       sync.Mutex
	cases, violations, calls int
}

func (c *tally) add(violations, calls int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cases++
	c.violations += violations
	c.calls += calls
}

func (c *tally) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("%d cases, %d calls to AWS, %d violations", c.cases, c.calls, c.violations)
}

// try lets one fault happen to the scene's writes, and returns what was wrong.
func (s *scene) try(t *testing.T, f fault) []string {
	a := s.adapter()
	run := &attempt{scene: s, a: a, version: 2}
	if wrong := run.look(t.Context()); wrong != "" {
		return []string{"before anything: " + wrong}
	}
	ctx, cancel := context.WithCancel(t.Context())
	f.arm(s, cancel)
	results := run.commit(ctx)
	s.judgeFirst(f, results[0])
	died := ctx.Err() != nil
	cancel()
	if died { // a new daemon goes on
		run.a = s.adapter()
	}
	if f.lasts {
		s.endure(t.Context(), run, f, results)
		s.ClearFaults()
	}
	first := reached
	if f.end != nil {
		first = f.end(s.subjects[0])
	}
	run.settle(t.Context(), first)
	time.Sleep(time.Minute) // what is still under way lands now, or never
	s.see()
	s.judgeEnd(s.subjects[0], first, "in the end")
	for _, sub := range s.subjects[1:] {
		s.judgeEnd(sub, reached, "in the end")
	}
	return s.violations()
}

// judgeFirst holds the first answer to what the fault demands of it.
func (s *scene) judgeFirst(f fault, first shift.Result) {
	sub := s.subjects[0]
	backing := sub.priority == shift.Rollback && !sub.restick
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.conflicts && !backing && first.Outcome != shift.Conflict {
		s.blame("%s: answered %s rather than conflict (%s)", sub.Name, first.Outcome, first.Note)
	}
}

// endure goes on while the fault lasts, and judges how it stands then.
func (s *scene) endure(ctx context.Context, run *attempt, f fault, results []shift.Result) {
	says := ""
	if f.says != nil {
		says = f.says(s.subjects[0])
	}
	told := tellsHow(results, nil, says)
	for range 3 {
		time.Sleep(pace)
		if run.look(ctx) != "" {
			told = told || tellsHow(nil, run.readings, says)
		}
		told = told || tellsHow(run.commit(ctx), nil, says)
	}
	if !told {
		s.mu.Lock()
		s.blame("no note says %q: %+v", says, results)
		s.mu.Unlock()
	}
	s.judgeEnd(s.subjects[0], f.meanwhile(s.subjects[0]), "while it lasts")
}

func (s *scene) judgeEnd(sub *subject, e ending, when string) {
	stands := s.stands(sub)
	at := s.left(sub)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case e == reached && !stands:
		s.blame("%s: %s it stands at %s, not at %s", sub.Name, when, at, sub.to)
	case e == unmoved && sub.from != sub.to && at != sub.from.Weights().String():
		s.blame("%s: %s it stands at %s, not as before at %s", sub.Name, when, at, sub.from)
	}
}

// attempt is the loop in small: look, write, and again until it stands.
type attempt struct {
	*scene

	a        adapter
	readings []shift.EntranceReading
	version  int64
}

// look reads the subjects, those to be rolled back urgently; it returns why one
// can't be written, or empty.
func (r *attempt) look(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r.readings = make([]shift.EntranceReading, len(r.subjects))
	for _, attention := range []shift.Attention{shift.Urgent, shift.Watching} {
		var entrances []shift.Entrance
		var places []int
		for i, sub := range r.subjects {
			if (sub.priority == shift.Rollback) == (attention == shift.Urgent) {
				entrances, places = append(entrances, sub.Entrance), append(places, i)
			}
		}
		if len(entrances) == 0 {
			continue
		}
		for i, reading := range r.a.Read(ctx, entrances, attention) {
			r.readings[places[i]] = reading
		}
	}
	for _, reading := range r.readings {
		if reading.Err != "" {
			return reading.Name + ": " + reading.Err
		}
	}
	return ""
}

// commit writes what doesn't stand yet, and holds the answers to what AWS saw.
func (r *attempt) commit(ctx context.Context) []shift.Result {
	var changes []shift.Change
	var subjects []*subject
	r.version++
	for i, sub := range r.subjects {
		reading := r.readings[i]
		if reading.Err == "" && sub.arrived(reading) {
			continue
		}
		changes = append(changes, shift.Change{
			Entrance: sub.Entrance, Expected: reading, Wanted: sub.to, Priority: sub.priority, Restick: sub.restick,
			Control: shift.Mark{
				Attempt: 1, Epoch: ourEpoch, Version: r.version, Phase: phaseOf(sub.priority), Share: sub.to, Rollback: sub.priority == shift.Rollback,
			},
		})
		subjects = append(subjects, sub)
	}
	if len(changes) == 0 {
		return nil
	}
	r.start()
	began := time.Now()
	results := r.a.Commit(ctx, changes)
	r.judgeTime(time.Since(began))
	for i, result := range results {
		r.judgeTruth(changes[i], result, subjects[i])
	}
	return results
}

func (s *scene) judgeTime(took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if took > shift.WriteDeadline {
		s.blame("a commit took %s, longer than %s", took, shift.WriteDeadline)
	}
}

func phaseOf(p shift.Priority) shift.Phase {
	return [...]shift.Phase{shift.Shifting, shift.Returning, shift.RollingBack}[p]
}

// arrived tells whether a reading shows that there is nothing left to write.
func (sub *subject) arrived(r shift.EntranceReading) bool {
	if sub.restick {
		return r.Unstuck == nil
	}
	return r.StandsAt(sub.to)
}

// settle goes on until all that shall be reached is, and is in sync.
func (r *attempt) settle(ctx context.Context, first ending) {
	for range patience {
		time.Sleep(pace)
		r.look(ctx)
		done := true
		for i, sub := range r.subjects {
			reading := r.readings[i]
			standing := reading.Err == "" && sub.arrived(reading) && reading.InSync
			done = done && (standing || i == 0 && first != reached)
		}
		if done && first == reached {
			return
		}
		r.commit(ctx)
	}
	if first == reached {
		for range 20 { // it may still have to reach all of AWS's servers
			time.Sleep(time.Minute)
			if r.look(ctx) == "" && !slices.ContainsFunc(r.readings, func(e shift.EntranceReading) bool { return !e.InSync }) {
				return
			}
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.blame("it never settled: %+v", r.readings[0])
	}
}

// variant is one kind of scene. Without the race detector each is tried with every
// fault; with it, those that lead the way with each third, others with each
// forty-fifth: make faults tries them all.
type variant struct {
	place int
	leads bool
	few   bool // expensive: only the faults that count most
	scene func(t *testing.T) *scene
}

func (v variant) tries(nr int, f fault) bool {
	switch {
	case v.few && !f.few:
		return false
	case !thinned:
		return true
	case v.leads:
		return (v.place+nr)%3 == 0
	}
	return (v.place+nr)%45 == 0
}

// each tries faults on scenes of one kind, each in a bubble of its own.
func each(t *testing.T, count *tally, v variant) {
	t.Parallel()
	for nr, f := range faults() {
		if !v.tries(nr, f) {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			s := v.scene(t)
			if f.only != nil && !f.only(s) {
				return
			}
			wrong := s.try(t, f)
			count.add(len(wrong), len(s.Calls()))
			for _, w := range wrong {
				t.Errorf("%s: %s", f.name, w)
			}
		})
	}
}

// journeys are the writes that are tried.
func journeys() []journey {
	return []journey{
		{"rise", shift.Rise, 25, 50},
		{"planned lowering", shift.Lowering, 50, 25},
		{"rollback", shift.Rollback, 50, 0},
	}
}

type journey struct {
	name     string
	priority shift.Priority
	from, to shift.Share
}

func (j journey) subject(name string) *subject {
	return &subject{Entrance: shift.Entrance{Name: name}, from: j.from, to: j.to, priority: j.priority}
}

// batch is a subject, and with others those that are written together with it:
// one in the same way, and one that rises.
func (j journey) batch(others bool) []*subject {
	subjects := []*subject{j.subject("shop")}
	if others {
		higher := journey{"", j.priority, j.from + 20, j.to + 20}
		subjects = append(subjects, higher.subject("api"), (journey{"", shift.Rise, 0, 100}).subject("web"))
	}
	return subjects
}

func TestEachWriteToRoute53MeetsEachFault(t *testing.T) {
	t.Parallel()
	count, place := &tally{}, 0
	t.Run("cases", func(t *testing.T) {
		for _, kind := range shapes() {
			for _, marked := range []bool{true, false} {
				for _, batched := range []bool{false, true} {
					if kind.names > 0 && (!marked || batched) {
						continue // expensive, and nothing new
					}
					place++
					for _, j := range journeys() {
						v := variant{place: place, leads: marked && !batched && kind.name == "A and AAAA", few: kind.names > 0}
						v.scene = func(t *testing.T) *scene { return newZone(t, kind, marked, j.batch(batched)...) }
						t.Run(fmt.Sprintf("%s of %s, mark %t, batched %t", j.name, kind.name, marked, batched), func(t *testing.T) {
							each(t, count, v)
						})
					}
				}
			}
		}
	})
	tell(t, "writes to Route 53 with faults: %s", count)
}

func TestEachWriteToLoadBalancersMeetsEachFault(t *testing.T) {
	t.Parallel()
	count, place := &tally{}, 0
	t.Run("cases", func(t *testing.T) {
		for _, f := range forms() {
			for _, batched := range []bool{false, true} {
				place++
				for _, j := range journeys() {
					v := variant{place: place, leads: !batched && f.name == "rule with OIDC"}
					v.scene = func(t *testing.T) *scene { return newBalancer(t, f, j.batch(batched)...) }
					t.Run(fmt.Sprintf("%s of a %s, batched %t", j.name, f.name, batched), func(t *testing.T) { each(t, count, v) })
				}
			}
			if f.sticky {
				v := variant{place: place, leads: !f.listener, scene: func(t *testing.T) *scene { return newUnstuck(t, f) }}
				t.Run("restick of a "+f.name, func(t *testing.T) { each(t, count, v) })
			}
		}
	})
	tell(t, "writes to load balancers with faults: %s", count)
}

// newUnstuck has a sticky action after a rollback that switched stickiness off.
func newUnstuck(t *testing.T, f form) *scene {
	sub := (journey{"", shift.Rollback, 50, 0}).subject("shop")
	s := newBalancer(t, f, sub)
	before := s.last.sticky[sub.Name]
	run := &attempt{scene: s, a: s.adapter(), version: 1}
	run.look(t.Context())
	run.commit(t.Context())
	if !s.stands(sub) || s.last.sticky[sub.Name] != "off" {
		t.Fatalf("the rollback left it at %s, stickiness %s", s.left(sub), s.last.sticky[sub.Name])
	}
	sub.from, sub.restick, sub.sticky = 0, true, before
	s.first = s.last
	s.start()
	return s
}
