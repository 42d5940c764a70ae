package shift

import (
	"fmt"
	"time"
)

// Found is what the journal gave at the start of a daemon.
type Found struct {
	State State
	// Present: there was a journal. Absent is not the same as empty: a restored
	// custom resource has lost its status.
	Present bool
	// Unreadable says why the journal could not be read; Present is then unknown.
	Unreadable string
	// Memory is how far this daemon went back, written down or not; nil: it
	// didn't. A journal that doesn't know of it must not undo it.
	Memory *State
}

// Recover joins the journal with the marks found at AWS into the state to go
// on from, and takes charge of it with a new epoch. Rollbacks are OR-ed, a
// terminal phase stays, else the higher (attempt, epoch, version) wins. What
// can't be joined becomes a question. final is false when the world was not
// seen well enough to judge: look again, keep nothing.
func Recover(f Found, o Observation, now time.Time) (s State, final bool) {
	mark, marked := newestMark(o)
	if f.Present && f.Unreadable == "" {
		f.Unreadable = f.State.Fault()
	}
	if f.Unreadable != "" {
		s = NewState()
		s.Attempt, s.Epoch, s.Version = mark.Attempt, mark.Epoch+1, mark.Version
		s.raise(JournalUnreadable, "the journal can't be read: "+f.Unreadable, now)
		return s, false
	}
	if !f.Present && f.Memory != nil && f.Memory.Phase == RollingBack { // lost on the way back, which goes on
		s = f.Memory.clone()
		s.Epoch = max(s.Epoch, mark.Epoch) + 1
		return s, true
	}
	if !f.Present {
		return recoverAbsent(o, mark, marked, now)
	}
	s = f.State.clone()
	s.Epoch = max(s.Epoch, mark.Epoch) + 1
	// Memory first: it knows who asked, which its own mark doesn't tell.
	if f.Memory != nil && f.Memory.Mark().tellsRollback(s) {
		s.joinMark(f.Memory.Mark(), now)
		s.Rollback = new(*f.Memory.Rollback)
	}
	if marked && (mark.Compare(f.State.Mark()) > 0 || mark.tellsRollback(s)) {
		s.joinMark(mark, now)
	}
	return s, true
}

// Fault says what is wrong with a journal that was read but can't be right: a
// person edited it, or a newer binary wrote it. Empty: nothing.
func (s State) Fault() string {
	switch {
	case s.Schema != Schema:
		return fmt.Sprintf("it has schema %d, this binary reads %d", s.Schema, Schema)
	case !s.Phase.known():
		return fmt.Sprintf("it is in phase %q", s.Phase)
	case !s.Share.Valid() || s.Step < 0 || s.Step > len(s.Steps):
		return fmt.Sprintf("it stands at %s in step %d of %d", s.Share, s.Step, len(s.Steps))
	case s.Active() && (len(s.Entrances) == 0 || len(s.Steps) == 0):
		return "it tells of a shift without entrances or steps"
	case (s.Phase == RollingBack || s.Phase == Returning && s.From == "") && s.Rollback == nil:
		return "it goes back without saying why"
	}
	return ""
}

// Distrust keeps a daemon's memory against a journal that changed under its
// hands although no other daemon took charge: somebody edited it, or put an
// older one back. A person must look; a way back goes on.
func Distrust(memory, found State, now time.Time) State {
	s := memory.clone()
	further := found.Attempt > s.Attempt || found.Attempt == s.Attempt && !s.Phase.Terminal()
	switch {
	case s.Phase == RollingBack:
		s.Attempt = max(s.Attempt, found.Attempt)
	case found.Phase.Terminal() && further && !found.Mark().tellsRollback(s):
		s = found.clone() // what is over stays over, also where the memory is of an older journal
	}
	s.Version = max(memory.Version, found.Version) + 1
	s.Epoch = max(memory.Epoch, found.Epoch) + 1 // two daemons of one epoch would take each other for people, for ever
	if s.Phase == RollingBack {
		return s
	}
	if found.Mark().tellsRollback(s) { // no rollback is ever lost, whoever wrote it down
		s.joinMark(found.Mark(), now)
		s.Rollback = new(*found.Rollback)
		return s
	}
	if s.Phase == Idle && s.Rollback == nil && found.Rollback != nil { // what the answer to the question goes by
		s.Rollback = new(*found.Rollback)
	}
	s.raise(JournalsDisagree, fmt.Sprintf("the journal was changed by hand: it tells of attempt %d in phase %s at %s, the daemon knows of attempt %d in phase %s at %s",
		found.Attempt, found.Phase, found.Share, memory.Attempt, memory.Phase, memory.Share), now)
	return s
}

