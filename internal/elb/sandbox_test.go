package elb_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/internal/elb"
	sandbox "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// world is the embedded AWS behind a real HTTP server, spoken to by the real
// SDK through awsapi, as in production: an HTTPS listener whose one rule logs
// users in and splits them between blue and green.
type world struct {
	cloud             *sandbox.Cloud
	client            *sdk.Client
	blue, green, rule string
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
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	w := &world{cloud: sandbox.New(sandbox.Options{})}
	server := httptest.NewServer(w.cloud)
	t.Cleanup(server.Close)
	cfg := must[aws.Config](t)(awsapi.Load(t.Context(), awsapi.Options{Region: "ap-northeast-1", EndpointURL: server.URL}))
	w.client = sdk.NewFromConfig(cfg)
	balancer := must[*sdk.CreateLoadBalancerOutput](t)(w.client.CreateLoadBalancer(t.Context(), &sdk.CreateLoadBalancerInput{
		Name: aws.String("web"), Subnets: []string{"subnet-a", "subnet-c"},
	})).LoadBalancers[0].LoadBalancerArn
	w.blue, w.green = w.group(t, "blue"), w.group(t, "green")
	listener := must[*sdk.CreateListenerOutput](t)(w.client.CreateListener(t.Context(), &sdk.CreateListenerInput{
		LoadBalancerArn: balancer, Protocol: types.ProtocolEnumHttps, Port: aws.Int32(443),
		Certificates:   []types.Certificate{{CertificateArn: aws.String("arn:aws:acm:ap-northeast-1:123456789012:certificate/1")}},
		DefaultActions: []types.Action{{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: aws.String("404")}}},
	})).Listeners[0].ListenerArn
	w.rule = *must[*sdk.CreateRuleOutput](t)(w.client.CreateRule(t.Context(), &sdk.CreateRuleInput{
		ListenerArn: listener, Priority: aws.Int32(10), Actions: w.actions(share.Weights(), sticky),
		Conditions: []types.RuleCondition{{Field: aws.String("host-header"), HostHeaderConfig: &types.HostHeaderConditionConfig{Values: []string{"shop.example.com"}}}},
	})).Rules[0].RuleArn
	for _, group := range []string{w.blue, w.green} {
		for _, address := range []string{"10.0.0.1", "10.0.0.2"} {
			w.cloud.SetTargetHealth(group, address, 8080, routing.Healthy, "")
		}
	}
	return w
}

// group makes a target group with two registered targets.
func (w *world) group(t testing.TB, name string) string {
	t.Helper()
	arn := must[*sdk.CreateTargetGroupOutput](t)(w.client.CreateTargetGroup(t.Context(), &sdk.CreateTargetGroupInput{
		Name: &name, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(8080), VpcId: aws.String("vpc-1"), TargetType: types.TargetTypeEnumIp,
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
	return shift.Entrance{Name: "web", Balancer: &shift.BalancerEntrance{RuleARN: w.rule, BlueTargetGroupARN: w.blue, GreenTargetGroupARN: w.green, MinHealthyTargets: 1}}
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
			for _, g := range r.Forward {
				weights[g.TargetGroupARN] = g.Weight
				sticky = r.Stickiness
			}
		}
	}
	return weights, sticky
}

func TestAJourneyUpAndBackAtAStrictELB(t *testing.T) {
	w := newWorld(t, 0, true)
	a := w.adapter()
	w.cloud.SetTargetHealth(w.green, "10.0.0.2", 8080, routing.Unhealthy, "Target.Timeout")
	if r := w.read(t, a); !r.GreenTargets.Known || r.GreenTargets.Healthy != 1 || r.GreenTargets.Total != 2 || r.Mark != nil {
		t.Errorf("it reads as %+v", r)
	}
	for _, share := range []shift.Share{1, 10, 50, 100} {
		got := a.Commit(t.Context(), []shift.Change{w.change(w.read(t, a), share, shift.Rise)})[0]
		if got.Outcome != shift.Applied || got.Note != "" {
			t.Fatalf("%s: got %+v", share, got)
		}
		if r := w.read(t, a); !r.Weights.At(share) || r.Mark == nil || r.Mark.Share != share {
			t.Fatalf("%s reads back as %+v", share, r)
		}
		if weights, sticky := w.routes(); weights[w.green] != int(share) || sticky != 10*time.Minute {
			t.Fatalf("%s routes by %v, sticky for %s", share, weights, sticky)
		}
	}
	got := a.Commit(t.Context(), []shift.Change{w.change(w.read(t, a), 0, shift.Rollback)})[0]
	if got.Outcome != shift.Applied || got.Note != "stickiness was switched off" {
		t.Fatalf("the rollback: %+v", got)
	}
	if weights, sticky := w.routes(); weights[w.blue] != 100 || weights[w.green] != 0 || sticky != 0 {
		t.Errorf("after the rollback it routes by %v, sticky for %s", weights, sticky)
	}
	out := must[*sdk.DescribeRulesOutput](t)(w.client.DescribeRules(t.Context(), &sdk.DescribeRulesInput{RuleArns: []string{w.rule}}))
	if r := out.Rules[0]; len(r.Actions) != 2 || r.Actions[0].AuthenticateOidcConfig == nil || len(r.Conditions) != 1 {
		t.Errorf("the rule lost something: %+v", r)
	}
}

func TestFaultsOfAStrictELB(t *testing.T) {
	cases := map[string]struct {
		kind     sandbox.FaultKind
		times    int
		rise     shift.Outcome
		rollback shift.Outcome
	}{
		"a lost reply":    {sandbox.LostReply, 1, shift.Applied, shift.Applied},
		"a lost request":  {sandbox.LostRequest, 1, shift.Unknown, shift.Applied},
		"throttling":      {sandbox.Throttle, 1, shift.Refused, shift.Applied},
		"a server error":  {sandbox.ServerError, 1, shift.Unknown, shift.Applied},
		"a missing right": {sandbox.AccessDenied, 0, shift.Refused, shift.Refused},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for priority, want := range map[shift.Priority]shift.Outcome{shift.Rise: c.rise, shift.Rollback: c.rollback} {
				w := newWorld(t, 25, false)
				a := w.adapter()
				to := shift.Share(50)
				if priority == shift.Rollback {
					to = 0
				}
				change := w.change(w.read(t, a), to, priority)
				if _, err := w.cloud.Inject(sandbox.Fault{Kind: c.kind, Service: sandbox.ELB, Operation: "ModifyRule", Times: c.times}); err != nil {
					t.Fatal(err)
				}
				got := a.Commit(t.Context(), []shift.Change{change})[0]
				w.cloud.ClearFaults()
				if got.Outcome != want {
					t.Errorf("%s: got %+v, want %s", priority, got, want)
				}
				if weights, _ := w.routes(); (weights[w.green] == int(to)) != (want == shift.Applied) {
					t.Errorf("%s: answered %s, but it routes by %v", priority, got.Outcome, weights)
				}
			}
		})
	}
}

