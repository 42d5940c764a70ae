package aws_test

import (
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

// refusalStory is a call on an entrance that ELB refuses.
type refusalStory struct {
	call func(e entrance) error
	code string
}

func expectRefusals(t *testing.T, stories map[string]refusalStory) {
	t.Helper()
	for name, c := range stories {
		t.Run(name, func(t *testing.T) {
			e := newEntrance(t, newWorld(t, aws.Options{}))
			if err := c.call(e); code(t, err) != c.code {
				t.Errorf("code %q, want %q (%v)", code(t, err), c.code, err)
			}
		})
	}
}

func TestListenersRulesAndTagsAreRefused(t *testing.T) {
	expectRefusals(t, map[string]refusalStory{
		"a second listener on a port": {code: "DuplicateListener", call: func(e entrance) error {
			_, err := e.elb.CreateListener(t.Context(), &elbv2.CreateListenerInput{LoadBalancerArn: &e.balancerARN, Protocol: elbtypes.ProtocolEnumHttp, Port: sdk.Int32(80), DefaultActions: []elbtypes.Action{fixed("200")}})
			return err
		}},
		"a move to a port in use": {code: "DuplicateListener", call: func(e entrance) error {
			second := e.listener(t, e.balancerARN, 81, fixed("200"))
			_, err := e.elb.ModifyListener(t.Context(), &elbv2.ModifyListenerInput{ListenerArn: &second, Port: sdk.Int32(80)})
			return err
		}},
		"a priority in use": {code: "PriorityInUse", call: func(e entrance) error {
			_, err := e.elb.CreateRule(t.Context(), &elbv2.CreateRuleInput{ListenerArn: &e.listenerARN, Priority: sdk.Int32(10), Conditions: hostCondition("a"), Actions: []elbtypes.Action{fixed("200")}})
			return err
		}},
		"six condition values": {code: "ValidationError", call: func(e entrance) error {
			_, err := e.elb.CreateRule(t.Context(), &elbv2.CreateRuleInput{ListenerArn: &e.listenerARN, Priority: sdk.Int32(11), Conditions: hostCondition("a", "b", "c", "d", "e", "f"), Actions: []elbtypes.Action{fixed("200")}})
			return err
		}},
		"an unknown rule": {code: "RuleNotFound", call: func(e entrance) error {
			_, err := e.elb.DescribeRules(t.Context(), &elbv2.DescribeRulesInput{RuleArns: []string{e.ruleARN + "0"}})
			return err
		}},
		"an unknown listener": {code: "ListenerNotFound", call: func(e entrance) error {
			_, err := e.elb.DescribeRules(t.Context(), &elbv2.DescribeRulesInput{ListenerArn: sdk.String(e.listenerARN + "0")})
			return err
		}},
		"rules neither by listener nor by ARN": {code: "ValidationError", call: func(e entrance) error {
			_, err := e.elb.DescribeRules(t.Context(), &elbv2.DescribeRulesInput{})
			return err
		}},
		"tags of 21 resources": {code: "ValidationError", call: func(e entrance) error {
			_, err := e.elb.DescribeTags(t.Context(), &elbv2.DescribeTagsInput{ResourceArns: strings.Split(strings.Repeat(e.ruleARN+" ", 20)+e.ruleARN, " ")})
			return err
		}},
		"tags of an unknown rule": {code: "RuleNotFound", call: func(e entrance) error {
			_, err := e.elb.DescribeTags(t.Context(), &elbv2.DescribeTagsInput{ResourceArns: []string{e.ruleARN + "0"}})
			return err
		}},
		"an operation that isn't there": {code: "InvalidAction", call: func(e entrance) error {
			_, err := e.elb.DescribeSSLPolicies(t.Context(), &elbv2.DescribeSSLPoliciesInput{})
			return err
		}},
	})
}

func TestBalancersGroupsAndTargetsAreRefused(t *testing.T) {
	expectRefusals(t, map[string]refusalStory{
		"an unknown group": {code: "TargetGroupNotFound", call: func(e entrance) error {
			_, err := e.elb.DescribeTargetHealth(t.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: sdk.String(e.blue + "0")})
			return err
		}},
		"an unknown load balancer": {code: "LoadBalancerNotFound", call: func(e entrance) error {
			_, err := e.elb.DescribeLoadBalancers(t.Context(), &elbv2.DescribeLoadBalancersInput{Names: []string{"nowhere"}})
			return err
		}},
		"deleting a group in use": {code: "ResourceInUse", call: func(e entrance) error {
			_, err := e.elb.DeleteTargetGroup(t.Context(), &elbv2.DeleteTargetGroupInput{TargetGroupArn: &e.green})
			return err
		}},
		"a load balancer with other settings": {code: "DuplicateLoadBalancerName", call: func(e entrance) error {
			_, err := e.elb.CreateLoadBalancer(t.Context(), &elbv2.CreateLoadBalancerInput{Name: sdk.String("shop"), Subnets: []string{"subnet-x", "subnet-y"}})
			return err
		}},
		"a load balancer in one subnet": {code: "ValidationError", call: func(e entrance) error {
			_, err := e.elb.CreateLoadBalancer(t.Context(), &elbv2.CreateLoadBalancerInput{Name: sdk.String("new"), Subnets: []string{"subnet-x"}})
			return err
		}},
		"a target group with other settings": {code: "DuplicateTargetGroupName", call: func(e entrance) error {
			_, err := e.elb.CreateTargetGroup(t.Context(), &elbv2.CreateTargetGroupInput{Name: sdk.String("blue"), Protocol: elbtypes.ProtocolEnumHttp, Port: sdk.Int32(1), VpcId: sdk.String("vpc-1"), TargetType: elbtypes.TargetTypeEnumIp})
			return err
		}},
		"a health check interval of 4 s": {code: "ValidationError", call: func(e entrance) error {
			_, err := e.elb.CreateTargetGroup(t.Context(), &elbv2.CreateTargetGroupInput{Name: sdk.String("new"), Protocol: elbtypes.ProtocolEnumHttp, Port: sdk.Int32(1), VpcId: sdk.String("vpc-1"), TargetType: elbtypes.TargetTypeEnumIp, HealthCheckIntervalSeconds: sdk.Int32(4)})
			return err
		}},
		"a target that isn't registered": {code: "InvalidTarget", call: func(e entrance) error {
			_, err := e.elb.DeregisterTargets(t.Context(), &elbv2.DeregisterTargetsInput{TargetGroupArn: &e.blue, Targets: []elbtypes.TargetDescription{{Id: sdk.String("10.9.9.9")}}})
			return err
		}},
	})
}
