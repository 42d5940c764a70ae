package aws_test

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

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

func (w *world) balancer(t testing.TB, name string) string {
	t.Helper()
	out := must[*elbv2.CreateLoadBalancerOutput](t)(w.elb.CreateLoadBalancer(t.Context(), &elbv2.CreateLoadBalancerInput{
		Name: &name, Subnets: []string{"subnet-a", "subnet-c"},
	}))
	return *out.LoadBalancers[0].LoadBalancerArn
}

func (w *world) group(t testing.TB, name string, targets ...string) string {
	t.Helper()
	out := must[*elbv2.CreateTargetGroupOutput](t)(w.elb.CreateTargetGroup(t.Context(), &elbv2.CreateTargetGroupInput{
		Name: &name, Protocol: elbtypes.ProtocolEnumHttp, Port: sdk.Int32(8080), VpcId: sdk.String("vpc-1"), TargetType: elbtypes.TargetTypeEnumIp,
		HealthCheckPath: sdk.String("/healthz"), HealthCheckIntervalSeconds: sdk.Int32(5), HealthCheckTimeoutSeconds: sdk.Int32(2),
		HealthyThresholdCount: sdk.Int32(2), Matcher: &elbtypes.Matcher{HttpCode: sdk.String("200-299")},
	}))
	arn := *out.TargetGroups[0].TargetGroupArn
	for _, ip := range targets {
		must[*elbv2.RegisterTargetsOutput](t)(w.elb.RegisterTargets(t.Context(), &elbv2.RegisterTargetsInput{
			TargetGroupArn: &arn, Targets: []elbtypes.TargetDescription{{Id: &ip, Port: sdk.Int32(8080)}},
		}))
	}
	return arn
}

func (w *world) listener(t testing.TB, balancer string, port int32, actions ...elbtypes.Action) string {
	t.Helper()
	in := &elbv2.CreateListenerInput{LoadBalancerArn: &balancer, Protocol: elbtypes.ProtocolEnumHttp, Port: &port, DefaultActions: actions}
	if port == 443 {
		in.Protocol = elbtypes.ProtocolEnumHttps
		in.Certificates = []elbtypes.Certificate{{CertificateArn: sdk.String("arn:aws:acm:ap-northeast-1:123456789012:certificate/1")}}
	}
	out := must[*elbv2.CreateListenerOutput](t)(w.elb.CreateListener(t.Context(), in))
	return *out.Listeners[0].ListenerArn
}

func (w *world) newRule(t testing.TB, listener string, priority int32, actions ...elbtypes.Action) string {
	t.Helper()
	out := must[*elbv2.CreateRuleOutput](t)(w.elb.CreateRule(t.Context(), &elbv2.CreateRuleInput{
		ListenerArn: &listener, Priority: &priority, Conditions: hostCondition("shop.example.com"), Actions: actions,
	}))
	return *out.Rules[0].RuleArn
}

func (w *world) rule(t testing.TB, arn string) elbtypes.Rule {
	t.Helper()
	out := must[*elbv2.DescribeRulesOutput](t)(w.elb.DescribeRules(t.Context(), &elbv2.DescribeRulesInput{RuleArns: []string{arn}}))
	return out.Rules[0]
}

func hostCondition(hosts ...string) []elbtypes.RuleCondition {
	return []elbtypes.RuleCondition{{Field: sdk.String("host-header"), HostHeaderConfig: &elbtypes.HostHeaderConditionConfig{Values: hosts}}}
}

func fixed(status string) elbtypes.Action {
	return elbtypes.Action{Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: &status}}
}

// share is one target group of a forward action with its weight.
type share struct {
	arn    string
	weight int32
}

func forward(shares ...share) elbtypes.Action {
	config := &elbtypes.ForwardActionConfig{}
	for _, s := range shares {
		config.TargetGroups = append(config.TargetGroups, elbtypes.TargetGroupTuple{TargetGroupArn: &s.arn, Weight: &s.weight})
	}
	return elbtypes.Action{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: config}
}

func sticky(a elbtypes.Action, seconds *int32) elbtypes.Action {
	a.ForwardConfig.TargetGroupStickinessConfig = &elbtypes.TargetGroupStickinessConfig{Enabled: sdk.Bool(true), DurationSeconds: seconds}
	return a
}

func ordered(order int32, a elbtypes.Action) elbtypes.Action {
	a.Order = &order
	return a
}

func oidc(secret *string, useExisting bool) elbtypes.Action {
	config := &elbtypes.AuthenticateOidcActionConfig{
		Issuer: sdk.String("https://id.example.com"), AuthorizationEndpoint: sdk.String("https://id.example.com/authorize"),
		TokenEndpoint: sdk.String("https://id.example.com/token"), UserInfoEndpoint: sdk.String("https://id.example.com/me"),
		ClientId: sdk.String("shop"), ClientSecret: secret, Scope: sdk.String("openid email"),
		AuthenticationRequestExtraParams: map[string]string{"display": "page", "prompt": "login"},
	}
	if useExisting {
		config.UseExistingClientSecret = sdk.Bool(true)
	}
	return elbtypes.Action{Type: elbtypes.ActionTypeEnumAuthenticateOidc, AuthenticateOidcConfig: config}
}

// entrance is a load balancer with a pair of groups behind one rule.
type entrance struct {
	*world
	balancerARN, listenerARN, ruleARN, blue, green string
}

func newEntrance(t testing.TB, w *world) entrance {
	t.Helper()
	e := entrance{world: w, balancerARN: w.balancer(t, "shop"), blue: w.group(t, "blue", "10.0.0.1"), green: w.group(t, "green", "10.1.0.1")}
	e.listenerARN = w.listener(t, e.balancerARN, 80, fixed("404"))
	e.ruleARN = w.newRule(t, e.listenerARN, 10, forward(share{e.blue, 100}, share{e.green, 0}))
	return e
}

func (e entrance) modify(t testing.TB, actions ...elbtypes.Action) error {
	t.Helper()
	_, err := e.elb.ModifyRule(t.Context(), &elbv2.ModifyRuleInput{RuleArn: &e.ruleARN, Actions: actions})
	return err
}
