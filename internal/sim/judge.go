package sim

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// judge holds what takes effect at AWS, and what is journaled, against the rules.
// It goes by true time and by what the world really is, not by what a replica
// takes for true.
type judge struct {
	w *world
	// intents are what was ever journaled as intended, by attempt and version.
	intents map[intent]bool
	// attempts is what is durable of each.
	attempts map[int]*attempt
	epoch    int64 // the newest that was journaled
	// author is which life of which replica took charge with an epoch.
	author map[int64]life
	// granted says of each new step, at the moment when it was written down, what
	// it lacked; empty: nothing.
	granted map[order]string
	done    map[effect]int
}

// life is one life of a replica.
type life struct{ replica, number int }

func (l life) String() string { return fmt.Sprintf("r%d (life %d)", l.replica+1, l.number) }

// order names an intent.
type order struct {
	attempt int
	version int64
}

// intent is an order with the share that it is for.
type intent struct {
	order
	share shift.Share
}

// effect names what may happen once.
type effect struct {
	group int
	order
}

// attempt is what the judge knows of one.
type attempt struct {
	steps []shift.Step
	// rolledBack: the journal tells of a rollback; over: the attempt ended.
	rolledBack, over bool
	// helped: a person adopted or restored, so that shares may be off the plan.
	helped bool
}

func newJudge(w *world) *judge {
	return &judge{w: w, intents: map[intent]bool{}, attempts: map[int]*attempt{}, done: map[effect]int{}, granted: map[order]string{}, author: map[int64]life{}}
}

func (j *judge) attempt(n int) *attempt {
	a := j.attempts[n]
	if a == nil {
		a = &attempt{}
		j.attempts[n] = a
	}
	return a
}

// journaled judges a state that becomes durable.
func (j *judge) journaled(r *replica, before, after shift.State, by grounds) {
	a := j.attempt(after.Attempt)
	j.intents[intent{order{after.Attempt, after.Version}, after.Share}] = true
	switch {
	case after.Epoch < before.Epoch:
		j.w.violate("S7", "%s journals epoch %d over epoch %d", r.name, after.Epoch, before.Epoch)
	case before.Attempt == after.Attempt && before.Rollback != nil && after.Rollback == nil:
		j.w.violate("S5", "%s forgets the rollback of attempt %d in the journal", r.name, after.Attempt)
	case before.Attempt == after.Attempt && before.Phase.Terminal() && (after.Phase == shift.Shifting || after.Phase == shift.InPreflight):
		j.w.violate("S6", "attempt %d goes on after %s", after.Attempt, before.Phase)
	}
	j.charge(by.by, after.Epoch)
	// An answer of a person's, though perhaps its own answer was lost.
	a.helped = a.helped || before.Question != nil && after.Question == nil
	j.epoch = max(j.epoch, after.Epoch)
	if len(after.Steps) > 0 {
		a.steps = after.Steps
	}
	if after.Phase == shift.Shifting && after.Step == before.Step+1 && after.Attempt == before.Attempt {
		j.granted[order{after.Attempt, after.Version}] = j.lacking(by, after)
	}
	a.rolledBack = a.rolledBack || after.Rollback != nil
	a.over = a.over || after.Phase.Terminal()
	if after.Question != nil {
		return
	}
	for _, e := range after.Entrances {
		if g := j.w.aws.groups[j.w.aws.index(e.Name)]; g.now.w.At(e.Share) {
			g.foreign = false
		}
	}
}

// charge: S8. Each daemon that takes charge does so with an epoch of its own. Without a
// lease, where the journal is set back, two may come to the same.
func (j *judge) charge(now life, epoch int64) {
	if by, known := j.author[epoch]; known && by != now && j.w.leased {
		j.w.violate("S8", "%s goes on with epoch %d, which %s took charge with", now, epoch, by)
	}
	j.author[epoch] = now
}

// sent: S8. A write leaves only while the lease is sure until the write's end. What
// lowers green at Route 53 needs none: the swap fences it.
func (j *judge) sent(r *replica, changes []shift.Change, end time.Duration) {
	if !j.w.leased {
		return
	}
	_, left := r.elector.Term()
	sure := j.w.now + r.lasts(left)
	for _, c := range changes {
		if (c.Entrance.Route53 == nil || c.Priority != shift.Rollback) && sure+rounding < end {
			j.w.violate("S8", "%s writes entrance %s until %s, but is sure of the lease until %s only", r.name, c.Entrance.Name, stamp(end), stamp(sure))
		}
	}
}

