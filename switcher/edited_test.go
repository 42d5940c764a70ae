package switcher_test

import (
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Somebody edits the journal by hand while its daemon runs. What the daemon
// knows stands, and nothing rises before a person has looked.
func TestJournalEditedByHandIsAQuestion(t *testing.T) {
	w := newWorld()
	d := at25(t, w)
	s := w.journaled(t)
	s.Share, s.Step, s.Version = 100, 2, 999
	w.write(s, shift.Said{})
	w.steps(t, d, 10*time.Minute)
	if got := w.turn().Decision.Reason; got != shift.JournalsDisagree || w.shares() != [2]shift.Share{25, 25} {
		t.Errorf("the reason is %s and AWS shows %v, want %s and 25 %% everywhere", got, w.shares(), shift.JournalsDisagree)
	}
	rollBack(w)
	w.steps(t, d, time.Minute)
	if w.shares() != [2]shift.Share{} {
		t.Errorf("a rollback left %v on green", w.shares())
	}
}
