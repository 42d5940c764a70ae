package shift

import (
	"cmp"
	"slices"
)

// resting decides for a pair that is not on its way: it starts a shift when
// one is asked for, and otherwise says why not.
func (t *turn) resting() Decision {
	r := t.o.Request
	if t.next.Phase == Completed && r.Serve == Blue {
		if d, ok := t.elsewhere(); ok {
			return d
		}
		return t.goBack()
	}
	if d, ok := t.afterEnd(); ok {
		return d
	}
	switch {
	case r.Serve != Green && r.Serve != Blue:
		return t.requestUnknown()
	case r.Serve == Blue:
		return t.blueServes()
	case r.rollbackAsked() && (r.Attempt > t.next.Attempt || t.next.Phase == Idle):
		return t.refuseStart()
	case r.Attempt <= t.next.Attempt && t.next.Phase == Completed:
		return t.stay(ShiftCompleted, "attempt %d is complete: green serves", t.next.Attempt)
	case r.Attempt <= t.next.Attempt:
		return t.stay(AttemptOver, "attempt %d is over: blue serves until a person starts a new attempt", t.next.Attempt)
	case t.next.Phase == Completed && t.allAt(Full):
		return t.stay(AlreadyServing, "attempt %d is asked for, but green has all traffic already", r.Attempt)
	}
	if d, ok := t.heldBack(); ok {
		return d
	}
	return t.start()
}

// refuseStart uses up an attempt that was asked for under a rollback flag:
// taking the flag away alone starts nothing.
func (t *turn) refuseStart() Decision {
	if r := t.o.Request; r.Attempt > t.next.Attempt {
		t.next.Attempt = r.Attempt
		t.next.Version++
	}
	return t.stay(RollbackFlagSet, "the rollback flag is set in %s: nothing starts, also when it is taken away, before a person starts a new attempt", t.o.Request.rollbackSources())
}

// blueServes says whether blue has what it is asked to have. Before any attempt
// of its own the daemon moves nothing, but it doesn't call that "as asked".
func (t *turn) blueServes() Decision {
	for _, e := range t.next.Targets(t.p) {
		if r, known := t.reading(e.Name); known && !r.StandsAt(0) {
			return t.stay(NotAtStart, "blue is asked to serve, but entrance %s stands at %s, which is not of the daemon's doing", e.Name, r)
		}
	}
	return t.stay(NothingToDo, "blue serves, as asked")
}

// heldBack tells whether people hold rises back, or might, or a wrong clock does.
func (t *turn) heldBack() (Decision, bool) {
	if d, ok := t.clockWrong(); ok {
		return d, true
	}
	switch r := t.o.Request; {
	case r.Unknown != "":
		return t.stay(RequestUnknown, "%s, and it may ask to stop: nothing rises above %s", r.Unknown, t.next.Share), true
	case r.Paused:
		return t.stay(Paused, "paused at %s", t.next.Share), true
	}
	return Decision{}, false
}

// start begins a new attempt. It writes nothing to AWS: the first rise comes
// only after gates passed on samples taken from now on.
func (t *turn) start() Decision {
	if fault := t.p.fault(); fault != "" {
		return t.stay(PlanInvalid, "no shift can start: %s", fault)
	}
	for _, e := range t.p.Entrances {
		r, known := t.reading(e.Name)
		switch {
		case !known:
			return t.stay(EntranceUnknown, "entrance %s is unknown: %s", e.Name, t.unreadable(e.Name))
		case r.Owner != "":
			return t.stay(EntranceOwned, "entrance %s is written by %s", e.Name, r.Owner)
		case !r.StandsAt(0):
			return t.stay(NotAtStart, "entrance %s stands at %s, a shift starts from blue at 100 %%", e.Name, r)
		}
	}
	if !t.blueMeasured() {
		return t.blueUnmeasured()
	}
	if d, ok := t.outsideWindow(); ok && t.p.Preflight == PreflightOff {
		return d
	}
	old, phase := t.next, Shifting
	if t.p.Preflight != PreflightOff {
		phase = InPreflight
	}
	t.next = State{
		Schema: Schema, Attempt: t.o.Request.Attempt, Epoch: old.Epoch, Version: old.Version,
		Phase: phase, Steps: slices.Clone(t.p.Steps), Entrances: freeze(t.p.Entrances, 0),
		StartedAt: t.now, Baseline: t.takeBaseline(), FloorsHeld: old.FloorsHeld, Floors: old.Floors,
		Baton: old.Baton, // what a former attempt has not brought home yet
	}
	t.intend()
	t.next.ShownAt, t.next.ReachedAt = t.now, t.now
	return t.stay(ShiftStarted, "attempt %d starts: %d steps, blue carries everything on %d ready replicas",
		t.next.Attempt, len(t.next.Steps), t.next.Baseline.Ready)
}

func (t *turn) blueUnmeasured() Decision {
	return t.stay(BlueUnknown, "what blue carries can't be measured: %s", cmp.Or(t.o.Blue.Err, "no fresh reading shows a ready replica"))
}

// afterEnd looks after an attempt that is over.
func (t *turn) afterEnd() (Decision, bool) {
	if !t.next.Phase.Terminal() {
		return Decision{}, false
	}
	for _, e := range t.next.Entrances { // a person went back without the daemon
		if r, known := t.reading(e.Name); known && r.Mark != nil && r.Mark.tellsRollback(t.next) {
			return t.outranked(e.Name, *r.Mark), true
		}
	}
	if t.landedLate() {
		return t.undoLate(), true
	}
	if d, ok := t.touchedAfterEnd(); ok {
		return d, true
	}
	return t.restick()
}

// touchedAfterEnd names a foreign edit after the end. It is only named: the
// attempt is final for automation.
func (t *turn) touchedAfterEnd() (Decision, bool) {
	for _, e := range t.next.Entrances {
		r, known := t.reading(e.Name)
		if known && !r.StandsAt(e.Share) && t.o.Request.Attempt <= t.next.Attempt {
			return t.stay(Drift, "entrance %s stands at %s instead of %s; the attempt is over, so nothing is written", e.Name, r, e.Share), true
		}
	}
	return Decision{}, false
}

func (t *turn) allAt(s Share) bool {
	for _, e := range t.next.Targets(t.p) {
		if r, known := t.reading(e.Name); !known || !r.StandsAt(s) {
			return false
		}
	}
	return true
}
