package shift

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// rollbackByPerson obeys a person's flag at once and fully. What is unknown
// about blue never refuses a person.
func (t *turn) rollbackByPerson() (Decision, bool) {
	if !t.o.Request.rollbackAsked() {
		return Decision{}, false
	}
	by := t.o.Request.rollbackSources()
	switch t.next.Phase {
	case RollingBack:
		if t.next.Rollback.Automatic { // a person lifts the limit of S13
			t.next.Rollback = &RollbackRecord{By: by, Why: "the rollback flag is set in " + by + " after: " + t.next.Rollback.Why, At: t.now}
			t.next.Version++
			d := t.rollingBack()
			if len(d.Changes) > 0 {
				d.Reason = RollbackRequested
			}
			return d, true
		}
		return t.rollingBack(), true
	case Idle, RolledBack:
		if t.next.Question == nil && !t.anyGreen() {
			return Decision{}, false // it has what it asks for
		}
	case InPreflight, Shifting, OnStandby, Completed, Returning:
	}
	return t.rollBack(RollbackRecord{By: by, Why: "the rollback flag is set in " + by}, RollbackRequested), true
}

// rollbackByItself goes back only for what users feel: a failed gate on their
// traffic, or green freshly read without healthy targets.
func (t *turn) rollbackByItself() (Decision, bool) {
	switch t.next.Phase {
	case Shifting, Returning:
	case OnStandby:
		if !t.p.Standby.AutoRollback {
			return Decision{}, false
		}
	case Idle, InPreflight, Completed, RollingBack, RolledBack:
		return Decision{}, false
	}
	if name, ok := t.greenEmpty(); ok {
		why := fmt.Sprintf("entrance %s: green has no healthy target", name)
		return t.rollBack(RollbackRecord{By: "clusterswitch", Automatic: true, Why: why}, GreenHasNoTargets), true
	}
	if why, ok := t.usersSuffer(); ok {
		return t.rollBack(RollbackRecord{By: "clusterswitch", Automatic: true, Why: why}, UsersSuffer), true
	}
	return Decision{}, false
}

// rollBack opens the way back. After completion it is a new attempt.
func (t *turn) rollBack(r RollbackRecord, reason Reason) Decision {
	r.At = t.now
	t.openWayBack()
	t.next.Phase, t.next.Rollback, t.next.Question = RollingBack, &r, nil
	limit := t.wayBack().Limit
	t.next.Share = min(t.next.Share, limit)
	t.intend()
	d, ok := t.lowerAll(limit)
	if !ok {
		return t.stay(reason, "%s; blue has all traffic already", r.Why)
	}
	if len(d.Changes) > 0 {
		d.Reason, d.Message = reason, r.Why+"; "+d.Message
	}
	return d
}

// openWayBack begins a way back, fast or planned. It uses up every attempt that
// was asked for until now: after it only a person's new wish starts a shift.
func (t *turn) openWayBack() {
	if len(t.next.Entrances) == 0 { // nothing was frozen: no attempt of ours
		t.next.Entrances = freeze(t.p.Entrances, 0)
		t.next.Steps = slices.Clone(t.p.Steps)
		if _, ok := newestMark(t.o); ok {
			t.next.sentUnknown(t.now)
		}
	}
	switch {
	case t.next.Phase == Completed, t.next.From == Completed, t.next.Phase == Idle && t.next.Question == nil:
		t.next.Attempt++
		t.next.StartedAt = t.now
	case t.next.Phase == Idle: // the journal is away: stay in the attempt that the mark tells
		t.next.StartedAt = t.now
	}
	t.next.Attempt = max(1, t.next.Attempt, t.o.Request.Attempt)
	if mark, ok := newestMark(t.o); ok { // an older journal may not know of the last attempt
		t.next.Attempt = max(t.next.Attempt, mark.Attempt)
	}
	t.next.EndedAt, t.next.From = time.Time{}, ""
}

// rollingBack goes on with a rollback. Where blue can carry more by now, green
// gets less; the intended share never rises again.
func (t *turn) rollingBack() Decision {
	limit := t.wayBack().Limit
	if limit < t.next.Share {
		t.next.Share = limit
		t.intend()
	}
	if d, ok := t.lowerAll(limit); ok {
		return d
	}
	return t.endWayBack()
}

func (t *turn) endWayBack() Decision {
	t.next.Version++
	t.next.Phase, t.next.EndedAt = RolledBack, t.now
	return t.stay(BackOnBlue, "blue has all traffic again (%s)%s", t.next.Rollback.Why, t.stillOn(Green))
}

