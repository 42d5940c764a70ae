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

// brokenBalancing names a rule of ELB that what the edge is told breaks; sticky
// are the groups whose targets keep their clients, tcp those of TCP.
func brokenBalancing(w *world, sticky, tcp map[string]bool) string {
	owner := map[string]string{}
	for _, l := range w.Listeners() {
		for _, r := range l.Rules {
			if len(r.Forward) == 0 && r.FixedStatus == 0 {
				return "a rule does nothing: " + r.ARN
			}
			if l.TCP && (len(l.Rules) != 1 || len(r.Forward) == 0) {
				return "a network load balancer does more than to forward: " + r.ARN
			}
			for _, g := range r.Forward {
				if other := owner[g.TargetGroupARN]; other != "" && other != l.LoadBalancerARN {
					return "two load balancers forward to " + g.TargetGroupARN
				}
				owner[g.TargetGroupARN] = l.LoadBalancerARN
				if g.Weight < 0 || g.Weight > 999 {
					return "a weight is out of range: " + r.ARN
				}
				if l.TCP != tcp[g.TargetGroupARN] {
					return "a listener forwards to a group of another protocol: " + r.ARN
				}
				if sticky[g.TargetGroupARN] && len(r.Forward) > 1 && r.Stickiness == 0 && !l.TCP {
					return "targets keep clients behind a rule that doesn't: " + r.ARN
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

// answered is what the API says of all listeners, in the edge's words.
func (w *world) answered(t *testing.T, listeners []string) map[string][]routing.Rule {
	t.Helper()
	all := map[string][]routing.Rule{}
	for _, listener := range listeners {
		out := must[*elbv2.DescribeRulesOutput](t)(w.elb.DescribeRules(t.Context(), &elbv2.DescribeRulesInput{ListenerArn: &listener}))
		for _, r := range out.Rules {
			rule := routing.Rule{ARN: *r.RuleArn}
			if config := r.Actions[0].ForwardConfig; config != nil {
				for _, g := range config.TargetGroups {
					rule.Forward = append(rule.Forward, routing.WeightedGroup{TargetGroupARN: *g.TargetGroupArn, Weight: int(*g.Weight)})
				}
			}
			all[listener] = append(all[listener], rule)
		}
	}
	return all
}

func (w *world) told() map[string][]routing.Rule {
	all := map[string][]routing.Rule{}
	for _, l := range w.Listeners() {
		for _, r := range l.Rules {
			all[l.ARN] = append(all[l.ARN], routing.Rule{ARN: r.ARN, Forward: r.Forward})
		}
	}
	return all
}

// balancing is a region that random writes are done to.
type balancing struct {
	*world
	t                        *testing.T
	listeners, groups, rules []string
	sticky, tcp              map[string]bool
}

func newBalancing(t *testing.T) *balancing {
	b := &balancing{world: newWorld(t, aws.Options{}), t: t, sticky: map[string]bool{}, tcp: map[string]bool{}}
	for _, name := range []string{"a", "b", "c"} {
		b.groups = append(b.groups, b.group(t, name, "10.0.0.1"))
	}
	for _, name := range []string{"d", "e", "f"} {
		group := b.groupOf(t, name, "TCP")
		b.groups, b.tcp[group] = append(b.groups, group), true
	}
	for _, name := range []string{"first", "second"} {
		b.listeners = append(b.listeners, b.listener(t, b.balancer(t, name), 80, fixed("404")))
	}
	network := must[string](t)(b.listen(t, b.networkBalancer(t, "third"), "TCP", 80, forward(share{b.groups[3], 1})))
	b.listeners = append(b.listeners, network)
	return b
}

func (b *balancing) action(rt *rapid.T) elbtypes.Action {
	var shares []share
	for range rapid.IntRange(0, 3).Draw(rt, "groups") {
		shares = append(shares, share{rapid.SampledFrom(b.groups).Draw(rt, "group"), rapid.SampledFrom([]int32{0, 1, 999, 1000}).Draw(rt, "weight")})
	}
	switch {
	case len(shares) == 0:
		return fixed("503")
	case rapid.Bool().Draw(rt, "sticky"):
		return sticky(forward(shares...), sdk.Int32(60))
	}
	return forward(shares...)
}

// write does one random write and returns its error.
func (b *balancing) write(rt *rapid.T) error {
	listener, action := rapid.SampledFrom(b.listeners).Draw(rt, "listener"), b.action(rt)
	ctx := b.t.Context()
	switch what := rapid.IntRange(0, 4).Draw(rt, "what"); {
	case what == 0:
		_, err := b.elb.ModifyListener(ctx, &elbv2.ModifyListenerInput{ListenerArn: &listener, DefaultActions: []elbtypes.Action{action}})
		return err
	case what == 1:
		group, on := rapid.SampledFrom(b.groups).Draw(rt, "group"), rapid.Bool().Draw(rt, "on")
		err := b.setAttributes(b.t, group, "stickiness.enabled="+map[bool]string{true: "true", false: "false"}[on])
		if err == nil {
			b.sticky[group] = on
		}
		return err
	case what == 2 || len(b.rules) == 0:
		out, err := b.elb.CreateRule(ctx, &elbv2.CreateRuleInput{
			ListenerArn: &listener, Priority: sdk.Int32(rapid.Int32Range(1, 5).Draw(rt, "priority")), Conditions: hostCondition("a"), Actions: []elbtypes.Action{action},
		})
		if err == nil {
			b.rules = append(b.rules, *out.Rules[0].RuleArn)
		}
		return err
	case what == 3:
		_, err := b.elb.ModifyRule(ctx, &elbv2.ModifyRuleInput{RuleArn: &b.rules[len(b.rules)-1], Actions: []elbtypes.Action{action}})
		return err
	default:
		_, err := b.elb.DeleteRule(ctx, &elbv2.DeleteRuleInput{RuleArn: &b.rules[0]})
		b.rules = b.rules[1:]
		return err
	}
}

// TestAnyRuleWritesKeepTheRules: whatever is written to three load balancers, no
// rule of ELB is broken, a refused write leaves no trace, and the edge is told
// what the API answers.
func TestAnyRuleWritesKeepTheRules(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBalancing(t)
		for range rapid.IntRange(1, 15).Draw(rt, "writes") {
			before, groupsBefore := b.Listeners(), b.TargetGroups()
			err := b.write(rt)
			if broken := brokenBalancing(b.world, b.sticky, b.tcp); broken != "" {
				rt.Fatalf("%s (error %v)", broken, err)
			}
			if err == nil {
				continue
			}
			if diff := cmp.Diff(before, b.Listeners()) + cmp.Diff(groupsBefore, b.TargetGroups()); diff != "" {
				rt.Fatalf("a refused write (%v) left a trace:\n%s", err, diff)
			}
		}
		if diff := cmp.Diff(b.answered(t, b.listeners), b.told()); diff != "" {
			rt.Fatalf("the edge isn't told what the API answers (-API +edge):\n%s", diff)
		}
	})
}
