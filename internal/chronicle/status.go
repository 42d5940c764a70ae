package chronicle

import (
	"encoding/json"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// ofStatus makes a pair's document of what the daemon in charge wrote down.
func (c *Chronicle) ofStatus(object *v1alpha1.TrafficSwitch) (Detail, shift.State) {
	status, spec := object.Status, object.Spec
	state := stateOf(status)
	d := c.ofState(object.Name, state, shift.Reason(status.Reason), status.Message)
	s := &d.Summary
	s.Source, s.UpdatedAt = "journal", instant(status.UpdatedAt.Time)
	s.BlueReady = replicasOf(status.BlueReady)
	s.WaitsUntil = waitsUntil(state, nil, c.options.Now())
	if entered, of, ok := twoOf(status.Step); ok {
		s.Step = &Step{Entered: entered, Of: of}
	}
	if q := status.Question; q != nil {
		d.Question = &Question{ID: q.ID, Reason: q.Reason, Message: clip(q.Message)}
		s.Severity = severityOf(shift.NeedsPerson)
	}
	d.Asked = Asked{Attempt: spec.Attempt, Paused: spec.Paused, HandsOff: spec.HandsOff}
	if spec.Rollback {
		d.Asked.RollbackBy = []string{"the custom resource"}
	}
	if spec.Approved.Attempt == state.Attempt {
		d.Asked.ApprovedStep = spec.Approved.Step
	}
	d.Entrances = entrancesOf(state, shift.Plan{}, nil)
	for _, g := range atMost(status.Gates, maxList) {
		d.Gates = append(d.Gates, Gate{Gate: g.Gate, Judgement: g.Judgement, Message: clip(g.Message), Numbers: []Number{}})
	}
	if r := status.Readiness; r != nil {
		d.Readiness = toldReadiness(r)
		s.BluePercent, s.WantedPercent = r.BlueCapacityPercent, &d.Readiness.WantedPercent
	}
	d.Notes = clipped(status.Notes)
	return d, state
}

// stateOf reads the journal in a status. What it can't read is told by the fields
// beside it.
func stateOf(status v1alpha1.TrafficSwitchStatus) shift.State {
	var s shift.State
	if status.Journal != nil && json.Unmarshal(status.Journal.Raw, &s) == nil && s.Phase != "" {
		return s
	}
	s = shift.State{Phase: shift.Phase(status.Phase), Share: shift.Share(status.Share), Attempt: status.Attempt}
	if r := status.Rollback; r != nil {
		s.Rollback = &shift.RollbackRecord{By: r.By, Why: r.Why, At: r.At.Time, Automatic: r.Automatic}
	}
	return s
}

func toldReadiness(r *v1alpha1.Readiness) *Readiness {
	out := &Readiness{
		Message: clip(r.Message), WantedPercent: r.WantedPercent, Tails: []Tail{},
		Blue: toldCapacity(r.BlueCapacityPercent, r.Blue), Green: toldCapacity(r.GreenCapacityPercent, r.Green),
	}
	if takes, err := time.ParseDuration(r.Takes); err == nil {
		out.TakesSeconds = new(takes.Seconds())
	}
	for _, t := range atMost(r.Tails, maxList) {
		tail := Tail{Entrance: t.Entrance, Side: t.Side, Kind: t.Kind}
		if length, err := time.ParseDuration(t.For); err == nil {
			tail.ForSeconds = new(length.Seconds())
		}
		out.Tails = append(out.Tails, tail)
	}
	return out
}

func toldCapacity(percent *int, c v1alpha1.Capacity) Capacity {
	return Capacity{Percent: percent, Why: clip(c.Why), Weakest: c.Weakest, Ready: c.Ready, Needed: c.Needed, ByLoad: c.ByLoad}
}
