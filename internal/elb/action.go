package elb

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// action is a listener rule, or a listener with its default actions, as it was
// read.
type action struct {
	arn       string
	isDefault bool // a rule whose actions AWS lets only its listener change
	actions   []types.Action
}

func ruleOf(r types.Rule) action {
	return action{arn: aws.ToString(r.RuleArn), isDefault: aws.ToBool(r.IsDefault), actions: r.Actions}
}

func defaultsOf(l types.Listener) action {
	return action{arn: aws.ToString(l.ListenerArn), actions: l.DefaultActions}
}

// kind names the object for people.
func (a action) kind() string { return kindOf(a.arn) }

func kindOf(arn string) string {
	if isListener(arn) {
		return "listener"
	}
	return "rule"
}

// token is the digest of all actions, every field of them. What AWS may answer
// in more than one way doesn't count: the order of target groups, and the
// single group that it names twice.
func (a action) token() string {
	plain := slices.Clone(a.actions)
	for i := range plain {
		plain[i].ForwardConfig = forwardOf(plain[i])
		if plain[i].ForwardConfig != nil {
			plain[i].TargetGroupArn = nil
			config := *plain[i].ForwardConfig
			config.TargetGroups = slices.Clone(config.TargetGroups)
			slices.SortFunc(config.TargetGroups, func(a, b types.TargetGroupTuple) int {
				return cmp.Compare(aws.ToString(a.TargetGroupArn), aws.ToString(b.TargetGroupArn))
			})
			plain[i].ForwardConfig = &config
		}
	}
	text, err := json.Marshal(plain)
	if err != nil {
		return "" // no token equals it: rises are refused
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// forwardOf gives an action's target groups; nil: it doesn't forward. One that
// names its only target group in the short way forwards all to it.
func forwardOf(a types.Action) *types.ForwardActionConfig {
	if a.Type != types.ActionTypeEnumForward {
		return nil
	}
	if a.ForwardConfig != nil && len(a.ForwardConfig.TargetGroups) > 0 || a.TargetGroupArn == nil {
		return a.ForwardConfig
	}
	config := types.ForwardActionConfig{TargetGroups: []types.TargetGroupTuple{{TargetGroupArn: a.TargetGroupArn, Weight: aws.Int32(1)}}}
	if a.ForwardConfig != nil {
		config.TargetGroupStickinessConfig = a.ForwardConfig.TargetGroupStickinessConfig
	}
	return &config
}

// forward gives what the forward action does; nil: there is none.
func (a action) forward() *types.ForwardActionConfig {
	for _, each := range a.actions {
		if f := forwardOf(each); f != nil {
			return f
		}
	}
	return nil
}

func (a action) groups() []types.TargetGroupTuple {
	if f := a.forward(); f != nil {
		return f.TargetGroups
	}
	return nil
}

func (a action) weight(groupARN string) (int, bool) {
	for _, g := range a.groups() {
		if aws.ToString(g.TargetGroupArn) == groupARN && g.Weight != nil {
			return int(*g.Weight), true
		}
	}
	return 0, false
}

// weights reads the two declared groups; false when they aren't both there.
func (a action) weights(e shift.BalancerEntrance) (shift.Weights, bool) {
	blue, okBlue := a.weight(e.BlueTargetGroupARN)
	green, okGreen := a.weight(e.GreenTargetGroupARN)
	return shift.Weights{Blue: blue, Green: green}, okBlue && okGreen
}

// sticky is how long clients are kept on their target group; zero: they aren't.
// Stickiness beats weights.
func (a action) sticky() time.Duration {
	on, lasts := a.stickiness()
	if !on {
		return 0
	}
	return lasts
}

// stickiness tells whether it is on, and the duration that stands there, which
// stays when it is off.
func (a action) stickiness() (on bool, lasts time.Duration) {
	f := a.forward()
	if f == nil || f.TargetGroupStickinessConfig == nil {
		return false, 0
	}
	s := f.TargetGroupStickinessConfig
	return aws.ToBool(s.Enabled), time.Duration(aws.ToInt32(s.DurationSeconds)) * time.Second
}

// others counts the target groups that are neither blue's nor green's, and
// their weights together.
func (a action) others(e shift.BalancerEntrance) (groups, weight int) {
	for _, g := range a.groups() {
		if arn := aws.ToString(g.TargetGroupArn); arn != e.BlueTargetGroupARN && arn != e.GreenTargetGroupARN {
			groups, weight = groups+1, weight+int(aws.ToInt32(g.Weight))
		}
	}
	return groups, weight
}

// declared says what keeps even a rollback from writing.
func (a action) declared(e shift.BalancerEntrance) error {
	switch {
	case a.isDefault:
		return fmt.Errorf("rule %s is its listener's default rule, which AWS lets be changed through the listener only: set listenerARN: %s in the place of ruleARN", a.arn, listenerOf(a.arn))
	case a.forward() == nil:
		return fmt.Errorf("%s %s has no forward action: give it one with blue's and green's target groups", a.kind(), a.arn)
	case e.BlueTargetGroupARN == e.GreenTargetGroupARN:
		return fmt.Errorf("blue and green of %s %s are the same target group", a.kind(), a.arn)
	}
	for _, arn := range []string{e.BlueTargetGroupARN, e.GreenTargetGroupARN} {
		if _, ok := a.weight(arn); !ok {
			return fmt.Errorf("%s %s doesn't forward to target group %s with a weight: add it with weight 0, which also starts its health checks", a.kind(), a.arn, arn)
		}
	}
	return nil
}

// usable says what keeps the action from being shifted, as one sentence with
// what to do.
func (a action) usable(e shift.BalancerEntrance) error {
	if err := a.declared(e); err != nil {
		return err
	}
	w, _ := a.weights(e)
	groups, weight := a.others(e)
	if weight > 0 && w.Blue+w.Green != int(shift.Full) {
		blue, green := int(shift.Full), 0
		if w.Blue+w.Green > 0 {
			green = w.Green * int(shift.Full) / (w.Blue + w.Green)
			blue = int(shift.Full) - green
		}
		return fmt.Errorf("%s %s also forwards to %d other target groups with weight %d together, while blue and green have %d and not %d: any step would change what the others get; set blue to %d and green to %d, and the others in that proportion",
			a.kind(), a.arn, groups, weight, w.Blue+w.Green, int(shift.Full), blue, green)
	}
	return nil
}

// found tells how it stands, as a part of a sentence.
func (a action) found(e shift.BalancerEntrance) string {
	if err := a.declared(e); err != nil {
		return err.Error()
	}
	w, _ := a.weights(e)
	return fmt.Sprintf("it stands at %s", w)
}
