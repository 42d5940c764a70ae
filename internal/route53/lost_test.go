package route53

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func TestALostAnswerCountsAsInSyncOnlyAfterTheTimeOfPropagation(t *testing.T) {
	t.Parallel()
	for p, to := range map[shift.Priority]shift.Share{shift.Rise: 25, shift.Rollback: 0} {
		synctest.Test(t, func(t *testing.T) {
			z := shopAt(10)
			now := clock
			a := New(Options{API: z, Now: func() time.Time { return now }, Reuse: -1, Gather: -1})
			z.script["change"] = []fault{{mute: true}}
			if got := commitShop(t, a, to, p); got.Outcome != shift.Applied {
				t.Fatalf("%s: got %+v", p, got)
			}
			if readShop(t, a).InSync {
				t.Errorf("%s: a change whose ID is lost counts as in sync at once", p)
			}
			now = now.Add(propagation)
			if !readShop(t, a).InSync {
				t.Errorf("%s: it doesn't after %s", p, propagation)
			}
		})
	}
}

func TestALostAnswerIsNotTakenForTheChangeBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := shopAt(10)
		a := New(Options{API: z, Now: func() time.Time { return clock }, Reuse: -1, Gather: -1})
		commitShop(t, a, 25, shift.Rise)
		expected := readShopPending(t, z, a)
		z.script["change"] = []fault{{mute: true}}
		if got := a.Commit(t.Context(), []shift.Change{wish(expected, 0, shift.Rollback)})[0]; got.Outcome != shift.Applied {
			t.Fatalf("got %+v", got)
		}
		if got := readShop(t, a); got.InSync || !got.Weights.At(0) {
			t.Errorf("the change before is in sync, and so counts the one whose answer was lost: %+v", got)
		}
	})
}

// readShopPending reads while AWS is still bringing the last change out.
func readShopPending(t *testing.T, z *fakeZone, a *Adapter) shift.EntranceReading {
	t.Helper()
	z.pending = true
	defer func() { z.pending = false }()
	return readShop(t, a)
}

func TestAWriteOfUnknownOutcomeThatLandedIsNotInSyncAtOnce(t *testing.T) {
	t.Parallel()
	z := shopAt(10)
	a := New(Options{API: z, Now: func() time.Time { return clock }, Reuse: -1, Gather: -1})
	expected := readShop(t, a)
	z.script["change"] = []fault{{mute: true}}
	z.script["list"] = []fault{{err: errCut}}
	if got := a.Commit(t.Context(), []shift.Change{wish(expected, 25, shift.Rise)})[0]; got.Outcome != shift.Unknown {
		t.Fatalf("got %+v", got)
	}
	if got := readShop(t, a); got.InSync || !got.Weights.At(25) {
		t.Errorf("nobody knows the change's ID, yet it counts as in sync: %+v", got)
	}
}
