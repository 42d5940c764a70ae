package elb

import (
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// anyFault draws what may happen to one write: nothing, a refusal, a cut, or
// somebody else writing before or after.
func anyFault(t *rapid.T) fault {
	foreign := setWeights(rapid.Int32Range(0, 100).Draw(t, "foreign blue"), rapid.Int32Range(1, 100).Draw(t, "foreign green"))
	return rapid.SampledFrom([]fault{
		{},
		{},
		{lost: true},
		{mute: true},
		{err: apiError("Throttling")},
		{err: apiError("AccessDenied")},
		{err: apiError("ValidationError")},
		{before: foreign},
		{after: foreign},
	}).Draw(t, "fault")
}

// TestAnAnswerIsTheTruth checks, whatever befalls the calls: Applied means that
// it stood when it was read back; Conflict and Refused mean that nothing of
// ours was written; Unknown is the only answer that leaves it open.
func TestAnAnswerIsTheTruth(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		start := shift.Share(rapid.IntRange(0, 100).Draw(rt, "start"))
		f := webAt(start)
		f.pinned = rapid.Bool().Draw(rt, "pinned")
		a := newAdapter(f)
		var expected shift.EntranceReading
		if rapid.Bool().Draw(rt, "read before") {
			expected = a.Read(t.Context(), []shift.Entrance{entrance()}, shift.Watching)[0]
		}
		readable := true
		for range rapid.IntRange(0, 5).Draw(rt, "faults") {
			f.script["ModifyRule"] = append(f.script["ModifyRule"], anyFault(rt))
			if rapid.IntRange(0, 4).Draw(rt, "a reading fails") == 0 {
				f.script["DescribeRules"] = append(f.script["DescribeRules"], fault{}, fault{err: errCut})
				readable = false
			}
		}
		p := rapid.SampledFrom([]shift.Priority{shift.Rise, shift.Lowering, shift.Rollback}).Draw(rt, "priority")
		to := shift.Share(rapid.IntRange(0, 100).Draw(rt, "to"))
		written := false
		f.observe = func(string) { written = true }
		got := commitInBubble(t, a, wish(expected, to, p))

		stands, _ := action{actions: f.rules[ruleARN]}.weights(*entrance().Balancer)
		switch got.Outcome {
		case shift.Applied:
			wrong := p == shift.Rise && stands != to.Weights() || p != shift.Rise && !stands.AtMost(to)
			if wrong && readable {
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
		f := webAt(shift.Share(rapid.IntRange(1, 100).Draw(rt, "start")))
		a := newAdapter(f)
		var expected shift.EntranceReading
		if rapid.Bool().Draw(rt, "read before") {
			expected = a.Read(t.Context(), []shift.Entrance{entrance()}, shift.Watching)[0]
		}
		foreign := setWeights(50, rapid.Int32Range(1, 100).Draw(rt, "foreign green"))
		for range rapid.IntRange(0, 2).Draw(rt, "faults") {
			f.script["ModifyRule"] = append(f.script["ModifyRule"], rapid.SampledFrom([]fault{
				{lost: true}, {mute: true}, {err: apiError("Throttling")}, {before: foreign}, {after: foreign},
			}).Draw(rt, "fault"))
		}
		got := commitInBubble(t, a, wish(expected, 0, shift.Rollback))
		stands, _ := action{actions: f.rules[ruleARN]}.weights(*entrance().Balancer)
		if got.Outcome != shift.Applied || !stands.AtMost(0) {
			rt.Fatalf("got %+v; it stands at %s", got, stands)
		}
	})
}

// commitInBubble commits where waiting takes no time.
func commitInBubble(t *testing.T, a *Adapter, c shift.Change) (got shift.Result) {
	synctest.Test(t, func(t *testing.T) { got = a.Commit(t.Context(), []shift.Change{c})[0] })
	return got
}
