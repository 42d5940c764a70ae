package switcher

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// errNoLease is why a daemon that doesn't hold the lease writes nothing down.
var errNoLease = errors.New("only the daemon that holds the lease writes the journal")

// onlyByLease is said of a load balancer that is not written for want of the
// lease. Nothing there fences a write of two daemons off, as a swap does at Route 53.
const onlyByLease = "only the daemon that holds the lease writes a load balancer; `clusterswitch rollback PAIR --direct` does it at once"

// tenure gives the lease's term, and for how long it is held for sure. Who needs
// no lease always may.
func (s *Switcher) tenure() (term int64, left time.Duration) {
	if s.lease == nil {
		return s.term, math.MaxInt64
	}
	return s.lease.Term()
}

// left is how long the lease is held that the turn began with; 0: it is lost, or
// lost and won again. What was decided under the former is for nobody to do.
func (s *Switcher) left() time.Duration {
	term, left := s.tenure()
	if term != s.term {
		return 0
	}
	return max(0, left)
}

// takeTerm tells whether this process holds the lease. With a new term it begins
// as a new daemon would: others may have been in charge since. A way back of its
// own stays in mind: load hands it on.
func (s *Switcher) takeTerm() (held bool) {
	term, left := s.tenure()
	if s.away = left <= 0; s.away {
		return false
	}
	if term != s.term {
		s.term = term
		s.loaded, s.charged, s.superseded = false, false, false
		s.unjoined, s.unheeded, s.tried = errNotJoined, time.Time{}, nil
	}
	return true
}

// aside is the turn of a process that doesn't hold the lease. It reads the
// journal along, asks AWS nothing and writes nothing, with one exception: who
// was in charge goes on lowering green at Route 53.
func (s *Switcher) aside(ctx context.Context, t Turn) (wakeAt time.Time) {
	found := s.load(ctx, t.Plan.Pair, s.timeouts.JournalLowering)
	if ctx.Err() != nil {
		return t.Now
	}
	s.follow(found)
	if s.lowersAlone() {
		t.Observation = s.look(ctx, t.Plan, s.state, true)
		if ctx.Err() != nil {
			return t.Now
		}
		s.heedMarks(t.Observation)
		if !s.heard { // nobody can say where the journal stands: the marks must do
			s.join(found, t.Observation, t.Now)
		}
	}
	t.Observation.Request = s.observer.Request(s.state, s.joined())
	t.Before = s.state
	if s.lowersAlone() {
		t.Decision = shift.Decide(t.Plan, s.state, t.Observation, t.Now)
		s.lowerAlone(context.WithoutCancel(ctx), &t)
	} else {
		s.yield(&t)
	}
	return s.finish(t)
}

// follow takes over what the journal tells of whoever is in charge. Only a way
// back of its own that the journal doesn't know of stays, and only until a newer
// daemon took charge.
func (s *Switcher) follow(found *shift.Found) {
	if found.Unreadable != "" {
		return
	}
	own := goesBack(s.state) && !s.superseded && found.State.Mark().Compare(s.state.Mark()) <= 0
	if !found.Present || own {
		return
	}
	s.state, s.rooted = found.State, true
}

// joined tells whether the attempt that is under way is known: from a journal
// that this daemon joined with the marks, or reads along.
func (s *Switcher) joined() bool { return s.loaded || s.away && s.heard }

// heedMarks looks for the mark of a daemon that took charge since: it is another
// witness where the journal can't be read.
func (s *Switcher) heedMarks(o shift.Observation) {
	newer := func(r shift.EntranceReading) bool { return r.Mark != nil && r.Mark.Epoch > s.epoch }
	s.superseded = s.superseded || s.charged && slices.ContainsFunc(o.Entrances, newer)
}

// lowersAlone tells whether green is lowered at Route 53 without the lease (S10):
// by who was in charge and knows of nobody who took charge since, and by who
// could not ask since its start who is.
func (s *Switcher) lowersAlone() bool {
	return !s.superseded && (s.charged || !s.heard) && s.urgent()
}

// lowerAlone carries out what a way back lowers at Route 53. It is not written
// down; the mark tells of it, and so does this daemon once it holds the lease.
func (s *Switcher) lowerAlone(ctx context.Context, t *Turn) {
	d := &t.Decision
	if !goesBack(d.Next) {
		s.yield(t)
		return
	}
	t.Standby, t.JournalErr = true, errNoLease
	if slices.ContainsFunc(d.Changes, needsLease) {
		d.Message += "; " + onlyByLease
	}
	s.state = d.Next
	if len(d.Changes) > 0 {
		t.Results = s.commit(ctx, d.Changes)
	}
	s.keepUntold(*t)
}

// yield says that another daemon decides.
func (s *Switcher) yield(t *Turn) {
	t.Standby = true
	t.Decision = shift.Decision{
		Next: s.state, Reason: shift.NotLeader, WakeAt: t.Now.Add(max(t.Plan.Interval, time.Second)),
		Message: "this daemon doesn't hold the lease; it stands by and writes nothing",
	}
	if s.urgent() {
		t.Decision.Message += "; the rollback is for the daemon that holds it; if nobody does, `clusterswitch rollback PAIR --direct` needs no daemon"
	}
}

// leaseTooShort withholds a rise that might outlast the lease.
func (s *Switcher) leaseTooShort(t *Turn) bool {
	left := s.left()
	if !rises(t.Decision.Changes) || left >= shift.WriteDeadline {
		return false
	}
	t.JournalErr = fmt.Errorf("the lease is sure for %s more, and a write may take %s", left.Round(time.Millisecond), shift.WriteDeadline)
	s.withhold(t, shift.NotLeader)
	return true
}

// needsLease tells whether a change is only for the daemon that holds the lease.
// A rollback at Route 53 isn't: the swap fences it.
func needsLease(c shift.Change) bool {
	return c.Entrance.Route53 == nil || c.Priority != shift.Rollback
}

// commit brings changes to AWS, and answers each in order. What needs the lease
// ends within it. While little is left of it, that goes first and alone: what
// doesn't need it must not be cut short.
func (s *Switcher) commit(ctx context.Context, changes []shift.Change) []shift.Result {
	results := make([]shift.Result, len(changes))
	if left := s.left(); left >= s.timeouts.Write {
		s.send(ctx, s.timeouts.Write, changes, results, func(shift.Change) bool { return true })
	} else {
		s.send(ctx, left, changes, results, needsLease)
		s.send(ctx, s.timeouts.Write, changes, results, func(c shift.Change) bool { return !needsLease(c) })
	}
	s.failure = failureOf(results)
	return results
}

// send commits those of the changes that are meant, within the bound, and puts
// the answers in their places.
func (s *Switcher) send(ctx context.Context, bound time.Duration, changes []shift.Change, results []shift.Result, meant func(shift.Change) bool) {
	var places []int
	var sent []shift.Change
	for i, c := range changes {
		switch {
		case !meant(c):
		case bound <= 0:
			results[i] = shift.Result{Entrance: c.Entrance.Name, Outcome: shift.Refused, Note: "nothing was written: " + lacksLease(c)}
		default:
			places, sent = append(places, i), append(sent, c)
		}
	}
	if len(sent) == 0 {
		return
	}
	ctx, cancel := s.within(ctx, bound)
	defer cancel()
	for i, r := range s.committer.Commit(ctx, sent) {
		results[places[i]] = r
	}
}

func lacksLease(c shift.Change) string {
	if c.Priority == shift.Rollback {
		return onlyByLease
	}
	return "the lease was lost"
}
