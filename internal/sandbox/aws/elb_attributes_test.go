package aws_test

import (
	"maps"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

// setAttributes takes "key=value" pairs.
func (w *world) setAttributes(t testing.TB, group string, pairs ...string) error {
	t.Helper()
	in := &elbv2.ModifyTargetGroupAttributesInput{TargetGroupArn: &group}
	for _, pair := range pairs {
		key, value, _ := strings.Cut(pair, "=")
		in.Attributes = append(in.Attributes, elbtypes.TargetGroupAttribute{Key: &key, Value: &value})
	}
	_, err := w.elb.ModifyTargetGroupAttributes(t.Context(), in)
	return err
}

func (w *world) attributes(t testing.TB, group string) map[string]string {
	t.Helper()
	out := must[*elbv2.DescribeTargetGroupAttributesOutput](t)(w.elb.DescribeTargetGroupAttributes(t.Context(), &elbv2.DescribeTargetGroupAttributesInput{TargetGroupArn: &group}))
	got := map[string]string{}
	for _, a := range out.Attributes {
		got[*a.Key] = *a.Value
	}
	return got
}

func TestAttributesHaveTheDefaultsOfAWS(t *testing.T) {
	w := newWorld(t, aws.Options{})
	shared := map[string]string{
		"deregistration_delay.timeout_seconds": "300", "stickiness.enabled": "false",
		"load_balancing.cross_zone.enabled":                                              "use_load_balancer_configuration",
		"target_group_health.dns_failover.minimum_healthy_targets.count":                 "1",
		"target_group_health.dns_failover.minimum_healthy_targets.percentage":            "off",
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count":      "1",
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
	}
	application := map[string]string{
		"stickiness.type": "lb_cookie", "stickiness.lb_cookie.duration_seconds": "86400",
		"stickiness.app_cookie.duration_seconds": "86400", "stickiness.app_cookie.cookie_name": "",
		"slow_start.duration_seconds": "0", "load_balancing.algorithm.type": "round_robin", "load_balancing.algorithm.anomaly_mitigation": "off",
	}
	network := func(datagrams, others string) map[string]string {
		return map[string]string{
			"stickiness.type": "source_ip", "proxy_protocol_v2.enabled": "false", "preserve_client_ip.enabled": datagrams,
			"deregistration_delay.connection_termination.enabled":          datagrams,
			"target_health_state.unhealthy.connection_termination.enabled": others, "target_health_state.unhealthy.draining_interval_seconds": "0",
		}
	}
	for protocol, own := range map[string]map[string]string{
		"HTTP": application, "HTTPS": application, "TCP": network("false", "true"), "TLS": network("false", "true"), "UDP": network("true", "false"),
	} {
		maps.Copy(own, shared)
		if diff := cmp.Diff(own, w.attributes(t, w.groupOf(t, "of-"+protocol, elbtypes.ProtocolEnum(protocol)))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", protocol, diff)
		}
	}
}

func TestAttributesOfTargetGroups(t *testing.T) {
	for name, c := range map[string]struct {
		protocol string // default HTTP
		set      string
		code     string
	}{
		"no deregistration delay":                      {set: "deregistration_delay.timeout_seconds=0"},
		"an hour of it":                                {set: "deregistration_delay.timeout_seconds=3600"},
		"more than an hour of it":                      {set: "deregistration_delay.timeout_seconds=3601", code: "ValidationError"},
		"slow start off":                               {set: "slow_start.duration_seconds=0"},
		"slow start of 29 s":                           {set: "slow_start.duration_seconds=29", code: "ValidationError"},
		"slow start of 30 s":                           {set: "slow_start.duration_seconds=30"},
		"slow start of 901 s":                          {set: "slow_start.duration_seconds=901", code: "ValidationError"},
		"slow start beside another algorithm":          {set: "slow_start.duration_seconds=30 load_balancing.algorithm.type=least_outstanding_requests", code: "InvalidConfigurationRequest"},
		"slow start at a network load balancer":        {protocol: "TCP", set: "slow_start.duration_seconds=30", code: "InvalidConfigurationRequest"},
		"a cookie for a week":                          {set: "stickiness.enabled=true stickiness.type=lb_cookie stickiness.lb_cookie.duration_seconds=604800"},
		"a cookie for longer":                          {set: "stickiness.lb_cookie.duration_seconds=604801", code: "ValidationError"},
		"a cookie at a network load balancer":          {protocol: "TCP", set: "stickiness.type=lb_cookie", code: "InvalidConfigurationRequest"},
		"stickiness by address":                        {protocol: "TCP", set: "stickiness.enabled=true stickiness.type=source_ip"},
		"stickiness of TLS":                            {protocol: "TLS", set: "stickiness.enabled=true", code: "InvalidConfigurationRequest"},
		"an application's cookie without a name":       {set: "stickiness.enabled=true stickiness.type=app_cookie", code: "InvalidConfigurationRequest"},
		"an application's cookie":                      {set: "stickiness.enabled=true stickiness.type=app_cookie stickiness.app_cookie.cookie_name=SESSION"},
		"a cookie with a reserved name":                {set: "stickiness.app_cookie.cookie_name=AWSALBTG", code: "InvalidConfigurationRequest"},
		"stickiness without crossing zones":            {set: "stickiness.enabled=true load_balancing.cross_zone.enabled=false", code: "InvalidConfigurationRequest"},
		"a switch that is neither":                     {set: "stickiness.enabled=yes", code: "ValidationError"},
		"random weights that mitigate anomalies":       {set: "load_balancing.algorithm.type=weighted_random load_balancing.algorithm.anomaly_mitigation=on"},
		"turns that mitigate anomalies":                {set: "load_balancing.algorithm.anomaly_mitigation=on", code: "InvalidConfigurationRequest"},
		"no threshold for DNS":                         {set: "target_group_health.dns_failover.minimum_healthy_targets.count=off"},
		"no threshold for routing":                     {set: "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count=off", code: "ValidationError"},
		"half of the targets":                          {set: "target_group_health.dns_failover.minimum_healthy_targets.percentage=50 target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage=50"},
		"a threshold for DNS below that for routing":   {set: "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count=2", code: "InvalidConfigurationRequest"},
		"101 percent":                                  {set: "target_group_health.dns_failover.minimum_healthy_targets.percentage=101", code: "ValidationError"},
		"UDP without the client's address":             {protocol: "UDP", set: "preserve_client_ip.enabled=false", code: "InvalidConfigurationRequest"},
		"UDP that ends connections to unhealthy":       {protocol: "UDP", set: "target_health_state.unhealthy.connection_termination.enabled=true", code: "InvalidConfigurationRequest"},
		"draining of unhealthy targets that are ended": {protocol: "TCP", set: "target_health_state.unhealthy.draining_interval_seconds=60", code: "InvalidConfigurationRequest"},
		"draining of unhealthy targets":                {protocol: "TCP", set: "target_health_state.unhealthy.draining_interval_seconds=60 target_health_state.unhealthy.connection_termination.enabled=false"},
		"an attribute that isn't there":                {set: "stickiness.forever=true", code: "ValidationError"},
		"an attribute twice":                           {set: "stickiness.enabled=true stickiness.enabled=false", code: "ValidationError"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, aws.Options{})
			if c.protocol == "" {
				c.protocol = "HTTP"
			}
			group := w.groupOf(t, "group", elbtypes.ProtocolEnum(c.protocol))
			want := w.attributes(t, group)
			pairs := strings.Fields(c.set)
			if err := w.setAttributes(t, group, pairs...); code(t, err) != c.code {
				t.Fatalf("code %q, want %q (%v)", code(t, err), c.code, err)
			}
			for _, pair := range pairs {
				if key, value, _ := strings.Cut(pair, "="); c.code == "" {
					want[key] = value
				}
			}
			if diff := cmp.Diff(want, w.attributes(t, group)); diff != "" {
				t.Errorf("attributes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAttributesOfLoadBalancers(t *testing.T) {
	w := newWorld(t, aws.Options{})
	application, network := w.balancer(t, "app"), w.networkBalancer(t, "net")
	read := func(balancer, key string) string {
		t.Helper()
		out := must[*elbv2.DescribeLoadBalancerAttributesOutput](t)(w.elb.DescribeLoadBalancerAttributes(t.Context(), &elbv2.DescribeLoadBalancerAttributesInput{LoadBalancerArn: &balancer}))
		for _, a := range out.Attributes {
			if *a.Key == key {
				return *a.Value
			}
		}
		return "absent"
	}
	for _, step := range []struct{ balancer, key, value, code, then string }{
		{application, "load_balancing.cross_zone.enabled", "true", "", "true"},
		{application, "load_balancing.cross_zone.enabled", "false", "InvalidConfigurationRequest", "true"},
		{network, "load_balancing.cross_zone.enabled", "maybe", "ValidationError", "false"},
		{network, "load_balancing.cross_zone.enabled", "true", "", "true"},
		{application, "idle_timeout.timeout_seconds", "4001", "ValidationError", "60"},
		{application, "idle_timeout.timeout_seconds", "4000", "", "4000"},
		{network, "idle_timeout.timeout_seconds", "60", "InvalidConfigurationRequest", "absent"},
		{network, "dns_record.client_routing_policy", "availability_zone_affinity", "", "availability_zone_affinity"},
		{application, "access_logs.s3.enabled", "true", "InvalidConfigurationRequest", "false"},
		{application, "deletion_protection.enabled", "true", "", "true"},
	} {
		_, err := w.elb.ModifyLoadBalancerAttributes(t.Context(), &elbv2.ModifyLoadBalancerAttributesInput{
			LoadBalancerArn: &step.balancer, Attributes: []elbtypes.LoadBalancerAttribute{{Key: &step.key, Value: &step.value}},
		})
		if got := code(t, err); got != step.code {
			t.Errorf("%s=%s: %q, want %q", step.key, step.value, got, step.code)
		}
		if got := read(step.balancer, step.key); got != step.then {
			t.Errorf("after %s=%s it is %q, want %q", step.key, step.value, got, step.then)
		}
	}
	_, err := w.elb.DeleteLoadBalancer(t.Context(), &elbv2.DeleteLoadBalancerInput{LoadBalancerArn: &application})
	if c := code(t, err); c != "OperationNotPermitted" {
		t.Errorf("deleting what is protected: %q", c)
	}
	_, err = w.elb.DescribeLoadBalancerAttributes(t.Context(), &elbv2.DescribeLoadBalancerAttributesInput{LoadBalancerArn: sdk.String(application + "0")})
	if c := code(t, err); c != "LoadBalancerNotFound" {
		t.Errorf("attributes of nothing: %q", c)
	}
}
