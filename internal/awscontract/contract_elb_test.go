package awscontract

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/eks"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	elbadapter "github.com/clusterswitch/clusterswitch/internal/elb"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// ruled is a load balancer with a listener and a rule that forwards to two groups.
type ruled struct{ listener, defaultRule, rule, blue, green string }

func forward(blue string, blueWeight int32, green string, greenWeight int32) []types.Action {
	return []types.Action{{Type: types.ActionTypeEnumForward, ForwardConfig: &types.ForwardActionConfig{
		TargetGroups: []types.TargetGroupTuple{{TargetGroupArn: &blue, Weight: &blueWeight}, {TargetGroupArn: &green, Weight: &greenWeight}},
	}}}
}

func (b *backend) ruled(ctx context.Context, name string) (ruled, error) {
	var r ruled
	for side, arn := range map[string]*string{"blue": &r.blue, "green": &r.green} {
		out, err := b.elb.CreateTargetGroup(ctx, &elbv2.CreateTargetGroupInput{
			Name: new(name + "-" + side), Protocol: types.ProtocolEnumHttp, Port: new(int32(80)), VpcId: &b.vpc, TargetType: types.TargetTypeEnumIp,
		})
		if err != nil {
			return r, err
		}
		*arn = *out.TargetGroups[0].TargetGroupArn
	}
	lb, err := b.elb.CreateLoadBalancer(ctx, &elbv2.CreateLoadBalancerInput{Name: &name, Subnets: b.subnets})
	if err != nil {
		return r, err
	}
	listener, err := b.elb.CreateListener(ctx, &elbv2.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancers[0].LoadBalancerArn, Port: new(int32(80)), Protocol: types.ProtocolEnumHttp, DefaultActions: forward(r.blue, 100, r.green, 0),
	})
	if err != nil {
		return r, err
	}
	r.listener = *listener.Listeners[0].ListenerArn
	rule, err := b.elb.CreateRule(ctx, &elbv2.CreateRuleInput{
		ListenerArn: &r.listener, Priority: new(int32(10)), Actions: forward(r.blue, 100, r.green, 0),
		Conditions: []types.RuleCondition{{Field: new("path-pattern"), Values: []string{"/shop/*"}}},
	})
	if err != nil {
		return r, err
	}
	r.rule = *rule.Rules[0].RuleArn
	rules, err := b.elb.DescribeRules(ctx, &elbv2.DescribeRulesInput{ListenerArn: &r.listener})
	if err != nil {
		return r, err
	}
	for _, one := range rules.Rules {
		if *one.IsDefault {
			r.defaultRule = *one.RuleArn
		}
	}
	return r, nil
}

// atRule runs a contract at a load balancer of its own.
func atRule(name string, holds func(ctx context.Context, b *backend, r ruled) error) func(*testing.T, *backend) error {
	return func(t *testing.T, b *backend) error {
		r, err := b.ruled(t.Context(), name)
		if err != nil {
			return err
		}
		return holds(t.Context(), b, r)
	}
}

// greenOf gives the green weight of the action that a rule ends in.
func (b *backend) greenOf(ctx context.Context, rule string) (int32, error) {
	out, err := b.elb.DescribeRules(ctx, &elbv2.DescribeRulesInput{RuleArns: []string{rule}})
	if err != nil {
		return 0, err
	}
	groups := out.Rules[0].Actions[len(out.Rules[0].Actions)-1].ForwardConfig.TargetGroups
	if len(groups) != 2 || len(out.Rules[0].Conditions) > 1 {
		return 0, fmt.Errorf("the rule is now %+v", out.Rules[0])
	}
	return *groups[1].Weight, nil
}

func (b *backend) greenIs(ctx context.Context, rule string, want int32) error {
	got, err := b.greenOf(ctx, rule)
	if err == nil && got != want {
		err = fmt.Errorf("green's weight is %d, want %d", got, want)
	}
	return err
}

