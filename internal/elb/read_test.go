package elb

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

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
		attrs:  map[string]map[string]string{},
		former: map[string][]types.Action{},
		script: map[string][]fault{},
	}
}

func newAdapter(f *fakeELB) *Adapter {
	return New(options(f, time.Now))
}

func options(f *fakeELB, now func() time.Time) Options {
	return Options{Rules: f, Listeners: f, Health: f, Tags: f, Attributes: f, Now: now}
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
		Name: "web", At: got.At, Token: got.Token, Weights: shift.Weights{Blue: 75, Green: 25}, InSync: true, Mark: new(mark(2, 5, 25)),
		BlueTargets: shift.Targets{Known: true, Healthy: 2, Total: 2, Zones: []shift.ZoneTargets{{Zone: "eu-west-1a", Healthy: 1, Total: 1}, {Zone: "eu-west-1b", Healthy: 1, Total: 1}}},
		GreenTargets: shift.Targets{
			Known: true, Healthy: 1, Total: 5, Zones: []shift.ZoneTargets{{Zone: "eu-west-1a", Healthy: 1, Total: 3}, {Zone: "eu-west-1b", Total: 2}},
			Note: "1 initial (its first health checks are under way); 1 unavailable; 1 unhealthy; 1 unused",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" || got.Token == "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(f.calls) != 7 { // rule, tags, two of health, three of attributes
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
		"the default rule":       {func(f *fakeELB) { f.deflt = map[string]bool{ruleARN: true} }, []string{"default rule", "set listenerARN: " + listenerOf(ruleARN)}},
		"a missing green":        {func(f *fakeELB) { f.rules[ruleARN] = []types.Action{forwardTo(map[string]int32{blueTG: 100}, false)} }, []string{greenTG, "weight 0"}},
		"a third target group": {func(f *fakeELB) {
			f.rules[ruleARN] = []types.Action{forwardTo(map[string]int32{blueTG: 30, greenTG: 10, "arn:third": 7}, false)}
		}, []string{"weight 7", "set blue to 75 and green to 25"}},
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

func TestAControllerIsNamedAsTheOwner(t *testing.T) {
	t.Parallel()
	for key, name := range map[string]string{
		"elbv2.k8s.aws/cluster": "the aws-load-balancer-controller", "ingress.k8s.aws/stack": "the aws-load-balancer-controller",
		"ingress.k8s.aws/resource": "the aws-load-balancer-controller", "ingress.k8s.aws/cluster": "the aws-load-balancer-controller",
		"service.k8s.aws/stack": "the aws-load-balancer-controller", "service.k8s.aws/resource": "the aws-load-balancer-controller",
		"gateway.k8s.aws.alb/stack": "the aws-load-balancer-controller", "gateway.k8s.aws.nlb/resource": "the aws-load-balancer-controller",
		"eks:eks-cluster-name": "EKS Auto Mode", "ingress.eks.amazonaws.com/stack": "EKS Auto Mode", "service.eks.amazonaws.com/resource": "EKS Auto Mode",
		"kubernetes.io/service-name": "Kubernetes' cloud controller",
	} {
		for what, arn := range map[string]string{"rule": ruleARN, "listener": listenerOf(ruleARN), "load balancer": balancerOf(ruleARN)} {
			f := webAt(0)
			f.tags[arn] = map[string]string{key: "shop-v134"}
			got := readWeb(t, newAdapter(f)).Owner
			if !strings.HasPrefix(got, name+" ("+key+"=shop-v134)") || !strings.Contains(got, "docs/load-balancers.md") {
				t.Errorf("%s at the %s: owner %q", key, what, got)
			}
		}
	}
	f := webAt(0)
	f.tags[greenTG] = map[string]string{"elbv2.k8s.aws/cluster": "shop-v137"}
	if got := readWeb(t, newAdapter(f)); got.Owner != "" || !slices.ContainsFunc(got.Notes, func(n string) bool {
		return strings.Contains(n, "was made by the aws-load-balancer-controller (elbv2.k8s.aws/cluster=shop-v137)")
	}) {
		t.Errorf("a target group of the controller's makes %q with notes %q", got.Owner, got.Notes)
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
	want := map[string]int{"DescribeRules": 1, "DescribeTags": 3, "DescribeTargetHealth": 2, "DescribeTargetGroupAttributes": 2, "DescribeLoadBalancerAttributes": 1}
	for op, n := range want { // tags: 45 rules, their listener and load balancer, two target groups
		if got := f.count(op); got > n {
			t.Errorf("%d calls of %s, want %d at most", got, op, n)
		}
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
