package switcher

import (
	"slices"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Memory is all that a loop carries from one turn to the next, besides its ports
// and what it last logged. With the same memory, plan, time and answers of its
// ports a loop takes the same turn: that is what makes a turn repeatable outside
// of the daemon it was taken in. A value is never changed after it was taken.
type Memory struct {
	State, Saved shift.State
	Tried        []shift.State
	Said         shift.Said
	SaidAt       time.Time
	Unheeded     time.Time
	Unjoined     error
	Failure      string
	Epoch, Term  int64
	Again        time.Duration
	Blind        int

	Loaded, CutShort, Superseded, Charged, Asked, Away, Heard, Rooted bool
}

// Memory gives what the loop carries on. It is for the goroutine that takes turns.
func (s *Switcher) Memory() Memory {
	return Memory{
		State: s.state, Saved: s.saved, Tried: slices.Clone(s.tried),
		Said: s.said, SaidAt: s.saidAt, Unheeded: s.unheeded, Unjoined: s.unjoined, Failure: s.failure,
		Epoch: s.epoch, Term: s.term, Again: s.again, Blind: s.blind,
		Loaded: s.loaded, CutShort: s.cutShort, Superseded: s.superseded, Charged: s.charged,
		Asked: s.asked, Away: s.away, Heard: s.heard, Rooted: s.rooted,
	}
}

// Recall makes the loop go on from a memory instead of its own. It is for the
// goroutine that takes turns.
func (s *Switcher) Recall(m Memory) {
	s.state, s.saved, s.tried = m.State, m.Saved, slices.Clone(m.Tried)
	s.said, s.saidAt, s.unheeded, s.unjoined, s.failure = m.Said, m.SaidAt, m.Unheeded, m.Unjoined, m.Failure
	s.epoch, s.term, s.again, s.blind = m.Epoch, m.Term, m.Again, m.Blind
	s.loaded, s.cutShort, s.superseded, s.charged = m.Loaded, m.CutShort, m.Superseded, m.Charged
	s.asked, s.away, s.heard, s.rooted = m.Asked, m.Away, m.Heard, m.Rooted
}
