package elb

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// shownWithin bounds how long a write waits to be seen by reading it back.
const shownWithin = 3 * time.Second

// turn is one change on its way.
type turn struct {
	shift.Change
	result *shift.Result
	base   action   // what the write is made from
	notes  []string // what was left out or passed over
}

func (t *turn) entrance() shift.BalancerEntrance { return *t.Entrance.Balancer }

func (t *turn) arn() string { return t.Entrance.Balancer.ActionARN() }

func (t *turn) answer(o shift.Outcome, at time.Time, format string, args ...any) {
	if note := fmt.Sprintf(format, args...); note != "" {
		t.notes = append(t.notes, note)
	}
	t.result.Outcome, t.result.At, t.result.Note = o, at, strings.Join(t.notes, "; ")
}

func (t *turn) answered() bool { return t.result.Outcome != "" }

func (t *turn) note(note string) {
	if note != "" {
		t.notes = append(t.notes, note)
	}
}

// Commit carries changes out and answers each, in the order given. Rollbacks go
// first, all at once, and of all pairs' rollbacks the weights go before any
// stickiness, mark or reading back, and before any other write.
//
// A rise or planned lowering is written at most once, and only onto exactly the
// actions that Expected names; a rise also only while green's targets, looked at
// again, are as healthy as the entrance asks for. A rollback reads and writes
// again until it stands: throttling never ends it within the time, other faults
// after some tries. Where green has no more than a lowering or rollback wants,
// nothing is written. All of it ends within shift.WriteDeadline.
//
// Applied means that it was read back, or that this could not be read. Result.At is when AWS acknowledged the weights, or when they were read back if
// the acknowledgement was lost. Applied with a note on what waits means that
// stickiness and mark are still to be written: commit the rollback again.
func (a *Adapter) Commit(ctx context.Context, changes []shift.Change) []shift.Result {
	ctx, cancel := context.WithTimeout(ctx, commitBudget)
	defer cancel()
	results := make([]shift.Result, len(changes))
	for _, priority := range []shift.Priority{shift.Rollback, shift.Lowering, shift.Rise} {
		var turns []*turn
		for i, c := range changes {
			if c.Priority != priority {
				continue
			}
			results[i].Entrance = c.Entrance.Name
			t := &turn{Change: c, result: &results[i]}
			if c.Entrance.Balancer == nil || !c.Wanted.Valid() {
				t.answer(shift.Refused, time.Time{}, "%s of %s is not a change of a load balancer entrance", c.Wanted, c.Entrance.Name)
				continue
			}
			turns = append(turns, t)
			if priority == shift.Rollback && !c.Restick { // all of them, before the first is done
				a.lane.enter(t.arn())
			}
		}
		var wg sync.WaitGroup
		for _, t := range turns {
			switch {
			case t.Restick:
				wg.Go(func() { a.restick(ctx, t) })
			case priority == shift.Rollback:
				wg.Go(func() { a.rollBack(ctx, t) })
			default:
				wg.Go(func() { a.writeExpected(ctx, t) })
			}
		}
		wg.Wait()
	}
	return results
}

// writeExpected writes the weights once, onto exactly what was expected.
func (a *Adapter) writeExpected(ctx context.Context, t *turn) {
	if !a.asExpected(ctx, t) {
		return
	}
	if w, _ := t.base.weights(t.entrance()); t.Priority == shift.Lowering && w.AtMost(t.Wanted) {
		t.answer(shift.Applied, a.now(), "nothing to write: %s", t.base.found(t.entrance()))
		return
	}
	at, f, ok := a.writeWeights(ctx, t)
	if !ok && f.Class != awsapi.Unreachable {
		t.answer(shift.Refused, time.Time{}, "nothing was written: %s", refusal(f, t.arn()))
		return
	}
	if !ok {
		back, err := a.readBack(ctx, t)
		switch {
		case err != nil:
			t.answer(shift.Unknown, time.Time{}, "%s; reading it back: %s", f, err)
			return
		case !t.shows(back.action):
			t.answer(shift.Unknown, time.Time{}, "%s; so far %s", f, back.found(t.entrance()))
			return
		}
		at = a.now()
		t.note("the answer was lost; it reads back as written")
	}
	if f, ok := a.addTags(ctx, t.arn(), markTag(t.Control)); !ok {
		t.note(fmt.Sprintf("without the mark: %s", f))
	}
	switch back, err := a.readBack(ctx, t); {
	case err != nil:
		t.answer(shift.Applied, at, "not read back: %s", err)
	case t.shows(back.action):
		t.answer(shift.Applied, at, "")
	case back.stale():
		t.answer(shift.Unknown, at, "AWS took the write, but still answers what stood before it, %s later", shownWithin)
	default:
		t.answer(shift.Unknown, at, "AWS took the write, but somebody changed it since: %s", back.found(t.entrance()))
	}
}

