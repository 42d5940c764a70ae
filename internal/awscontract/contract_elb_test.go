package awscontract

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// web is a load balancer with a pair of groups behind one rule.
type web struct {
	*balancer

	rule, blue, green string
}

// web makes one with the contract's own name; the rule's actions are between
// blue and green at 75 and 25.
func (b *backend) web(t *testing.T, f form) web {
	t.Helper()
	vpc, subnets := b.network(t)
	lb := &balancer{api: b.elb, form: f, vpc: vpc}
	in := &elbv2.CreateLoadBalancerInput{Name: &b.unique, Subnets: subnets}
	if f.network {
		in.Type = types.LoadBalancerTypeEnumNetwork
	}
	lb.arn = *must[*elbv2.CreateLoadBalancerOutput](t)(b.elb.CreateLoadBalancer(t.Context(), in)).LoadBalancers[0].LoadBalancerArn
	w := web{balancer: lb, blue: lb.group(t, "blue-"+b.unique), green: lb.group(t, "green-"+b.unique)}
	if f.network {
		lb.main = lb.listen(t, 443, []types.Action{w.split(75, 25)})
		return w
	}
	lb.main = lb.listen(t, 443, []types.Action{fixed()})
	w.rule = lb.rule(t, 1, "shop.example.com", []types.Action{w.split(75, 25)})
	return w
}

func (w web) split(blue, green int) types.Action {
	return w.forward(shift.Weights{Blue: blue, Green: green}, w.blue, w.green)
}

func (w web) modify(t *testing.T, actions ...types.Action) error {
	t.Helper()
	_, err := w.api.ModifyRule(t.Context(), &elbv2.ModifyRuleInput{RuleArn: &w.rule, Actions: actions})
	return err
}

func (w web) modifyListener(t *testing.T, actions ...types.Action) error {
	t.Helper()
	_, err := w.api.ModifyListener(t.Context(), &elbv2.ModifyListenerInput{ListenerArn: &w.main, DefaultActions: actions})
	return err
}

func (w web) described(t *testing.T) types.Rule {
	t.Helper()
	return must[*elbv2.DescribeRulesOutput](t)(w.api.DescribeRules(t.Context(), &elbv2.DescribeRulesInput{RuleArns: []string{w.rule}})).Rules[0]
}

// weights says what groups the last of the actions forwards to.
func (w web) weights(actions []types.Action) string {
	var said []string
	last := actions[len(actions)-1]
	if last.ForwardConfig == nil {
		return string(last.Type)
	}
	for _, g := range last.ForwardConfig.TargetGroups {
		said = append(said, fmt.Sprintf("%s %d", map[string]string{w.blue: "blue", w.green: "green"}[*g.TargetGroupArn], sdk.ToInt32(g.Weight)))
	}
	return strings.Join(said, ", ")
}

func ordered(actions ...types.Action) []types.Action {
	for i := range actions {
		actions[i].Order = sdk.Int32(int32(i + 1))
	}
	return actions
}

// inCLI is a list of actions as the AWS CLI takes it.
func inCLI(t *testing.T, actions ...types.Action) string {
	t.Helper()
	text := must[[]byte](t)(json.Marshal(actions))
	var tree any
	accepted(t, "reading what was written", json.Unmarshal(text, &tree))
	return string(must[[]byte](t)(json.Marshal(pruned(tree))))
}

