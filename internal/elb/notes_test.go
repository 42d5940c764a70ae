package elb

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func TestWhatElseDecidesWhereUsersGoIsNoted(t *testing.T) {
	t.Parallel()
	lb := balancerOf(ruleARN)
	cases := map[string]struct {
		setup func(f *fakeELB)
		want  string // a part of a note
		none  bool   // there must not be such a note
	}{
		"slow start":               {func(f *fakeELB) { f.attrs[greenTG] = map[string]string{attrSlowStart: "60"} }, "green's target group has a slow start of 60 s: it counts from a target's registration", false},
		"no slow start":            {func(f *fakeELB) { f.attrs[greenTG] = map[string]string{attrSlowStart: "0"} }, "slow start", true},
		"fail-open":                {func(f *fakeELB) { f.attrs[greenTG] = map[string]string{attrOpenCount: "2", attrOpenPercent: "50"} }, "with fewer than 2 or 50 % healthy targets", false},
		"fail-open by number only": {func(f *fakeELB) { f.attrs[greenTG] = map[string]string{attrOpenCount: "1", attrOpenPercent: "off"} }, "fewer than 1 healthy", false},
		"deregistration delay":     {func(f *fakeELB) { f.attrs[blueTG] = map[string]string{attrDrain: "300"} }, "leaves blue's target group finishes its requests for up to 300 s", false},
		"cookies of the group": {func(f *fakeELB) {
			f.attrs[greenTG] = map[string]string{attrSticky: "true", attrStickyType: "lb_cookie", "stickiness.lb_cookie.duration_seconds": "3600"}
		}, "on one target (lb_cookie, for 1h0m0s)", false},
		"source addresses": {func(f *fakeELB) {
			f.attrs[greenTG] = map[string]string{attrSticky: "true", attrStickyType: "source_ip"}
		}, "on one target (source_ip)", false},
		"cross-zone off by parent": {func(f *fakeELB) { f.attrs[lb] = map[string]string{attrCrossZone: "false"} }, "cross-zone is off", false},
		"cross-zone on by the group": {func(f *fakeELB) {
			f.attrs[lb] = map[string]string{attrCrossZone: "false"}
			f.attrs[greenTG] = map[string]string{attrCrossZone: "true"}
		}, "cross-zone", true},
		"a zone without green": {func(f *fakeELB) {
			f.attrs[lb] = map[string]string{attrCrossZone: "true"}
			f.attrs[greenTG] = map[string]string{attrCrossZone: "false"}
			f.health[greenTG] = []types.TargetHealthStateEnum{"healthy"}
		}, "green has no targets in eu-west-1b", false},
		"attributes that are denied": {func(f *fakeELB) {
			f.script["DescribeLoadBalancerAttributes"] = []fault{{err: apiError("AccessDenied")}}
		}, "grant elasticloadbalancing:DescribeLoadBalancerAttributes", false},
		"a group's that are denied": {func(f *fakeELB) {
			f.script["DescribeTargetGroupAttributes"] = []fault{{err: apiError("AccessDenied")}, {err: apiError("AccessDenied")}}
		}, "grant elasticloadbalancing:DescribeTargetGroupAttributes", false},
		"another target group": {func(f *fakeELB) {
			f.rules[ruleARN] = []types.Action{forwardTo(map[string]int32{blueTG: 75, greenTG: 25, "arn:third": 100}, false)}
		}, "1 other target groups have weight 100 together, and keep it: green gets G/(B+G+O) = 25/200, which is 12.5 % of all users", false},
		"an unreadable tag of ours": {func(f *fakeELB) { f.tags[ruleARN][StickinessTag] = "?" }, "the tag " + StickinessTag, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := webAt(25)
				c.setup(f)
				got := readWeb(t, newAdapter(f))
				if found := strings.Contains(strings.Join(got.Notes, "\n"), c.want); got.Err != "" || found == c.none {
					t.Errorf("got %q (%s), want %q", got.Notes, got.Err, c.want)
				}
			})
		})
	}
}

