package ready

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/backend"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/played"
)

const (
	// failing is the part of green's answers that are errors.
	failing = 0.25
	// aftermath is how long failed requests are counted after green began to fail.
	aftermath = 15 * time.Second
)

// rollback plays one scene twice: green has 90 % of the users when it begins to fail,
// and blue has pods for 40 % of them and no room for more, as when its nodes were given
// away. The first time the daemon decides; the second time all users go back at once,
// at the same moment after green began to fail. Then blue gets room again.
func rollback(ctx context.Context, g *ground, f *figures) error {
	var took time.Duration
	aware := way{
		name: "aware",
		back: func(ctx context.Context, st *stage, failing time.Time) (err error) {
			took, err = st.lowered(ctx, failing)
			return err
		},
		after: func(ctx context.Context, st *stage) error {
			st.Story.Tell("blue gets its room back")
			if err := st.room(ctx, st.blueReplicas(), 20); err != nil {
				return err
			}
			_, err := st.phase(ctx, 0, "RolledBack")
			return err
		},
	}
	full := way{
		name: "full",
		back: func(ctx context.Context, st *stage, failing time.Time) error {
			// At that moment it would go another way.
			if err := st.Kill(); err != nil {
				return err
			}
			if err := played.Sleep(ctx, time.Until(failing.Add(took))); err != nil {
				return err
			}
			st.Story.Tell("all users are sent to blue at once")
			return st.allToBlue(ctx)
		},
		after: func(context.Context, *stage) error { return nil },
	}
	var err error
	if _, f.aware, err = g.fallBack(ctx, aware); err != nil {
		return fmt.Errorf("rolling back by the daemon: %w", err)
	}
	if f.requests, f.full, err = g.fallBack(ctx, full); err != nil {
		return fmt.Errorf("rolling back at once: %w", err)
	}
	if f.aware >= f.full {
		return fmt.Errorf("%d requests failed with the daemon's rollback, and %d with an immediate full one", f.aware, f.full)
	}
	return nil
}

// way is one way back.
type way struct {
	name string
	// back goes back after green began to fail; after is what happens when the
	// failures were counted.
	back  func(ctx context.Context, st *stage, failing time.Time) error
	after func(ctx context.Context, st *stage) error
}

// fallBack brings green to 90 %, lets it fail, and counts from there.
func (g *ground) fallBack(ctx context.Context, w way) (requests, failed int64, err error) {
	p := policy{
		Steps: []step{{10, time.Second}, {50, time.Second}, {90, 5 * time.Minute}, {100, time.Second}}, Standby: time.Minute,
		AtLeast: 90, OnBreach: "warn", Failing: "1%",
	}
	warm := int32((g.options.Rate*100 + perPod*utilization - 1) / (perPod * utilization))
	err = g.on(ctx, w.name, setting{blueLeast: 2, greenReplicas: warm, greenLeast: warm, policy: p}, func(ctx context.Context, st *stage) error {
		if err := st.Start(); err != nil {
			return err
		}
		if _, err := st.held(ctx, 0, 90); err != nil {
			return err
		}
		few := st.blueReplicas() * 40 / 100
		st.Story.Tell(fmt.Sprintf("somebody takes blue's room away: %d pods of %d are left", few, st.blueReplicas()))
		if err := st.room(ctx, few, few); err != nil {
			return err
		}
		if err := st.nobodyFailed(); err != nil {
			return err
		}
		st.Story.Tell("a quarter of green's answers are errors from now on")
		began, before := time.Now(), st.users.Snapshot()
		if err := st.green.answering.SetFaults(backend.Faults{ErrorRatio: failing}); err != nil {
			return err
		}
		if err := errors.Join(w.back(ctx, st, began), played.Sleep(ctx, time.Until(began.Add(aftermath)))); err != nil {
			return err
		}
		counts := st.users.Snapshot()
		requests, failed = counts.Requests-before.Requests, counts.Failed-before.Failed
		st.Story.Tell(fmt.Sprintf("%d of %d requests failed within %s", failed, requests, aftermath))
		return errors.Join(w.after(ctx, st), st.green.answering.SetFaults(backend.Faults{}))
	})
	return requests, failed, err
}

// room bounds blue's autoscaler, and waits until blue has as many pods as it may have
// at the least.
func (st *stage) room(ctx context.Context, least, most int32) error {
	bounds := fmt.Sprintf(`{"spec":{"minReplicas":%d,"maxReplicas":%d}}`, least, most)
	_, err := st.blue.client.AutoscalingV2().HorizontalPodAutoscalers(st.namespace).Patch(ctx, "web", types.MergePatchType, []byte(bounds), metav1.PatchOptions{FieldManager: "kubectl-patch"})
	if err != nil {
		return fmt.Errorf("bounding blue's autoscaler: %w", err)
	}
	return eventually(ctx, func() (string, error) {
		if n := st.targets("blue"); n != int(least) {
			return fmt.Sprintf("blue to have %d pods; it has %d", least, n), nil
		}
		return "", nil
	})
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
