package elb

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

var clock = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func entrance() shift.Entrance {
	return shift.Entrance{Name: "web", Balancer: &shift.BalancerEntrance{RuleARN: ruleARN, BlueTargetGroupARN: blueTG, GreenTargetGroupARN: greenTG, MinHealthyTargets: 1}}
}

func mark(epoch, version int64, share shift.Share) shift.Mark {
	return shift.Mark{Attempt: 1, Epoch: epoch, Version: version, Phase: shift.Shifting, Share: share}
}

// webAt is a rule that stands at a share behind a login, with an older mark of ours.
func webAt(share shift.Share) *fakeELB {
	w := share.Weights()
	return &fakeELB{
		rules:   map[string][]types.Action{ruleARN: {oidc(), forwardTo(map[string]int32{blueTG: int32(w.Blue), greenTG: int32(w.Green)}, false)}},
		secrets: map[string]string{ruleARN: "s3cret"},
		tags:    map[string]map[string]string{ruleARN: {MarkTag: mark(2, 5, share).String(), "team": "web"}},
		health: map[string][]types.TargetHealthStateEnum{
			blueTG:  {"healthy", "healthy", "draining"},
			greenTG: {"healthy", "initial", "unhealthy", "unused", "unavailable", "unhealthy.draining", "draining"},
		},
		script: map[string][]fault{},
	}
}

func newAdapter(f *fakeELB) *Adapter {
	return New(Options{Rules: f, Health: f, Tags: f, Now: func() time.Time { return clock }})
}

func readWeb(t *testing.T, a *Adapter) shift.EntranceReading {
	t.Helper()
	return a.Read(t.Context(), []shift.Entrance{entrance()}, shift.Watching)[0]
}

func TestReadingARuleTellsWeightsTargetsAndMark(t *testing.T) {
	t.Parallel()
	f := webAt(25)
	a := newAdapter(f)
	got := readWeb(t, a)
	want := shift.EntranceReading{
		Name: "web", At: clock, Token: got.Token, Weights: shift.Weights{Blue: 75, Green: 25}, InSync: true, Mark: new(mark(2, 5, 25)),
		BlueTargets: shift.Targets{Known: true, Healthy: 2, Total: 3}, GreenTargets: shift.Targets{Known: true, Healthy: 1, Total: 7},
	}
	if diff := cmp.Diff(want, got); diff != "" || got.Token == "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(f.calls) != 4 {
		t.Errorf("one reading took %q", f.calls)
	}
	setWeights(75, 26)(f)
	if readWeb(t, a).Token == got.Token {
		t.Error("the token doesn't tell another weight")
	}
}

func TestTheTokenTellsAChangeOfAnyAction(t *testing.T) {
	t.Parallel()
	edits := map[string]func(actions []types.Action){
		"of the login":      func(as []types.Action) { as[0].AuthenticateOidcConfig.Scope = aws.String("openid email") },
		"of the stickiness": func(as []types.Action) { as[1].ForwardConfig.TargetGroupStickinessConfig.Enabled = aws.Bool(true) },
		"of the order":      func(as []types.Action) { as[1].Order = aws.Int32(9) },
	}
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := webAt(25)
			a := newAdapter(f)
			before := readWeb(t, a).Token
			edit(f.rules[ruleARN])
			if readWeb(t, a).Token == before {
				t.Error("the token is the same")
			}
		})
	}
}

