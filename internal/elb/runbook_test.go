package elb

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func TestTheRunbookHasTheWholeListOfActions(t *testing.T) {
	t.Parallel()
	f := webAt(25)
	sticky(f)
	f.rules[ruleARN][0].AuthenticateOidcConfig.Scope = aws.String("it's open&id")
	a := newAdapter(f)
	readWeb(t, a)
	calls := len(f.calls)
	got, err := a.Runbook(entrance())
	if err != nil || len(got) != 3 || len(f.calls) != calls {
		t.Fatalf("got %q, %v after %q", got, err, f.calls[calls:])
	}
	cli := "aws elbv2 --region 'eu-west-1' --output json "
	for i, begin := range []string{"modify-rule --rule-arn '" + ruleARN + "' --actions '", "modify-rule --rule-arn '" + ruleARN + "' --actions '", "describe-rules --rule-arns '" + ruleARN + "'"} {
		if !strings.HasPrefix(got[i], cli+begin) {
			t.Errorf("command %d is %s", i, got[i])
		}
	}
	for i, on := range []bool{true, false} {
		_, text, _ := strings.Cut(got[i], "--actions ")
		var list []types.Action
		if err := json.Unmarshal([]byte(strings.ReplaceAll(strings.Trim(text, "'"), `'\''`, "'")), &list); err != nil {
			t.Fatal(err)
		}
		want, err := planWeights(planStickiness(f.rules[ruleARN], on, 0), map[string]int32{blueTG: 100, greenTG: 0})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(writable(want), list, ignoreSerde); diff != "" {
			t.Errorf("command %d (-want +got):\n%s", i, diff)
		}
		if strings.Contains(text, "null") {
			t.Errorf("command %d has what isn't set: %s", i, text)
		}
	}
}

func TestARunbookThatCannotBeMadeSaysWhy(t *testing.T) {
	t.Parallel()
	dns := shift.Entrance{Name: "dns", Route53: &shift.Route53Entrance{}}
	cases := map[string]struct {
		e     shift.Entrance
		setup func(f *fakeELB)
		want  string
	}{
		"before the first reading":   {entrance(), nil, "was not read yet"},
		"for another kind":           {dns, nil, "is not a load balancer's"},
		"for a rule without a green": {entrance(), func(f *fakeELB) { f.rules[ruleARN] = []types.Action{forwardTo(map[string]int32{blueTG: 1}, false)} }, "add it with weight 0"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := webAt(25)
			a := newAdapter(f)
			if c.setup != nil {
				c.setup(f)
				readWeb(t, a)
			}
			if got, err := a.Runbook(c.e); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestAForwardWithAShortNameIsOneGroup(t *testing.T) {
	t.Parallel()
	f := webAt(0)
	f.rules[ruleARN] = []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: aws.String(blueTG)}}
	got := readWeb(t, newAdapter(f))
	if !strings.Contains(got.Err, "doesn't forward to target group "+greenTG) {
		t.Errorf("got %+v", got)
	}
	both := forwardTo(map[string]int32{blueTG: 1}, false)
	both.TargetGroupArn = aws.String(blueTG)
	once := forwardTo(map[string]int32{blueTG: 1}, false)
	if (action{actions: []types.Action{both}}).token() != (action{actions: []types.Action{once}}).token() {
		t.Error("the short name beside the long one makes another token")
	}
	both.ForwardConfig = forwardTo(map[string]int32{blueTG: 1, greenTG: 0}, false).ForwardConfig
	if got := writable([]types.Action{both}); got[0].TargetGroupArn != nil {
		t.Error("the short name is written beside two groups")
	}
}
