package elb

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"pgregory.net/rapid"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const (
	albListener = "arn:aws:elasticloadbalancing:eu-west-1:1:listener/app/web/a/b"
	nlbListener = "arn:aws:elasticloadbalancing:eu-west-1:1:listener/net/web/a/b"
)

// someFaults draws what may happen to a write or a read: a refusal, a cut, or
// somebody else writing before or after.
func someFaults(t *rapid.T, foreign func(*fakeELB)) map[string][]fault {
	script := map[string][]fault{}
	writes := []fault{
		{}, {}, {lost: true}, {mute: true}, {err: apiError("Throttling")}, {err: apiError("AccessDenied")},
		{err: apiError("ValidationError")}, {before: foreign}, {after: foreign},
		{after: func(f *fakeELB) { f.stale = 2 }}, {after: func(f *fakeELB) { f.stale = 100 }},
	}
	reads := []fault{{}, {}, {err: errCut}, {err: apiError("Throttling")}, {before: func(f *fakeELB) { f.stale = 1 }}}
	for _, op := range []string{"ModifyRule", "ModifyListener"} {
		script[op] = rapid.SliceOfN(rapid.SampledFrom(writes), 0, 5).Draw(t, op)
	}
	for _, op := range []string{"DescribeRules", "DescribeListeners", "DescribeTags", "AddTags", "DescribeTargetHealth"} {
		script[op] = rapid.SliceOfN(rapid.SampledFrom(reads), 0, 4).Draw(t, op)
	}
	return script
}

// stage is an action of any kind at any share, with what may befall it.
type stage struct {
	f       *fakeELB
	e       shift.Entrance
	arn     string
	foreign shift.Weights
	edited  bool
}

// blind tells that nobody could have known: somebody edited it, and AWS answered
// what stood before.
func (s *stage) blind() bool { return s.edited && s.f.lied }

func anyStage(t *rapid.T) *stage {
	s := &stage{f: webAt(0), e: entrance()}
	s.arn = rapid.SampledFrom([]string{ruleARN, albListener, nlbListener}).Draw(t, "object")
	s.e.Balancer = new(*s.e.Balancer)
	if s.arn != ruleARN {
		s.e.Balancer.RuleARN, s.e.Balancer.ListenerARN = "", s.arn
	}
	w := shift.Share(rapid.IntRange(0, 100).Draw(t, "start")).Weights()
	weights := map[string]int32{blueTG: int32(w.Blue), greenTG: int32(w.Green)}
	if rapid.Bool().Draw(t, "third") {
		weights["arn:third"] = rapid.Int32Range(0, 999).Draw(t, "third's weight")
	}
	actions := []types.Action{forwardTo(weights, rapid.Bool().Draw(t, "sticky"))}
	switch rapid.IntRange(0, 2).Draw(t, "login") {
	case 1:
		actions = append([]types.Action{oidc()}, actions...)
	case 2:
		actions = append([]types.Action{{Type: types.ActionTypeEnumAuthenticateCognito, Order: aws.Int32(1), AuthenticateCognitoConfig: &types.AuthenticateCognitoActionConfig{
			UserPoolArn: aws.String("arn:pool"), UserPoolClientId: aws.String("shop"), UserPoolDomain: aws.String("shop"), SessionTimeout: aws.Int64(300),
		}}}, actions...)
	}
	s.f.rules[s.arn] = actions
	s.f.secrets[s.arn] = "s3cret"
	s.foreign = shift.Weights{Blue: rapid.IntRange(1, 100).Draw(t, "foreign blue"), Green: rapid.IntRange(1, 100).Draw(t, "foreign green")}
	s.f.pinned = rapid.Bool().Draw(t, "pinned") && action{actions: actions}.sticky() > 0
	return s
}

// edit is somebody else's change of the weights.
func (s *stage) edit(f *fakeELB) {
	planned, err := planWeights(f.rules[s.arn], map[string]int32{blueTG: int32(s.foreign.Blue), greenTG: int32(s.foreign.Green)})
	if err != nil {
		panic(err)
	}
	s.edited = true
	f.former[s.arn], f.rules[s.arn] = f.rules[s.arn], planned
}

func (s *stage) stands() shift.Weights {
	w, _ := action{arn: s.arn, actions: s.f.rules[s.arn]}.weights(*s.e.Balancer)
	return w
}

