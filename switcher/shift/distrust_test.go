package shift

import (
	"testing"
	"time"
)

// A journal changed under the daemon's hands. Its memory stands and a person is asked;
// but no rollback is lost, and what is over stays over, also where the memory is of an
// older journal.
func TestAnAttemptThatIsOverStaysOverWhateverIsPutBack(t *testing.T) {
	now := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	back := &RollbackRecord{By: "the custom resource"}
	for name, c := range map[string]struct {
		memory, found State
		phase         Phase
		attempt       int
		asks          bool
	}{
		"a shift whose journal was set back":             {State{Phase: Shifting, Attempt: 1}, State{Phase: InPreflight, Attempt: 1}, Shifting, 1, true},
		"a shift of which the journal says: complete":    {State{Phase: Shifting, Attempt: 1}, State{Phase: Completed, Attempt: 1}, Completed, 1, true},
		"a shift of which the journal says: gone back":   {State{Phase: Shifting, Attempt: 1}, State{Phase: RolledBack, Attempt: 1, Rollback: back}, RollingBack, 1, false},
		"a complete one whose journal was set back":      {State{Phase: Completed, Attempt: 1}, State{Phase: Shifting, Attempt: 1}, Completed, 1, true},
		"a way back whose journal was set back":          {State{Phase: RollingBack, Attempt: 1, Rollback: back}, State{Phase: Shifting, Attempt: 1}, RollingBack, 1, false},
		"a way back, and a later attempt is over":        {State{Phase: RollingBack, Attempt: 1, Rollback: back}, State{Phase: Completed, Attempt: 2}, RollingBack, 2, false},
		"one that knows nothing, and an attempt is over": {State{Phase: Idle, Attempt: 1}, State{Phase: RolledBack, Attempt: 2, Rollback: back}, RolledBack, 2, true},
		"a complete one, and a later attempt is too":     {State{Phase: Completed, Attempt: 1}, State{Phase: Completed, Attempt: 2}, Completed, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			c.memory.Epoch, c.found.Epoch = 3, 2
			s := Distrust(c.memory, c.found, now)
			if s.Phase != c.phase || s.Attempt != c.attempt || s.Epoch != 4 || (s.Question != nil) != c.asks {
				t.Errorf("it goes on with attempt %d in %s, epoch %d, and asks: %t", s.Attempt, s.Phase, s.Epoch, s.Question != nil)
			}
		})
	}
}
