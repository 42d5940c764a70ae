package elb_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/internal/elb"
	sandbox "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// world is the embedded AWS behind a real HTTP server, spoken to by the real
// SDK through awsapi, as in production: a load balancer that splits users
// between blue and green, behind a login where it knows of logins.
type world struct {
	cloud       *sandbox.Cloud
	url         string
	client      *sdk.Client
	object      object
	blue, green string
	arn         string // of the rule or listener
}

// object is what has the action.
type object int

const (
	aRule     object = iota // of an application load balancer
	aDefault                // of a listener of one
	ofNetwork               // the default of a listener of a network load balancer
)

func (o object) String() string {
	return [...]string{"a rule", "a listener", "a network load balancer's listener"}[o]
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newWorld(t testing.TB, share shift.Share, sticky bool) *world {
	t.Helper()
	return newWorldOf(t, aRule, share, sticky)
}

func newWorldOf(t testing.TB, o object, share shift.Share, sticky bool) *world {
	t.Helper()
	w := &world{cloud: sandbox.New(sandbox.Options{}), object: o}
	server := httptest.NewServer(w.cloud)
	t.Cleanup(server.Close)
	w.url = server.URL
	cfg := must[aws.Config](t)(awsapi.Load(t.Context(), awsapi.Options{Region: "ap-northeast-1", EndpointURL: server.URL}))
	w.client = sdk.NewFromConfig(cfg, func(o *sdk.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = 10 * time.Millisecond })
	})
	w.blue, w.green = w.group(t, "blue"), w.group(t, "green")
	w.arn = w.listen(t, w.balancer(t, "web"), share.Weights(), sticky)
	for _, group := range []string{w.blue, w.green} {
		for _, address := range []string{"10.0.0.1", "10.0.0.2"} {
			w.cloud.SetTargetHealth(group, address, 8080, routing.Healthy, "")
		}
	}
	return w
}

func (w *world) balancer(t testing.TB, name string) string {
	t.Helper()
	in := &sdk.CreateLoadBalancerInput{Name: &name, Subnets: []string{"subnet-a", "subnet-c"}}
	if w.object == ofNetwork {
		in.Type = types.LoadBalancerTypeEnumNetwork
	}
	return *must[*sdk.CreateLoadBalancerOutput](t)(w.client.CreateLoadBalancer(t.Context(), in)).LoadBalancers[0].LoadBalancerArn
}

// listen makes a listener, and a rule of it where that is the object, and gives
// the ARN of what has the action.
func (w *world) listen(t testing.TB, balancer string, weights shift.Weights, sticky bool) string {
	t.Helper()
	in := &sdk.CreateListenerInput{LoadBalancerArn: &balancer, Protocol: types.ProtocolEnumHttps, Port: aws.Int32(443), DefaultActions: w.actions(weights, sticky)}
	in.Certificates = []types.Certificate{{CertificateArn: aws.String("arn:aws:acm:ap-northeast-1:123456789012:certificate/1")}}
	switch w.object {
	case ofNetwork:
		in.Protocol, in.Certificates = types.ProtocolEnumTcp, nil
	case aRule:
		in.DefaultActions = []types.Action{{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: aws.String("404")}}}
	case aDefault:
	}
	listener := must[*sdk.CreateListenerOutput](t)(w.client.CreateListener(t.Context(), in)).Listeners[0].ListenerArn
	if w.object != aRule {
		return *listener
	}
	return w.newRule(t, *listener, 10, weights, sticky)
}

func (w *world) newRule(t testing.TB, listener string, priority int32, weights shift.Weights, sticky bool) string {
	t.Helper()
	return *must[*sdk.CreateRuleOutput](t)(w.client.CreateRule(t.Context(), &sdk.CreateRuleInput{
		ListenerArn: &listener, Priority: &priority, Actions: w.actions(weights, sticky),
		Conditions: []types.RuleCondition{{Field: aws.String("host-header"), HostHeaderConfig: &types.HostHeaderConditionConfig{Values: []string{"shop.example.com"}}}},
	})).Rules[0].RuleArn
}

// modify writes an action as a person would.
func (w *world) modify(t testing.TB, weights shift.Weights, sticky bool) {
	t.Helper()
	if w.object == aRule {
		must[*sdk.ModifyRuleOutput](t)(w.client.ModifyRule(t.Context(), &sdk.ModifyRuleInput{RuleArn: &w.arn, Actions: w.actions(weights, sticky)}))
		return
	}
	must[*sdk.ModifyListenerOutput](t)(w.client.ModifyListener(t.Context(), &sdk.ModifyListenerInput{ListenerArn: &w.arn, DefaultActions: w.actions(weights, sticky)}))
}

