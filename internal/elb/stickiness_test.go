package elb

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func setStickiness(on bool, seconds int32) func(*fakeELB) {
	return func(f *fakeELB) {
		f.rules[ruleARN] = planStickiness(f.rules[ruleARN], on, time.Duration(seconds)*time.Second)
	}
}

// What a rollback switched off is remembered at AWS, so also by an adapter that
// didn't see it.
func TestStickinessIsSwitchedOnAgain(t *testing.T) {
	t.Parallel()
	stories := map[string]struct {
		before  func(f *fakeELB) // between the rollback and the reading
		after   func(f *fakeELB) // between the reading and the change
		script  map[string][]fault
		change  func(c *shift.Change)
		outcome shift.Outcome
		note    string
		lasts   time.Duration // at the end
		tagged  bool
		writes  int
	}{
		"with the duration that it had":         {outcome: shift.Applied, note: "on again, for 1h0m0s", lasts: time.Hour, writes: 1},
		"not where a person did":                {before: setStickiness(true, 60), outcome: shift.Applied, note: "somebody set stickiness", lasts: time.Minute},
		"not where a person changed it":         {before: setStickiness(false, 60), outcome: shift.Applied, note: "somebody set stickiness"},
		"not on what was changed since":         {after: setStickiness(true, 60), outcome: shift.Conflict, lasts: time.Minute, tagged: true},
		"not without knowing what it was":       {change: func(c *shift.Change) { c.Expected.Unstuck = nil }, outcome: shift.Refused, tagged: true},
		"not without the right":                 {script: map[string][]fault{"ModifyRule": {{err: apiError("AccessDenied")}}}, outcome: shift.Refused, note: "grant elasticloadbalancing:ModifyRule", tagged: true, writes: 1},
		"perhaps, when the answer is lost":      {script: map[string][]fault{"ModifyRule": {{mute: true}}}, outcome: shift.Unknown, lasts: time.Hour, tagged: true, writes: 1},
		"though the tag stays, which is said":   {script: map[string][]fault{"RemoveTags": {{err: apiError("AccessDenied")}}}, outcome: shift.Unknown, note: "the tag " + StickinessTag + " stays", lasts: time.Hour, tagged: true, writes: 1},
		"not where a controller took the place": {after: func(f *fakeELB) { f.tags[ruleARN]["ingress.k8s.aws/stack"] = "x" }, outcome: shift.Refused, note: "belongs to", tagged: true},
	}
	for name, s := range stories {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := webAt(25)
				sticky(f)
				a := newAdapter(f)
				c := wish(readWeb(t, a), 0, shift.Rollback)
				if c.Expected.Sticky != time.Hour {
					t.Errorf("it reads as sticky for %s", c.Expected.Sticky)
				}
				began := time.Now()
				a.Commit(t.Context(), []shift.Change{c})
				if s.before != nil {
					s.before(f)
				}
				a = newAdapter(f)
				read := readWeb(t, a)
				if diff := cmp.Diff(&shift.Unstuck{At: began.UTC().Truncate(time.Second), For: time.Hour}, read.Unstuck); diff != "" {
					t.Errorf("it reads as unstuck by (-want +got):\n%s", diff)
				}
				restick := wish(read, 0, shift.Lowering)
				restick.Restick = true
				if s.change != nil {
					s.change(&restick)
				}
				if s.after != nil {
					s.after(f)
				}
				if s.script != nil {
					f.script = s.script
				}
				f.calls = nil
				got := a.Commit(t.Context(), []shift.Change{restick})[0]
				r := action{arn: ruleARN, actions: f.rules[ruleARN]}
				_, tagged := f.tags[ruleARN][StickinessTag]
				if got.Outcome != s.outcome || !strings.Contains(got.Note, s.note) || r.sticky() != s.lasts || tagged != s.tagged || f.count("ModifyRule") != s.writes {
					t.Errorf("got %+v, sticky for %s, tagged %t, by %q", got, r.sticky(), tagged, f.calls)
				}
				if w, _ := r.weights(*entrance().Balancer); !w.At(0) || r.actions[0].AuthenticateOidcConfig == nil {
					t.Errorf("something else was touched: %s, %+v", w, r.actions)
				}
			})
		})
	}
}

func TestATagOfStickinessThatCannotBeReadIsSaid(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"without beginning": "on since=2026-11-25T10:00:00Z seconds=60", "without a time": "off seconds=60", "without seconds": "off since=2026-11-25T10:00:00Z",
		"with no number": "off since=2026-11-25T10:00:00Z seconds=many", "with more than AWS allows": "off since=2026-11-25T10:00:00Z seconds=604801", "that is empty": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := unstuckOf([]types.Tag{{Key: aws.String(StickinessTag), Value: aws.String(text)}})
			if err == nil || got != nil || !strings.Contains(err.Error(), "delete the tag") {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

// Without an answer of AWS stickiness may be off: then the tag must tell.
func TestStickinessThatMayBeOffIsRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := webAt(25)
		sticky(f)
		a := newAdapter(f)
		c := wish(readWeb(t, a), 0, shift.Rollback)
		f.script["ModifyRule"] = []fault{{}, {mute: true}}
		got := a.Commit(t.Context(), []shift.Change{c})[0]
		if got.Outcome != shift.Applied || !strings.Contains(got.Note, "may still be on") || f.tags[ruleARN][StickinessTag] == "" {
			t.Errorf("got %+v with %v", got, f.tags[ruleARN])
		}
	})
}
