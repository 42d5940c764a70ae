package route53

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"pgregory.net/rapid"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// anyFault draws what may happen to one write: nothing, a refusal, a cut, or
// somebody else being faster.
func anyFault(t *rapid.T) fault {
	return rapid.SampledFrom([]fault{
		{},
		{},
		{lost: true},
		{mute: true},
		{err: apiError("Throttling")},
		{err: apiError("PriorRequestNotComplete")},
		{err: apiError("AccessDenied")},
		{before: foreign(int64(rapid.IntRange(0, 200).Draw(t, "foreign weight")))},
		{before: aba},
	}).Draw(t, "fault")
}

// TestAnAnswerIsTheTruth checks, whatever befalls the calls: Applied means that
// it stood; Conflict and Refused mean that nothing of ours was written; Unknown
// is the only answer that leaves it open.
func TestAnAnswerIsTheTruth(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		start := shift.Share(rapid.IntRange(0, 100).Draw(rt, "start"))
		z := shopAt(start)
		if rapid.Bool().Draw(rt, "no right for TXT") {
			refuseTXT(apiError("AccessDenied"))(z)
		}
		a := newAdapter(z)
		expected := a.Read(t.Context(), []shift.Entrance{entrance()}, shift.Watching)[0]
		for range rapid.IntRange(0, 5).Draw(rt, "faults") {
			z.script["change"] = append(z.script["change"], anyFault(rt))
			if rapid.IntRange(0, 4).Draw(rt, "a listing fails") == 0 {
				z.script["list"] = append(z.script["list"], fault{err: errCut})
			}
		}
		p := rapid.SampledFrom([]shift.Priority{shift.Rise, shift.Lowering, shift.Rollback}).Draw(rt, "priority")
		to := shift.Share(rapid.IntRange(0, 100).Draw(rt, "to"))
		applied, raised := false, false // by us, as the fake saw it
		z.observe = func(was, is []types.ResourceRecordSet) {
			applied = true
			raised = raised || share(is) > share(was)
		}
		got := commitInBubble(t, a, wish(expected, to, p))

		stands := standing(z)
		switch got.Outcome {
		case shift.Applied:
			if p == shift.Rise && stands != to.Weights() || p != shift.Rise && !stands.AtMost(to) {
				rt.Fatalf("%s to %s was applied, but it stands at %s", p, to, stands)
			}
		case shift.Conflict, shift.Refused:
			if applied {
				rt.Fatalf("%s (%s), but it was written", got.Outcome, got.Note)
			}
		case shift.Unknown:
		default:
			rt.Fatalf("the outcome %q", got.Outcome)
		}
		if raised && p != shift.Rise {
			rt.Fatalf("a %s to %s raised green", p, to)
		}
		if stands.Blue+stands.Green == 0 {
			rt.Fatal("all weights are zero")
		}
	})
}

// TestARollbackStandsUnlessAWSNeverLetsIt: with fewer faults than tries and the
// rights it needs, a rollback always stands in the end.
func TestARollbackStandsWhateverBefallsIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		z := shopAt(shift.Share(rapid.IntRange(1, 100).Draw(rt, "start")))
		if rapid.Bool().Draw(rt, "no right for TXT") {
			refuseTXT(apiError("AccessDenied"))(z)
		}
		a := newAdapter(z)
		var expected shift.EntranceReading
		if rapid.Bool().Draw(rt, "read before") {
			expected = a.Read(t.Context(), []shift.Entrance{entrance()}, shift.Watching)[0]
		}
		for range rapid.IntRange(0, 2).Draw(rt, "faults") {
			z.script["change"] = append(z.script["change"], rapid.SampledFrom([]fault{
				{lost: true}, {mute: true}, {err: apiError("Throttling")}, {before: foreign(int64(rapid.IntRange(1, 200).Draw(rt, "weight")))}, {before: aba},
			}).Draw(rt, "fault"))
		}
		got := commitInBubble(t, a, wish(expected, 0, shift.Rollback))
		if got.Outcome != shift.Applied || !standing(z).AtMost(0) {
			rt.Fatalf("got %+v; it stands at %s", got, standing(z))
		}
	})
}

// commitInBubble commits where waiting takes no time.
func commitInBubble(t *testing.T, a *Adapter, c shift.Change) (got shift.Result) {
	synctest.Test(t, func(t *testing.T) { got = a.Commit(t.Context(), []shift.Change{c})[0] })
	return got
}

func standing(z *fakeZone) shift.Weights { return weightsOf(z.sets) }

func weightsOf(sets []types.ResourceRecordSet) shift.Weights {
	var at []types.ResourceRecordSet
	for _, s := range sets {
		if *s.Name == shop {
			at = append(at, s)
		}
	}
	w, _ := groupOf(shop, types.RRTypeA, at).weights(*entrance().Route53)
	return w
}

// share is green's part of the traffic, 0 to 1.
func share(sets []types.ResourceRecordSet) float64 {
	w := weightsOf(sets)
	return float64(w.Green) / float64(max(1, w.Blue+w.Green))
}

func TestMarksSurviveTheirRecord(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := shift.Mark{
			Attempt: rapid.IntRange(0, 1e6).Draw(t, "attempt"), Epoch: rapid.Int64Range(0, 1e12).Draw(t, "epoch"),
			Version: rapid.Int64Range(0, 1e12).Draw(t, "version"), Phase: rapid.SampledFrom(shift.Phases()).Draw(t, "phase"),
			Share: shift.Share(rapid.IntRange(0, 100).Draw(t, "share")), Rollback: rapid.Bool().Draw(t, "rollback"),
		}
		r := markRecord(markShop, m)
		if got, err := readMark(r); err != nil || got != m {
			t.Fatalf("%v became %v (%v)", m, got, err)
		}
		if text := *r.ResourceRecords[0].Value; len(strings.Trim(text, `"`)) > 255 {
			t.Fatalf("%d characters don't fit into one string of a TXT record", len(text))
		}
	})
}