// ruleContracts are what writing rules and listeners relies on.
func ruleContracts() []contract {
	const takesAll = "it takes any"
	return []contract{
		{name: "ModifyRule replaces the list of actions and nothing else", holds: func(t *testing.T, b *backend) {
			w := b.web(t, form{})
			accepted(t, "the write", w.modify(t, w.split(50, 50)))
			r := w.described(t)
			if got := w.weights(r.Actions); len(r.Actions) != 1 || got != "blue 50, green 50" {
				t.Errorf("the actions are %+v", r.Actions)
			}
			if len(r.Conditions) != 1 || *r.Priority != "1" {
				t.Errorf("the conditions are %+v, the priority %s", r.Conditions, *r.Priority)
			}
		}, byCLI: func(t *testing.T, b *backend) []cliCall {
			w := b.web(t, form{})
			return []cliCall{
				{name: "the write of a runbook", args: []string{"elbv2", "modify-rule", "--rule-arn", w.rule, "--actions", inCLI(t, w.split(100, 0))}, says: `"Weight": 100`},
				{name: "the look", args: []string{"elbv2", "describe-rules", "--rule-arns", w.rule}, says: `"shop.example.com"`},
			}
		}},
		{name: "an OIDC secret stays by UseExistingClientSecret", notOnMoto: "it demands nothing of OIDC", holds: func(t *testing.T, b *backend) {
			w := b.web(t, form{oidc: true})
			accepted(t, "setting OIDC", w.modify(t, ordered(oidc(), w.split(75, 25))...))
			stands := w.described(t).Actions
			if stands[0].AuthenticateOidcConfig.ClientSecret != nil {
				t.Error("the secret is told")
			}
			without := ordered(stands[0], w.split(50, 50))
			refused(t, "a write without any secret", w.modify(t, without...), "ValidationError")
			without[0].AuthenticateOidcConfig.UseExistingClientSecret = sdk.Bool(true)
			accepted(t, "a write with the secret that is there", w.modify(t, without...))
			if got := w.described(t).Actions; len(got) != 2 || w.weights(got) != "blue 50, green 50" || *got[0].AuthenticateOidcConfig.ClientId != "shop" {
				t.Errorf("the actions are %+v", got)
			}
		}},
		{name: "a default action is changed at its listener", holds: func(t *testing.T, b *backend) {
			w := b.web(t, form{})
			accepted(t, "the write", w.modifyListener(t, w.split(50, 50)))
			rules := must[*elbv2.DescribeRulesOutput](t)(w.api.DescribeRules(t.Context(), &elbv2.DescribeRulesInput{ListenerArn: &w.main})).Rules
			for _, r := range rules {
				if *r.IsDefault && w.weights(r.Actions) != "blue 50, green 50" {
					t.Errorf("the default rule's actions are %+v", r.Actions)
				}
			}
		}, byCLI: func(t *testing.T, b *backend) []cliCall {
			w := b.web(t, form{})
			return []cliCall{{name: "the write of a runbook", args: []string{"elbv2", "modify-listener", "--listener-arn", w.main, "--default-actions", inCLI(t, w.split(100, 0))}, says: `"Weight": 100`}}
		}},
		{name: "a default rule is not changed by ModifyRule", notOnMoto: "it takes that", holds: func(t *testing.T, b *backend) {
			w := b.web(t, form{})
			rules := must[*elbv2.DescribeRulesOutput](t)(w.api.DescribeRules(t.Context(), &elbv2.DescribeRulesInput{ListenerArn: &w.main})).Rules
			w.rule = *rules[len(rules)-1].RuleArn
			refused(t, "the write", w.modify(t, w.split(50, 50)), "OperationNotPermitted")
		}},
		{name: "rules asked for by ARN are refused as a whole when one is gone", holds: func(t *testing.T, b *backend) {
			w := b.web(t, form{})
			_, err := w.api.DescribeRules(t.Context(), &elbv2.DescribeRulesInput{RuleArns: []string{w.rule, w.rule[:len(w.rule)-16] + "0123456789abcdef"}})
			refused(t, "the look", err, "RuleNotFound")
		}, byCLI: func(t *testing.T, b *backend) []cliCall {
			w := b.web(t, form{})
			return []cliCall{{name: "the look", args: []string{"elbv2", "describe-rules", "--rule-arns", w.rule, w.rule + "0"}, code: "RuleNotFound"}}
		}},
		{name: "a weight is 0 to 999", notOnMoto: takesAll, holds: func(t *testing.T, b *backend) {
			w := b.web(t, form{})
			for weight, code := range map[int]string{0: "", 999: "", 1000: "ValidationError", -1: "ValidationError"} {
				refused(t, fmt.Sprintf("the weight %d", weight), w.modify(t, w.split(1, weight)), code)
			}
		}},
		{name: "stickiness lasts 1 to 604,800 s, and must say how long", notOnMoto: takesAll, holds: func(t *testing.T, b *backend) {
			w := b.web(t, form{sticky: true})
			action := w.split(50, 50)
			for seconds, code := range map[int32]string{1: "", 604800: "", 604801: "ValidationError", 0: "ValidationError"} {
				action.ForwardConfig.TargetGroupStickinessConfig.DurationSeconds = &seconds
				refused(t, fmt.Sprintf("%d s", seconds), w.modify(t, action), code)
			}
			action.ForwardConfig.TargetGroupStickinessConfig.DurationSeconds = nil
			refused(t, "no duration", w.modify(t, action), "ValidationError")
		}},
		{name: "a listener of a network load balancer has weights", notOnMoto: "its ARNs are those of an application load balancer", holds: func(t *testing.T, b *backend) {
			w := b.web(t, form{network: true})
			accepted(t, "the write", w.modifyListener(t, w.split(0, 999)))
			l := must[*elbv2.DescribeListenersOutput](t)(w.api.DescribeListeners(t.Context(), &elbv2.DescribeListenersInput{ListenerArns: []string{w.main}})).Listeners[0]
			if got := w.weights(l.DefaultActions); got != "blue 0, green 999" || !strings.Contains(w.main, ":listener/net/") {
				t.Errorf("%s: the actions are %+v", w.main, l.DefaultActions)
			}
		}},
		{name: "an action can't name a group that isn't there", holds: func(t *testing.T, b *backend) {
			w := b.web(t, form{})
			w.green = w.green[:len(w.green)-16] + "0123456789abcdef"
			refused(t, "the write", w.modify(t, w.split(50, 50)), "TargetGroupNotFound")
		}},
	}
}

