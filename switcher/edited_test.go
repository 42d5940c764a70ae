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

// A journal is put back from before the daemon took charge. It isn't taken for the
// daemon's own; and once the attempt is over it stays over, whatever is put back.
func TestAJournalPutBackIsAQuestion(t *testing.T) {
	for name, phase := range map[string]shift.Phase{"while a share is held": shift.Shifting, "when the shift is complete": shift.Completed} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			at25(t, w)
			older := w.journaled(t)
			d := w.daemon()
			for w.step(t, d); w.turn().Decision.Next.Phase != phase; {
				w.step(t, d)
			}
			shares := w.shares()
			w.write(older, shift.Said{})
			w.steps(t, d, 10*time.Minute)
			if got := w.turn().Decision; got.Reason != shift.JournalsDisagree || got.Next.Phase != phase || w.shares() != shares {
				t.Errorf("%s: %s in %s, AWS shows %v", got.Reason, got.Message, got.Next.Phase, w.shares())
			}
		})
	}
}