func TestWhatCannotBeShiftedIsSaidWithWhatToDo(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		spoil func(f *fakeELB)
		want  []string
	}{
		"a rule that is gone":    {func(f *fakeELB) { delete(f.rules, ruleARN) }, []string{"RuleNotFound", "correct ruleARN"}},
		"a rule without forward": {func(f *fakeELB) { f.rules[ruleARN] = []types.Action{{Type: types.ActionTypeEnumRedirect}} }, []string{"no forward action"}},
		"the default rule":       {func(f *fakeELB) { f.deflt = map[string]bool{ruleARN: true} }, []string{"default rule", "not supported yet"}},
		"a missing green":        {func(f *fakeELB) { f.rules[ruleARN] = []types.Action{forwardTo(map[string]int32{blueTG: 100}, false)} }, []string{greenTG, "weight 0"}},
		"a third target group": {func(f *fakeELB) {
			f.rules[ruleARN] = []types.Action{forwardTo(map[string]int32{blueTG: 50, greenTG: 0, "arn:third": 7}, false)}
		}, []string{"arn:third", "weight 7"}},
		"a mark in other words":     {func(f *fakeELB) { f.tags[ruleARN][MarkTag] = "clusterswitch/v9 all=new" }, []string{"clusterswitch/v9", "delete it"}},
		"no right to read rules":    {func(f *fakeELB) { f.script["DescribeRules"] = []fault{{err: apiError("AccessDenied")}} }, []string{"grant elasticloadbalancing:DescribeRules"}},
		"no right to read the tags": {func(f *fakeELB) { f.script["DescribeTags"] = []fault{{err: apiError("AccessDenied")}} }, []string{"grant elasticloadbalancing:DescribeTags"}},
		"throttling":                {func(f *fakeELB) { f.script["DescribeRules"] = []fault{{err: apiError("Throttling")}} }, []string{"throttled"}},
		"no answer":                 {func(f *fakeELB) { f.script["DescribeRules"] = []fault{{err: errCut}} }, []string{"no answer"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := webAt(0)
			c.spoil(f)
			got := readWeb(t, newAdapter(f))
			for _, want := range c.want {
				if !strings.Contains(got.Err, want) {
					t.Errorf("Err %q doesn't tell %q", got.Err, want)
				}
			}
		})
	}
}

func TestUnreadableHealthIsUnknownNotBad(t *testing.T) {
	t.Parallel()
	f := webAt(25)
	delete(f.health, greenTG)
	got := readWeb(t, newAdapter(f))
	if got.Err != "" || got.GreenTargets.Known || !got.BlueTargets.Known {
		t.Errorf("got %+v", got)
	}
}

func TestTheLoadBalancerControllerIsNamedAsTheOwner(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"elbv2.k8s.aws/cluster", "ingress.k8s.aws/stack", "service.k8s.aws/resource", "gateway.k8s.aws.alb/stack"} {
		f := webAt(0)
		f.tags[ruleARN][key] = "shop-v134"
		if got := readWeb(t, newAdapter(f)); got.Owner != "the aws-load-balancer-controller ("+key+"=shop-v134)" {
			t.Errorf("%s: owner %q", key, got.Owner)
		}
	}
	if got := readWeb(t, newAdapter(webAt(0))); got.Owner != "" {
		t.Errorf("a team's own tag makes %q", got.Owner)
	}
}

func TestManyRulesAreReadInFewCalls(t *testing.T) {
	t.Parallel()
	f := webAt(25)
	var entrances []shift.Entrance
	for i := range 45 {
		e := entrance()
		e.Balancer = new(*e.Balancer)
		e.Name, e.Balancer.RuleARN = fmt.Sprintf("web-%d", i), fmt.Sprintf("%s%d", ruleARN, i)
		f.rules[e.Balancer.RuleARN] = f.rules[ruleARN]
		entrances = append(entrances, e)
	}
	for i, r := range newAdapter(f).Read(t.Context(), entrances, shift.Watching) {
		if r.Err != "" || r.Name != entrances[i].Name {
			t.Errorf("got %+v", r)
		}
	}
	if n := len(f.calls); n != 3+3+2 { // rules, tags, two target groups
		t.Errorf("%d calls: %q", n, f.calls)
	}
}

func TestPagesOfRulesAreJoined(t *testing.T) {
	t.Parallel()
	f := webAt(25)
	f.single = true
	var entrances []shift.Entrance
	for _, arn := range []string{"arn:1", "arn:2", "arn:3"} {
		e := entrance()
		e.Balancer.RuleARN = arn
		f.rules[arn] = f.rules[ruleARN]
		entrances = append(entrances, e)
	}
	for i, r := range newAdapter(f).Read(t.Context(), entrances, shift.Watching) {
		if r.Err != "" {
			t.Errorf("rule %d: %s", i+1, r.Err)
		}
	}
}

func TestOneRuleThatIsGoneHidesNoOther(t *testing.T) {
	t.Parallel()
	gone := entrance()
	gone.Balancer.RuleARN = "arn:gone"
	got := newAdapter(webAt(25)).Read(t.Context(), []shift.Entrance{gone, entrance()}, shift.Watching)
	if got[0].Err == "" || got[1].Err != "" || got[1].Weights.Green != 25 {
		t.Errorf("got %+v", got)
	}
}
