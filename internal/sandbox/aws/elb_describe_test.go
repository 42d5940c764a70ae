package aws_test

import (
	"fmt"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

func TestDescribingByARNsIsAllOrNothing(t *testing.T) {
	e := newEntrance(t, newWorld(t, aws.Options{}))
	gone := e.newRule(t, e.listenerARN, 20, fixed("200"))
	other := e.newRule(t, e.listenerARN, 30, fixed("200"))
	must[*elbv2.DeleteRuleOutput](t)(e.elb.DeleteRule(t.Context(), &elbv2.DeleteRuleInput{RuleArn: &gone}))
	out := must[*elbv2.DescribeRulesOutput](t)(e.elb.DescribeRules(t.Context(), &elbv2.DescribeRulesInput{RuleArns: []string{other, e.ruleARN}}))
	if len(out.Rules) != 2 || *out.Rules[0].RuleArn != other {
		t.Errorf("two rules by ARN came back as %+v", out.Rules)
	}
	for name, call := range map[string]func() error{
		"RuleNotFound": func() error {
			_, err := e.elb.DescribeRules(t.Context(), &elbv2.DescribeRulesInput{RuleArns: []string{e.ruleARN, gone}})
			return err
		},
		"ListenerNotFound": func() error {
			_, err := e.elb.DescribeListeners(t.Context(), &elbv2.DescribeListenersInput{ListenerArns: []string{e.listenerARN, e.listenerARN + "0"}})
			return err
		},
		"TargetGroupNotFound": func() error {
			_, err := e.elb.DescribeTargetGroups(t.Context(), &elbv2.DescribeTargetGroupsInput{TargetGroupArns: []string{e.blue, e.blue + "0"}})
			return err
		},
		"LoadBalancerNotFound": func() error {
			_, err := e.elb.DescribeListeners(t.Context(), &elbv2.DescribeListenersInput{LoadBalancerArn: sdk.String(e.balancerARN + "0")})
			return err
		},
	} {
		if got := code(t, call()); got != name {
			t.Errorf("code %q, want %q", got, name)
		}
	}
}

func TestListenersArePaged(t *testing.T) {
	e := newEntrance(t, newWorld(t, aws.Options{}))
	for port := range int32(4) {
		e.listener(t, e.balancerARN, 8000+port, fixed("200"))
	}
	e.listener(t, e.balancer(t, "other"), 9000, fixed("200"))
	var ports []int32
	pages := elbv2.NewDescribeListenersPaginator(e.elb, &elbv2.DescribeListenersInput{LoadBalancerArn: &e.balancerARN, PageSize: sdk.Int32(2)})
	for n := 0; pages.HasMorePages(); n++ {
		out := must[*elbv2.DescribeListenersOutput](t)(pages.NextPage(t.Context()))
		if len(out.Listeners) > 2 {
			t.Errorf("page %d has %d listeners", n, len(out.Listeners))
		}
		for _, l := range out.Listeners {
			ports = append(ports, *l.Port)
		}
	}
	if diff := cmp.Diff([]int32{80, 8000, 8001, 8002, 8003}, ports); diff != "" {
		t.Errorf("ports (-want +got):\n%s", diff)
	}
}

func TestTagsHaveLimits(t *testing.T) {
	tag := func(key, value string) elbtypes.Tag { return elbtypes.Tag{Key: &key, Value: &value} }
	var many []elbtypes.Tag
	for i := range 51 {
		many = append(many, tag(fmt.Sprintf("k%d", i), "v"))
	}
	for name, c := range map[string]struct {
		tags []elbtypes.Tag
		code string
	}{
		"fifty tags":                {tags: many[:50]},
		"51 tags":                   {tags: many, code: "TooManyTags"},
		"one key twice":             {tags: []elbtypes.Tag{tag("a", "1"), tag("a", "2")}, code: "DuplicateTagKeys"},
		"a key of AWS's own":        {tags: []elbtypes.Tag{tag("aws:owner", "1")}, code: "ValidationError"},
		"no key":                    {tags: []elbtypes.Tag{tag("", "1")}, code: "ValidationError"},
		"no value":                  {tags: []elbtypes.Tag{tag("a", "")}},
		"the longest key and value": {tags: []elbtypes.Tag{tag(strings.Repeat("ä", 128), strings.Repeat("ä", 256))}},
		"a longer key":              {tags: []elbtypes.Tag{tag(strings.Repeat("a", 129), "1")}, code: "ValidationError"},
		"a longer value":            {tags: []elbtypes.Tag{tag("a", strings.Repeat("a", 257))}, code: "ValidationError"},
		"all that is allowed":       {tags: []elbtypes.Tag{tag("k8s.io/a_b-c", "x=1 + - = . _ : / @")}},
		"a semicolon":               {tags: []elbtypes.Tag{tag("mark", "a;b")}, code: "ValidationError"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEntrance(t, newWorld(t, aws.Options{}))
			for _, arn := range []string{e.balancerARN, e.listenerARN, e.ruleARN, e.blue} {
				_, err := e.elb.AddTags(t.Context(), &elbv2.AddTagsInput{ResourceArns: []string{arn}, Tags: c.tags})
				if got := code(t, err); got != c.code {
					t.Errorf("%s: code %q, want %q", arn, got, c.code)
				}
				out := must[*elbv2.DescribeTagsOutput](t)(e.elb.DescribeTags(t.Context(), &elbv2.DescribeTagsInput{ResourceArns: []string{arn}}))
				if n := len(out.TagDescriptions[0].Tags); (n == len(c.tags)) != (c.code == "") {
					t.Errorf("%s has %d tags", arn, n)
				}
			}
		})
	}
	e := newEntrance(t, newWorld(t, aws.Options{}))
	must[*elbv2.AddTagsOutput](t)(e.elb.AddTags(t.Context(), &elbv2.AddTagsInput{ResourceArns: []string{e.ruleARN}, Tags: many[:50]}))
	_, err := e.elb.AddTags(t.Context(), &elbv2.AddTagsInput{ResourceArns: []string{e.blue, e.ruleARN}, Tags: many[50:]})
	if c := code(t, err); c != "TooManyTags" {
		t.Errorf("the 51st tag: %q", c)
	}
	out := must[*elbv2.DescribeTagsOutput](t)(e.elb.DescribeTags(t.Context(), &elbv2.DescribeTagsInput{ResourceArns: []string{e.blue}}))
	if len(out.TagDescriptions[0].Tags) != 0 {
		t.Error("a refused AddTags tagged the first resource")
	}
}

