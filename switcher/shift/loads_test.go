package shift

import "testing"

func TestLoadsAreNeededWhileCapacityCountsOrIsAboutTo(t *testing.T) {
	cases := map[string]struct {
		state   State
		request Request
		want    bool
		past    bool
	}{
		"at rest that asks for nothing":            {State{Phase: Idle}, Request{Serve: Blue}, false, false},
		"at rest, whose request isn't known":       {State{Phase: Idle}, Request{}, false, false},
		"before the first look of an attempt":      {State{Phase: Idle}, Request{Serve: Green, Attempt: 1}, true, true},
		"before a new attempt after a rollback":    {State{Phase: RolledBack, Attempt: 1}, Request{Serve: Green, Attempt: 2}, true, true},
		"after a rollback":                         {State{Phase: RolledBack, Attempt: 1}, Request{Serve: Green, Attempt: 1}, false, false},
		"in preflight":                             {State{Phase: InPreflight, Attempt: 1}, Request{Serve: Green, Attempt: 1}, true, true},
		"going up, and nobody went yet":            {State{Phase: Shifting, Attempt: 1}, Request{}, true, true},
		"going up":                                 {State{Phase: Shifting, Attempt: 1, Step: 1}, Request{}, true, false},
		"standing by":                              {State{Phase: OnStandby, Attempt: 1}, Request{Serve: Green, Attempt: 1}, true, false},
		"going back as planned":                    {State{Phase: Returning, Attempt: 1}, Request{Serve: Blue}, true, false},
		"rolling back by itself, which is limited": {State{Phase: RollingBack, Rollback: &RollbackRecord{Automatic: true}}, Request{}, true, false},
		"rolling back by a person, which isn't":    {State{Phase: RollingBack, Rollback: &RollbackRecord{}}, Request{}, false, false},
		"complete":                                 {State{Phase: Completed, Attempt: 1}, Request{Serve: Green, Attempt: 1}, false, false},
		"complete, with the way back asked for":    {State{Phase: Completed, Attempt: 1}, Request{Serve: Blue, Attempt: 1}, true, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := c.state.NeedsLoads(c.request); got != c.want {
				t.Errorf("got %t", got)
			}
			if got := c.state.NeedsPast(c.request); got != c.past {
				t.Errorf("what was before: got %t", got)
			}
		})
	}
}
