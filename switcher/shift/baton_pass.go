package shift

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// passBaton takes each singleton one stage on: off, then drained, then on. A
// side is never told to begin before the other was freshly read as off, after it
// was told so, and nothing runs there. Traffic waits for it only at the gate of
// rises.
func (t *turn) passBaton() {
	var after []BatonState
	before := t.next.Baton
	for _, key := range t.singletonKeys() {
		r := t.singleton(key)
		i := slices.IndexFunc(before, func(e BatonState) bool { return e.Key == key })
		var e BatonState
		if i >= 0 {
			e = before[i]
		} else if found, ok := t.newBaton(r); ok {
			e = found
		} else {
			continue
		}
		if e.Stage == BatonBack && t.broughtHome(e, r) {
			t.forget(e)
			continue
		}
		t.passOne(&e, r)
		after = append(after, e)
	}
	t.next.Baton = after
}

// newBaton begins to care for a singleton: one that is to be handed over, or one
// that carries what this pair set, which a lost journal doesn't tell of.
func (t *turn) newBaton(r SingletonReading) (BatonState, bool) {
	blue, known := t.single(r, Blue)
	green, alsoKnown := t.single(r, Green)
	want := t.batonWant()
	e := BatonState{Key: r.Key, Stage: BatonHeld, Side: Blue, Since: t.now, SeenAt: blue.At}
	switch {
	case !known || !alsoKnown || want == "" || t.next.Question != nil || len(t.next.Baton) >= batonMost:
		return BatonState{}, false
	case !blue.Handed && !green.Handed:
		return e, want == Green && t.mayHandOver() && t.handable(r)
	case blue.On && green.On:
		e.Side = want
	case blue.On:
	case green.On:
		e.Side, e.SeenAt, e.Replicas = Green, green.At, green.Replicas
	default: // one of them was to get it
		e.Stage, e.Side, e.OffSince = BatonGiving, want.other(), t.now
		e.LandsUntil = t.now.Add(WriteDeadline)
	}
	return e, true
}

func (t *turn) passOne(e *BatonState, r SingletonReading) {
	switch to := t.heading(*e); e.Stage {
	case BatonHeld:
		t.hold(e, r, to)
	case BatonGiving:
		t.give(e, r, to)
	case BatonTaking:
		t.take(e, r, to)
	case BatonBack: // both sides are being given back
	}
}

// hold looks after a singleton that is where it was put, and begins to hand it
// over when it shall be elsewhere.
func (t *turn) hold(e *BatonState, r SingletonReading, to Side) {
	if t.next.Phase == Completed && e.Settled {
		return
	}
	e.Settled = false
	h := t.lookAtHeld(*e, r)
	t.noteHeld(e, h)
	t.moveHeld(e, r, h, to)
}

// heldLook is what was seen of a singleton since it was put where it is.
type heldLook struct {
	own, other SingletonSide
	known      bool // own was seen
	moved      bool // somebody else switched it from this side to the other
	apart      bool // it is where it shall be, and not on the other side
}

// against tells whether somebody changed a side against this pair.
func (h heldLook) against() bool { return h.own.ChangedBy != "" || h.other.ChangedBy != "" }

func (t *turn) lookAtHeld(e BatonState, r SingletonReading) heldLook {
	own, known := t.single(r, e.Side)
	other, otherKnown := t.single(r, e.Side.other())
	h := heldLook{own: own, other: other, known: known && own.At.After(e.Since)}
	if h.known && otherKnown && other.At.After(e.Since) {
		h.moved = !own.On && other.On
		h.apart = (own.On || own.Absent) && !other.On
	}
	return h
}

// noteHeld keeps when it was last seen on, and since when it may not be.
func (t *turn) noteHeld(e *BatonState, h heldLook) {
	switch {
	case h.known && h.own.On:
		t.closeGap(e, h.own)
		if e.SeenAt.IsZero() || h.own.At.Sub(e.SeenAt) >= time.Minute {
			e.SeenAt = h.own.At
		}
	case h.known && e.OffSince.IsZero(): // somebody else switched it off since it was last seen
		e.OffSince, e.NextRun = e.SeenAt, h.own.NextRun
		if e.SeenAt.IsZero() {
			e.OffSince = e.Since
		}
	}
}

func (t *turn) moveHeld(e *BatonState, r SingletonReading, h heldLook, to Side) {
	switch {
	case to == Blue && e.Side == Green && h.moved && h.own.Running == 0:
		e.Side, e.Since, e.SeenAt = Blue, t.now, time.Time{}
		t.closeGap(e, h.other)
	case h.apart && t.next.Phase == Completed:
		e.Settled = h.own.On && h.other.Running == 0
	case to != e.Side:
		if to == Blue || t.mayLeaveBlue(*e, r) {
			t.begin(e, r, e.Side)
			e.Failed = ""
		}
	case h.moved && !h.against():
		t.begin(e, r, e.Side.other())
	case h.apart && e.Side == Blue && t.batonRests():
		e.Stage, e.Since = BatonBack, t.now
	}
}

