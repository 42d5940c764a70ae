package aws_test

import (
	"regexp"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

func (w *world) networkBalancer(t testing.TB, name string) string {
	t.Helper()
	out := must[*elbv2.CreateLoadBalancerOutput](t)(w.elb.CreateLoadBalancer(t.Context(), &elbv2.CreateLoadBalancerInput{
		Name: &name, Type: elbtypes.LoadBalancerTypeEnumNetwork, Subnets: []string{"subnet-a"},
	}))
	return *out.LoadBalancers[0].LoadBalancerArn
}

func (w *world) groupOf(t testing.TB, name string, protocol elbtypes.ProtocolEnum) string {
	t.Helper()
	out := must[*elbv2.CreateTargetGroupOutput](t)(w.elb.CreateTargetGroup(t.Context(), &elbv2.CreateTargetGroupInput{
		Name: &name, Protocol: protocol, Port: sdk.Int32(8443), VpcId: sdk.String("vpc-1"), TargetType: elbtypes.TargetTypeEnumIp,
	}))
	return *out.TargetGroups[0].TargetGroupArn
}

func (w *world) listen(t testing.TB, balancer string, protocol elbtypes.ProtocolEnum, port int32, actions ...elbtypes.Action) (string, error) {
	t.Helper()
	in := &elbv2.CreateListenerInput{LoadBalancerArn: &balancer, Protocol: protocol, Port: &port, DefaultActions: actions}
	if protocol == elbtypes.ProtocolEnumTls || protocol == elbtypes.ProtocolEnumHttps {
		in.Certificates = []elbtypes.Certificate{{CertificateArn: sdk.String("arn:aws:acm:ap-northeast-1:123456789012:certificate/1")}}
	}
	out, err := w.elb.CreateListener(t.Context(), in)
	if err != nil {
		return "", err
	}
	return *out.Listeners[0].ListenerArn, nil
}

func TestANetworkLoadBalancerShiftsByItsListener(t *testing.T) {
	w := newWorld(t, aws.Options{})
	balancer, blue, green := w.networkBalancer(t, "edge"), w.groupOf(t, "blue", "TCP"), w.groupOf(t, "green", "TCP")
	listener := must[string](t)(w.listen(t, balancer, "TCP", 443, forward(share{blue, 100}, share{green, 0})))
	for arn, shape := range map[string]string{
		balancer: "loadbalancer/net/edge/[0-9a-f]{16}",
		listener: "listener/net/edge/[0-9a-f]{16}/[0-9a-f]{16}",
	} {
		if !regexp.MustCompile("^arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:" + shape + "$").MatchString(arn) {
			t.Errorf("%s isn't of the shape %s", arn, shape)
		}
	}
	out := must[*elbv2.ModifyListenerOutput](t)(w.elb.ModifyListener(t.Context(), &elbv2.ModifyListenerInput{
		ListenerArn: &listener, DefaultActions: []elbtypes.Action{forward(share{blue, 0}, share{green, 999})},
	}))
	if got := out.Listeners[0].DefaultActions[0].ForwardConfig.TargetGroups; *got[0].Weight != 0 || *got[1].Weight != 999 {
		t.Errorf("the weights came back as %+v", got)
	}
	edge := w.Listeners()[0]
	want := []routing.WeightedGroup{{TargetGroupARN: blue, Weight: 0}, {TargetGroupARN: green, Weight: 999}}
	if diff := cmp.Diff(want, edge.Rules[0].Forward); !edge.TCP || len(edge.Rules) != 1 || diff != "" {
		t.Errorf("the edge is told %+v", edge)
	}
	rules := must[*elbv2.DescribeRulesOutput](t)(w.elb.DescribeRules(t.Context(), &elbv2.DescribeRulesInput{ListenerArn: &listener}))
	if len(rules.Rules) != 1 || !*rules.Rules[0].IsDefault {
		t.Errorf("the listener's rules are %+v, want the default one alone", rules.Rules)
	}
	groups := must[*elbv2.DescribeTargetGroupsOutput](t)(w.elb.DescribeTargetGroups(t.Context(), &elbv2.DescribeTargetGroupsInput{LoadBalancerArn: &balancer}))
	for _, g := range groups.TargetGroups {
		if g.HealthCheckProtocol != "TCP" || g.Matcher != nil || g.HealthCheckPath != nil || g.ProtocolVersion != nil || *g.HealthCheckTimeoutSeconds != 10 {
			t.Errorf("the group's health check is %+v", g)
		}
	}
	if len(groups.TargetGroups) != 2 || !w.TargetGroups()[0].HealthCheck.TCP {
		t.Errorf("%d groups of the load balancer, and the edge checks by %+v", len(groups.TargetGroups), w.TargetGroups()[0].HealthCheck)
	}
	described := must[*elbv2.DescribeLoadBalancersOutput](t)(w.elb.DescribeLoadBalancers(t.Context(), &elbv2.DescribeLoadBalancersInput{}))
	if lb := described.LoadBalancers[0]; lb.Type != "network" || *lb.CanonicalHostedZoneId != "Z31USIVHYNEOWT" || !regexp.MustCompile(`^edge-[0-9a-f]{16}\.elb\.ap-northeast-1\.amazonaws\.com$`).MatchString(*lb.DNSName) {
		t.Errorf("the load balancer is %s, %s, %s", lb.Type, *lb.CanonicalHostedZoneId, *lb.DNSName)
	}
}

func TestListenersForwardToGroupsOfFittingProtocols(t *testing.T) {
	fits := map[elbtypes.ProtocolEnum][]elbtypes.ProtocolEnum{
		"HTTP": {"HTTP", "HTTPS"}, "HTTPS": {"HTTP", "HTTPS"},
		"TCP": {"TCP", "TCP_UDP"}, "TLS": {"TCP", "TLS"}, "UDP": {"UDP", "TCP_UDP"}, "TCP_UDP": {"TCP_UDP"},
	}
	w := newWorld(t, aws.Options{})
	application, network := w.balancer(t, "app"), w.networkBalancer(t, "net")
	port := int32(1000)
	for listener, allowed := range fits {
		for _, group := range []elbtypes.ProtocolEnum{"HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP"} {
			port++
			balancer := network
			if listener == "HTTP" || listener == "HTTPS" {
				balancer = application
			}
			name := regexp.MustCompile("_").ReplaceAllString(string(listener+"-to-"+group), "-")
			want := "IncompatibleProtocols"
			for _, a := range allowed {
				if a == group {
					want = ""
				}
			}
			_, err := w.listen(t, balancer, listener, port, forward(share{w.groupOf(t, name, group), 1}))
			if got := code(t, err); got != want {
				t.Errorf("a listener of %s to a group of %s: %q, want %q", listener, group, got, want)
			}
		}
	}
	for _, l := range w.Listeners() {
		if l.LoadBalancerARN == network && !l.TCP {
			t.Errorf("the edge is told of a listener without TCP: %+v", l)
		}
	}
	if n := len(w.Listeners()); n != 9 {
		t.Errorf("the edge is told of %d listeners, want 9: UDP isn't for it", n)
	}
}

func TestNetworkLoadBalancersAreRefused(t *testing.T) {
	create := func(e entrance, change func(*elbv2.CreateTargetGroupInput)) error {
		in := &elbv2.CreateTargetGroupInput{Name: sdk.String("new"), Protocol: "TCP", Port: sdk.Int32(1), VpcId: sdk.String("vpc-1"), TargetType: elbtypes.TargetTypeEnumIp}
		change(in)
		_, err := e.elb.CreateTargetGroup(t.Context(), in)
		return err
	}
	expectRefusals(t, map[string]refusalStory{
		"a rule": {code: "UnsupportedOperation", call: func(e entrance) error {
			listener := must[string](t)(e.listen(t, e.networkBalancer(t, "net"), "TCP", 1, forward(share{e.groupOf(t, "tcp", "TCP"), 1})))
			_, err := e.elb.CreateRule(t.Context(), &elbv2.CreateRuleInput{ListenerArn: &listener, Priority: sdk.Int32(1), Conditions: hostCondition("a"), Actions: []elbtypes.Action{fixed("200")}})
			return err
		}},
		"a change of its default rule": {code: "OperationNotPermitted", call: func(e entrance) error {
			group := e.groupOf(t, "tcp", "TCP")
			listener := must[string](t)(e.listen(t, e.networkBalancer(t, "net"), "TCP", 1, forward(share{group, 1})))
			rules := must[*elbv2.DescribeRulesOutput](t)(e.elb.DescribeRules(t.Context(), &elbv2.DescribeRulesInput{ListenerArn: &listener}))
			_, err := e.elb.ModifyRule(t.Context(), &elbv2.ModifyRuleInput{RuleArn: rules.Rules[0].RuleArn, Actions: []elbtypes.Action{forward(share{group, 2})}})
			return err
		}},
		"a fixed answer": {code: "InvalidLoadBalancerAction", call: func(e entrance) error {
			_, err := e.listen(t, e.networkBalancer(t, "net"), "TCP", 1, fixed("200"))
			return err
		}},
		"a listener of HTTP": {code: "ValidationError", call: func(e entrance) error {
			_, err := e.listen(t, e.networkBalancer(t, "net"), "HTTP", 1, forward(share{e.blue, 1}))
			return err
		}},
		"a listener of TCP on an application load balancer": {code: "ValidationError", call: func(e entrance) error {
			_, err := e.listen(t, e.balancerARN, "TCP", 1, forward(share{e.blue, 1}))
			return err
		}},
		"a move to a protocol that its group lacks": {code: "IncompatibleProtocols", call: func(e entrance) error {
			listener := must[string](t)(e.listen(t, e.networkBalancer(t, "net"), "TCP", 1, forward(share{e.groupOf(t, "tcp", "TCP"), 1})))
			_, err := e.elb.ModifyListener(t.Context(), &elbv2.ModifyListenerInput{ListenerArn: &listener, Protocol: "UDP"})
			return err
		}},
		"a group that another one uses": {code: "TargetGroupAssociationLimit", call: func(e entrance) error {
			group := e.groupOf(t, "tcp", "TCP")
			must[string](t)(e.listen(t, e.networkBalancer(t, "net"), "TCP", 1, forward(share{group, 1})))
			_, err := e.listen(t, e.networkBalancer(t, "other"), "TCP", 1, forward(share{group, 1}))
			return err
		}},
		"stickiness with a duration": {code: "ValidationError", call: func(e entrance) error {
			_, err := e.listen(t, e.networkBalancer(t, "net"), "TCP", 1, sticky(forward(share{e.groupOf(t, "tcp", "TCP"), 1}), sdk.Int32(60)))
			return err
		}},
		"weight 1000": {code: "ValidationError", call: func(e entrance) error {
			_, err := e.listen(t, e.networkBalancer(t, "net"), "TCP", 1, forward(share{e.groupOf(t, "tcp", "TCP"), 1000}))
			return err
		}},
		"a listener of TLS without a certificate": {code: "ValidationError", call: func(e entrance) error {
			balancer := e.networkBalancer(t, "net")
			_, err := e.elb.CreateListener(t.Context(), &elbv2.CreateListenerInput{LoadBalancerArn: &balancer, Protocol: "TLS", Port: sdk.Int32(1), DefaultActions: []elbtypes.Action{forward(share{e.groupOf(t, "tls", "TLS"), 1})}})
			return err
		}},
		"a path for a check by TCP": {code: "InvalidConfigurationRequest", call: func(e entrance) error {
			return create(e, func(in *elbv2.CreateTargetGroupInput) { in.HealthCheckPath = sdk.String("/") })
		}},
		"a check by TCP for HTTP": {code: "ValidationError", call: func(e entrance) error {
			return create(e, func(in *elbv2.CreateTargetGroupInput) { in.Protocol, in.HealthCheckProtocol = "HTTP", "TCP" })
		}},
		"a check by UDP": {code: "ValidationError", call: func(e entrance) error {
			return create(e, func(in *elbv2.CreateTargetGroupInput) { in.HealthCheckProtocol = "UDP" })
		}},
		"a protocol version": {code: "InvalidConfigurationRequest", call: func(e entrance) error {
			return create(e, func(in *elbv2.CreateTargetGroupInput) { in.ProtocolVersion = sdk.String("HTTP1") })
		}},
		"a gateway load balancer": {code: "InvalidConfigurationRequest", call: func(e entrance) error {
			_, err := e.elb.CreateLoadBalancer(t.Context(), &elbv2.CreateLoadBalancerInput{Name: sdk.String("gw"), Type: elbtypes.LoadBalancerTypeEnumGateway, Subnets: []string{"subnet-a"}})
			return err
		}},
	})
}

func TestStickinessOfANetworkLoadBalancerHasNoDuration(t *testing.T) {
	w := newWorld(t, aws.Options{})
	action := sticky(forward(share{w.groupOf(t, "a", "TCP"), 1}, share{w.groupOf(t, "b", "TCP"), 1}), nil)
	listener := must[string](t)(w.listen(t, w.networkBalancer(t, "net"), "TCP", 1, action))
	out := must[*elbv2.DescribeListenersOutput](t)(w.elb.DescribeListeners(t.Context(), &elbv2.DescribeListenersInput{ListenerArns: []string{listener}}))
	if got := out.Listeners[0].DefaultActions[0].ForwardConfig.TargetGroupStickinessConfig; !*got.Enabled || got.DurationSeconds != nil {
		t.Errorf("stickiness came back as %+v", got)
	}
}
