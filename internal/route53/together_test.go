package route53

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// twoNames has a second weighted name in the same zone.
func twoNames(share shift.Share) (*fakeZone, []shift.Entrance) {
	z := shopAt(share)
	w := share.Weights()
	z.sets = append(z.sets, weighted("api.example.com.", "blue", int64(w.Blue), "192.0.2.7"), weighted("api.example.com.", "green", int64(w.Green), "192.0.2.8"))
	api := entrance()
	api.Name, api.Route53.Names = "api", []string{"API.example.com."}
	return z, []shift.Entrance{entrance(), api}
}

func changesOf(readings []shift.EntranceReading, entrances []shift.Entrance, to shift.Share, p shift.Priority) []shift.Change {
	var changes []shift.Change
	for i, r := range readings {
		c := wish(r, to, p)
		c.Entrance = entrances[i]
		changes = append(changes, c)
	}
	return changes
}

func TestChangesOfOneZoneGoInOneBatch(t *testing.T) {
	t.Parallel()
	z, entrances := twoNames(10)
	a := newAdapter(z)
	changes := changesOf(a.Read(t.Context(), entrances, shift.Watching), entrances, 25, shift.Rise)
	z.calls = nil
	for _, r := range a.Commit(t.Context(), changes) {
		if r.Outcome != shift.Applied {
			t.Errorf("got %+v", r)
		}
	}
	if want := []string{"change 11"}; !slices.Equal(z.calls, want) { // the api had no mark to delete
		t.Errorf("calls %q, want %q", z.calls, want)
	}
}

func TestARollbackAndARiseNeverShareABatch(t *testing.T) {
	t.Parallel()
	z, entrances := twoNames(10)
	a := newAdapter(z)
	changes := changesOf(a.Read(t.Context(), entrances, shift.Watching), entrances, 25, shift.Rise)
	changes[1].Priority, changes[1].Wanted = shift.Rollback, 0
	z.calls = nil
	got := a.Commit(t.Context(), changes)
	if got[0].Outcome != shift.Applied || got[0].Entrance != "dns" || got[1].Outcome != shift.Applied || got[1].Entrance != "api" {
		t.Errorf("got %+v", got)
	}
	if want := []string{"change 5", "change 6"}; !slices.Equal(z.calls, want) {
		t.Errorf("calls %q, want the rollback (5 changes) first, then the rise (6)", z.calls)
	}
}

func TestOneSpoiledRecordHoldsUpNoOtherRollback(t *testing.T) {
	t.Parallel()
	z, entrances := twoNames(50)
	a := newAdapter(z)
	changes := changesOf(a.Read(t.Context(), entrances, shift.Watching), entrances, 0, shift.Rollback)
	z.set("api.example.com.", "green", func(r *types.ResourceRecordSet) { r.SetIdentifier = aws.String("somebody-renamed-it") })
	got := a.Commit(t.Context(), changes)
	if got[0].Outcome != shift.Applied || got[1].Outcome != shift.Refused {
		t.Errorf("got %+v", got)
	}
}

func TestARefusedNameHoldsUpNoOtherRollback(t *testing.T) {
	t.Parallel()
	z, entrances := twoNames(50)
	a := newAdapter(z)
	changes := changesOf(a.Read(t.Context(), entrances, shift.Watching), entrances, 0, shift.Rollback)
	z.refuse = func(changes []types.Change) error {
		if slices.ContainsFunc(changes, func(c types.Change) bool { return *c.ResourceRecordSet.Name == "api.example.com." }) {
			return apiError("AccessDenied")
		}
		return nil
	}
	got := a.Commit(t.Context(), changes)
	if got[0].Outcome != shift.Applied || got[1].Outcome != shift.Refused {
		t.Errorf("got %+v", got)
	}
}

func TestThrottledTriesAreSpacedOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		z := shopAt(50)
		a := newAdapter(z)
		throttled := fault{err: apiError("Throttling")}
		z.script["change"] = []fault{throttled, throttled}
		started := time.Now()
		commitShop(t, a, 0, shift.Rollback)
		if took := time.Since(started); took < 200*time.Millisecond || took > time.Second {
			t.Errorf("three tries took %s", took)
		}
	})
}

