package awscontract

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/clusterswitch/clusterswitch/internal/elb"
	sandbox "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// form is what the action of an entrance is like.
type form struct {
	name     string
	network  bool // of a network load balancer
	listener bool // the default action of a listener
	oidc     bool // users log in before
	sticky   bool
}

func forms() []form {
	return []form{
		{name: "rule"},
		{name: "rule with OIDC", oidc: true},
		{name: "listener of an ALB", listener: true},
		{name: "listener of an NLB", listener: true, network: true},
		{name: "sticky rule", sticky: true},
		{name: "sticky listener with OIDC", listener: true, oidc: true, sticky: true},
	}
}

// stickySeconds is how long a cookie of a sticky form lives.
const stickySeconds = 600

// balancer is the setting of a load balancer.
type balancer struct {
	stage  *stage
	config func(role string) sdk.Config
	api    *elbv2.Client // aside
	arn    string
	main   string // the listener that has the rules
	vpc    string

	form     form
	subjects []*subject
}

// newBalancer has a load balancer with the subjects' actions, and others that
// nobody may touch.
func newBalancer(t *testing.T, f form, subjects ...*subject) *scene {
	st := newStage(t, sandbox.Options{})
	s := &scene{stage: st, setting: balancerOn(t, st, f, subjects...), service: sandbox.ELB, writes: "ModifyRule", reads: "DescribeRules", subjects: subjects}
	if f.listener {
		s.writes, s.reads = "ModifyListener", "DescribeListeners"
	}
	if err := s.begin(); err != nil {
		t.Fatal(err)
	}
	return s
}

func balancerOn(t *testing.T, st *stage, f form, subjects ...*subject) *balancer {
	b := &balancer{stage: st, config: st.sessions(t), api: elbv2.NewFromConfig(st.aside), vpc: "vpc-1", form: f, subjects: subjects}
	in := &elbv2.CreateLoadBalancerInput{Name: sdk.String("web"), Subnets: []string{"subnet-a", "subnet-c"}}
	if f.network {
		in.Type = types.LoadBalancerTypeEnumNetwork
	}
	b.arn = *must[*elbv2.CreateLoadBalancerOutput](t)(b.api.CreateLoadBalancer(t.Context(), in)).LoadBalancers[0].LoadBalancerArn
	if !f.network {
		b.main = b.listen(t, 443, []types.Action{fixed()})
	}
	for i, sub := range subjects {
		b.fill(t, int32(i+1), sub)
	}
	if !f.network {
		other := b.forward(shift.Weights{Blue: 70, Green: 30}, b.group(t, "blue-other"), b.group(t, "green-other"))
		b.rule(t, 99, "other.example.com", []types.Action{other})
	}
	return b
}