// mayLeaveBlue tells whether it is time to begin, and there is somebody to take it.
func (t *turn) mayLeaveBlue(e BatonState, r SingletonReading) bool {
	return t.mayHandOver() && t.handable(r) && t.triedEnough(e, r)
}

// batonRests tells whether nothing that this pair set is needed once blue has its
// singletons again.
func (t *turn) batonRests() bool {
	switch t.next.Phase {
	case Idle, InPreflight, Shifting, RolledBack:
		return true
	case OnStandby, Completed, Returning, RollingBack:
	}
	return false
}

// begin tells a side to stop.
func (t *turn) begin(e *BatonState, r SingletonReading, giver Side) {
	own, known := t.single(r, giver)
	e.LandsUntil = time.Time{}
	if !known || !own.On || e.Stage == BatonTaking {
		e.LandsUntil = t.now.Add(WriteDeadline)
	}
	if known && giver == Blue && own.On {
		e.Replicas = own.Replicas
	}
	if e.OffSince.IsZero() {
		e.OffSince, e.NextRun = t.now, time.Time{}
	}
	e.Stage, e.Side, e.Since = BatonGiving, giver, t.now
	if known {
		e.ran(own)
	}
}

// ran notes what a side tells of runs that were made, and of those that are due
// while nobody begins any.
func (e *BatonState) ran(s SingletonSide) {
	if s.LastRun.After(e.LastRun) {
		e.LastRun = s.LastRun
	}
	switch {
	case s.NextRun.IsZero():
	case e.NextRun.IsZero(), !e.LastRun.Before(e.NextRun):
		e.NextRun, e.LaterRun = s.NextRun, time.Time{}
	case s.NextRun.After(e.NextRun) && e.LaterRun.IsZero():
		e.LaterRun = s.NextRun
	}
}

// give waits until the giving side is seen to be off, and to have ended what it
// began.
func (t *turn) give(e *BatonState, r SingletonReading, to Side) {
	own, known := t.single(r, e.Side)
	heard := known && own.At.After(e.Since)
	if heard {
		e.ran(own)
	}
	if to == e.Side {
		t.turnRound(e, r)
		return
	}
	proven := heard && !own.On && !own.At.Before(e.LandsUntil)
	taker, takerKnown := t.single(r, to)
	drained := proven && t.endsInTime(own, taker, takerKnown)
	able := to == Blue || takerKnown && !taker.Absent
	if able && (drained || t.vouched(*e, to, proven, known)) {
		e.takes(to, t.now)
		return
	}
	if to == Blue {
		return // it stays off, and is said
	}
	within := max(t.p.Singletons.Drain, batonBegins)
	if proven && !drained {
		within = t.p.Singletons.Drain
	}
	if e.Since.Add(within).After(t.now) {
		return
	}
	e.fail(t.whyNotGiven(r, proven, drained))
	t.turnRound(e, r)
}

// endsInTime tells whether nothing runs on the giving side, or only what Kubernetes
// ends soon enough. Where the taking one still ends what it began before, it gave it
// away just now: one overlap would follow on the other, and be longer than declared.
func (t *turn) endsInTime(giver, taker SingletonSide, takerKnown bool) bool {
	ends := !giver.EndsBy.IsZero() && !giver.EndsBy.After(t.now.Add(t.p.Singletons.Overlap))
	return giver.Running == 0 || ends && takerKnown && taker.Running == 0
}

func (t *turn) whyNotGiven(r SingletonReading, proven, drained bool) string {
	green, known := t.single(r, Green)
	switch {
	case drained && !known:
		return "green can't be read: " + t.singleUnreadable(r, Green)
	case drained && green.Absent:
		return "it isn't in green"
	case proven:
		return fmt.Sprintf("%s in blue did not end within %s", running(r.Key, r.Blue.Running), t.p.Singletons.Drain)
	case r.Blue.ChangedBy != "":
		return fmt.Sprintf("it could not be switched off in blue: %s switches it on again", r.Blue.ChangedBy)
	case r.Blue.Err != "":
		return "blue can't be read: " + r.Blue.Err
	}
	return "it was not seen off in blue"
}

// turnRound gives a singleton back to the side that was told to stop. Nobody
// told the other one to begin; where it is seen to have, it must stop first.
func (t *turn) turnRound(e *BatonState, r SingletonReading) {
	other := e.Side.other()
	if s, known := t.single(r, other); known && (s.On || s.Running > 0) {
		t.begin(e, r, other)
		return
	}
	own, known := t.single(r, e.Side)
	stopped := known && own.At.After(e.Since) && !own.On
	e.takes(e.Side, t.now)
	if !stopped { // what it was told before may land yet
		e.LandsUntil = t.now.Add(WriteDeadline)
	}
}

