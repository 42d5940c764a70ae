package shift

import (
	"reflect"
	"time"
)

// shifting takes traffic up: one entrance after the other to the step's share,
// then the hold, then the gates, then the next step.
func (t *turn) shifting() Decision {
	if d, ok := t.drifted(); ok {
		return d
	}
	if t.o.Request.Serve == Blue {
		return t.goBack()
	}
	if d, ok := t.entrancesChanged(); ok {
		return d
	}
	if i := t.firstBehind(); i >= 0 {
		return t.goOn(i)
	}
	if d, ok := t.settling(); ok {
		return d
	}
	return t.nextStep()
}

func (t *turn) entrancesChanged() (Decision, bool) {
	if reflect.DeepEqual(t.next.Targets(t.p), t.p.Entrances) {
		return Decision{}, false
	}
	return t.stay(EntrancesChanged, "the configuration names other entrances than attempt %d, which goes on only with its own", t.next.Attempt), true
}

// requestUnknown holds while nobody can say what people ask for: a missing wish
// is no wish to rise.
func (t *turn) requestUnknown() Decision {
	return t.stay(RequestUnknown, "it is not known which cluster shall serve")
}

// firstBehind finds the first entrance that was not yet read back at the
// step's share; -1: none.
func (t *turn) firstBehind() int {
	for i, e := range t.next.Entrances {
		if e.Pending || e.Share != t.next.Share {
			return i
		}
	}
	return -1
}

// goOn carries a granted step to one more entrance. The step's gates passed
// when it was granted; here nothing may have turned bad since. A rise is sent
// again only when the former can no longer land.
func (t *turn) goOn(i int) Decision {
	e := t.next.Entrances[i]
	r, known := t.reading(e.Name)
	if !known {
		return t.stay(EntranceUnknown, "entrance %s is unknown: %s", e.Name, t.unreadable(e.Name))
	}
	if r.Share() > t.next.Share { // adopted or restored from above
		return t.act([]Change{t.change(i, t.next.Share, Lowering)}, Restoring, "entrance %s goes down to %s", e.Name, t.next.Share)
	}
	if until := e.SentAt.Add(WriteDeadline); e.Pending && until.After(t.now) {
		return t.stay(AwaitingReadBack, "entrance %s was sent to %s and isn't seen there yet", e.Name, t.next.Share).wakeAt(until, t.now)
	}
	if d, ok := t.heldBack(); ok {
		return d
	}
	if d, ok := t.writable(); !ok {
		return d
	}
	verdicts := t.judge(goOnGates(), t.next.Share)
	if w := worst(verdicts); w.Judgement != Pass {
		return t.blocked(w, verdicts)
	}
	d := t.act([]Change{t.change(i, t.next.Share, Rise)}, Rising, "entrance %s goes to %s", e.Name, t.next.Share)
	d.Verdicts = verdicts
	return d
}

// inSync tells whether the entrance's last change is on all of AWS's servers. Who
// took over from the one that made it can't ask AWS, and waits as long as it takes.
func (t *turn) inSync(e EntranceState, r EntranceReading) bool {
	changed := e.SentAt
	for _, at := range []time.Time{e.LoweredAt, e.RaisedAt} {
		if at.After(changed) {
			changed = at
		}
	}
	return r.InSync && (!r.SyncUnheard || !changed.Add(2*propagation).After(t.now))
}

// settling waits until the weights that stand are what users get: in sync at
// AWS, and older than any resolver may keep the former answer.
func (t *turn) settling() (Decision, bool) {
	if !t.next.ReachedAt.IsZero() {
		return Decision{}, false
	}
	if d, ok := t.clockWrong(); ok { // by when it was reached all is measured
		return d, true
	}
	var ttl time.Duration
	shown := t.now // or when it was read, since a slow look began before that
	for _, e := range t.next.Entrances {
		r, known := t.reading(e.Name)
		if !known {
			return t.stay(EntranceUnknown, "entrance %s is unknown: %s", e.Name, t.unreadable(e.Name)), true
		}
		if !t.inSync(e, r) {
			return t.stay(Settling, "AWS is still bringing entrance %s to %s on all its servers", e.Name, t.next.Share), true
		}
		ttl = max(ttl, r.TTL)
		if r.At.After(shown) {
			shown = r.At
		}
	}
	if t.next.ShownAt.IsZero() {
		t.next.ShownAt = shown
	}
	if ready := t.next.ShownAt.Add(ttl); ready.After(t.now) {
		if ttl == 0 { // it was read after this turn began
			return t.stay(Settling, "the weights stand; what is measured counts from now").wakeAt(ready, t.now), true
		}
		return t.stay(Settling, "resolvers may keep the former answer for %s", ttl).wakeAt(ready, t.now), true
	}
	t.next.ReachedAt = t.now
	return Decision{}, false
}

