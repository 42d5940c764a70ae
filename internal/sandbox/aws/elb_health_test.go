package aws_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

func TestTargetHealthFollowsUseAndChecks(t *testing.T) {
	clk := newClock()
	w := newWorld(t, aws.Options{Now: clk.now, DeregistrationDelay: 20 * time.Second})
	blue := w.group(t, "blue", "10.0.0.1", "10.0.0.2")
	health := func() string {
		t.Helper()
		out := must[*elbv2.DescribeTargetHealthOutput](t)(w.elb.DescribeTargetHealth(t.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &blue}))
		got := ""
		for _, d := range out.TargetHealthDescriptions {
			got += fmt.Sprintf("%s %s %s; ", *d.Target.Id, d.TargetHealth.State, d.TargetHealth.Reason)
		}
		return got
	}
	expect := func(when, want string) {
		t.Helper()
		if got := health(); got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
		group := w.TargetGroups()[0]
		for i, target := range group.Targets {
			if !strings.Contains(strings.Split(want, ";")[i], string(target.State)) {
				t.Errorf("%s: the edge is told %+v", when, group.Targets)
			}
		}
	}
	expect("before any rule names the group", "10.0.0.1 unused Target.NotInUse; 10.0.0.2 unused Target.NotInUse; ")
	w.SetTargetHealth(blue, "10.0.0.1", 8080, routing.Healthy, "")
	expect("after a check of an unused target", "10.0.0.1 unused Target.NotInUse; 10.0.0.2 unused Target.NotInUse; ")
	w.listener(t, w.balancer(t, "shop"), 80, forward(share{blue, 0}))
	expect("attached with weight 0", "10.0.0.1 initial Elb.RegistrationInProgress; 10.0.0.2 initial Elb.RegistrationInProgress; ")
	w.SetTargetHealth(blue, "10.0.0.1", 8080, routing.Healthy, "")
	w.SetTargetHealth(blue, "10.0.0.2", 8080, routing.Unhealthy, "Target.Timeout")
	expect("checked", "10.0.0.1 healthy ; 10.0.0.2 unhealthy Target.Timeout; ")
	must[*elbv2.DeregisterTargetsOutput](t)(w.elb.DeregisterTargets(t.Context(), &elbv2.DeregisterTargetsInput{
		TargetGroupArn: &blue, Targets: []elbtypes.TargetDescription{{Id: sdk.String("10.0.0.1"), Port: sdk.Int32(8080)}},
	}))
	expect("deregistered", "10.0.0.1 draining Target.DeregistrationInProgress; 10.0.0.2 unhealthy Target.Timeout; ")
	clk.advance(20 * time.Second)
	if n := len(w.TargetGroups()[0].Targets); n != 1 {
		t.Errorf("the edge still has %d targets after the deregistration delay, want 1", n)
	}
	expect("drained", "10.0.0.2 unhealthy Target.Timeout; ")
}

func TestEdgeSeesWhatIsStored(t *testing.T) {
	w := newWorld(t, aws.Options{LoadBalancerAddress: func(string) string { return "127.0.1.1" }, HealthCheckInterval: time.Second})
	e := newEntrance(t, w)
	if err := e.modify(t, sticky(forward(share{e.blue, 90}, share{e.green, 10}), sdk.Int32(60))); err != nil {
		t.Fatal(err)
	}
	want := []routing.Listener{{
		ARN: e.listenerARN, LoadBalancerARN: e.balancerARN, Address: "127.0.1.1", Port: 80,
		Rules: []routing.Rule{
			{ARN: e.ruleARN, Hosts: []string{"shop.example.com"}, Forward: []routing.WeightedGroup{{TargetGroupARN: e.blue, Weight: 90}, {TargetGroupARN: e.green, Weight: 10}}, Stickiness: time.Minute},
			{FixedStatus: 404},
		},
	}}
	got := e.Listeners()
	want[0].Rules[1].ARN = got[0].Rules[1].ARN
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("listeners (-want +got):\n%s", diff)
	}
	check := routing.HealthCheck{Interval: time.Second, Timeout: time.Second, Path: "/healthz", Healthy: 2, Unhealthy: 2, StatusFrom: 200, StatusTo: 299}
	if diff := cmp.Diff(check, e.TargetGroups()[0].HealthCheck); diff != "" {
		t.Errorf("health check (-want +got):\n%s", diff)
	}
	must[*elbv2.DeleteLoadBalancerOutput](t)(e.elb.DeleteLoadBalancer(t.Context(), &elbv2.DeleteLoadBalancerInput{LoadBalancerArn: &e.balancerARN}))
	if len(e.Listeners()) != 0 || e.TargetGroups()[0].Attached {
		t.Errorf("after the load balancer is deleted: %+v, attached %t", e.Listeners(), e.TargetGroups()[0].Attached)
	}
	must[*elbv2.DeleteTargetGroupOutput](t)(e.elb.DeleteTargetGroup(t.Context(), &elbv2.DeleteTargetGroupInput{TargetGroupArn: &e.green}))
}