func (e *BatonState) takes(s Side, now time.Time) {
	e.Stage, e.Side, e.Since, e.LandsUntil = BatonTaking, s, now, time.Time{}
}

func (e *BatonState) fail(why string) {
	const most = 160
	e.Failed, e.Tries = strings.ToValidUTF8(why[:min(len(why), most)], ""), e.Tries+1
}

// take waits until the taking side is seen on.
func (t *turn) take(e *BatonState, r SingletonReading, to Side) {
	own, known := t.single(r, e.Side)
	heard := known && own.At.After(e.Since) && !own.At.Before(e.LandsUntil)
	switch {
	case to != e.Side:
		t.begin(e, r, e.Side)
	case heard && own.On:
		if e.Side == Green {
			e.Failed, e.Tries = "", 0
		}
		t.closeGap(e, own)
		e.Stage, e.Since, e.SeenAt = BatonHeld, own.At, own.At
	case heard && own.Absent && e.Side == Blue: // nobody can switch it on
		e.fail("it isn't in blue any more")
		t.closeGap(e, own)
		e.Stage, e.Since, e.SeenAt = BatonHeld, own.At, own.At
	case e.Side == Green && !e.Since.Add(batonBegins).After(t.now):
		e.fail(t.whyNotTaken(r))
		t.begin(e, r, Green)
	case heard && !own.NextRun.IsZero() && own.NextRun.After(e.NextRun) && e.LaterRun.IsZero() && !e.NextRun.IsZero():
		e.LaterRun = own.NextRun
	}
}

func (t *turn) whyNotTaken(r SingletonReading) string {
	switch green := r.Green; {
	case green.Err != "":
		return "it could not be switched on in green: " + green.Err
	case green.Absent:
		return "it isn't in green"
	case green.ChangedBy != "":
		return fmt.Sprintf("%s switches it off in green", green.ChangedBy)
	}
	return fmt.Sprintf("it was not seen on in green within %s", batonBegins)
}

// closeGap notes the time in which nobody began work, now that a side was seen on.
func (t *turn) closeGap(e *BatonState, seen SingletonSide) {
	if e.OffSince.IsZero() {
		return
	}
	if e.Gap != nil {
		t.remember(e.Key, *e.Gap)
	}
	e.Gap = &BatonGap{From: e.OffSince, To: seen.At, Missed: e.missed(seen)}
	e.OffSince, e.NextRun, e.LaterRun, e.LastRun = time.Time{}, time.Time{}, time.Time{}, time.Time{}
}

// missed finds a run that was due in the gap and isn't made up for: the CronJob
// controller starts the last of those that are due, within the deadline.
func (e *BatonState) missed(seen SingletonSide) time.Time {
	due, on := e.NextRun, seen.At
	if due.IsZero() || !due.Before(on) {
		return time.Time{}
	}
	several := !e.LaterRun.IsZero() && e.LaterRun.Before(on)
	late := seen.StartingDeadline >= 0 && due.Add(seen.StartingDeadline).Before(on)
	if several || late && seen.LastRun.Before(due) {
		return due
	}
	return time.Time{}
}

// broughtHome tells whether nothing of this pair is left on a singleton.
func (t *turn) broughtHome(e BatonState, r SingletonReading) bool {
	for _, s := range []Side{Blue, Green} {
		if side, known := t.single(r, s); !known || !side.At.After(e.Since) || side.Handed {
			return false
		}
	}
	return true
}

// forget lets go of a singleton that was brought home; its gaps are still said.
func (t *turn) forget(e BatonState) {
	if e.Gap != nil {
		t.remember(e.Key, *e.Gap)
	}
	if !e.OffSince.IsZero() {
		t.remember(e.Key, BatonGap{From: e.OffSince, To: t.now})
	}
}

func (t *turn) remember(key string, g BatonGap) {
	t.next.Gaps = append(t.next.Gaps, SingletonGap{Key: key, BatonGap: g})
	if n := len(t.next.Gaps) - batonGaps; n > 0 {
		t.next.Gaps = slices.Delete(t.next.Gaps, 0, n)
	}
}

// batonIntents are what shall hold of each singleton. They follow from the state
// alone.
func (t *turn) batonIntents() []SingletonIntent {
	var intents []SingletonIntent
	for _, e := range t.next.Baton {
		i := SingletonIntent{Key: e.Key, Blue: SwitchOff, Green: SwitchOff, Replicas: e.Replicas, LastRun: e.LastRun}
		has := &i.Blue
		if e.Side == Green {
			has = &i.Green
		}
		switch e.Stage {
		case BatonHeld, BatonTaking:
			*has = SwitchOn
		case BatonBack:
			i.Blue, i.Green = SwitchBack, SwitchBack
		case BatonGiving:
		}
		if e.Settled && t.next.Phase == Completed {
			continue
		}
		intents = append(intents, i)
	}
	return intents
}
