package elb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// rollbackTries bounds how often one rollback is written in one Commit; the
// next tick of the loop goes on.
const rollbackTries = 4

// retreat is one rollback under way.
type retreat struct {
	*turn
	based bool // base stands: write from it
	fresh bool // base was read in this Commit
	// unsure: a write was sent and its answer lost.
	unsure bool
	last   awsapi.Failure
}

// rollBack writes until green has no more than the wanted share. The weights go
// first; stickiness, mark and the look at what came of it follow.
func (a *Adapter) rollBack(ctx context.Context, t *turn) {
	r := &retreat{turn: t}
	r.useRemembered(a)
	tries := 0
	for try := range rollbackTries {
		if try > 0 && r.last.Passing() && !awsapi.Pause(ctx, try) {
			break
		}
		tries++
		if a.tryBack(ctx, r) {
			return
		}
	}
	outcome := r.lost()
	if r.last.Class == awsapi.Unreachable {
		outcome = shift.Unknown
	}
	r.answer(outcome, time.Time{}, "gave up for now after %d tries: %s", tries, r.last)
}

// useRemembered saves a read before the write: what the last tick read serves
// as the base if it is what the core decided on and shows that a write is needed.
func (r *retreat) useRemembered(a *Adapter) {
	e := r.entrance()
	known, ok := a.remembered(e.RuleARN)
	if !ok || r.Expected.Token == "" || known.token() != r.Expected.Token || known.declared(e) != nil {
		return
	}
	if w, _ := known.weights(e); !w.AtMost(r.Wanted) {
		r.base, r.based = known, true
	}
}

// tryBack makes one try and reports whether the change is answered.
func (a *Adapter) tryBack(ctx context.Context, r *retreat) (answered bool) {
	if !r.based {
		if answered := a.rebase(ctx, r); answered || !r.based {
			return answered
		}
	}
	at, f, ok := a.writeWeights(ctx, r.turn)
	if !ok {
		return r.learn(f)
	}
	return a.finish(ctx, r, at)
}

// rebase reads the rule and makes it the base, or answers the change.
func (a *Adapter) rebase(ctx context.Context, r *retreat) (answered bool) {
	got, err := a.readBack(ctx, r.turn)
	if err != nil {
		f, ok := errors.AsType[*awsapi.Error](err)
		if ok && f.Passing() {
			r.last = f.Failure
			return false
		}
		r.answer(r.lost(), time.Time{}, "%s", err)
		return true
	}
	if err := got.declared(r.entrance()); err != nil {
		r.answer(shift.Refused, time.Time{}, "%s", err)
		return true
	}
	r.base, r.based, r.fresh = got, true, true
	w, _ := got.weights(r.entrance())
	switch {
	case !w.AtMost(r.Wanted):
		return false
	case r.unsure:
		r.note("the answer was lost; it reads back as written")
		return a.finish(ctx, r, a.now())
	}
	r.answer(shift.Applied, a.now(), "nothing to write: %s", got.found(r.entrance()))
	return true
}

// learn takes a lesson from a refused write and reports whether there is no
// point in another try.
func (r *retreat) learn(f awsapi.Failure) (answered bool) {
	r.last = f
	switch f.Class {
	case awsapi.Throttled:
		return false // nothing was done; the base still stands
	case awsapi.Unreachable:
		r.unsure, r.based = true, false
		return false
	case awsapi.Invalid, awsapi.NotFound, awsapi.Conflict, awsapi.Other:
		if !r.fresh { // the remembered actions may name what is gone
			r.based = false
			return false
		}
	case awsapi.Denied:
	}
	r.answer(r.lost(), time.Time{}, "%s", refusal(f))
	return true
}

// finish does what follows the weights: stickiness off, the mark, the look at
// what came of it. None of it undoes the write; only a rise of green by
// somebody else in between calls for another try.
func (a *Adapter) finish(ctx context.Context, r *retreat, at time.Time) (answered bool) {
	r.noteThirds()
	if on, seconds := r.base.sticky(); on {
		r.note(a.unstick(ctx, r, seconds))
	}
	r.note(a.writeMark(ctx, r.entrance().RuleARN, r.Control))
	back, err := a.readBack(ctx, r.turn)
	if err != nil {
		r.answer(shift.Applied, at, "not read back: %s", err)
		return true
	}
	if w, ok := back.weights(r.entrance()); !ok || !w.AtMost(r.Wanted) {
		r.note("somebody changed it after the write: " + back.found(r.entrance()))
		r.last = awsapi.Failure{Class: awsapi.Conflict, Message: "it doesn't stay as it was written"}
		r.based, r.unsure = false, true
		return false
	}
	r.answer(shift.Applied, at, "")
	return true
}

// unstick switches the rule's stickiness off: clients that hold its cookie
// would go on to green whatever the weights say. A refusal changes nothing,
// for instance where a target group's own stickiness demands the rule's.
func (a *Adapter) unstick(ctx context.Context, r *retreat, seconds int32) string {
	f, ok := a.modify(ctx, r.entrance().RuleARN, planUnsticky(r.base.actions))
	if ok {
		return "stickiness was switched off"
	}
	return fmt.Sprintf("stickiness stays on (%s): clients may stay on green for up to %s", f, time.Duration(seconds)*time.Second)
}

func (r *retreat) noteThirds() {
	if err := r.base.usable(r.entrance()); err != nil {
		r.note("left as it is: " + err.Error())
	}
}

// lost is the answer for a change that can't go on: AWS refused it, unless an
// earlier try was lost on the way and may have been carried out.
func (r *retreat) lost() shift.Outcome {
	if r.unsure {
		return shift.Unknown
	}
	return shift.Refused
}
