package shift

import "testing"

func TestLoadsAreNeededWhileCapacityCountsOrIsAboutTo(t *testing.T) {
	cases := map[string]struct {
		state   State
		request Request
		want    bool
	}{
		"at rest that asks for nothing":            {State{Phase: Idle}, Request{Serve: Blue}, false},
		"at rest, whose request isn't known":       {State{Phase: Idle}, Request{}, false},
		"before the first look of an attempt":      {State{Phase: Idle}, Request{Serve: Green, Attempt: 1}, true},
		"before a new attempt after a rollback":    {State{Phase: RolledBack, Attempt: 1}, Request{Serve: Green, Attempt: 2}, true},
		"after a rollback":                         {State{Phase: RolledBack, Attempt: 1}, Request{Serve: Green, Attempt: 1}, false},
		"in preflight":                             {State{Phase: InPreflight, Attempt: 1}, Request{Serve: Green, Attempt: 1}, true},
		"going up":                                 {State{Phase: Shifting, Attempt: 1}, Request{}, true},
		"standing by":                              {State{Phase: OnStandby, Attempt: 1}, Request{Serve: Green, Attempt: 1}, true},
		"going back as planned":                    {State{Phase: Returning, Attempt: 1}, Request{Serve: Blue}, true},
		"rolling back by itself, which is limited": {State{Phase: RollingBack, Rollback: &RollbackRecord{Automatic: true}}, Request{}, true},
		"rolling back by a person, which isn't":    {State{Phase: RollingBack, Rollback: &RollbackRecord{}}, Request{}, false},
		"complete":                                 {State{Phase: Completed, Attempt: 1}, Request{Serve: Green, Attempt: 1}, false},
		"complete, with the way back asked for":    {State{Phase: Completed, Attempt: 1}, Request{Serve: Blue, Attempt: 1}, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := c.state.NeedsLoads(c.request); got != c.want {
				t.Errorf("got %t", got)
			}
		})
	}
}