// plain is the token of actions without what a shift may change: two weights,
// and with a rollback stickiness.
func plain(arn string, actions []types.Action, unstick bool) string {
	planned, err := planWeights(actions, map[string]int32{blueTG: 1, greenTG: 1})
	if err != nil {
		return err.Error()
	}
	if unstick {
		planned = planStickiness(planned, false, 0)
	}
	return action{arn: arn, actions: planned}.token()
}

// TestNoWriteGoesBeyondWhatWasWanted checks, whatever befalls the calls, every
// state that our writes bring about, and the answer. Applied means that it
// stood; Conflict and Refused mean that nothing of ours was written; Unknown is
// the only answer that leaves it open.
func TestNoWriteGoesBeyondWhatWasWanted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := anyStage(rt)
		p := rapid.SampledFrom([]shift.Priority{shift.Rise, shift.Lowering, shift.Rollback}).Draw(rt, "priority")
		to := shift.Share(rapid.IntRange(0, 100).Draw(rt, "to"))
		script := someFaults(rt, s.edit)
		before := plain(s.arn, s.f.rules[s.arn], p == shift.Rollback)
		read := rapid.Bool().Draw(rt, "read before")
		readable := true
		for _, op := range []string{"DescribeRules", "DescribeListeners"} {
			for _, what := range script[op] {
				readable = readable && what.err == nil
			}
		}
		written := false
		var got shift.Result
		synctest.Test(t, func(t *testing.T) {
			a := newAdapter(s.f)
			c := wish(shift.EntranceReading{}, to, p)
			c.Entrance = s.e
			if read {
				c.Expected = a.Read(t.Context(), []shift.Entrance{s.e}, shift.Watching)[0]
			}
			s.f.script = script
			s.f.observe = func(arn string) {
				written = true
				if w := s.stands(); w != to.Weights() || w.Blue+w.Green == 0 {
					rt.Errorf("a %s to %s wrote %s", p, to, w)
				}
				if after := plain(arn, s.f.rules[arn], p == shift.Rollback); after != before {
					rt.Errorf("a %s changed more than the weights: %+v", p, s.f.rules[arn])
				}
			}
			began := time.Now()
			got = a.Commit(context.WithoutCancel(t.Context()), []shift.Change{c})[0]
			if took := time.Since(began); took > shift.WriteDeadline {
				rt.Errorf("it took %s", took)
			}
		})
		if s.f.secrets[s.arn] != "s3cret" {
			rt.Errorf("the client secret is %q", s.f.secrets[s.arn])
		}
		switch stands := s.stands(); got.Outcome {
		case shift.Applied:
			wrong := p == shift.Rise && stands != to.Weights() || p != shift.Rise && !stands.AtMost(to)
			if wrong && readable && !s.blind() {
				rt.Fatalf("%s to %s was applied (%s), but it stands at %s", p, to, got.Note, stands)
			}
		case shift.Conflict, shift.Refused:
			if written {
				rt.Fatalf("%s (%s), but it was written", got.Outcome, got.Note)
			}
		case shift.Unknown:
		default:
			rt.Fatalf("the outcome %q", got.Outcome)
		}
	})
}

func TestARollbackStandsWhateverBefallsIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := anyStage(rt)
		var expected shift.EntranceReading
		read := rapid.Bool().Draw(rt, "read before")
		harmless := []fault{
			{lost: true}, {mute: true}, {err: apiError("Throttling")}, {before: s.edit}, {after: s.edit}, {after: func(f *fakeELB) { f.stale = 2 }},
		}
		script := map[string][]fault{}
		for _, op := range []string{"ModifyRule", "ModifyListener"} {
			script[op] = rapid.SliceOfN(rapid.SampledFrom(harmless), 0, 2).Draw(rt, op)
		}
		var got shift.Result
		synctest.Test(t, func(t *testing.T) {
			a := newAdapter(s.f)
			if read {
				expected = a.Read(t.Context(), []shift.Entrance{s.e}, shift.Watching)[0]
			}
			s.f.script = script
			c := wish(expected, 0, shift.Rollback)
			c.Entrance = s.e
			got = a.Commit(t.Context(), []shift.Change{c})[0]
		})
		if stands := s.stands(); !s.blind() && (got.Outcome != shift.Applied || !stands.AtMost(0)) {
			rt.Fatalf("got %+v; it stands at %s", got, stands)
		}
	})
}
