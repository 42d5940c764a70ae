package elb_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/elb"
	sandbox "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

// surveyor is an adapter that may look at load balancers, too.
func (w *world) surveyor() *elb.Adapter {
	o := w.options(0)
	o.Balancers = w.client
	return elb.New(o)
}

// besides adds what else may stand beside the users' rule: a listener that leads
// to green alone, a rule for a header, and a load balancer of others.
func (w *world) besides(t testing.TB) (balancer types.LoadBalancer) {
	t.Helper()
	all := must[*sdk.DescribeLoadBalancersOutput](t)(w.client.DescribeLoadBalancers(t.Context(), &sdk.DescribeLoadBalancersInput{})).LoadBalancers
	to := func(group string) []types.Action {
		return []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &group}}
	}
	made := must[*sdk.CreateListenerOutput](t)(w.client.CreateListener(t.Context(), &sdk.CreateListenerInput{
		LoadBalancerArn: all[0].LoadBalancerArn, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(8080), DefaultActions: to(w.green),
	}))
	_, err := w.client.CreateRule(t.Context(), &sdk.CreateRuleInput{
		ListenerArn: made.Listeners[0].ListenerArn, Priority: aws.Int32(1), Actions: to(w.blue),
		Conditions: []types.RuleCondition{
			{Field: aws.String("http-header"), HttpHeaderConfig: &types.HttpHeaderConditionConfig{HttpHeaderName: aws.String("X-Side"), Values: []string{"blue"}}},
			{Field: aws.String("path-pattern"), PathPatternConfig: &types.PathPatternConditionConfig{Values: []string{"/test/*"}}},
			{Field: aws.String("source-ip"), SourceIpConfig: &types.SourceIpConditionConfig{Values: []string{"10.0.0.0/8"}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.balancer(t, "others")
	return all[0]
}

func TestASurveyTellsWhatALoadBalancerLeadsTo(t *testing.T) {
	w := newWorld(t, 10, false)
	lb := w.besides(t)
	_, err := w.client.ModifyTargetGroupAttributes(t.Context(), &sdk.ModifyTargetGroupAttributesInput{
		TargetGroupArn: &w.blue, Attributes: []types.TargetGroupAttribute{{Key: aws.String("slow_start.duration_seconds"), Value: aws.String("60")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.client.AddTags(t.Context(), &sdk.AddTagsInput{ResourceArns: []string{w.blue}, Tags: []types.Tag{{Key: aws.String("elbv2.k8s.aws/cluster"), Value: aws.String("shop")}}})
	if err != nil {
		t.Fatal(err)
	}
	got := w.surveyor().Survey(t.Context(), elb.Sought{Actions: []string{w.arn}, Groups: []string{w.blue, w.green}})
	if len(got.Balancers) != 1 || len(got.Faults) != 0 {
		t.Fatalf("got %+v", got)
	}
	b := got.Balancers[0]
	if b.ARN != *lb.LoadBalancerArn || b.DNSName != strings.ToLower(*lb.DNSName) || b.Network || b.Internal || !b.Whole || len(b.Groups) != 2 {
		t.Errorf("the load balancer is %+v", b)
	}
	// The listener that was there, with its default and the users' rule; and the one for tests.
	want := [][]elb.Rule{
		{{Default: true, Weights: map[string]int{}}, {Hosts: []string{"shop.example.com"}, Weights: map[string]int{w.blue: 90, w.green: 10}}},
		{{Default: true, Weights: map[string]int{w.green: 1}}, {Headers: []string{"X-Side"}, Paths: []string{"/test/*"}, Others: true, Weights: map[string]int{w.blue: 1}}},
	}
	var rules [][]elb.Rule
	for _, l := range b.Listeners {
		own := slices.Clone(l.Rules)
		for i := range own {
			if own[i].Default != (own[i].ARN == l.ARN) {
				t.Errorf("%+v is not the listener's, or not the default", own[i])
			}
			own[i].ARN = ""
		}
		rules = append(rules, own)
	}
	if diff := cmp.Diff(want, rules); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if b.Listeners[0].Port != 443 || b.Listeners[0].Protocol != "HTTPS" || b.Listeners[1].Port != 8080 {
		t.Errorf("listeners %+v", b.Listeners)
	}
	for _, g := range got.Groups {
		blue := g.ARN == w.blue
		slow := map[bool]string{true: "60", false: "0"}[blue]
		if g.TargetType != "ip" || g.Port != 8080 || g.Settings["HealthCheckProtocol"] != "HTTP" || g.Settings["slow_start.duration_seconds"] != slow ||
			!g.Targets.Known || g.Targets.Healthy != 2 || !slices.Equal(g.Ports, []int{8080}) || strings.Contains(g.Maker, "elbv2.k8s.aws/cluster=shop") != blue {
			t.Errorf("the target group is %+v", g)
		}
	}
}

// A record names a load balancer by its DNS name. Then the targets of all groups
// count, since one without any makes it unhealthy to Route 53.
func TestASurveyFindsLoadBalancersByName(t *testing.T) {
	w := newWorldOf(t, ofNetwork, 0, false)
	lb := must[*sdk.DescribeLoadBalancersOutput](t)(w.client.DescribeLoadBalancers(t.Context(), &sdk.DescribeLoadBalancersInput{})).LoadBalancers[0]
	a := w.surveyor()
	got := a.Survey(t.Context(), elb.Sought{Hosts: []string{strings.ToLower(*lb.DNSName), "gone.elb.ap-northeast-1.amazonaws.com"}})
	if len(got.Balancers) != 1 || !got.Balancers[0].Network || len(got.Balancers[0].Listeners) != 1 || len(got.Faults) != 0 {
		t.Fatalf("got %+v", got)
	}
	for _, g := range got.Groups {
		if !g.Targets.Known || g.Targets.Total != 2 || g.Settings["slow_start.duration_seconds"] != "" {
			t.Errorf("the target group is %+v", g)
		}
	}
	before := len(w.cloud.Calls())
	if again := a.Survey(t.Context(), elb.Sought{Hosts: []string{strings.ToLower(*lb.DNSName)}}); len(again.Balancers) != 1 {
		t.Errorf("again: %+v", again)
	}
	if calls := w.cloud.Calls()[before:]; len(calls) > 0 {
		t.Errorf("a survey a moment later takes the calls %+v", calls)
	}
}

// What can't be read is told, with what to do, and the rest is there.
func TestASurveyTellsWhatItCouldNotRead(t *testing.T) {
	for operation, test := range map[string]struct {
		what, why string
		balancers int
	}{
		"DescribeLoadBalancers":         {"the list of load balancers", "grant elasticloadbalancing:DescribeLoadBalancers", 0},
		"DescribeListeners":             {"what load balancer arn:", "grant elasticloadbalancing:DescribeListeners, DescribeRules and DescribeTargetGroups", 1},
		"DescribeRules":                 {"what load balancer arn:", "grant elasticloadbalancing:DescribeListeners, DescribeRules and DescribeTargetGroups", 1},
		"DescribeTargetGroups":          {"what load balancer arn:", "grant elasticloadbalancing:DescribeListeners, DescribeRules and DescribeTargetGroups", 1},
		"DescribeTargetGroupAttributes": {"the attributes of target group arn:", "grant elasticloadbalancing:DescribeTargetGroupAttributes", 1},
		"DescribeTargetHealth":          {"the targets of target group arn:", "grant elasticloadbalancing:DescribeTargetHealth", 1},
		"DescribeTags":                  {"the tags of target group arn:", "grant elasticloadbalancing:DescribeTags", 1},
	} {
		t.Run(operation, func(t *testing.T) {
			w := newWorld(t, 0, false)
			if _, err := w.cloud.Inject(sandbox.Fault{Kind: sandbox.AccessDenied, Service: sandbox.ELB, Operation: operation}); err != nil {
				t.Fatal(err)
			}
			got := w.surveyor().Survey(t.Context(), elb.Sought{Actions: []string{w.arn}, Groups: []string{w.blue, w.green}})
			if len(got.Balancers) != test.balancers || len(got.Faults) == 0 {
				t.Fatalf("got %+v", got)
			}
			if f := got.Faults[0]; !strings.HasPrefix(f.What, test.what) || !strings.Contains(f.Why, test.why) {
				t.Errorf("it says %+v", f)
			}
			if whole := strings.HasPrefix(test.what, "what load"); len(got.Balancers) > 0 && got.Balancers[0].Whole == whole {
				t.Errorf("whole: %t", got.Balancers[0].Whole)
			}
		})
	}
}

// pagedFake answers with one load balancer, listener and target group a page, and tells
// static addresses, which the embedded AWS doesn't have.
type pagedFake struct{ elb.Balancers }

func (pagedFake) DescribeLoadBalancers(_ context.Context, in *sdk.DescribeLoadBalancersInput, _ ...func(*sdk.Options)) (*sdk.DescribeLoadBalancersOutput, error) {
	n := 1
	if in.Marker != nil {
		n = 2
	}
	lb := types.LoadBalancer{
		LoadBalancerArn: aws.String(fmt.Sprintf("arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/nlb/%d", n)),
		DNSName:         aws.String(fmt.Sprintf("NLB-%d.elb.eu-west-1.amazonaws.com", n)), Type: types.LoadBalancerTypeEnumNetwork, Scheme: types.LoadBalancerSchemeEnumInternal,
		AvailabilityZones: []types.AvailabilityZone{{LoadBalancerAddresses: []types.LoadBalancerAddress{{IpAddress: aws.String(fmt.Sprintf("192.0.2.%d", n))}}}},
	}
	out := &sdk.DescribeLoadBalancersOutput{LoadBalancers: []types.LoadBalancer{lb}}
	if n == 1 {
		out.NextMarker = aws.String("2")
	}
	return out, nil
}

func (pagedFake) DescribeTargetGroups(_ context.Context, in *sdk.DescribeTargetGroupsInput, _ ...func(*sdk.Options)) (*sdk.DescribeTargetGroupsOutput, error) {
	out := &sdk.DescribeTargetGroupsOutput{}
	if in.Marker == nil {
		out.NextMarker = aws.String("2")
	}
	return out, nil
}

func (pagedFake) DescribeListeners(context.Context, *sdk.DescribeListenersInput, ...func(*sdk.Options)) (*sdk.DescribeListenersOutput, error) {
	return &sdk.DescribeListenersOutput{}, nil
}

func (pagedFake) ModifyListener(context.Context, *sdk.ModifyListenerInput, ...func(*sdk.Options)) (*sdk.ModifyListenerOutput, error) {
	return nil, nil
}

func TestASurveyReadsAllPagesAndFindsStaticAddresses(t *testing.T) {
	a := elb.New(elb.Options{Balancers: pagedFake{}, Listeners: pagedFake{}})
	got := a.Survey(t.Context(), elb.Sought{Addresses: []string{"192.0.2.2"}})
	want := elb.Survey{Balancers: []elb.Balancer{{
		ARN: "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/nlb/2", DNSName: "nlb-2.elb.eu-west-1.amazonaws.com",
		Network: true, Internal: true, Addresses: []string{"192.0.2.2"}, Whole: true,
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("survey (-want +got):\n%s", diff)
	}
}