// rounding is what clocks of different rates lose when times are told from one to
// the other.
const rounding = 10 * time.Millisecond

// forget lets go of what was durable in a journal only that somebody took away.
func (j *judge) forget() {
	for n, a := range j.attempts {
		s := j.w.api.state()
		told := s.Attempt == n && s.Rollback != nil
		for _, g := range j.w.aws.groups {
			told = told || g.now.marked && g.now.mark.Rollback && g.now.mark.Attempt >= n
		}
		a.rolledBack, a.helped = a.rolledBack && told, true
		a.over = a.over && s.Attempt == n && s.Phase.Terminal()
	}
	j.epoch = j.w.api.state().Epoch
	clear(j.done)
	clear(j.author)
}

// isForeign tells whether what stands in a group is somebody's edit.
func (j *judge) isForeign(g *group) bool {
	s := j.w.api.state()
	if !s.Active() {
		return false
	}
	for _, e := range s.Entrances {
		if e.Name == g.e.Name {
			stood := e.Pending && (g.now.w == e.Was || slices.Contains(e.WasApart, g.now.w))
			return !g.now.w.At(e.Share) && !stood
		}
	}
	return true
}

// turn judges one turn of a loop.
func (j *judge) turn(r *replica, t switcher.Turn) {
	d := t.Decision
	r.superseded = t.Superseded
	if d.Reason == shift.Adopted || d.Reason == shift.Restoring {
		j.attempt(d.Next.Attempt).helped = true
	}
	rises := slices.ContainsFunc(d.Changes, func(c shift.Change) bool { return c.Priority == shift.Rise })
	switch {
	case t.Superseded || t.Standby && len(t.Results) == 0:
		return
	case rises && r.garbled:
		j.w.violate("D1", "%s raises green by a journal that can't be read", r.name)
	case rises && t.Observation.Request.Paused:
		j.w.violate("S9", "%s raises green although people paused the pair", r.name)
	case t.Observation.Request.HandsOff && len(t.Results) > 0:
		j.w.violate("S10", "hands off, yet %s writes", r.name)
	}
	if j.w.result.Turns%32 == 0 && !reflect.DeepEqual(shift.Decide(t.Plan, t.Before, t.Observation, t.Now), shift.Decide(t.Plan, t.Before, t.Observation, t.Now)) {
		j.w.violate("D2", "the same input gives another decision")
	}
	j.personsRollback(r, t)
	j.byItself(r, t)
	j.suffering(r, t)
}

// personsRollback: S10. The flag writes every entrance in the very same turn.
func (j *judge) personsRollback(r *replica, t switcher.Turn) {
	ask := t.Observation.Request
	if len(ask.RollbackBy) == 0 || ask.HandsOff || t.Before.Phase == shift.Idle && t.Before.Question == nil {
		return
	}
	for i, g := range j.w.aws.groups {
		stands := r.rec.stood[i].w
		dead := !g.dns && r.rec.blueTargets[i] == 0 && r.rec.greenTargets[i] > 0
		if !r.rec.read[i] && t.Before.Phase == shift.RolledBack || r.rec.read[i] && (stands.At(0) || dead && !ask.RollbackForce) {
			continue
		}
		if !slices.ContainsFunc(t.Results, func(c shift.Result) bool { return c.Entrance == g.e.Name }) {
			j.w.violate("S10", "the flag is set in %s, yet %s doesn't write entrance %s: %s: %s", t.Before.Phase, r.name, g.e.Name, t.Decision.Reason, t.Decision.Message)
		}
	}
}

// byItself: S15. Only what users feel sends them back.
func (j *judge) byItself(r *replica, t switcher.Turn) {
	b := t.Decision.Next.Rollback
	if b == nil || !b.Automatic || b.By != "clusterswitch" || t.Before.Rollback != nil && *t.Before.Rollback == *b {
		return
	}
	if t.Before.Phase == shift.OnStandby && !t.Plan.Standby.AutoRollback {
		j.w.violate("S15", "standby goes back by itself")
	}
	for i, g := range j.w.aws.groups {
		if !g.dns && r.rec.read[i] && r.rec.greenTargets[i] == 0 {
			return
		}
	}
	if r.rec.told > 0 && float64(r.rec.toldBad) > 0.01*float64(r.rec.told) || r.rec.countedBad {
		return
	}
	j.w.violate("S15", "%s goes back by itself though users are not seen to suffer: %s", r.name, t.Decision.Message)
}