// stored gives the actions as AWS tells them.
func (w *world) stored(t testing.TB) []types.Action {
	t.Helper()
	if w.object == aRule {
		return must[*sdk.DescribeRulesOutput](t)(w.client.DescribeRules(t.Context(), &sdk.DescribeRulesInput{RuleArns: []string{w.arn}})).Rules[0].Actions
	}
	return must[*sdk.DescribeListenersOutput](t)(w.client.DescribeListeners(t.Context(), &sdk.DescribeListenersInput{ListenerArns: []string{w.arn}})).Listeners[0].DefaultActions
}

// operation is what writes the action.
func (w *world) operation() string {
	if w.object == aRule {
		return "ModifyRule"
	}
	return "ModifyListener"
}

// group makes a target group with two registered targets.
func (w *world) group(t testing.TB, name string) string {
	t.Helper()
	protocol := types.ProtocolEnumHttp
	if w.object == ofNetwork {
		protocol = types.ProtocolEnumTcp
	}
	arn := must[*sdk.CreateTargetGroupOutput](t)(w.client.CreateTargetGroup(t.Context(), &sdk.CreateTargetGroupInput{
		Name: &name, Protocol: protocol, Port: aws.Int32(8080), VpcId: aws.String("vpc-1"), TargetType: types.TargetTypeEnumIp,
	})).TargetGroups[0].TargetGroupArn
	must[*sdk.RegisterTargetsOutput](t)(w.client.RegisterTargets(t.Context(), &sdk.RegisterTargetsInput{
		TargetGroupArn: arn, Targets: []types.TargetDescription{{Id: aws.String("10.0.0.1"), Port: aws.Int32(8080)}, {Id: aws.String("10.0.0.2"), Port: aws.Int32(8080)}},
	}))
	return *arn
}

func (w *world) actions(weights shift.Weights, sticky bool) []types.Action {
	config := &types.ForwardActionConfig{
		TargetGroups: []types.TargetGroupTuple{
			{TargetGroupArn: &w.blue, Weight: aws.Int32(int32(weights.Blue))},
			{TargetGroupArn: &w.green, Weight: aws.Int32(int32(weights.Green))},
		},
		TargetGroupStickinessConfig: &types.TargetGroupStickinessConfig{Enabled: &sticky},
	}
	if sticky {
		config.TargetGroupStickinessConfig.DurationSeconds = aws.Int32(600)
	}
	if w.object == ofNetwork {
		config.TargetGroupStickinessConfig = nil
		return []types.Action{{Type: types.ActionTypeEnumForward, ForwardConfig: config}}
	}
	return []types.Action{{
		Type: types.ActionTypeEnumAuthenticateOidc, Order: aws.Int32(1),
		AuthenticateOidcConfig: &types.AuthenticateOidcActionConfig{
			Issuer: aws.String("https://id.example.com"), ClientId: aws.String("shop"), ClientSecret: aws.String("s3cret"),
			AuthorizationEndpoint: aws.String("https://id.example.com/a"), TokenEndpoint: aws.String("https://id.example.com/t"), UserInfoEndpoint: aws.String("https://id.example.com/u"),
		},
	}, {Type: types.ActionTypeEnumForward, Order: aws.Int32(2), ForwardConfig: config}}
}

func (w *world) options(timeout time.Duration) elb.Options {
	return elb.Options{Rules: w.client, Listeners: w.client, Health: w.client, Tags: w.client, Attributes: w.client, CallTimeout: timeout}
}

func (w *world) adapter() *elb.Adapter {
	return elb.New(w.options(2 * time.Second))
}

func (w *world) entrance() shift.Entrance {
	b := &shift.BalancerEntrance{ListenerARN: w.arn, BlueTargetGroupARN: w.blue, GreenTargetGroupARN: w.green, MinHealthyTargets: 1}
	if w.object == aRule {
		b.RuleARN, b.ListenerARN = w.arn, ""
	}
	return shift.Entrance{Name: "web", Balancer: b}
}

func (w *world) read(t testing.TB, a *elb.Adapter) shift.EntranceReading {
	t.Helper()
	r := a.Read(t.Context(), []shift.Entrance{w.entrance()}, shift.Watching)[0]
	if r.Err != "" {
		t.Fatal(r.Err)
	}
	return r
}

func (w *world) change(expected shift.EntranceReading, to shift.Share, p shift.Priority) shift.Change {
	return shift.Change{
		Entrance: w.entrance(), Expected: expected, Wanted: to, Priority: p,
		Control: shift.Mark{Attempt: 1, Epoch: 1, Version: 2, Phase: shift.Shifting, Share: to, Rollback: p == shift.Rollback},
	}
}

// routes gives what the edge would do with a request, by target group.
func (w *world) routes() (weights map[string]int, sticky time.Duration) {
	weights = map[string]int{}
	for _, l := range w.cloud.Listeners() {
		for _, r := range l.Rules {
			if r.Stickiness > sticky {
				sticky = r.Stickiness
			}
			for _, g := range r.Forward {
				weights[g.TargetGroupARN] = g.Weight
			}
		}
	}
	return weights, sticky
}
