package sim

import (
	"testing"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func TestTheBinaryBeforeCallsAWayBackARollbackBeforeItIsOne(t *testing.T) {
	done := &shift.RollbackRecord{By: "serve: blue"}
	for name, c := range map[string]struct {
		state              shift.State
		written, goesByOne bool
	}{
		"while it can be withdrawn":  {shift.State{Phase: shift.Returning, From: shift.Shifting}, true, false},
		"once a step back was taken": {shift.State{Phase: shift.Returning, Rollback: done}, true, true},
		"read from its own journal":  {shift.State{Phase: shift.Returning}, true, true},
		"before anybody wants back":  {shift.State{Phase: shift.Shifting}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := (&replica{}).downgrade(c.state)
			if got := [2]bool{d.state.Rollback != nil, d.meant().Rollback != nil}; got != [2]bool{c.written, c.goesByOne} {
				t.Errorf("the journal tells of a rollback, and its writer goes by one: %v, want %v", got, [2]bool{c.written, c.goesByOne})
			}
		})
	}
}
