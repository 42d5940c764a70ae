package aws_test

import (
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

// seen is green's weight as DescribeRules answers it.
func (e entrance) seen(t testing.TB) int32 {
	t.Helper()
	return *e.rule(t, e.ruleARN).Actions[0].ForwardConfig.TargetGroups[1].Weight
}

func (e entrance) set(t testing.TB, green int32) {
	t.Helper()
	if err := e.modify(t, forward(share{e.blue, 100 - green}, share{e.green, green})); err != nil {
		t.Fatal(err)
	}
}

func TestStaleReadsLagByATime(t *testing.T) {
	clk := newClock()
	e := newEntrance(t, newWorld(t, aws.Options{Now: clk.now}))
	clearFault := must[func()](t)(e.Inject(aws.Fault{Kind: aws.StaleReads, Service: aws.ELB, Delay: 5 * time.Second}))
	var got []int32
	e.set(t, 10) // at 0 s
	got = append(got, e.seen(t))
	clk.advance(3 * time.Second)
	e.set(t, 20) // at 3 s
	got = append(got, e.seen(t))
	clk.advance(2 * time.Second) // 5 s: the first write shows
	got = append(got, e.seen(t))
	clk.advance(3 * time.Second) // 8 s: the second too
	got = append(got, e.seen(t))
	e.set(t, 30)
	got = append(got, e.seen(t))
	if weight := e.Listeners()[0].Rules[0].Forward[1].Weight; weight != 30 {
		t.Errorf("the edge is told the weight %d, want the newest", weight)
	}
	clearFault()
	got = append(got, e.seen(t))
	if diff := cmp.Diff([]int32{0, 0, 10, 20, 20, 30}, got); diff != "" {
		t.Errorf("weights as read (-want +got):\n%s", diff)
	}
}

func TestStaleReadsLastForACount(t *testing.T) {
	e := newEntrance(t, newWorld(t, aws.Options{}))
	must[func()](t)(e.Inject(aws.Fault{Kind: aws.StaleReads, Service: aws.ELB, Operation: "DescribeRules", Times: 2}))
	got := []int32{e.seen(t), e.seen(t)} // nothing was written: neither counts
	e.set(t, 10)
	e.set(t, 20)
	got = append(got, e.seen(t), e.seen(t), e.seen(t))
	if diff := cmp.Diff([]int32{0, 0, 0, 0, 20}, got); diff != "" {
		t.Errorf("weights as read (-want +got):\n%s", diff)
	}
	must[func()](t)(e.Inject(aws.Fault{Kind: aws.StaleReads, Service: aws.ELB, Times: 1}))
	e.set(t, 30)
	e.ClearFaults()
	if seen := e.seen(t); seen != 30 {
		t.Errorf("after the faults were cleared it reads %d", seen)
	}
}

func TestStaleReadsHideOnlyWhatIsWrittenAfterThem(t *testing.T) {
	clk := newClock() // it stands still
	e := newEntrance(t, newWorld(t, aws.Options{Now: clk.now}))
	must[func()](t)(e.Inject(aws.Fault{Kind: aws.StaleReads, Service: aws.ELB, Operation: "DescribeTags", Times: 1}))
	e.set(t, 10)
	must[func()](t)(e.Inject(aws.Fault{Kind: aws.StaleReads, Service: aws.ELB, Operation: "DescribeRules", Times: 9}))
	got := []int32{e.seen(t)}
	e.set(t, 20)
	got = append(got, e.seen(t))
	if diff := cmp.Diff([]int32{10, 10}, got); diff != "" {
		t.Errorf("weights as read (-want +got):\n%s", diff)
	}
}

func TestStaleReadsShowEverythingAsItWas(t *testing.T) {
	e := newEntrance(t, newWorld(t, aws.Options{}))
	must[func()](t)(e.Inject(aws.Fault{Kind: aws.StaleReads, Service: aws.ELB, Delay: time.Hour}))
	e.listener(t, e.balancer(t, "new"), 80, fixed("200"))
	must[*elbv2.AddTagsOutput](t)(e.elb.AddTags(t.Context(), &elbv2.AddTagsInput{ResourceArns: []string{e.ruleARN}, Tags: []elbtypes.Tag{{Key: sdk.String("mark"), Value: sdk.String("1")}}}))
	must[*elbv2.RegisterTargetsOutput](t)(e.elb.RegisterTargets(t.Context(), &elbv2.RegisterTargetsInput{TargetGroupArn: &e.blue, Targets: []elbtypes.TargetDescription{{Id: sdk.String("10.0.0.9")}}}))
	if err := e.setAttributes(t, e.blue, "slow_start.duration_seconds=30"); err != nil {
		t.Fatal(err)
	}
	must[*elbv2.DeleteLoadBalancerOutput](t)(e.elb.DeleteLoadBalancer(t.Context(), &elbv2.DeleteLoadBalancerInput{LoadBalancerArn: &e.balancerARN}))
	if n := len(must[*elbv2.DescribeLoadBalancersOutput](t)(e.elb.DescribeLoadBalancers(t.Context(), &elbv2.DescribeLoadBalancersInput{})).LoadBalancers); n != 1 {
		t.Errorf("%d load balancers, want the old one alone", n)
	}
	tags := must[*elbv2.DescribeTagsOutput](t)(e.elb.DescribeTags(t.Context(), &elbv2.DescribeTagsInput{ResourceArns: []string{e.ruleARN}}))
	if len(tags.TagDescriptions[0].Tags) != 0 {
		t.Errorf("the new tag is there already: %+v", tags)
	}
	health := must[*elbv2.DescribeTargetHealthOutput](t)(e.elb.DescribeTargetHealth(t.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &e.blue}))
	if n := len(health.TargetHealthDescriptions); n != 1 {
		t.Errorf("%d targets, want the old one alone", n)
	}
	if got := e.attributes(t, e.blue)["slow_start.duration_seconds"]; got != "0" {
		t.Errorf("slow start is %s already", got)
	}
	groups := must[*elbv2.DescribeTargetGroupsOutput](t)(e.elb.DescribeTargetGroups(t.Context(), &elbv2.DescribeTargetGroupsInput{LoadBalancerArn: &e.balancerARN}))
	if len(groups.TargetGroups) != 2 {
		t.Errorf("the old load balancer has %d groups, want 2", len(groups.TargetGroups))
	}
	if c := code(t, e.modify(t, fixed("200"))); c != "RuleNotFound" {
		t.Errorf("a write saw the old state: %q", c)
	}
}

func TestStaleReadsThatCantBeAreRefused(t *testing.T) {
	for name, f := range map[string]aws.Fault{
		"of Route 53":                {Service: aws.Route53, Times: 1},
		"of a write":                 {Service: aws.ELB, Operation: "ModifyRule", Times: 1},
		"of an unknown operation":    {Service: aws.ELB, Operation: "DescribeNothing", Times: 1},
		"without delay and count":    {Service: aws.ELB},
		"of one resource":            {Service: aws.ELB, Times: 1, Resource: "arn"},
		"with a negative delay":      {Service: aws.ELB, Delay: -time.Second},
		"with a negative count":      {Service: aws.ELB, Times: -1},
		"with delay and count apart": {Service: aws.ELB, Delay: time.Second, Times: -1},
	} {
		f.Kind = aws.StaleReads
		if _, err := aws.New(aws.Options{}).Inject(f); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