// targetContracts are what reading targets and tags relies on.
func targetContracts() []contract {
	return []contract{
		{name: "targets of a group without a listener are unused", notOnMoto: "targets are healthy at once", holds: func(t *testing.T, b *backend) {
			w := b.web(t, form{})
			idle := w.group(t, "idle-"+b.unique)
			for group, want := range map[string]string{idle: "unused Target.NotInUse", w.green: "initial Elb.RegistrationInProgress"} {
				for _, d := range must[*elbv2.DescribeTargetHealthOutput](t)(w.api.DescribeTargetHealth(t.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &group})).TargetHealthDescriptions {
					if got := fmt.Sprintf("%s %s", d.TargetHealth.State, d.TargetHealth.Reason); got != want {
						t.Errorf("%s: %s, want %s", group, got, want)
					}
				}
			}
		}},
		{name: "a tag is put on a rule and told", holds: func(t *testing.T, b *backend) {
			w := b.web(t, form{})
			w.tag(t, w.rule, "team", "shop")
			w.tag(t, w.rule, "team", "web")
			tags := must[*elbv2.DescribeTagsOutput](t)(w.api.DescribeTags(t.Context(), &elbv2.DescribeTagsInput{ResourceArns: []string{w.rule}})).TagDescriptions
			if len(tags) != 1 || len(tags[0].Tags) != 1 || *tags[0].Tags[0].Value != "web" {
				t.Errorf("the tags are %+v", tags)
			}
		}, byCLI: func(t *testing.T, b *backend) []cliCall {
			w := b.web(t, form{})
			return []cliCall{
				{name: "the tag of a runbook", args: []string{"elbv2", "add-tags", "--resource-arns", w.rule, "--tags", "Key=clusterswitch.io/mark,Value=clusterswitch/v1 share=0"}},
				{name: "the look", args: []string{"elbv2", "describe-tags", "--resource-arns", w.rule}, says: "clusterswitch/v1 share=0"},
			}
		}},
		{name: "tags of more than 20 resources are refused", notOnMoto: "it tells them all", holds: func(t *testing.T, b *backend) {
			w := b.web(t, form{})
			var arns []string
			for range 21 {
				arns = append(arns, w.rule)
			}
			_, err := w.api.DescribeTags(t.Context(), &elbv2.DescribeTagsInput{ResourceArns: arns})
			refused(t, "the look", err, "ValidationError")
		}},
		{name: "a group is behind one load balancer only", notOnMoto: "it takes two", holds: func(t *testing.T, b *backend) {
			w := b.web(t, form{})
			second := *b
			second.unique += "-second"
			other := second.web(t, form{})
			refused(t, "the write", other.modify(t, w.split(50, 50)), "TargetGroupAssociationLimit")
		}},
	}
}
