package elb

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

var ignoreSerde = cmpopts.IgnoreUnexported(types.Action{}, types.ForwardActionConfig{}, types.TargetGroupTuple{},
	types.TargetGroupStickinessConfig{}, types.AuthenticateOidcActionConfig{})

// anyActions draws a rule's actions: perhaps a login, then a forward.
func anyActions(t *rapid.T) []types.Action {
	weights := map[string]int32{
		blueTG:  rapid.Int32Range(0, 999).Draw(t, "blue"),
		greenTG: rapid.Int32Range(0, 999).Draw(t, "green"),
	}
	if rapid.Bool().Draw(t, "third") {
		weights["arn:third"] = rapid.Int32Range(0, 999).Draw(t, "third weight")
	}
	actions := []types.Action{forwardTo(weights, rapid.Bool().Draw(t, "sticky"))}
	if rapid.Bool().Draw(t, "login") {
		actions = append([]types.Action{oidc()}, actions...)
	}
	return actions
}

// expected gives what must be written: what was read, with the secret kept.
func expected(actions []types.Action) []types.Action {
	var want []types.Action
	for _, a := range actions {
		if a.AuthenticateOidcConfig != nil {
			a = oidc()
			a.AuthenticateOidcConfig.UseExistingClientSecret = aws.Bool(true)
		} else {
			config := *a.ForwardConfig
			config.TargetGroups = append([]types.TargetGroupTuple(nil), config.TargetGroups...)
			a.ForwardConfig = &config
		}
		want = append(want, a)
	}
	return want
}

func TestAWriteChangesNothingButTheTwoWeights(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		actions := anyActions(t)
		w := shift.Share(rapid.IntRange(0, 100).Draw(t, "share")).Weights()
		before := action{actions: actions}.token()

		got, err := planWeights(actions, map[string]int32{blueTG: int32(w.Blue), greenTG: int32(w.Green)})
		if err != nil {
			t.Fatal(err)
		}
		if (action{actions: actions}).token() != before {
			t.Fatal("planning changed what was read")
		}
		want := expected(actions)
		groups := want[len(want)-1].ForwardConfig.TargetGroups
		groups[0].Weight, groups[1].Weight = aws.Int32(int32(w.Blue)), aws.Int32(int32(w.Green))
		if diff := cmp.Diff(want, writable(got), ignoreSerde); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func TestSwitchingStickinessOffChangesNothingElse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		actions := anyActions(t)
		want := expected(actions)
		sticky := *want[len(want)-1].ForwardConfig.TargetGroupStickinessConfig
		sticky.Enabled = aws.Bool(false)
		want[len(want)-1].ForwardConfig.TargetGroupStickinessConfig = &sticky
		if diff := cmp.Diff(want, writable(planStickiness(actions, false, 0)), ignoreSerde); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func TestAPlanIsRefused(t *testing.T) {
	t.Parallel()
	pair := []types.Action{forwardTo(map[string]int32{blueTG: 100, greenTG: 0}, false)}
	cases := map[string]struct {
		actions []types.Action
		weights map[string]int32
	}{
		"when all weights would be zero":        {pair, map[string]int32{blueTG: 0, greenTG: 0}},
		"when a weight is negative":             {pair, map[string]int32{blueTG: 101, greenTG: -1}},
		"when a weight is above ELB's 999":      {pair, map[string]int32{blueTG: 1000, greenTG: 0}},
		"when a declared group isn't there":     {pair, map[string]int32{blueTG: 100, "arn:gone": 0}},
		"when the rule forwards nothing":        {[]types.Action{{Type: types.ActionTypeEnumFixedResponse}}, map[string]int32{blueTG: 100}},
		"when the rule has no actions whatever": {nil, map[string]int32{blueTG: 100}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := planWeights(c.actions, c.weights); err == nil {
				t.Fatalf("planned %+v", got)
			}
		})
	}
}