func TestOneConflictHoldsUpNoOtherRise(t *testing.T) {
	t.Parallel()
	for _, terse := range []bool{false, true} {
		z, entrances := twoNames(10)
		z.terse = terse
		a := newAdapter(z)
		changes := changesOf(a.Read(t.Context(), entrances, shift.Watching), entrances, 25, shift.Rise)
		z.set("api.example.com.", "green", func(r *types.ResourceRecordSet) { r.Weight = aws.Int64(11) })
		got := a.Commit(t.Context(), changes)
		if got[0].Outcome != shift.Applied || got[0].Note != "" {
			t.Errorf("the bystander: %+v", got[0])
		}
		if got[1].Outcome != shift.Conflict || !strings.Contains(got[1].Note, "green 11") || !strings.Contains(got[1].Note, "no write of a daemon's") {
			t.Errorf("the edited one: %+v", got[1])
		}
	}
}

// TestARollbackFencesNamesThatStandLowAlready: every name gets the mark, so that
// no write that an older daemon prepared lands on any of them.
func TestARollbackFencesNamesThatStandLowAlready(t *testing.T) {
	t.Parallel()
	z, _ := twoNames(50)
	for _, id := range []string{"blue", "green"} {
		z.set("api.example.com.", id, func(r *types.ResourceRecordSet) {
			r.Weight = aws.Int64(map[string]int64{"blue": 1, "green": 0}[id])
		})
	}
	e := entrance()
	e.Route53.Names = []string{"shop.example.com", "api.example.com"}
	old := newAdapter(z)
	rise := wish(old.Read(t.Context(), []shift.Entrance{e}, shift.Watching)[0], 75, shift.Rise)
	rise.Entrance = e
	back := wish(shift.EntranceReading{}, 0, shift.Rollback)
	back.Entrance, back.Control.Epoch = e, 3
	if got := newAdapter(z).Commit(t.Context(), []shift.Change{back})[0]; got.Outcome != shift.Applied {
		t.Fatalf("the rollback: %+v", got)
	}
	if r, _ := z.get("api.example.com.", types.RRTypeA, "blue"); *r.Weight != 1 {
		t.Errorf("what stood low already was written: blue's weight is %d", *r.Weight)
	}
	if _, marked := z.get("_clusterswitch.api.example.com.", types.RRTypeTxt, ""); !marked {
		t.Error("the name that stood low already has no mark")
	}
	if got := old.Commit(t.Context(), []shift.Change{rise})[0]; got.Outcome != shift.Conflict || !strings.Contains(got.Note, "took charge later") {
		t.Errorf("the older daemon's rise: %+v", got)
	}
}

func TestALoweringGoesBeforeARise(t *testing.T) {
	t.Parallel()
	z, entrances := twoNames(50)
	a := newAdapter(z)
	changes := changesOf(a.Read(t.Context(), entrances, shift.Watching), entrances, 75, shift.Rise)
	changes[1].Priority, changes[1].Wanted = shift.Lowering, 25
	z.calls = nil
	mustApply(t, a.Commit(t.Context(), changes))
	if want := []string{"change 5", "change 6"}; !slices.Equal(z.calls, want) {
		t.Errorf("calls %q, want the lowering (5 changes) first, then the rise (6)", z.calls)
	}
}

func TestAChangeOfAnotherKindIsRefused(t *testing.T) {
	t.Parallel()
	a := newAdapter(shopAt(0))
	alb := shift.Change{Entrance: shift.Entrance{Name: "web", Balancer: &shift.BalancerEntrance{}}, Wanted: 25}
	excess := wish(readShop(t, a), 101, shift.Rise)
	for _, got := range a.Commit(t.Context(), []shift.Change{alb, excess}) {
		if got.Outcome != shift.Refused {
			t.Errorf("got %+v", got)
		}
	}
}

func TestARiseWithoutMarkLeavesTheMarkAlone(t *testing.T) {
	t.Parallel()
	z := shopAt(25)
	a := newAdapter(z)
	e := entrance()
	e.Route53.Mark = false
	c := wish(a.Read(t.Context(), []shift.Entrance{e}, shift.Watching)[0], 50, shift.Rise)
	c.Entrance = e
	if got := a.Commit(t.Context(), []shift.Change{c})[0]; got.Outcome != shift.Applied || got.Note != "" {
		t.Errorf("got %+v", got)
	}
	story{green: 50, marked: "version=5"}.look(t, z)
}
