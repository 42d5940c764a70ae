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

// turn is one change on its way.
type turn struct {
	shift.Change
	result *shift.Result
	base   rule     // what the write is made from
	notes  []string // what was left out or passed over
}

func (t *turn) entrance() shift.BalancerEntrance { return *t.Entrance.Balancer }

func (t *turn) answer(o shift.Outcome, at time.Time, format string, args ...any) {
	if note := fmt.Sprintf(format, args...); note != "" {
		t.notes = append(t.notes, note)
	}
	t.result.Outcome, t.result.At, t.result.Note = o, at, strings.Join(t.notes, "; ")
}

func (t *turn) note(note string) {
	if note != "" {
		t.notes = append(t.notes, note)
	}
}

// Commit carries changes out and answers each, in the order given. Rollbacks go
// first, all rules at once.
//
// A rise or planned lowering is written at most once, and only onto exactly the
// actions that Expected names. A rollback reads and writes again until it
// stands or its tries are used up. Where green has no more than a lowering or
// rollback wants, nothing is written. All of it ends within
// shift.WriteDeadline. Result.At is when AWS acknowledged the
// weights, or when they were read back if the acknowledgement was lost.
func (a *Adapter) Commit(ctx context.Context, changes []shift.Change) []shift.Result {
	ctx, cancel := context.WithTimeout(ctx, commitBudget)
	defer cancel()
	results := make([]shift.Result, len(changes))
	for _, priority := range []shift.Priority{shift.Rollback, shift.Lowering, shift.Rise} {
		var wg sync.WaitGroup
		for i, c := range changes {
			if c.Priority != priority {
				continue
			}
			results[i].Entrance = c.Entrance.Name
			t := &turn{Change: c, result: &results[i]}
			switch {
			case c.Entrance.Balancer == nil || !c.Wanted.Valid():
				t.answer(shift.Refused, time.Time{}, "%s of %s is not a change of a load balancer entrance", c.Wanted, c.Entrance.Name)
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
	at, f, ok := a.writeWeights(ctx, t)
	if !ok && f.Class != awsapi.Unreachable {
		t.answer(shift.Refused, time.Time{}, "nothing was written: %s", refusal(f))
		return
	}
	if !ok {
		back, err := a.readBack(ctx, t)
		switch {
		case err != nil:
			t.answer(shift.Unknown, time.Time{}, "%s; reading it back: %s", f, err)
			return
		case !t.shows(back):
			t.answer(shift.Unknown, time.Time{}, "%s; so far %s", f, back.found(t.entrance()))
			return
		}
		at = a.now()
		t.note("the answer was lost; it reads back as written")
	}
	t.note(a.writeMark(ctx, t.entrance().RuleARN, t.Control))
	switch back, err := a.readBack(ctx, t); {
	case err != nil:
		t.answer(shift.Applied, at, "not read back: %s", err)
	case !t.shows(back):
		t.answer(shift.Unknown, at, "AWS took the write, but somebody changed it since: %s", back.found(t.entrance()))
	default:
		t.answer(shift.Applied, at, "")
	}
}

// asExpected reads the rule and answers the change if it isn't what was
// expected. The tags come first, so that the rule is read as close to the write
// as can be.
func (a *Adapter) asExpected(ctx context.Context, t *turn) bool {
	e := t.entrance()
	tags, untagged := a.tagsOf(ctx, []string{e.RuleARN})
	if f, bad := untagged[e.RuleARN]; bad {
		t.answer(shift.Refused, time.Time{}, "nothing was written: %s", tagError(e.RuleARN, f))
		return false
	}
	rules, failed := a.describe(ctx, []string{e.RuleARN})
	r, ok := rules[e.RuleARN]
	if !ok {
		t.answer(shift.Refused, time.Time{}, "nothing was written: %s", readError(e.RuleARN, failed[e.RuleARN]))
		return false
	}
	if t.Expected.Token == "" || r.token() != t.Expected.Token {
		t.answer(shift.Conflict, time.Time{}, "the rule changed since it was read: %s", r.found(e))
		return false
	}
	if err := r.usable(e); err != nil {
		t.answer(shift.Refused, time.Time{}, "nothing was written: %s", err)
		return false
	}
	if owner := ownerOf(tags[e.RuleARN]); owner != "" {
		t.answer(shift.Refused, time.Time{}, "nothing was written: the rule belongs to %s", owner)
		return false
	}
	switch m, err := markOf(tags[e.RuleARN]); {
	case err != nil:
		t.answer(shift.Refused, time.Time{}, "nothing was written: %s", err)
		return false
	case m != nil && m.Epoch > t.Control.Epoch:
		t.answer(shift.Conflict, time.Time{}, "the rule was written by a daemon that took charge later: %s", m)
		return false
	}
	if w, _ := r.weights(e); t.Priority == shift.Lowering && w.AtMost(t.Wanted) {
		t.answer(shift.Applied, a.now(), "nothing to write: %s", r.found(e))
		return false
	}
	t.base = r
	return true
}

// writeWeights writes the base's actions with the wanted weights, once.
func (a *Adapter) writeWeights(ctx context.Context, t *turn) (time.Time, awsapi.Failure, bool) {
	e, w := t.entrance(), t.Wanted.Weights()
	weights := map[string]int32{e.BlueTargetGroupARN: int32(w.Blue), e.GreenTargetGroupARN: int32(w.Green)}
	actions, err := planWeights(t.base.actions, weights)
	if err != nil {
		return time.Time{}, awsapi.Failure{Class: awsapi.Invalid, Message: err.Error()}, false
	}
	f, ok := a.modify(ctx, e.RuleARN, actions)
	if ok {
		t.base.actions = actions
	}
	return a.now(), f, ok
}

func (a *Adapter) modify(ctx context.Context, arn string, actions []types.Action) (awsapi.Failure, bool) {
	ctx, cancel := context.WithTimeout(ctx, a.callTimeout)
	defer cancel()
	a.forget(arn)
	_, err := a.rules.ModifyRule(ctx, &elbv2.ModifyRuleInput{RuleArn: aws.String(arn), Actions: actions}, once)
	if err != nil {
		return awsapi.Classify(err), false
	}
	return awsapi.Failure{}, true
}

func (a *Adapter) readBack(ctx context.Context, t *turn) (rule, error) {
	arn := t.entrance().RuleARN
	rules, failed := a.describe(ctx, []string{arn})
	r, ok := rules[arn]
	if !ok {
		return rule{}, &awsapi.Error{Failure: failed[arn], Sentence: readError(arn, failed[arn])}
	}
	return r, nil
}

// shows tells whether a reading has the wanted weights.
func (t *turn) shows(r rule) bool {
	w, ok := r.weights(t.entrance())
	return ok && w == t.Wanted.Weights()
}

func refusal(f awsapi.Failure) string {
	if f.Class == awsapi.Denied {
		return f.String() + ": grant elasticloadbalancing:ModifyRule on the rule"
	}
	return f.String()
}