func TestTagsComeWithWhatIsCreatedAndGoWithIt(t *testing.T) {
	w := newWorld(t, aws.Options{})
	tags := []elbtypes.Tag{{Key: sdk.String("team"), Value: sdk.String("shop")}}
	balancer := w.balancer(t, "shop")
	listener := must[*elbv2.CreateListenerOutput](t)(w.elb.CreateListener(t.Context(), &elbv2.CreateListenerInput{
		LoadBalancerArn: &balancer, Protocol: "HTTP", Port: sdk.Int32(80), DefaultActions: []elbtypes.Action{fixed("404")}, Tags: tags,
	})).Listeners[0].ListenerArn
	rule := must[*elbv2.CreateRuleOutput](t)(w.elb.CreateRule(t.Context(), &elbv2.CreateRuleInput{
		ListenerArn: listener, Priority: sdk.Int32(1), Conditions: hostCondition("a"), Actions: []elbtypes.Action{fixed("200")}, Tags: tags,
	})).Rules[0].RuleArn
	out := must[*elbv2.DescribeTagsOutput](t)(w.elb.DescribeTags(t.Context(), &elbv2.DescribeTagsInput{ResourceArns: []string{*listener, *rule}}))
	for _, d := range out.TagDescriptions {
		if len(d.Tags) != 1 {
			t.Errorf("%s has the tags %+v", *d.ResourceArn, d.Tags)
		}
	}
	must[*elbv2.DeleteListenerOutput](t)(w.elb.DeleteListener(t.Context(), &elbv2.DeleteListenerInput{ListenerArn: listener}))
	_, err := w.elb.DescribeTags(t.Context(), &elbv2.DescribeTagsInput{ResourceArns: []string{*rule}})
	if c := code(t, err); c != "RuleNotFound" {
		t.Errorf("tags of a rule whose listener is gone: %q", c)
	}
}