func recoverAbsent(o Observation, mark Mark, marked bool, now time.Time) (State, bool) {
	s := NewState()
	s.Epoch = mark.Epoch + 1
	for _, r := range o.Entrances {
		if r.Err != "" || r.At.IsZero() {
			s.raise(EntranceUnknown, fmt.Sprintf("there is no journal, and entrance %s can't be read: %s", r.Name, r.Err), now)
			return s, false
		}
	}
	for _, r := range o.Entrances {
		if marked || !r.StandsAt(0) {
			s.Attempt, s.Version = mark.Attempt, mark.Version
			if mark.Rollback {
				s.Rollback = new(mark.rollbackRecord())
				s.Rollback.At = now
			}
			s.raise(JournalMissing, fmt.Sprintf("there is no journal, but entrance %s stands at %s and a mark is %s", r.Name, r, presence(marked)), now)
			return s, true
		}
	}
	return s, len(o.Entrances) > 0
}

func presence(there bool) string {
	if there {
		return "there"
	}
	return "absent"
}

// tellsRollback: somebody rolled back this very attempt, or went back from a
// completed one, without the journal.
func (m Mark) tellsRollback(s State) bool {
	if !m.Rollback || s.Rollback != nil {
		return false
	}
	return m.Attempt == s.Attempt && (s.Active() || s.Phase == Completed) || m.Attempt > s.Attempt && s.Phase != Idle
}

// joinMark takes over what a newer mark tells.
func (s *State) joinMark(m Mark, now time.Time) {
	switch {
	case m.tellsRollback(*s):
		s.Phase = RollingBack
		s.Rollback = new(m.rollbackRecord())
		s.Rollback.At = now
		s.Attempt, s.Version = m.Attempt, max(s.Version, m.Version)+1
		s.Question, s.EndedAt, s.From = nil, time.Time{}, ""
		s.sentUnknown(now)
	case s.Phase.Terminal() && m.Attempt == s.Attempt || s.Rollback != nil && m.Attempt == s.Attempt:
		s.Version = max(s.Version, m.Version)
	case m.Attempt == s.Attempt && (s.Phase == Shifting || s.Phase == InPreflight) && s.onPlan(m.Share):
		s.Phase = Shifting
		for i := range s.Entrances {
			e := &s.Entrances[i]
			e.Was, e.WasApart, e.WasMark = e.Share.Weights(), nil, nil
			e.Share, e.Pending = m.Share, e.Share != m.Share
			e.RaisedAt = now // or a little before
		}
		s.Share, s.Step, s.Version = m.Share, stepAt(s.Steps, m.Share), m.Version
		s.ShownAt, s.ReachedAt, s.ChangedAt = time.Time{}, time.Time{}, now
	default:
		s.Version = max(s.Version, m.Version)
		s.raise(JournalsDisagree, fmt.Sprintf("the journal tells of attempt %d in phase %s at %s, the mark of attempt %d in phase %s at %s",
			s.Attempt, s.Phase, s.Share, m.Attempt, m.Phase, m.Share), now)
	}
}

// sentUnknown reckons with writes on their way that the journal doesn't know of,
// because it is older than the mark.
func (s *State) sentUnknown(now time.Time) {
	for i := range s.Entrances {
		s.Entrances[i].SentAt = now
	}
}

func (s State) onPlan(share Share) bool {
	at := stepAt(s.Steps, share)
	return share == 0 || at > 0 && s.Steps[at-1].Share == share
}

func (s *State) raise(reason Reason, message string, now time.Time) {
	s.Question = &Question{
		ID: fmt.Sprintf("%d-%d", s.Attempt, now.UnixMilli()), Reason: reason, Message: message, At: now,
	}
}

// newestMark finds the newest mark; a rollback that any mark of its attempt
// tells is never lost.
func newestMark(o Observation) (newest Mark, ok bool) {
	for _, r := range o.Entrances {
		if r.Mark == nil {
			continue
		}
		rollback := r.Mark.Attempt == newest.Attempt && (r.Mark.Rollback || newest.Rollback)
		if !ok || r.Mark.Compare(newest) > 0 {
			newest, ok = *r.Mark, true
		}
		newest.Rollback = newest.Rollback || rollback
	}
	return newest, ok
}