// must stops the test at an error of a call that only sets the scene.
func must[T any](t testing.TB) func(T, error) T {
	return func(out T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func (b *balancer) fill(t *testing.T, nr int32, sub *subject) {
	e := &shift.BalancerEntrance{
		BlueTargetGroupARN: b.group(t, "blue-"+sub.Name), GreenTargetGroupARN: b.group(t, "green-"+sub.Name),
		MinHealthyTargets: 1, RestoreStickiness: sub.restick,
	}
	actions := []types.Action{b.forward(sub.from.Weights(), e.BlueTargetGroupARN, e.GreenTargetGroupARN)}
	if b.form.oidc {
		actions = append([]types.Action{oidc()}, actions...)
		actions[0].Order, actions[1].Order = sdk.Int32(1), sdk.Int32(2)
	}
	if b.form.listener {
		e.ListenerARN = b.listen(t, 8000+nr, actions)
	} else {
		e.RuleARN = b.rule(t, nr, sub.Name+".example.com", actions)
	}
	sub.Balancer, sub.groups = e, [][]string{{e.ActionARN()}}
	mark := earlier(sub.from)
	b.tag(t, e.ActionARN(), elb.MarkTag, mark.String())
	b.tag(t, e.ActionARN(), "team", "shop")
	for _, group := range []string{e.BlueTargetGroupARN, e.GreenTargetGroupARN} {
		b.stage.SetTargetHealth(group, "10.0.0.1", 8080, routing.Healthy, "")
		b.stage.SetTargetHealth(group, "10.0.0.2", 8080, routing.Healthy, "")
	}
}

func (b *balancer) tag(t *testing.T, arn, key, value string) {
	must[*elbv2.AddTagsOutput](t)(b.api.AddTags(t.Context(), &elbv2.AddTagsInput{ResourceArns: []string{arn}, Tags: []types.Tag{{Key: &key, Value: &value}}}))
}

func (b *balancer) group(t *testing.T, name string) string {
	protocol := types.ProtocolEnumHttp
	if b.form.network {
		protocol = types.ProtocolEnumTcp
	}
	arn := *must[*elbv2.CreateTargetGroupOutput](t)(b.api.CreateTargetGroup(t.Context(), &elbv2.CreateTargetGroupInput{
		Name: &name, Protocol: protocol, Port: sdk.Int32(8080), VpcId: &b.vpc, TargetType: types.TargetTypeEnumIp,
	})).TargetGroups[0].TargetGroupArn
	must[*elbv2.RegisterTargetsOutput](t)(b.api.RegisterTargets(t.Context(), &elbv2.RegisterTargetsInput{
		TargetGroupArn: &arn, Targets: []types.TargetDescription{{Id: sdk.String("10.0.0.1"), Port: sdk.Int32(8080)}, {Id: sdk.String("10.0.0.2"), Port: sdk.Int32(8080)}},
	}))
	return arn
}

func (b *balancer) listen(t *testing.T, port int32, actions []types.Action) string {
	in := &elbv2.CreateListenerInput{LoadBalancerArn: &b.arn, Port: &port, Protocol: types.ProtocolEnumTcp, DefaultActions: actions}
	switch {
	case b.form.network:
	case !b.form.oidc:
		in.Protocol = types.ProtocolEnumHttp
	default: // users log in by HTTPS only
		in.Protocol = types.ProtocolEnumHttps
		in.Certificates = []types.Certificate{{CertificateArn: sdk.String("arn:aws:acm:ap-northeast-1:123456789012:certificate/1")}}
	}
	return *must[*elbv2.CreateListenerOutput](t)(b.api.CreateListener(t.Context(), in)).Listeners[0].ListenerArn
}

func (b *balancer) rule(t *testing.T, priority int32, host string, actions []types.Action) string {
	return *must[*elbv2.CreateRuleOutput](t)(b.api.CreateRule(t.Context(), &elbv2.CreateRuleInput{
		ListenerArn: &b.main, Priority: &priority, Actions: actions,
		Conditions: []types.RuleCondition{{Field: sdk.String("host-header"), HostHeaderConfig: &types.HostHeaderConditionConfig{Values: []string{host}}}},
	})).Rules[0].RuleArn
}

func (b *balancer) forward(w shift.Weights, blue, green string) types.Action {
	config := &types.ForwardActionConfig{TargetGroups: []types.TargetGroupTuple{
		{TargetGroupArn: &blue, Weight: sdk.Int32(int32(w.Blue))}, {TargetGroupArn: &green, Weight: sdk.Int32(int32(w.Green))},
	}}
	if b.form.sticky {
		config.TargetGroupStickinessConfig = &types.TargetGroupStickinessConfig{Enabled: sdk.Bool(true), DurationSeconds: sdk.Int32(stickySeconds)}
	}
	return types.Action{Type: types.ActionTypeEnumForward, ForwardConfig: config}
}

func fixed() types.Action {
	return types.Action{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: sdk.String("404")}}
}

func oidc() types.Action {
	return types.Action{Type: types.ActionTypeEnumAuthenticateOidc, AuthenticateOidcConfig: &types.AuthenticateOidcActionConfig{
		Issuer: sdk.String("https://id.example.com"), ClientId: sdk.String("shop"), ClientSecret: sdk.String("s3cret"), Scope: sdk.String("openid email"),
		AuthorizationEndpoint: sdk.String("https://id.example.com/a"), TokenEndpoint: sdk.String("https://id.example.com/t"), UserInfoEndpoint: sdk.String("https://id.example.com/u"),
	}}
}

// stored is everything that has actions, by ARN.
func (b *balancer) stored(ctx context.Context) (actions map[string][]types.Action, others map[string]any, err error) {
	actions, others = map[string][]types.Action{}, map[string]any{}
	listeners, err := b.api.DescribeListeners(ctx, &elbv2.DescribeListenersInput{LoadBalancerArn: &b.arn})
	if err != nil {
		return nil, nil, err
	}
	for _, l := range listeners.Listeners {
		actions[*l.ListenerArn] = l.DefaultActions
		l.DefaultActions = nil
		others[*l.ListenerArn] = l
		rules, err := b.api.DescribeRules(ctx, &elbv2.DescribeRulesInput{ListenerArn: l.ListenerArn})
		if err != nil {
			return nil, nil, err
		}
		for _, r := range rules.Rules {
			if !*r.IsDefault { // the default one is the listener's own action
				actions[*r.RuleArn] = r.Actions
			}
			r.Actions = nil
			others[*r.RuleArn] = r
		}
	}
	return actions, others, nil
}

func (b *balancer) look() (sight, error) {
	ctx := context.Background()
	now := sight{weights: map[string]shift.Weights{}, marks: map[string]string{}, sticky: map[string]string{}, rest: map[string]string{}}
	actions, others, err := b.stored(ctx)
	if err != nil {
		return sight{}, err
	}
	for arn, list := range actions {
		i := slices.IndexFunc(b.subjects, func(sub *subject) bool { return sub.Balancer.ActionARN() == arn })
		if i >= 0 {
			list = now.take(b.subjects[i], list)
		}
		if now.rest[arn+" actions"], err = inWords(list); err != nil {
			return sight{}, err
		}
		tags, err := b.api.DescribeTags(ctx, &elbv2.DescribeTagsInput{ResourceArns: []string{arn}})
		if err != nil {
			return sight{}, err
		}
		for _, tag := range tags.TagDescriptions[0].Tags {
			switch {
			case i >= 0 && *tag.Key == elb.MarkTag:
				now.marks[b.subjects[i].Name] = *tag.Value
			case i >= 0 && *tag.Key == elb.StickinessTag && b.form.sticky:
			default:
				now.rest[arn+" tag "+*tag.Key] = *tag.Value
			}
		}
	}
	for arn, other := range others {
		if now.rest[arn], err = inWords(other); err != nil {
			return sight{}, err
		}
	}
	return now, nil
}

func inWords(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err
}

// take takes a subject's weights and stickiness out of its actions, and returns
// what is left of these.
func (now *sight) take(sub *subject, actions []types.Action) []types.Action {
	actions = slices.Clone(actions)
	for i := range actions {
		if actions[i].ForwardConfig == nil {
			continue
		}
		config := *actions[i].ForwardConfig
		now.sticky[sub.Name] = "off"
		if s := config.TargetGroupStickinessConfig; s != nil && sdk.ToBool(s.Enabled) {
			now.sticky[sub.Name] = fmt.Sprintf("on for %d s", *s.DurationSeconds)
		}
		config.TargetGroupStickinessConfig = nil
		var w shift.Weights
		groups := slices.Clone(config.TargetGroups)
		for j := range groups {
			switch *groups[j].TargetGroupArn {
			case sub.Balancer.BlueTargetGroupARN:
				w.Blue = int(*groups[j].Weight)
			case sub.Balancer.GreenTargetGroupARN:
				w.Green = int(*groups[j].Weight)
			default:
				continue
			}
			groups[j].Weight = nil
		}
		config.TargetGroups = groups
		actions[i].ForwardConfig = &config
		now.weights[sub.Balancer.ActionARN()] = w
	}
	return actions
}

// edit changes the first subject's action.
func (b *balancer) edit(what foreign) error {
	ctx, e := context.Background(), b.subjects[0].Balancer
	switch {
	case what.mark != nil:
		_, err := b.api.AddTags(ctx, &elbv2.AddTagsInput{ResourceArns: []string{e.ActionARN()}, Tags: []types.Tag{{Key: sdk.String(elb.MarkTag), Value: sdk.String(what.mark.String())}}})
		return err
	case what.remove && b.form.listener:
		_, err := b.api.DeleteListener(ctx, &elbv2.DeleteListenerInput{ListenerArn: &e.ListenerARN})
		return err
	case what.remove:
		_, err := b.api.DeleteRule(ctx, &elbv2.DeleteRuleInput{RuleArn: &e.RuleARN})
		return err
	}
	all, _, err := b.stored(ctx)
	if err != nil {
		return err
	}
	actions, w := all[e.ActionARN()], what.share.Weights()
	for _, a := range actions {
		if a.AuthenticateOidcConfig != nil {
			a.AuthenticateOidcConfig.UseExistingClientSecret = sdk.Bool(true)
		}
		if a.ForwardConfig != nil {
			a.ForwardConfig.TargetGroups[0].Weight, a.ForwardConfig.TargetGroups[1].Weight = sdk.Int32(int32(w.Blue)), sdk.Int32(int32(w.Green))
		}
	}
	if b.form.listener {
		_, err = b.api.ModifyListener(ctx, &elbv2.ModifyListenerInput{ListenerArn: &e.ListenerARN, DefaultActions: actions})
	} else {
		_, err = b.api.ModifyRule(ctx, &elbv2.ModifyRuleInput{RuleArn: &e.RuleARN, Actions: actions})
	}
	return err
}

func (b *balancer) adapter() adapter {
	client := elbv2.NewFromConfig(b.config(""))
	return elb.New(elb.Options{Rules: client, Listeners: client, Health: client, Tags: client, Attributes: client})
}

// forgetMarks takes away the marks that an earlier daemon left.
func (b *balancer) forgetMarks(t *testing.T) {
	for _, sub := range b.subjects {
		must[*elbv2.RemoveTagsOutput](t)(b.api.RemoveTags(t.Context(), &elbv2.RemoveTagsInput{ResourceArns: []string{sub.Balancer.ActionARN()}, TagKeys: []string{elb.MarkTag}}))
	}
}
