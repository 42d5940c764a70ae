package elb_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/clusterswitch/clusterswitch/internal/elb"
	sandbox "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func TestAJourneyUpAndBackAtAStrictELB(t *testing.T) {
	for _, o := range []object{aRule, aDefault, ofNetwork} {
		t.Run("through "+o.String(), func(t *testing.T) {
			sticky := o != ofNetwork
			w := newWorldOf(t, o, 0, sticky)
			a := w.adapter()
			w.cloud.SetTargetHealth(w.green, "10.0.0.2", 8080, routing.Unhealthy, "Target.Timeout")
			if r := w.read(t, a); !r.GreenTargets.Known || r.GreenTargets.Healthy != 1 || r.GreenTargets.Total != 2 || !strings.Contains(r.GreenTargets.Note, "1 unhealthy (Target.Timeout)") || r.Mark != nil {
				t.Errorf("it reads as %+v", r)
			}
			for _, share := range []shift.Share{1, 10, 50, 100} {
				got := a.Commit(t.Context(), []shift.Change{w.change(w.read(t, a), share, shift.Rise)})[0]
				if got.Outcome != shift.Applied || got.Note != "" {
					t.Fatalf("%s: got %+v", share, got)
				}
				r := w.read(t, a)
				if !r.Weights.At(share) || r.Mark == nil || r.Mark.Share != share || (r.Sticky == 10*time.Minute) != sticky {
					t.Fatalf("%s reads back as %+v", share, r)
				}
				if weights, lasts := w.routes(); weights[w.green] != int(share) || (lasts == 10*time.Minute) != sticky {
					t.Fatalf("%s routes by %v, sticky for %s", share, weights, lasts)
				}
			}
			got := a.Commit(t.Context(), []shift.Change{w.change(w.read(t, a), 0, shift.Rollback)})[0]
			if got.Outcome != shift.Applied || (got.Note == "stickiness was switched off") != sticky {
				t.Fatalf("the rollback: %+v", got)
			}
			if weights, lasts := w.routes(); weights[w.blue] != 100 || weights[w.green] != 0 || lasts != 0 {
				t.Errorf("after the rollback it routes by %v, sticky for %s", weights, lasts)
			}
			if stored := w.stored(t); len(stored) != len(w.actions(shift.Weights{}, false)) || sticky && stored[0].AuthenticateOidcConfig == nil {
				t.Errorf("it lost something: %+v", stored)
			}
			if sticky {
				w.restick(t)
			}
		})
	}
}

// restick lets an adapter that didn't see the rollback switch stickiness on again.
func (w *world) restick(t *testing.T) {
	t.Helper()
	a := w.adapter()
	c := w.change(w.read(t, a), 0, shift.Lowering)
	c.Restick = true
	if c.Expected.Unstuck == nil || c.Expected.Unstuck.For != 10*time.Minute {
		t.Fatalf("it reads as %+v", c.Expected)
	}
	got := a.Commit(t.Context(), []shift.Change{c})[0]
	weights, lasts := w.routes()
	if r := w.read(t, a); got.Outcome != shift.Applied || lasts != 10*time.Minute || weights[w.green] != 0 || r.Unstuck != nil {
		t.Errorf("got %+v; it routes by %v, sticky for %s, and reads as %+v", got, weights, lasts, r)
	}
}

// Each write meets each fault at each of its calls: the end is right, the
// answer true, and no weight was ever beside what was or was wanted.
func TestEachWriteMeetsEachFaultAtAStrictELB(t *testing.T) {
	faults := map[string]sandbox.Fault{
		"a lost reply":      {Kind: sandbox.LostReply, Times: 1},
		"a lost request":    {Kind: sandbox.LostRequest, Times: 1},
		"throttling":        {Kind: sandbox.Throttle, Times: 1},
		"long throttling":   {Kind: sandbox.Throttle, Times: 6},
		"a server error":    {Kind: sandbox.ServerError, Times: 1},
		"a missing right":   {Kind: sandbox.AccessDenied},
		"a late answer":     {Kind: sandbox.Delay, Times: 1, Delay: 50 * time.Millisecond},
		"two stale answers": {Kind: sandbox.StaleReads, Times: 2},
	}
	for _, o := range []object{aRule, aDefault, ofNetwork} {
		t.Run(o.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorldOf(t, o, 25, false)
			cases, outcomes := 0, map[shift.Outcome]int{}
			for name, fault := range faults {
				for _, priority := range []shift.Priority{shift.Rise, shift.Lowering, shift.Rollback} {
					for _, at := range []string{"write", "read", "DescribeTags", "AddTags", "DescribeTargetHealth"} {
						if fault.Kind == sandbox.StaleReads && at != "read" || o != aRule && at != "write" && at != "read" {
							continue // there is nothing else to see
						}
						cases++
						outcomes[w.meet(t, name, fault, priority, at)]++
					}
				}
			}
			t.Logf("%d cases: %v", cases, outcomes)
		})
	}
}

