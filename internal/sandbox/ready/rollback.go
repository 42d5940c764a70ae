package ready

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/backend"
)

const (
	// failing is the part of green's answers that are errors.
	failing = 0.25
	// aftermath is how long failed requests are counted after green began to fail.
	aftermath = 25 * time.Second
)

// rollback plays one scene twice: green has 90 % of the users when it begins to fail,
// and blue, that its autoscaler shrank to 40 % of what all users need, takes them
// back. The first time the daemon decides; the second time all of them go at once, at
// the same moment after green began to fail.
func rollback(ctx context.Context, g *ground, f *figures) error {
	var after time.Duration
	for _, run := range []struct {
		name   string
		failed *int64
		back   func(ctx context.Context, st *stage, failing time.Time) error
	}{
		{"aware", &f.aware, func(ctx context.Context, st *stage, failing time.Time) (err error) {
			after, err = st.lowered(ctx, failing)
			return err
		}},
		{"full", &f.full, func(ctx context.Context, st *stage, failing time.Time) error {
			if err := st.daemon.Kill(); err != nil {
				return err
			}
			if err := sleep(ctx, time.Until(failing.Add(after))); err != nil {
				return err
			}
			st.story.Tell("all users are sent to blue at once")
			return st.allToBlue(ctx)
		}},
	} {
		requests, failed, err := g.fallBack(ctx, run.name, run.back)
		if err != nil {
			return fmt.Errorf("rolling back (%s): %w", run.name, err)
		}
		*run.failed, f.requests = failed, requests
	}
	if f.aware >= f.full {
		return fmt.Errorf("%d requests failed with the daemon's rollback, and %d with an immediate full one", f.aware, f.full)
	}
	return nil
}

// fallBack brings green to 90 %, lets it fail, and counts from there.
func (g *ground) fallBack(ctx context.Context, name string, back func(ctx context.Context, st *stage, failing time.Time) error) (requests, failed int64, err error) {
	p := policy{
		Steps: []step{{10, time.Second}, {50, time.Second}, {90, 5 * time.Minute}, {100, time.Second}}, Standby: time.Minute,
		AtLeast: 90, OnBreach: "warn", Failing: "1%",
	}
	warm := int32((g.options.Rate*100 + perPod*utilization - 1) / (perPod * utilization))
	err = g.on(ctx, name, setting{blueLeast: warm * 40 / 100, greenReplicas: warm, greenLeast: warm, policy: p}, func(ctx context.Context, st *stage) error {
		if err := st.start(); err != nil {
			return err
		}
		if _, err := st.held(ctx, 0, 90); err != nil {
			return err
		}
		shrunk := int(st.setting.blueLeast)
		if err := eventually(ctx, func() (string, error) {
			if n := st.targets("blue"); n != shrunk {
				return fmt.Sprintf("blue to shrink to %d pods; it has %d", shrunk, n), nil
			}
			return "", nil
		}); err != nil {
			return err
		}
		if err := st.nobodyFailed(); err != nil {
			return err
		}
		st.story.Tell(fmt.Sprintf("a quarter of green's answers are errors from now on; blue has %d pods of %d", shrunk, st.blueReplicas()))
		began, before := time.Now(), st.users.Snapshot()
		if err := st.green.answering.SetFaults(backend.Faults{ErrorRatio: failing}); err != nil {
			return err
		}
		if err := errors.Join(back(ctx, st, began), sleep(ctx, time.Until(began.Add(aftermath)))); err != nil {
			return err
		}
		counts := st.users.Snapshot()
		requests, failed = counts.Requests-before.Requests, counts.Failed-before.Failed
		return st.green.answering.SetFaults(backend.Faults{})
	})
	return requests, failed, err
}

// lowered waits until green's weight was lowered, and tells how long that took.
func (st *stage) lowered(ctx context.Context, since time.Time) (time.Duration, error) {
	var took time.Duration
	err := eventually(ctx, func() (string, error) {
		for _, s := range st.look.since(since) {
			if s.share < 90 && s.at.After(since) {
				took = s.at.Sub(since)
				return "", nil
			}
		}
		return "green's weight to be lowered", nil
	})
	return took, err
}

// allToBlue sets the weights as a rollback does that asks for nothing.
func (st *stage) allToBlue(ctx context.Context) error {
	blue, green := st.region.Groups["api-blue"], st.region.Groups["api-green"]
	_, err := st.region.ELB.ModifyRule(ctx, &elasticloadbalancingv2.ModifyRuleInput{RuleArn: &st.region.RuleARN, Actions: []elbtypes.Action{{
		Type: elbtypes.ActionTypeEnumForward,
		ForwardConfig: &elbtypes.ForwardActionConfig{TargetGroups: []elbtypes.TargetGroupTuple{
			{TargetGroupArn: &blue, Weight: new(int32(100))}, {TargetGroupArn: &green, Weight: new(int32(0))},
		}},
	}}})
	if err != nil {
		return fmt.Errorf("setting the weights: %w", err)
	}
	return nil
}
