package aws_test

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// brokenBalancing names a rule of ELB that what the edge is told breaks.
func brokenBalancing(w *world) string {
	owner := map[string]string{}
	for _, l := range w.Listeners() {
		for _, r := range l.Rules {
			if len(r.Forward) == 0 && r.FixedStatus == 0 {
				return "a rule does nothing: " + r.ARN
			}
			for _, g := range r.Forward {
				if other := owner[g.TargetGroupARN]; other != "" && other != l.LoadBalancerARN {
					return "two load balancers forward to " + g.TargetGroupARN
				}
				owner[g.TargetGroupARN] = l.LoadBalancerARN
				if g.Weight < 0 || g.Weight > 999 {
					return "a weight is out of range: " + r.ARN
				}
			}
		}
	}
	for _, g := range w.TargetGroups() {
		if g.Attached != (owner[g.ARN] != "") {
			return "a group is wrongly said to be attached or not: " + g.ARN
		}
		for _, t := range g.Targets {
			if g.Attached == (t.State == routing.Unused) {
				return "a target's state doesn't fit its group's use: " + g.ARN
			}
		}
	}
	return ""
}

// TestAnyRuleWritesKeepTheRules: whatever is written to the rules of two load
// balancers, no group serves both, and a refused write leaves no trace.
func TestAnyRuleWritesKeepTheRules(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, aws.Options{})
		var listeners, groups, rules []string
		for _, name := range []string{"first", "second"} {
			listeners = append(listeners, w.listener(t, w.balancer(t, name), 80, fixed("404")))
		}
		for _, name := range []string{"a", "b", "c"} {
			groups = append(groups, w.group(t, name, "10.0.0.1"))
		}
		anyAction := rapid.Custom(func(rt *rapid.T) elbtypes.Action {
			var shares []share
			for range rapid.IntRange(0, 3).Draw(rt, "groups") {
				shares = append(shares, share{rapid.SampledFrom(groups).Draw(rt, "group"), rapid.SampledFrom([]int32{0, 1, 999, 1000}).Draw(rt, "weight")})
			}
			if len(shares) == 0 {
				return fixed("503")
			}
			return forward(shares...)
		})
		for range rapid.IntRange(1, 12).Draw(rt, "writes") {
			before, groupsBefore := w.Listeners(), w.TargetGroups()
			listener, action := rapid.SampledFrom(listeners).Draw(rt, "listener"), anyAction.Draw(rt, "action")
			var err error
			switch what := rapid.IntRange(0, 3).Draw(rt, "what"); {
			case what == 0:
				_, err = w.elb.ModifyListener(t.Context(), &elbv2.ModifyListenerInput{ListenerArn: &listener, DefaultActions: []elbtypes.Action{action}})
			case what == 1 || len(rules) == 0:
				var out *elbv2.CreateRuleOutput
				out, err = w.elb.CreateRule(t.Context(), &elbv2.CreateRuleInput{
					ListenerArn: &listener, Priority: sdk.Int32(rapid.Int32Range(1, 5).Draw(rt, "priority")), Conditions: hostCondition("a"), Actions: []elbtypes.Action{action},
				})
				if err == nil {
					rules = append(rules, *out.Rules[0].RuleArn)
				}
			case what == 2:
				_, err = w.elb.ModifyRule(t.Context(), &elbv2.ModifyRuleInput{RuleArn: &rules[len(rules)-1], Actions: []elbtypes.Action{action}})
			default:
				_, err = w.elb.DeleteRule(t.Context(), &elbv2.DeleteRuleInput{RuleArn: &rules[0]})
				rules = rules[1:]
			}
			if broken := brokenBalancing(w); broken != "" {
				rt.Fatalf("%s (error %v)", broken, err)
			}
			if err == nil {
				continue
			}
			if diff := cmp.Diff(before, w.Listeners()) + cmp.Diff(groupsBefore, w.TargetGroups()); diff != "" {
				rt.Fatalf("a refused write (%v) left a trace:\n%s", err, diff)
			}
		}
	})
}