func (w *world) meet(t *testing.T, name string, fault sandbox.Fault, priority shift.Priority, at string) shift.Outcome {
	t.Helper()
	w.modify(t, shift.Share(25).Weights(), false)
	a := w.adapter()
	to := map[shift.Priority]shift.Share{shift.Rise: 50, shift.Lowering: 10, shift.Rollback: 0}[priority]
	change := w.change(w.read(t, a), to, priority)
	fault.Service, fault.Operation = sandbox.ELB, at
	switch {
	case at == "write":
		fault.Operation = w.operation()
	case at == "read" && w.object == aRule:
		fault.Operation = "DescribeRules"
	case at == "read":
		fault.Operation = "DescribeListeners"
	}
	if _, err := w.cloud.Inject(fault); err != nil {
		t.Fatal(err)
	}
	got := a.Commit(t.Context(), []shift.Change{change})[0]
	w.cloud.ClearFaults()
	stands := action(t, w)
	what := func() string { return w.object.String() + ", " + priority.String() + ", " + name + " at " + at }
	if stands != to.Weights() && stands != shift.Share(25).Weights() {
		t.Errorf("%s: it stands at %s", what(), stands)
	}
	switch got.Outcome {
	case shift.Applied:
		if stands != to.Weights() {
			t.Errorf("%s: applied (%s), but it stands at %s", what(), got.Note, stands)
		}
	case shift.Conflict, shift.Refused:
		if stands == to.Weights() {
			t.Errorf("%s: %s (%s), but it stands", what(), got.Outcome, got.Note)
		}
	case shift.Unknown:
	}
	if priority == shift.Rollback && fault.Kind != sandbox.AccessDenied && got.Outcome != shift.Applied {
		t.Errorf("%s: got %+v", what(), got)
	}
	return got.Outcome
}

// action gives the weights that stand.
func action(t *testing.T, w *world) shift.Weights {
	t.Helper()
	weights, _ := w.routes()
	return shift.Weights{Blue: weights[w.blue], Green: weights[w.green]}
}

func TestLateAnswersOfAStrictELBAreNoDrift(t *testing.T) {
	w := newWorld(t, 25, false)
	a := w.adapter()
	c := w.change(w.read(t, a), 50, shift.Rise)
	caughtUp := must[func()](t)(w.cloud.Inject(sandbox.Fault{Kind: sandbox.StaleReads, Service: sandbox.ELB, Operation: "DescribeRules", Delay: time.Second}))
	defer caughtUp()
	if got := a.Commit(t.Context(), []shift.Change{c})[0]; got.Outcome != shift.Applied || got.Note != "" {
		t.Errorf("got %+v", got)
	}
	if r := w.read(t, a); r.Weights.Green != 50 {
		t.Errorf("it reads as %+v", r)
	}
}

func TestWhatTheControllerOwnsIsRefused(t *testing.T) {
	for _, o := range []object{aRule, aDefault, ofNetwork} {
		w := newWorldOf(t, o, 25, false)
		balancer := must[*sdk.DescribeLoadBalancersOutput](t)(w.client.DescribeLoadBalancers(t.Context(), &sdk.DescribeLoadBalancersInput{})).LoadBalancers[0].LoadBalancerArn
		must[*sdk.AddTagsOutput](t)(w.client.AddTags(t.Context(), &sdk.AddTagsInput{ResourceArns: []string{*balancer}, Tags: []types.Tag{
			{Key: aws.String("elbv2.k8s.aws/cluster"), Value: aws.String("shop-v134")}, {Key: aws.String("ingress.k8s.aws/stack"), Value: aws.String("shop/web")},
		}}))
		a := w.adapter()
		r := w.read(t, a)
		if !strings.Contains(r.Owner, "elbv2.k8s.aws/cluster=shop-v134, ingress.k8s.aws/stack=shop/web") {
			t.Errorf("%s: owner %q", o, r.Owner)
		}
		if got := a.Commit(t.Context(), []shift.Change{w.change(r, 50, shift.Rise)})[0]; got.Outcome != shift.Refused || !strings.Contains(got.Note, "TargetGroupBinding") {
			t.Errorf("%s: the rise: %+v", o, got)
		}
		if got := a.Commit(t.Context(), []shift.Change{w.change(r, 0, shift.Rollback)})[0]; got.Outcome != shift.Applied {
			t.Errorf("%s: the rollback: %+v", o, got)
		}
	}
}

