package record_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/record"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// kinds counts what the timeline tells, folded repeats too.
func kinds(r record.Record) map[string]int {
	told := map[string]int{}
	for _, e := range r.Timeline {
		if slices.Contains([]string{"rise", "lower", "rollback", "question", "answer"}, e.Kind) {
			told[e.Kind] += e.Count
		}
	}
	return told
}

// A month of trouble: whatever repeats is folded, the record stays small, and what
// moved users or asked people is all there.
func TestARecordStaysSmallAndLosesNothingThatMatters(t *testing.T) {
	r := record.New(record.Options{Identity: "one", Version: "v1"})
	long := strings.Repeat("a long story of why ", 60)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	before := shift.NewState()
	state := shift.State{Schema: shift.Schema, Attempt: 1, Phase: shift.Shifting, StartedAt: at}
	plan := shift.Plan{Pair: "shop"}
	for i := range 100 {
		state.Steps = append(state.Steps, shift.Step{Share: shift.Share(i + 1)})
	}
	turn := func(reason shift.Reason, results ...shift.Result) {
		at = at.Add(10 * time.Second)
		next := state
		d := shift.Decision{Next: next, Reason: reason, Message: fmt.Sprint(long, at)}
		for range results {
			d.Changes = append(d.Changes, shift.Change{Wanted: next.Share})
		}
		for g := range 14 {
			d.Verdicts = append(d.Verdicts, shift.Verdict{Gate: fmt.Sprintf("gate %d of many", g), Judgement: shift.Pass, Message: long})
		}
		r.See(switcher.Turn{Now: at, Plan: plan, Before: before, Decision: d, Results: results}, record.Beside{})
		before = next
	}
	for i := range 100 {
		state.Step, state.Share, state.ReachedAt = i+1, shift.Share(i+1), time.Time{}
		turn(shift.Rising, shift.Result{Entrance: "web", Outcome: shift.Applied})
		for k := range 8 {
			turn([]shift.Reason{shift.GateWaits, shift.GateUnknown, shift.EntranceUnknown}[k%3], shift.Result{Entrance: "web", Outcome: shift.Unknown, Note: long})
			state.Question = &shift.Question{ID: fmt.Sprint(i, k), Reason: shift.Drift, Message: long}
			turn(shift.Drift)
			state.Question = nil
			turn(shift.Restoring)
		}
		state.ReachedAt = at
		turn(shift.Holding)
	}
	state.Phase, state.Share, state.Rollback = shift.RollingBack, 0, &shift.RollbackRecord{By: "a person", Why: long, At: at}
	turn(shift.RollbackRequested, shift.Result{Entrance: "web", Outcome: shift.Applied})

	want := map[string]int{"rise": 100, "lower": 1, "rollback": 1, "question": 800, "answer": 800}
	whole := r.Record()
	if diff := cmp.Diff(want, kinds(whole)); diff != "" {
		t.Errorf("what was seen (-want +got):\n%s", diff)
	}
	for _, limit := range []int{record.MaxSize, record.MaxSize / 3} {
		fit := whole.Fit(limit)
		document, err := fit.JSON(false)
		if err != nil {
			t.Fatal(err)
		}
		if len(document) > limit || fit.LeftOut == 0 {
			t.Errorf("the record has %d bytes of %d, and %d things left out", len(document), limit, fit.LeftOut)
		}
		if diff := cmp.Diff(want, kinds(fit)); diff != "" {
			t.Errorf("what is kept in %d bytes (-want +got):\n%s", limit, diff)
		}
		again, err := record.Parse(document)
		if err != nil || len(again.Grants) != 100 || len(again.Rollbacks) != 1 || len(again.Steps) != 100 {
			t.Errorf("read again: %v, %d grants, %d rollbacks, %d steps", err, len(again.Grants), len(again.Rollbacks), len(again.Steps))
		}
	}
	if after := r.Record(); kinds(after)["rise"] != 100 || len(after.Grants[0].Verdicts) != 14 {
		t.Errorf("fitting changed the record itself: %d verdicts", len(after.Grants[0].Verdicts))
	}
}

// A daemon that is restarted again and again makes no record without end.
func TestARecordOutlivesManyRestarts(t *testing.T) {
	w := newWorld(t)
	w.steps(3 * time.Minute)
	for i := range 80 {
		w.keeps()
		w.starts(fmt.Sprintf("life %d", i), "v1")
		w.now = w.now.Add(time.Minute)
		w.steps(20 * time.Second)
		w.goesOn()
	}
	kept := w.keeps()
	document, err := kept.JSON(false)
	if err != nil {
		t.Fatal(err)
	}
	first, last := kept.Daemons[0].Identity, kept.Daemons[len(kept.Daemons)-1].Identity
	if len(document) > record.MaxSize || len(kept.Gaps) > 50 || first != "clusterswitch-7d4b9c6f5-x2x8p" || last != "life 79" || kept.LeftOut == 0 {
		t.Errorf("%d bytes, %d gaps, daemons from %s to %s, %d left out", len(document), len(kept.Gaps), first, last, kept.LeftOut)
	}
	if told := kinds(kept); told["rise"] != 1 {
		t.Errorf("the timeline tells %v", told)
	}
}

// What is kept can be read again as it was.
func TestARecordReadsBackAsItWasWritten(t *testing.T) {
	w := newWorld(t)
	w.approve(2)
	w.steps(20 * time.Minute)
	kept := w.keeps()
	document, err := kept.JSON(true)
	if err != nil {
		t.Fatal(err)
	}
	again, err := record.Parse(document)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(kept, again); diff != "" {
		t.Errorf("-written +read:\n%s", diff)
	}
	for what, text := range map[string]string{"nothing": "", "no JSON": "none", "something else": `{"a": 1}`, "a newer one": `{"schemaVersion": 2, "pair": "shop"}`} {
		if _, err := record.Parse([]byte(text)); err == nil {
			t.Errorf("%s is read as a record", what)
		}
	}
}

// A daemon that starts when all is over has nothing to add; where the record lacks the
// end, because the daemon before died with it, the next one tells it.
func TestADaemonThatStartsAfterTheEnd(t *testing.T) {
	w := newWorld(t)
	w.approve(2)
	w.steps(8 * time.Minute)
	w.keeps()
	w.ask.RollbackBy = []string{"the configuration"}
	w.steps(time.Minute) // the end, and nobody keeps it
	w.starts("two", "v2")
	w.steps(time.Minute)
	if worth := w.recorder.Continue(w.kept); !worth {
		t.Error("the end is not worth to be kept")
	}
	ended := w.keeps()
	if ended.Phase != "RolledBack" || !ended.Ended() || len(ended.Rollbacks) != 1 || ended.Rollbacks[0].DoneAt == nil || len(ended.Gaps) != 1 || ended.Gaps[0].Meanwhile != "Shifting became RolledBack; green went from 50 % to 0 %" {
		t.Errorf("the record ends with %s, %+v, %+v", ended.Phase, ended.Rollbacks, ended.Gaps)
	}
	if told := kinds(ended); told["rise"] != 2 || told["rollback"] != 1 {
		t.Errorf("the timeline tells %v", told)
	}
	w.starts("three", "v2")
	w.steps(time.Minute)
	if worth := w.recorder.Continue(w.kept); worth {
		t.Error("a daemon that starts after the end has something to keep")
	}
	w.starts("four", "v2")
	w.steps(time.Minute)
	if worth := w.recorder.Continue(nil); worth {
		t.Error("an attempt that was over before records were kept is worth one")
	}
}
