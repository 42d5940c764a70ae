package elb

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// rule is a listener rule as it was read.
type rule struct {
	arn       string
	isDefault bool
	actions   []types.Action
}

func ruleOf(r types.Rule) rule {
	return rule{arn: aws.ToString(r.RuleArn), isDefault: aws.ToBool(r.IsDefault), actions: r.Actions}
}

// token is the digest of all actions, every field of them.
func (r rule) token() string {
	text, err := json.Marshal(r.actions)
	if err != nil {
		return "" // no token equals it: rises are refused
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// forward finds the forward action: its index, or -1.
func (r rule) forward() int {
	for i, a := range r.actions {
		if a.Type == types.ActionTypeEnumForward && a.ForwardConfig != nil {
			return i
		}
	}
	return -1
}

func (r rule) groups() []types.TargetGroupTuple {
	if i := r.forward(); i >= 0 {
		return r.actions[i].ForwardConfig.TargetGroups
	}
	return nil
}

func (r rule) weight(groupARN string) (int, bool) {
	for _, g := range r.groups() {
		if aws.ToString(g.TargetGroupArn) == groupARN && g.Weight != nil {
			return int(*g.Weight), true
		}
	}
	return 0, false
}

// weights reads the two declared groups; false when they aren't both there.
func (r rule) weights(e shift.BalancerEntrance) (shift.Weights, bool) {
	blue, okBlue := r.weight(e.BlueTargetGroupARN)
	green, okGreen := r.weight(e.GreenTargetGroupARN)
	return shift.Weights{Blue: blue, Green: green}, okBlue && okGreen
}

// sticky tells whether clients are kept on their target group, and how long
// (seconds). Stickiness beats weights.
func (r rule) sticky() (bool, int32) {
	i := r.forward()
	if i < 0 || r.actions[i].ForwardConfig.TargetGroupStickinessConfig == nil {
		return false, 0
	}
	s := r.actions[i].ForwardConfig.TargetGroupStickinessConfig
	return aws.ToBool(s.Enabled), aws.ToInt32(s.DurationSeconds)
}

// declared says what keeps even a rollback from writing.
func (r rule) declared(e shift.BalancerEntrance) error {
	switch {
	case r.isDefault:
		return fmt.Errorf("rule %s is its listener's default rule, which is not supported yet: move the traffic to a rule of its own", r.arn)
	case r.forward() < 0:
		return fmt.Errorf("rule %s has no forward action: give it one with blue's and green's target groups", r.arn)
	case e.BlueTargetGroupARN == e.GreenTargetGroupARN:
		return fmt.Errorf("blue and green of rule %s are the same target group", r.arn)
	}
	for _, arn := range []string{e.BlueTargetGroupARN, e.GreenTargetGroupARN} {
		if _, ok := r.weight(arn); !ok {
			return fmt.Errorf("rule %s doesn't forward to target group %s with a weight: add it with weight 0, which also starts its health checks", r.arn, arn)
		}
	}
	return nil
}

// usable says what keeps the rule from being shifted, as one sentence with
// what to do.
func (r rule) usable(e shift.BalancerEntrance) error {
	if err := r.declared(e); err != nil {
		return err
	}
	for _, g := range r.groups() {
		if arn := aws.ToString(g.TargetGroupArn); arn != e.BlueTargetGroupARN && arn != e.GreenTargetGroupARN {
			return fmt.Errorf("rule %s forwards to a third target group %s with weight %d: take it away, since shares are counted between blue and green only",
				r.arn, arn, aws.ToInt32(g.Weight))
		}
	}
	return nil
}

func (r rule) found(e shift.BalancerEntrance) string {
	if err := r.declared(e); err != nil {
		return err.Error()
	}
	w, _ := r.weights(e)
	return fmt.Sprintf("it stands at %s", w)
}