// What a command does that has no daemon: look, and send all back.
func TestARollbackWithoutADaemon(t *testing.T) {
	w := newWorld(t, 50, true)
	for _, read := range []bool{true, false} {
		w.modify(t, shift.Weights{Blue: 50, Green: 50}, true)
		a := w.adapter()
		var expected shift.EntranceReading
		if read {
			expected = a.Read(t.Context(), []shift.Entrance{w.entrance()}, shift.Urgent)[0]
		}
		got := a.Commit(t.Context(), []shift.Change{w.change(expected, 0, shift.Rollback)})[0]
		if weights, sticky := w.routes(); got.Outcome != shift.Applied || weights[w.green] != 0 || sticky != 0 {
			t.Errorf("read before %t: got %+v; it routes by %v, sticky for %s", read, got, weights, sticky)
		}
	}
}

func TestADefaultRuleLeadsToItsListener(t *testing.T) {
	w := newWorldOf(t, aDefault, 25, false)
	rules := must[*sdk.DescribeRulesOutput](t)(w.client.DescribeRules(t.Context(), &sdk.DescribeRulesInput{ListenerArn: &w.arn})).Rules
	e := w.entrance()
	e.Balancer.RuleARN, e.Balancer.ListenerARN = *rules[0].RuleArn, ""
	r := w.adapter().Read(t.Context(), []shift.Entrance{e}, shift.Watching)[0]
	if !strings.Contains(r.Err, "set listenerARN: "+w.arn) {
		t.Errorf("got %+v", r)
	}
}

func TestAMarkThatIsRefusedHoldsUpNothing(t *testing.T) {
	w := newWorld(t, 25, false)
	a := w.adapter()
	change := w.change(w.read(t, a), 0, shift.Rollback)
	if _, err := w.cloud.Inject(sandbox.Fault{Kind: sandbox.AccessDenied, Service: sandbox.ELB, Operation: "AddTags"}); err != nil {
		t.Fatal(err)
	}
	got := a.Commit(t.Context(), []shift.Change{change})[0]
	if got.Outcome != shift.Applied || !strings.Contains(got.Note, "without the mark: access denied") {
		t.Errorf("got %+v", got)
	}
}

func TestAForeignEditStopsARiseAndNoRollback(t *testing.T) {
	w := newWorld(t, 25, false)
	a := w.adapter()
	read := w.read(t, a)
	w.modify(t, shift.Weights{Blue: 60, Green: 40}, false)
	if got := a.Commit(t.Context(), []shift.Change{w.change(read, 50, shift.Rise)})[0]; got.Outcome != shift.Conflict || !strings.Contains(got.Note, "green 40") {
		t.Errorf("the rise: %+v", got)
	}
	if got := a.Commit(t.Context(), []shift.Change{w.change(read, 0, shift.Rollback)})[0]; got.Outcome != shift.Applied {
		t.Errorf("the rollback: %+v", got)
	}
	if weights, _ := w.routes(); weights[w.green] != 0 {
		t.Errorf("it routes by %v", weights)
	}
}

func TestAnAnswerThatTakesTooLongIsReadBack(t *testing.T) {
	w := newWorld(t, 25, false)
	a := elb.New(w.options(100 * time.Millisecond))
	change := w.change(w.read(t, a), 0, shift.Rollback)
	if _, err := w.cloud.Inject(sandbox.Fault{Kind: sandbox.Delay, Service: sandbox.ELB, Operation: "ModifyRule", Times: 1, Delay: time.Minute}); err != nil {
		t.Fatal(err)
	}
	if got := a.Commit(t.Context(), []shift.Change{change})[0]; got.Outcome != shift.Applied {
		t.Errorf("got %+v", got)
	}
}

func TestARuleThatIsGoneIsNamed(t *testing.T) {
	w := newWorld(t, 25, false)
	must[*sdk.DeleteRuleOutput](t)(w.client.DeleteRule(t.Context(), &sdk.DeleteRuleInput{RuleArn: &w.arn}))
	a := w.adapter()
	if r := a.Read(t.Context(), []shift.Entrance{w.entrance()}, shift.Watching)[0]; !strings.Contains(r.Err, "RuleNotFound") {
		t.Errorf("got %+v", r)
	}
	change := w.change(shift.EntranceReading{}, 0, shift.Rollback)
	if got := a.Commit(t.Context(), []shift.Change{change})[0]; got.Outcome != shift.Refused || !strings.Contains(got.Note, "correct ruleARN") {
		t.Errorf("got %+v", got)
	}
}