func TestAMarkThatIsRefusedHoldsUpNothing(t *testing.T) {
	w := newWorld(t, 25, false)
	a := w.adapter()
	change := w.change(w.read(t, a), 0, shift.Rollback)
	if _, err := w.cloud.Inject(sandbox.Fault{Kind: sandbox.AccessDenied, Service: sandbox.ELB, Operation: "AddTags"}); err != nil {
		t.Fatal(err)
	}
	got := a.Commit(t.Context(), []shift.Change{change})[0]
	if got.Outcome != shift.Applied || !strings.Contains(got.Note, "without the mark: access denied") {
		t.Errorf("got %+v", got)
	}
}

func TestAForeignEditStopsARiseAndNoRollback(t *testing.T) {
	w := newWorld(t, 25, false)
	a := w.adapter()
	read := w.read(t, a)
	must[*sdk.ModifyRuleOutput](t)(w.client.ModifyRule(t.Context(), &sdk.ModifyRuleInput{
		RuleArn: &w.rule, Actions: w.actions(shift.Weights{Blue: 60, Green: 40}, false),
	}))
	if got := a.Commit(t.Context(), []shift.Change{w.change(read, 50, shift.Rise)})[0]; got.Outcome != shift.Conflict || !strings.Contains(got.Note, "green 40") {
		t.Errorf("the rise: %+v", got)
	}
	if got := a.Commit(t.Context(), []shift.Change{w.change(read, 0, shift.Rollback)})[0]; got.Outcome != shift.Applied {
		t.Errorf("the rollback: %+v", got)
	}
	if weights, _ := w.routes(); weights[w.green] != 0 {
		t.Errorf("it routes by %v", weights)
	}
}

func TestAnAnswerThatTakesTooLongIsReadBack(t *testing.T) {
	w := newWorld(t, 25, false)
	a := elb.New(w.options(100 * time.Millisecond))
	change := w.change(w.read(t, a), 0, shift.Rollback)
	if _, err := w.cloud.Inject(sandbox.Fault{Kind: sandbox.Delay, Service: sandbox.ELB, Operation: "ModifyRule", Times: 1, Delay: time.Minute}); err != nil {
		t.Fatal(err)
	}
	if got := a.Commit(t.Context(), []shift.Change{change})[0]; got.Outcome != shift.Applied {
		t.Errorf("got %+v", got)
	}
}

func TestARuleThatIsGoneIsNamed(t *testing.T) {
	w := newWorld(t, 25, false)
	must[*sdk.DeleteRuleOutput](t)(w.client.DeleteRule(t.Context(), &sdk.DeleteRuleInput{RuleArn: &w.rule}))
	a := w.adapter()
	if r := a.Read(t.Context(), []shift.Entrance{w.entrance()}, shift.Watching)[0]; !strings.Contains(r.Err, "RuleNotFound") {
		t.Errorf("got %+v", r)
	}
	change := w.change(shift.EntranceReading{}, 0, shift.Rollback)
	if got := a.Commit(t.Context(), []shift.Change{change})[0]; got.Outcome != shift.Refused || !strings.Contains(got.Note, "correct ruleARN") {
		t.Errorf("got %+v", got)
	}
}