// nextStep judges the gates and takes the next planned step, or ends the rise.
func (t *turn) nextStep() Decision {
	last := t.next.Step == len(t.next.Steps)
	to := Full
	if !last {
		to = t.next.Steps[t.next.Step].Share
	}
	t.completeBaseline()
	verdicts := t.judge(riseGates(), to)
	if d, ok := t.known(); !ok { // also while a share is held: what was edited by hand is named at once
		d.Verdicts = verdicts
		return d
	}
	if w := worst(verdicts); w.Judgement != Pass {
		return t.blocked(w, verdicts)
	}
	d := t.grantedStep(last, to)
	d.Verdicts = verdicts
	return d
}

func (t *turn) grantedStep(last bool, to Share) Decision {
	if last {
		return t.enterStandby()
	}
	step, ask := t.next.Steps[t.next.Step], t.o.Request
	if d, ok := t.heldBack(); ok {
		return d
	}
	wanted := Approval{Attempt: t.next.Attempt, Step: t.next.Step + 1}
	if step.Approval && ask.Approved != wanted {
		return t.stay(ApprovalNeeded, "all gates pass for step %d (%s); it waits for a person's approval", wanted.Step, to)
	}
	if d, ok := t.writable(); !ok {
		return d
	}
	t.intend()
	t.next.Step++
	t.next.Share = to
	return t.act([]Change{t.change(0, to, Rise)}, Rising, "step %d: all gates pass, entrance %s goes to %s", t.next.Step, t.next.Entrances[0].Name, to)
}

// known asks whether every entrance is.
func (t *turn) known() (Decision, bool) {
	for _, e := range t.next.Entrances {
		if _, known := t.reading(e.Name); !known {
			return t.stay(EntranceUnknown, "entrance %s is unknown: %s", e.Name, t.unreadable(e.Name)), false
		}
	}
	return Decision{}, true
}

// writable asks whether the wish to rise is known and every entrance can be
// written: one that is unknown, or somebody else's, keeps all where they are.
func (t *turn) writable() (Decision, bool) {
	if t.o.Request.Serve != Green {
		return t.requestUnknown(), false
	}
	if d, ok := t.known(); !ok {
		return d, false
	}
	for _, e := range t.next.Entrances {
		if r, _ := t.reading(e.Name); r.Owner != "" {
			return t.stay(EntranceOwned, "entrance %s is written by %s", e.Name, r.Owner), false
		}
	}
	return Decision{}, true
}

// blocked says which gate keeps the share where it is, and wakes when the hold
// is over if that is all it waits for.
func (t *turn) blocked(w Verdict, verdicts []Verdict) Decision {
	reason := t.evidenceReason(w, map[Judgement]Reason{Fail: GateFailed, Unmeasured: GateUnknown, Wait: GateWaits}[w.Judgement])
	switch w.Gate {
	case "hold":
		reason = Holding
	case preflightGate:
		reason = preflightReason(w.Judgement)
	case blueCapacityGate, floorsGate:
		reason = capacityReason(w, reason)
	case singletonsGate:
		reason = t.batonReason()
	case windowGate:
		reason = OutsideWindow
	}
	d := t.stay(reason, "%s: %s", w.Gate, w.Message)
	d.Verdicts = verdicts
	if reason == OutsideWindow {
		d = t.wakeForWindow(d)
	}
	if t.next.Step > 0 {
		d = d.wakeAt(t.next.ReachedAt.Add(t.next.Steps[t.next.Step-1].Hold), t.now)
	}
	return d
}

func (t *turn) enterStandby() Decision {
	t.next.Version++
	t.next.Phase = OnStandby
	t.next.ChangedAt = t.now
	return t.stay(StandingBy, "green has all traffic; blue is kept ready for %s", t.p.Standby.For)
}

// standingBy keeps watch after 100 %. A bad gate is said; going back is a
// person's choice unless the plan says otherwise.
func (t *turn) standingBy() Decision {
	if d, ok := t.drifted(); ok {
		return d
	}
	if t.o.Request.Serve == Blue {
		return t.goBack()
	}
	if i := t.firstBehind(); i >= 0 {
		return t.goOn(i)
	}
	if d, ok := t.settling(); ok {
		return d
	}
	for _, e := range t.next.Entrances {
		if _, known := t.reading(e.Name); !known {
			return t.stay(EntranceUnknown, "entrance %s is unknown: %s", e.Name, t.unreadable(e.Name))
		}
	}
	return t.bake()
}
