package shift

import (
	"fmt"
	"time"
)

// Decision is what to do now and why. The loop journals Next, then carries out
// Changes; it adds nothing of its own.
type Decision struct {
	Next    State
	Changes []Change
	// Clusters is what shall hold in the clusters besides traffic.
	Clusters ClusterIntent
	Reason   Reason
	// Message is one sentence for a person.
	Message string
	// Verdicts are the gates that were judged, all of them.
	Verdicts []Verdict
	// WakeAt is when to look again, always after now.
	WakeAt time.Time
}

// Decide chooses what happens next for one pair. It is the only place that
// chooses a share. It reads no clock, does no I/O and returns no error: what
// isn't known is a value in the observation. The same input gives the same
// decision.
func Decide(p Plan, s State, o Observation, now time.Time) Decision {
	t := newTurn(p, s, o, now)
	if t.clockRight() {
		t.next.notAhead(now)
	}
	if o.Request.HandsOff {
		t.next.ShownAt, t.next.ReachedAt = time.Time{}, time.Time{} // others may set what they like: what is measured counts from afterwards
		d := t.stay(HandsOff, "hands off: the daemon writes nothing, not even a rollback")
		d.Clusters = ClusterIntent{Leave: true, Attempt: s.Attempt}
		return d
	}
	d := t.decide()
	t.next = d.Next
	t.dropEvidence()
	t.passBaton()
	t.sayReadiness(&d)
	t.keepFloors()
	d = t.sayBaton(d, s)
	d.Next, d.Clusters = t.next, t.clusterIntent()
	return d
}

// decide chooses what happens to the traffic.
func (t *turn) decide() Decision {
	t.confirmWrites()
	t.gatherEvidence()
	t.countBreaches()
	if d, ok := t.sidesTurned(); ok {
		return d
	}
	if d, ok := t.rollbackByPerson(); ok {
		return d
	}
	if d, ok := t.rollbackByItself(); ok {
		return d
	}
	if d, ok := t.openQuestion(); ok {
		return d
	}
	t.noteOutcome()
	switch t.next.Phase {
	case InPreflight:
		return t.preflight()
	case Shifting:
		return t.shifting()
	case OnStandby:
		return t.standingBy()
	case Returning:
		return t.returning()
	case RollingBack:
		return t.rollingBack()
	case Idle, Completed, RolledBack:
	}
	return t.resting()
}

// turn is one evaluation of Decide: its inputs, and the next state as it takes
// shape.
type turn struct {
	p    Plan
	o    Observation
	now  time.Time
	next State
}

func newTurn(p Plan, s State, o Observation, now time.Time) *turn {
	return &turn{p: p, o: o, now: now, next: s.clone()}
}

// stay decides to write nothing.
func (t *turn) stay(reason Reason, format string, args ...any) Decision {
	return Decision{
		Next: t.next, Reason: reason, Message: fmt.Sprintf(format, args...),
		WakeAt: t.now.Add(max(t.p.Interval, time.Second)),
	}
}

// wakeAt brings the next look forward to a moment that is already known.
func (d Decision) wakeAt(at, now time.Time) Decision {
	if at.After(now) && at.Before(d.WakeAt) {
		d.WakeAt = at
	}
	return d
}

// intend records a change of intent: all evidence starts anew.
func (t *turn) intend() {
	t.next.Version++
	t.next.ChangedAt = t.now
	t.next.ShownAt = time.Time{}
	t.next.ReachedAt = time.Time{}
}

// change makes the wish to bring one entrance to a share, and notes in the
// next state what stood there before.
func (t *turn) change(i int, to Share, priority Priority) Change {
	e := &t.next.Entrances[i]
	r, known := t.reading(e.Name)
	if !e.Pending || e.Share != to {
		*e = e.at(to)
		if e.Pending = true; known {
			e.pend(r)
		}
	}
	if priority != Rise {
		e.LoweredAt = t.now
	} else {
		e.RaisedAt = t.now
	}
	if to > 0 {
		e.SentAt = t.now
	}
	return Change{Entrance: e.Entrance, Expected: r, Wanted: to, Priority: priority}
}

// act decides to write. The mark is made last, from the finished state.
func (t *turn) act(changes []Change, reason Reason, format string, args ...any) Decision {
	for i := range changes {
		changes[i].Control = t.next.Mark()
	}
	d := t.stay(reason, format, args...)
	d.Changes = changes
	return d
}

// reading gives a usable and fresh reading of an entrance; false is unknown.
func (t *turn) reading(name string) (EntranceReading, bool) {
	r, ok := t.o.entrance(name)
	return r, ok && r.Err == "" && t.fresh(r.At, t.p.StaleAfter)
}

// unreadable says why the entrance is unknown.
func (t *turn) unreadable(name string) string {
	r, ok := t.o.entrance(name)
	switch {
	case !ok || r.At.IsZero() && r.Err == "":
		return "it was not read yet"
	case r.Err != "":
		return r.Err
	}
	return fmt.Sprintf("it was not read within %s", t.p.StaleAfter)
}

// confirmWrites notes which journaled writes have landed: they were read back,
// or the mark says that this very intent was written (versions go on across
// epochs and attempts). What stands there then instead is somebody else's.
func (t *turn) confirmWrites() {
	for i := range t.next.Entrances {
		e := &t.next.Entrances[i]
		r, known := t.reading(e.Name)
		// Where records stand apart, the mark tells of a part of the write only.
		landed := known && r.Mark != nil && r.Mark.Version >= t.next.Version && len(r.Apart) == 0
		awaited := e.Pending
		if landed && (t.next.Phase == Shifting || t.next.Phase == OnStandby) {
			awaited = awaited || e.Share != t.next.Share
			e.Pending, e.Share = true, t.next.Share // an older journal doesn't know of it
		}
		if e.Pending && (landed || known && r.StandsAt(e.Share)) {
			e.settled()
			if awaited && r.SyncUnheard { // another daemon sent it, perhaps long ago, and it landed just now
				e.movedAt(t.now)
			}
		}
	}
}