func TestTargetsHaveZonesStatesAndReasons(t *testing.T) {
	e := newEntrance(t, newWorld(t, aws.Options{}))
	register := func(zone string) error {
		_, err := e.elb.RegisterTargets(t.Context(), &elbv2.RegisterTargetsInput{
			TargetGroupArn: &e.green, Targets: []elbtypes.TargetDescription{{Id: sdk.String("10.1.0.2"), AvailabilityZone: &zone}},
		})
		return err
	}
	for zone, want := range map[string]string{"ap-northeast-1c": "", "all": "", "eu-west-1a": "ValidationError", "ap-northeast-1": "ValidationError", "ap-northeast-1z": "ValidationError"} {
		if got := code(t, register(zone)); got != want {
			t.Errorf("the zone %s: %q, want %q", zone, got, want)
		}
	}
	// Registered again, a target takes the zone that is named last.
	if err := register("ap-northeast-1d"); err != nil {
		t.Fatal(err)
	}
	describe := func(include ...elbtypes.DescribeTargetHealthInputIncludeEnum) []elbtypes.TargetHealthDescription {
		return must[*elbv2.DescribeTargetHealthOutput](t)(e.elb.DescribeTargetHealth(t.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &e.green, Include: include})).TargetHealthDescriptions
	}
	if got := describe(); *got[0].Target.AvailabilityZone != "ap-northeast-1a" || *got[1].Target.AvailabilityZone != "ap-northeast-1d" || got[1].AnomalyDetection != nil {
		t.Errorf("targets %+v", got)
	}
	for _, c := range []struct {
		set    routing.State
		reason string
		state  elbtypes.TargetHealthStateEnum
		want   elbtypes.TargetHealthReasonEnum
	}{
		{routing.Healthy, "", "healthy", ""},
		{routing.Unhealthy, "Target.ResponseCodeMismatch", "unhealthy", "Target.ResponseCodeMismatch"},
		{routing.Unhealthy, "", "unhealthy", "Target.FailedHealthChecks"},
		{routing.UnhealthyDraining, "", "unhealthy.draining", "Target.FailedHealthChecks"},
		{routing.Unavailable, "", "unavailable", "Elb.InternalError"},
		{routing.Initial, "Elb.InitialHealthChecking", "initial", "Elb.InitialHealthChecking"},
		{routing.Draining, "", "initial", "Elb.InitialHealthChecking"},
		{routing.Unused, "", "initial", "Elb.InitialHealthChecking"},
	} {
		e.SetTargetHealth(e.green, "10.1.0.2", 8080, c.set, c.reason)
		got := describe("All")[1]
		if got.TargetHealth.State != c.state || got.TargetHealth.Reason != c.want || (c.want == "") != (got.TargetHealth.Description == nil) {
			t.Errorf("set to %s %q it is %+v", c.set, c.reason, got.TargetHealth)
		}
		if got.AnomalyDetection.Result != "normal" || got.AdministrativeOverride.State != "no_override" {
			t.Errorf("neither anomaly nor override came back as %+v, %+v", got.AnomalyDetection, got.AdministrativeOverride)
		}
	}
	unknown := must[*elbv2.DescribeTargetHealthOutput](t)(e.elb.DescribeTargetHealth(t.Context(), &elbv2.DescribeTargetHealthInput{
		TargetGroupArn: &e.green, Targets: []elbtypes.TargetDescription{{Id: sdk.String("10.9.9.9")}},
	})).TargetHealthDescriptions[0]
	if unknown.TargetHealth.State != "unused" || unknown.TargetHealth.Reason != "Target.NotRegistered" {
		t.Errorf("a target that isn't registered is %+v", unknown.TargetHealth)
	}
}

func TestTheDeregistrationDelayIsTheGroups(t *testing.T) {
	clk := newClock()
	e := newEntrance(t, newWorld(t, aws.Options{Now: clk.now}))
	if err := e.setAttributes(t, e.blue, "deregistration_delay.timeout_seconds=7"); err != nil {
		t.Fatal(err)
	}
	must[*elbv2.DeregisterTargetsOutput](t)(e.elb.DeregisterTargets(t.Context(), &elbv2.DeregisterTargetsInput{
		TargetGroupArn: &e.blue, Targets: []elbtypes.TargetDescription{{Id: sdk.String("10.0.0.1"), Port: sdk.Int32(8080)}},
	}))
	for second := range 8 {
		if n, want := len(e.TargetGroups()[0].Targets), 1-second/7; n != want {
			t.Errorf("after %d s there are %d targets, want %d", second, n, want)
		}
		clk.advance(1e9)
	}
}
