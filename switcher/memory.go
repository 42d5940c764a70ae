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
	State, Saved                                   shift.State
	Tried                                          []shift.State
	Loaded, CutShort, Superseded, Charged, Garbled bool
	Unjoined                                       error
	Said                                           shift.Said
	SaidAt, Unheeded                               time.Time
	Epoch                                          int64
	Again                                          time.Duration
	Failure                                        string
	Blind                                          int
}

// Memory gives what the loop carries on. It is for the goroutine that takes turns.
func (s *Switcher) Memory() Memory {
	return Memory{
		State: s.state, Saved: s.saved, Tried: slices.Clone(s.tried),
		Loaded: s.loaded, CutShort: s.cutShort, Superseded: s.superseded, Charged: s.charged, Garbled: s.garbled,
		Unjoined: s.unjoined, Said: s.said, SaidAt: s.saidAt, Unheeded: s.unheeded,
		Epoch: s.epoch, Again: s.again, Failure: s.failure, Blind: s.blind,
	}
}

// Recall makes the loop go on from a memory instead of its own. It is for the
// goroutine that takes turns.
func (s *Switcher) Recall(m Memory) {
	s.state, s.saved, s.tried = m.State, m.Saved, slices.Clone(m.Tried)
	s.loaded, s.cutShort, s.superseded, s.charged, s.garbled = m.Loaded, m.CutShort, m.Superseded, m.Charged, m.Garbled
	s.unjoined, s.said, s.saidAt, s.unheeded = m.Unjoined, m.Said, m.SaidAt, m.Unheeded
	s.epoch, s.again, s.failure, s.blind = m.Epoch, m.Again, m.Failure, m.Blind
}