// adapterShifts reads, rolls back and reads again through the adapter.
func adapterShifts(ctx context.Context, b *backend, r ruled) error {
	a := elbadapter.New(elbadapter.Options{Rules: b.elb, Listeners: b.elb, Health: b.elb, Tags: b.elb, Attributes: b.elb})
	e := shift.Entrance{Name: "web", Balancer: &shift.BalancerEntrance{RuleARN: r.rule, BlueTargetGroupARN: r.blue, GreenTargetGroupARN: r.green, MinHealthyTargets: 1}}
	if _, err := b.elb.ModifyRule(ctx, &elbv2.ModifyRuleInput{RuleArn: &r.rule, Actions: forward(r.blue, 75, r.green, 25)}); err != nil {
		return err
	}
	read := a.Read(ctx, []shift.Entrance{e}, shift.Watching)[0]
	if read.Err != "" || !read.StandsAt(25) {
		return fmt.Errorf("it reads as %+v", read)
	}
	mark := shift.Mark{Attempt: 1, Epoch: 1, Version: 2, Phase: shift.RollingBack, Rollback: true}
	result := a.Commit(ctx, []shift.Change{{Entrance: e, Expected: read, Wanted: 0, Control: mark, Priority: shift.Rollback}})[0]
	if result.Outcome != shift.Applied {
		return fmt.Errorf("the rollback came to %+v", result)
	}
	read = a.Read(ctx, []shift.Entrance{e}, shift.Watching)[0]
	if read.Err != "" || !read.StandsAt(0) || read.Mark == nil || *read.Mark != mark {
		return fmt.Errorf("after the rollback it reads as %+v", read)
	}
	return b.greenIs(ctx, r.rule, 0)
}

func balancerContracts() map[string]contract {
	const unknown = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:listener-rule/app/none/0000000000000001/0000000000000002/0000000000000003"
	return map[string]contract{
		"the adapter reads a rule and rolls it back": {holds: atRule("adapter", adapterShifts)},
		"ModifyRule replaces the actions and keeps the conditions": {holds: atRule("modify-rule", func(ctx context.Context, b *backend, r ruled) error {
			if _, err := b.elb.ModifyRule(ctx, &elbv2.ModifyRuleInput{RuleArn: &r.rule, Actions: forward(r.blue, 60, r.green, 40)}); err != nil {
				return err
			}
			return b.greenIs(ctx, r.rule, 40)
		})},
		"ModifyListener changes the default rule": {holds: atRule("modify-listener", func(ctx context.Context, b *backend, r ruled) error {
			if _, err := b.elb.ModifyListener(ctx, &elbv2.ModifyListenerInput{ListenerArn: &r.listener, DefaultActions: forward(r.blue, 60, r.green, 40)}); err != nil {
				return err
			}
			return b.greenIs(ctx, r.defaultRule, 40)
		})},
		"ModifyRule of a default rule is refused": {notMoto: "it accepts it", holds: atRule("default-rule", func(ctx context.Context, b *backend, r ruled) error {
			_, err := b.elb.ModifyRule(ctx, &elbv2.ModifyRuleInput{RuleArn: &r.defaultRule, Actions: forward(r.blue, 60, r.green, 40)})
			return refused(err, "OperationNotPermitted")
		})},
		"an unknown rule is refused": {holds: func(t *testing.T, b *backend) error {
			_, err := b.elb.DescribeRules(t.Context(), &elbv2.DescribeRulesInput{RuleArns: []string{unknown}})
			return refused(err, "RuleNotFound")
		}},
		"a weight of 1,000 is refused": {notMoto: "it accepts any weight", holds: atRule("weights", func(ctx context.Context, b *backend, r ruled) error {
			_, err := b.elb.ModifyRule(ctx, &elbv2.ModifyRuleInput{RuleArn: &r.rule, Actions: forward(r.blue, 1000, r.green, 0)})
			return refused(err, "ValidationError")
		})},
		"more than 20 resources can't be asked for their tags": {notMoto: "it accepts any number", holds: atRule("tags", func(ctx context.Context, b *backend, r ruled) error {
			arns := make([]string, 21)
			for i := range arns {
				arns[i] = r.rule
			}
			_, err := b.elb.DescribeTags(ctx, &elbv2.DescribeTagsInput{ResourceArns: arns})
			return refused(err, "ValidationError")
		})},
	}
}

func identityContracts() map[string]contract {
	return map[string]contract{
		"a role can be assumed": {holds: func(t *testing.T, b *backend) error {
			out, err := b.sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: new(contractRole), RoleSessionName: new("clusterswitch")})
			if err == nil && (out.Credentials == nil || out.Credentials.SessionToken == nil) {
				err = fmt.Errorf("the answer has no credentials: %+v", out)
			}
			return err
		}},
		"an unknown cluster is not found": {holds: func(t *testing.T, b *backend) error {
			_, err := b.eks.DescribeCluster(t.Context(), &eks.DescribeClusterInput{Name: new("none")})
			return refused(err, "ResourceNotFoundException")
		}},
	}
}
