package elb

import (
	"context"
	"fmt"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// rollbackTries bounds how often one rollback is written in one Commit, not
// counting what AWS throttles; the next tick of the loop goes on.
const rollbackTries = 4

// leftForAnswer is the part of a Commit's time that waiting for other rollbacks
// leaves, so that the answer still comes in time.
const leftForAnswer = 500 * time.Millisecond

// retreat is one rollback under way.
type retreat struct {
	*turn
	based bool // base stands: write from it
	fresh bool // base was read in this Commit
	// unsure: a write was sent and its answer lost.
	unsure bool
	tries  int
	pauses int
	last   awsapi.Failure
	at     time.Time // when AWS acknowledged the weights, or they were read
}

// rollBack writes until green has no more than the wanted share. The weights go
// first, and those of all other rollbacks; stickiness, mark and the look at what
// came of it follow. The lane has been entered.
func (a *Adapter) rollBack(ctx context.Context, t *turn) {
	ctx = awsapi.Urgent(ctx)
	r := &retreat{turn: t}
	r.useRemembered(a)
	for {
		stand := a.setWeights(ctx, r)
		a.lane.leave(r.arn(), !stand && !r.answered())
		if stand && !r.answered() {
			a.afterwards(ctx, r)
		}
		if r.answered() {
			return
		}
		if r.tries >= rollbackTries || ctx.Err() != nil {
			break
		}
		a.lane.enter(r.arn()) // somebody raised green meanwhile
	}
	outcome := r.lost()
	if r.last.Class == awsapi.Unreachable {
		outcome = shift.Unknown
	}
	r.answer(outcome, time.Time{}, "gave up for now after %d tries: %s", r.tries, r.last)
}

// useRemembered saves a read before the write: what the last tick read, or the
// last Commit wrote, serves as the base if it is what the core decided on and
// shows that a write is needed.
func (r *retreat) useRemembered(a *Adapter) {
	known, ok := a.known.newest(r.arn())
	if !ok || r.Expected.Token == "" || known.token() != r.Expected.Token || known.declared(r.entrance()) != nil {
		return
	}
	if w, _ := known.weights(r.entrance()); !w.AtMost(r.Wanted) {
		r.base, r.based = known.action, true
	}
}

// setWeights writes the weights and tells whether they stand; else the change
// is answered, or tries or time are used up.
func (a *Adapter) setWeights(ctx context.Context, r *retreat) (stand bool) {
	for r.tries < rollbackTries && ctx.Err() == nil {
		if !r.based {
			if standing := a.rebase(ctx, r); standing || r.answered() {
				return standing
			}
			if !r.based {
				r.pauses++
				if !awsapi.Pause(ctx, r.pauses) {
					return false
				}
				continue
			}
		}
		done, ok := a.lane.slot(ctx)
		if !ok {
			return false
		}
		at, f, ok := a.writeWeights(ctx, r.turn)
		done(throttled(f, ok))
		if f.Class != awsapi.Throttled || ok {
			r.tries++
		}
		if ok {
			r.at = at
			return true
		}
		if r.learn(f) {
			return false
		}
		if f.Class == awsapi.Unreachable {
			r.pauses++
			if !awsapi.Pause(ctx, r.pauses) {
				return false
			}
		}
	}
	return false
}

// rebase reads the action and makes it the base, or tells that it stands
// already, or answers the change. An answer that tells of a former state is not
// what is written from, nor a proof that there is nothing to write.
func (a *Adapter) rebase(ctx context.Context, r *retreat) (standing bool) {
	if known, ok := a.known.newest(r.arn()); ok && a.debts.owes(r.arn()) {
		if w, there := known.weights(r.entrance()); there && w.AtMost(r.Wanted) {
			r.base, r.based, r.at = known.action, true, known.at // what AWS acknowledged; reading back comes after what is owed
			return true
		}
	}
	got := a.actions.get(ctx, []string{r.arn()}, ages{})[r.arn()]
	if got.failed != nil {
		r.last = *got.failed
		if got.failed.Class != awsapi.Throttled {
			r.tries++
		}
		if !got.failed.Passing() {
			r.answer(r.lost(), time.Time{}, "%s", readError(r.arn(), *got.failed))
		}
		return false
	}
	base, stale := got.value.action, false
	if newest, ok := a.known.newest(r.arn()); ok && got.value.stale() && got.value.replaced < staleForRollback {
		base, stale = newest.action, true
	}
	if err := base.declared(r.entrance()); err != nil {
		r.answer(shift.Refused, time.Time{}, "%s", err)
		return false
	}
	r.base, r.based, r.fresh = base, true, true
	if w, _ := base.weights(r.entrance()); !w.AtMost(r.Wanted) {
		return false
	}
	r.at = a.now()
	switch {
	case r.unsure:
		r.note("the answer was lost; it reads back as written")
	case a.debts.owes(r.arn()):
	case stale:
		r.answer(shift.Applied, r.at, "nothing to write: AWS took it already, but doesn't show it yet")
	default:
		r.answer(shift.Applied, r.at, "nothing to write: %s", base.found(r.entrance()))
	}
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
	r.answer(r.lost(), time.Time{}, "%s", refusal(f, r.arn()))
	return true
}

// afterwards does what follows the weights: stickiness off, the mark, the look
// at what came of it. None of it undoes the write, and none of it goes before
// the weights of another rollback; what can't be done in time is owed, and done
// by the next Commit. Only a rise of green by somebody else in between leaves
// the change unanswered.
func (a *Adapter) afterwards(ctx context.Context, r *retreat) {
	owed := a.debts.settle(r.arn())
	if groups, weight := r.base.others(r.entrance()); weight > 0 {
		r.note(fmt.Sprintf("%d other target groups keep their weight, %d together", groups, weight))
	}
	waiting, cancel := leaving(ctx, leftForAnswer)
	defer cancel()
	if !a.lane.idle(waiting) {
		a.debts.owe(r.arn(), owed)
		r.answer(shift.Applied, r.at, "stickiness and mark wait for the weights of other rollbacks")
		return
	}
	owed, settled := a.unstick(ctx, r, owed)
	if settled || owed.lost > 0 { // what was lost may have been done
		settled = a.markRollback(ctx, r, owed) && settled
	}
	if !settled {
		a.debts.owe(r.arn(), owed)
		if owed.lost == 0 {
			r.answer(shift.Applied, r.at, "stickiness and mark wait: AWS throttles")
			return
		}
		r.note("stickiness and mark wait: AWS didn't answer")
	}
	a.lookBack(ctx, r)
}

// markRollback writes the tags that tell of the rollback; false: AWS throttled
// them until the time was over. Another refusal is noted and changes nothing.
func (a *Adapter) markRollback(ctx context.Context, r *retreat, owed debt) (settled bool) {
	tags := append(unstuckTags(owed, r.at), markTag(r.Control))
	for {
		done, ok := a.lane.slot(ctx)
		if !ok {
			return false
		}
		f, ok := a.addTags(ctx, r.arn(), tags...)
		done(throttled(f, ok))
		switch {
		case ok:
			return true
		case f.Class != awsapi.Throttled:
			r.note(fmt.Sprintf("without the mark: %s", f))
			return true
		}
	}
}

// lookBack looks at what came of a rollback.
func (a *Adapter) lookBack(ctx context.Context, r *retreat) {
	back, err := a.shown(ctx, r.arn(), func(got action) bool {
		w, ok := got.weights(r.entrance())
		return ok && w.AtMost(r.Wanted)
	})
	if err != nil {
		r.answer(shift.Applied, r.at, "not read back: %s", err)
		return
	}
	w, ok := back.weights(r.entrance())
	switch {
	case ok && w.AtMost(r.Wanted):
		r.answer(shift.Applied, r.at, "")
	case back.stale(): // late, or set back by somebody: to write once more does no harm
		r.last = awsapi.Failure{Class: awsapi.Unreachable, Message: fmt.Sprintf("AWS took the write, but still answers what stood before it, %s later", shownWithin)}
		r.based, r.unsure = false, true
	default:
		r.note("somebody changed it after the write: " + back.found(r.entrance()))
		r.last = awsapi.Failure{Class: awsapi.Conflict, Message: "it doesn't stay as it was written"}
		r.based, r.unsure = false, true
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

// leaving gives a context that ends so long before its parent.
func leaving(ctx context.Context, left time.Duration) (context.Context, context.CancelFunc) {
	if end, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, end.Add(-left))
	}
	return context.WithCancel(ctx)
}