// asExpected reads the action and answers the change if it isn't what was
// expected. Tags and targets come first, so that the action is read as close to
// the write as can be.
func (a *Adapter) asExpected(ctx context.Context, t *turn) bool {
	e, arn := t.entrance(), t.arn()
	if !a.lane.idle(ctx) {
		t.answer(shift.Refused, time.Time{}, "nothing was written: rollbacks of other pairs go first")
		return false
	}
	var lack string
	var wg sync.WaitGroup
	if t.Priority == shift.Rise && t.Wanted > 0 {
		wg.Go(func() { lack = a.lacking(ctx, e) })
	}
	tags := a.tagsOf(ctx, []string{arn}, shift.Watching)[arn]
	wg.Wait()
	switch {
	case tags.own.failed != nil:
		t.answer(shift.Refused, time.Time{}, "nothing was written: %s", tagError(arn, *tags.own.failed))
		return false
	case tags.failed != "":
		t.answer(shift.Refused, time.Time{}, "nothing was written: %s", tags.failed)
		return false
	case lack != "":
		t.answer(shift.Conflict, time.Time{}, "nothing was written: %s", lack)
		return false
	}
	got := a.actionsOf(ctx, []string{arn}, shift.Watching)[arn]
	if got.failed != nil {
		t.answer(shift.Refused, time.Time{}, "nothing was written: %s", readError(arn, *got.failed))
		return false
	}
	seen := got.value
	switch {
	case seen.stale():
		t.answer(shift.Conflict, time.Time{}, "nothing was written: AWS still answers what stood there before the newest change")
		return false
	case t.Expected.Token == "" || seen.token() != t.Expected.Token:
		t.answer(shift.Conflict, time.Time{}, "the %s changed since it was read: %s", seen.kind(), seen.found(e))
		return false
	}
	if err := seen.usable(e); err != nil {
		t.answer(shift.Refused, time.Time{}, "nothing was written: %s", err)
		return false
	}
	if owner := ownerOf(tags.own.value, tags.around); owner != "" {
		t.answer(shift.Refused, time.Time{}, "nothing was written: the %s belongs to %s", seen.kind(), owner)
		return false
	}
	switch m, err := markOf(tags.own.value); {
	case err != nil:
		t.answer(shift.Refused, time.Time{}, "nothing was written: %s", err)
		return false
	case m != nil && m.Epoch > t.Control.Epoch:
		t.answer(shift.Conflict, time.Time{}, "the %s was written by a daemon that took charge later: %s", seen.kind(), m)
		return false
	}
	t.base = seen.action
	return true
}

// lacking looks at green's targets once more: the gate judged a reading that is
// seconds old. Empty: they will do.
func (a *Adapter) lacking(ctx context.Context, e shift.BalancerEntrance) string {
	got := a.health.get(ctx, []string{e.GreenTargetGroupARN}, ages{})[e.GreenTargetGroupARN]
	if got.failed != nil {
		return fmt.Sprintf("green's target health can't be read: %s", got.failed)
	}
	return got.value.enough(e)
}

// writeWeights writes the base's actions with the wanted weights, once.
func (a *Adapter) writeWeights(ctx context.Context, t *turn) (time.Time, awsapi.Failure, bool) {
	e, w := t.entrance(), t.Wanted.Weights()
	weights := map[string]int32{e.BlueTargetGroupARN: int32(w.Blue), e.GreenTargetGroupARN: int32(w.Green)}
	actions, err := planWeights(t.base.actions, weights)
	if err != nil {
		return time.Time{}, awsapi.Failure{Class: awsapi.Invalid, Message: err.Error()}, false
	}
	f, ok := a.modify(ctx, t.arn(), actions)
	if ok {
		t.base.actions = actions
	}
	return a.now(), f, ok
}

// modify writes the whole list of actions of a rule or listener, once. AWS
// leaves everything of it alone that isn't named.
func (a *Adapter) modify(ctx context.Context, arn string, actions []types.Action) (awsapi.Failure, bool) {
	ctx, cancel := context.WithTimeout(ctx, a.callTimeout)
	defer cancel()
	doubtful := a.known.sent(arn)
	a.actions.touch(arn)
	var err error
	if isListener(arn) {
		_, err = a.ports.Listeners.ModifyListener(ctx, &elbv2.ModifyListenerInput{ListenerArn: aws.String(arn), DefaultActions: writable(actions)}, once)
	} else {
		_, err = a.ports.Rules.ModifyRule(ctx, &elbv2.ModifyRuleInput{RuleArn: aws.String(arn), Actions: writable(actions)}, once)
	}
	a.actions.touch(arn) // what began to look before can't be told from what didn't
	if err == nil {
		a.known.wrote(action{arn: arn, actions: actions})
		return awsapi.Failure{}, true
	}
	f := awsapi.Classify(err)
	if f.Class != awsapi.Unreachable {
		a.known.refused(arn, doubtful)
	}
	return f, false
}

// readBack reads until the weights show, something else than what stood before
// stands there, or the time is over.
func (a *Adapter) readBack(ctx context.Context, t *turn) (sighting, error) {
	return a.shown(ctx, t.arn(), t.shows)
}

// shown reads an action until it is as wished, or is neither that nor what the
// newest write replaced, or shownWithin has passed.
func (a *Adapter) shown(ctx context.Context, arn string, wished func(action) bool) (sighting, error) {
	ctx, cancel := context.WithTimeout(ctx, shownWithin)
	defer cancel()
	for try := 1; ; try++ {
		got := a.actions.get(ctx, []string{arn}, ages{})[arn]
		if got.failed != nil {
			return sighting{}, &awsapi.Error{Failure: *got.failed, Sentence: readError(arn, *got.failed)}
		}
		if wished(got.value.action) || !got.value.stale() || !awsapi.Pause(ctx, try) {
			return got.value, nil
		}
	}
}

// shows tells whether a reading has the wanted weights.
func (t *turn) shows(a action) bool {
	w, ok := a.weights(t.entrance())
	return ok && w == t.Wanted.Weights()
}

func refusal(f awsapi.Failure, arn string) string {
	right := "ModifyRule"
	if isListener(arn) {
		right = "ModifyListener"
	}
	return f.String() + f.Remedy("elasticloadbalancing:"+right+" on the "+kindOf(arn))
}
