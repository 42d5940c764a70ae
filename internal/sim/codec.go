package sim

import (
	"encoding/json"
	"reflect"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// encode gives the document that the replica's binary writes. Every few it goes
// through JSON, as all do in production: what that loses must not be missed.
func (r *replica) encode(s shift.State) *document {
	if r.older {
		return r.downgrade(s)
	}
	d := &document{state: s, schema: shift.Schema}
	if s.Version%8 != 0 || d.same(r.w.api.doc) {
		return d
	}
	var back shift.State
	text, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(text, &back)
	}
	if err != nil {
		return &document{garbled: err.Error()}
	}
	return &document{state: back, schema: shift.Schema}
}

// downgrade is what a binary of the schema before writes: it doesn't know of what
// came later.
func (r *replica) downgrade(s shift.State) *document {
	d := &document{schema: shift.Schema - 1, open: s.Phase == shift.Returning && s.From != "" && s.Rollback == nil}
	s.Baseline = shift.Baseline{Ready: s.Baseline.Ready}
	s.FloorsHeld, s.Floors, s.Baton, s.Gaps, s.Evidence, s.From = false, nil, nil, nil, nil, ""
	if s.Phase == shift.Returning && s.Rollback == nil { // it says so where today From does
		s.Rollback = &shift.RollbackRecord{By: "the configuration", Why: "the planned way back"}
	}
	d.state = s
	return d
}

// meant is the state as who wrote it goes by it. The binary before is played by
// today's loop, which may still withdraw a way back that the schema before already
// calls a rollback; who reads the document can't.
func (d *document) meant() shift.State {
	s := d.state
	if d.open {
		s.Rollback = nil
	}
	return s
}

// same tells whether both are the same bytes.
func (d *document) same(e *document) bool {
	if d == e {
		return true
	}
	if d == nil || e == nil || d.schema != e.schema || d.garbled != e.garbled || d.open != e.open || d.state.Version != e.state.Version || d.state.Epoch != e.state.Epoch {
		return false
	}
	return reflect.DeepEqual(d.state, e.state)
}