// Attributes explain, and must cost next to nothing: also where they can't be read.
func TestAttributesAreReadEveryFiveMinutesAndNeverAtRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := webAt(25)
		f.attrs[greenTG] = map[string]string{attrSlowStart: "60"}
		f.script["DescribeLoadBalancerAttributes"] = []fault{{err: apiError("AccessDenied")}}
		a := newAdapter(f)
		looked := func() int {
			return f.count("DescribeTargetGroupAttributes") + f.count("DescribeLoadBalancerAttributes")
		}
		for _, s := range []struct {
			after     time.Duration
			attention shift.Attention
			calls     int
			noted     bool
		}{
			{0, shift.Resting, 0, false}, {0, shift.Watching, 3, true}, {4 * time.Minute, shift.Watching, 3, true},
			{0, shift.Resting, 3, true}, {2 * time.Minute, shift.Watching, 6, true},
		} {
			time.Sleep(s.after)
			got := a.Read(t.Context(), []shift.Entrance{entrance()}, s.attention)[0]
			if noted := strings.Contains(strings.Join(got.Notes, " "), "slow start of 60 s"); looked() != s.calls || noted != s.noted {
				t.Errorf("%+v: %d calls, notes %q", s, looked(), got.Notes)
			}
		}
	})
}

func TestTargetsAreCountedByWhatTheyProve(t *testing.T) {
	t.Parallel()
	target := func(state types.TargetHealthStateEnum, reason types.TargetHealthReasonEnum, zone string) types.TargetHealthDescription {
		return types.TargetHealthDescription{Target: &types.TargetDescription{AvailabilityZone: &zone}, TargetHealth: &types.TargetHealth{State: state, Reason: reason}}
	}
	cases := map[string]struct {
		targets []types.TargetHealthDescription
		healthy int
		total   int
		note    string
		lack    string
	}{
		"none at all":              {nil, 0, 0, "has no targets: attach", "0 healthy targets of 0"},
		"draining ones only":       {[]types.TargetHealthDescription{target("draining", "", "a"), target("unhealthy.draining", "", "a")}, 0, 0, "all of its 2 targets are draining", "0 healthy targets of 0"},
		"of a group not in use":    {[]types.TargetHealthDescription{target("unused", "Target.NotInUse", "a")}, 0, 1, "add the group with weight 0", "0 healthy targets of 1"},
		"stopped ones":             {[]types.TargetHealthDescription{target("unused", "Target.InvalidState", "a")}, 0, 1, "1 unused (Target.InvalidState)", "0 healthy"},
		"with health checks off":   {[]types.TargetHealthDescription{target("unavailable", "Target.HealthCheckDisabled", "a")}, 0, 1, "switch them on", "0 healthy"},
		"healthy in every zone":    {[]types.TargetHealthDescription{target("healthy", "", "a"), target("healthy", "", "b")}, 2, 2, "", ""},
		"healthy in one zone only": {[]types.TargetHealthDescription{target("healthy", "", "a"), target("healthy", "", "a"), target("initial", "", "b")}, 2, 3, "1 initial", "0 healthy targets of 1 in zone b"},
		"some in no zone":          {[]types.TargetHealthDescription{target("healthy", "", ""), target("healthy", "", "all")}, 2, 2, "", ""},
		"of unknown state":         {[]types.TargetHealthDescription{{}}, 0, 1, "1 unavailable", "0 healthy"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := count(c.targets)
			lack := got.enough(shift.BalancerEntrance{MinHealthyPerZone: 1})
			if !got.Known || got.Healthy != c.healthy || got.Total != c.total || !strings.Contains(got.Note, c.note) || (got.Note == "") != (c.note == "") {
				t.Errorf("got %+v", got)
			}
			if !strings.Contains(lack, c.lack) || (lack == "") != (c.lack == "") {
				t.Errorf("it lacks %q, want %q", lack, c.lack)
			}
		})
	}
}

func TestZonesThatAWSDoesNotTellAreNoted(t *testing.T) {
	t.Parallel()
	e := *entrance().Balancer
	e.MinHealthyPerZone = 1
	v := view{health: map[string]counted{greenTG: count([]types.TargetHealthDescription{{Target: &types.TargetDescription{Id: aws.String("i-1")}, TargetHealth: &types.TargetHealth{State: "healthy"}}})}}
	if notes := v.notes(e, action{arn: ruleARN}); len(notes) != 1 || !strings.Contains(notes[0], "no zone of 1 of green's targets") {
		t.Errorf("notes %q", notes)
	}
}