// lowerAll lowers every entrance to the limit at once; false: nothing is left
// to do. It never raises one, and it needs nothing but the wish: an entrance
// that can't be read is written all the same.
func (t *turn) lowerAll(limit Share) (Decision, bool) {
	var changes []Change
	var waiting, unread []string
	var left Share // on green
	unsynced := false
	t.renewMark(limit)
	for i, e := range t.next.Entrances {
		r, known := t.reading(e.Name)
		switch {
		case known && r.atMost(limit):
			t.next.Entrances[i] = e.at(min(e.Share, limit))
			left = max(left, r.Share())
			unsynced = unsynced || !r.InSync
		case known && r.ProvesBlueDead() && !t.o.Request.RollbackForce:
			waiting = append(waiting, e.Name)
		case known:
			changes = append(changes, t.change(i, limit, Rollback))
		default:
			unread = append(unread, e.Name+" can't be read back: "+t.unreadable(e.Name))
			changes = append(changes, t.change(i, min(limit, e.lowest()), Rollback))
		}
	}
	inFlight, late := t.writeInFlight()
	switch {
	case len(changes) > 0:
		message := rollbackScope(changes, limit) + " to blue"
		if len(waiting) > 0 {
			message += "; " + strings.Join(waiting, ", ") + " waits, blue has no healthy target there"
		}
		// Without this a rollback that AWS took, but nobody can see, would sound
		// like one that goes on for ever.
		message = strings.Join(append([]string{message}, unread...), "; ")
		return t.act(changes, RollbackUnderWay, "%s", message), true
	case len(waiting) > 0:
		return t.stay(RollbackWaitsForBlue, "blue has no healthy target while green has some (%s); it goes back as soon as blue has one", strings.Join(waiting, ", ")), true
	case len(t.fences()) > 0:
		return t.fence()
	case left > 0:
		return t.stay(RollbackLimitedByCapacity, "%s (%s); %s stays on green until blue has more", t.wayBack().Why, t.capacity(Blue, Full).replicas(), left), true
	case unsynced:
		return t.stay(RollbackSettling, "blue's weights stand; AWS is still bringing them to all its servers"), true
	case late:
		return t.stay(RollbackSettling, "blue's weights stand; an earlier write may still land until %s", inFlight.UTC().Format(time.TimeOnly)).wakeAt(inFlight, t.now), true
	}
	return Decision{}, false
}

// lowest is the least that green may have on an entrance that can't be read: a
// write that is still open may or may not have landed.
func (e EntranceState) lowest() Share {
	if !e.Pending || e.Was.Blue+e.Was.Green == 0 {
		return e.Share
	}
	return min(e.Share, EntranceReading{Weights: e.Was, Apart: e.WasApart}.lowest())
}

// writeInFlight tells until when a write that gives green traffic may still
// land: at a load balancer always, at Route 53 when the way back found nothing
// to write that would have fenced it. The way back isn't over before: it would
// have to be undone.
func (t *turn) writeInFlight() (until time.Time, still bool) {
	for _, e := range t.next.Entrances {
		if end := e.SentAt.Add(WriteDeadline + max(t.o.ClockOff, 0)); end.After(until) {
			until = end
		}
	}
	return until, until.After(t.now)
}

// renewMark takes a new version where a newer daemon raised green since this one
// lowered it, or may have: to write the former mark once more would look to that one
// as if its rise had never landed.
func (t *turn) renewMark(limit Share) {
	for _, e := range t.next.Entrances {
		r, known := t.reading(e.Name)
		if !known || !r.atMost(limit) && r.Mark != nil && r.Mark.Compare(t.next.Mark()) > 0 {
			t.next.Version++
			return
		}
	}
}

func rollbackScope(changes []Change, limit Share) string {
	names := make([]string, len(changes))
	for i, c := range changes {
		names[i] = c.Entrance.Name
	}
	if limit == 0 {
		return "all traffic of " + strings.Join(names, ", ") + " goes"
	}
	return fmt.Sprintf("all but %s of the traffic of %s goes", limit, strings.Join(names, ", "))
}

// blueCapacity is how much of all traffic blue can carry, as far as it is known.
func (t *turn) blueCapacity() (Share, bool) {
	c := t.capacity(Blue, Full)
	return min(Full, Share(c.Percent)), c.Known
}

// blueMeasured tells whether blue's replicas can be taken as the measure of
// the load: without one, no gate could say what green needs.
func (t *turn) blueMeasured() bool {
	return t.o.Blue.Err == "" && t.fresh(t.o.Blue.At, t.p.StaleAfter) && t.o.Blue.Ready() > 0
}

// greenIsDead tells whether a reading proves that green can't answer, while
// blue is not known to be as bad.
func greenIsDead(r EntranceReading) bool {
	blueAsBad := r.BlueTargets.Known && r.BlueTargets.Healthy == 0
	return r.GreenTargets.Known && r.GreenTargets.Healthy == 0 && !blueAsBad
}

// greenEmpty finds an entrance that sends users to a green that can't answer.
func (t *turn) greenEmpty() (string, bool) {
	for _, e := range t.next.Entrances {
		if r, known := t.reading(e.Name); known && greenIsDead(r) && r.green() {
			return e.Name, true
		}
	}
	return "", false
}

func (t *turn) anyGreen() bool {
	for _, e := range t.next.Targets(t.p) {
		r, ok := t.o.entrance(e.Name) // however old: who is asked to go back doesn't wait for a fresh look
		if ok && r.Err == "" && !r.At.IsZero() && !r.StandsAt(0) {
			return true
		}
	}
	return false
}
