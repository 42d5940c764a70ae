package shift

import "time"

// goBack begins the planned way back. The wish is written down before anything
// moves, so that blue's floors rise by it; until the first step it can be
// withdrawn, and nothing but the phase has changed.
func (t *turn) goBack() Decision {
	t.next.Version++
	t.next.Phase, t.next.From = Returning, t.next.Phase
	return t.leaving()
}

// leaving waits until blue can take the first step. Automatic rollbacks go on
// being decided, before this, as in any shift.
func (t *turn) leaving() Decision {
	if r := t.o.Request; r.Serve == Green && r.Unknown == "" {
		t.next.Version++
		t.next.Phase, t.next.From = t.next.From, ""
		return t.stay(WayBackWithdrawn, "green is asked to serve again before anything went back: the pair is in phase %s again, at %s", t.next.Phase, t.next.Share)
	}
	if t.firstBehind() < 0 {
		t.settling() // what is measured counts from here; nobody waits for it
	}
	return t.stepBack()
}

// returning walks the planned way back: hold each share, see that blue can
// carry more, step down. A pause stops rises only, so it doesn't stop this.
func (t *turn) returning() Decision {
	if d, ok := t.drifted(); ok {
		return d
	}
	if t.next.From != "" {
		return t.leaving()
	}
	if d, ok := t.lower(); ok {
		return d
	}
	if d, ok := t.settling(); ok {
		return d
	}
	if until, late := t.writeInFlight(); late && t.next.Share == 0 {
		return t.stay(Settling, "blue has all traffic; an earlier write may still land until %s", until.UTC().Format(time.TimeOnly)).wakeAt(until, t.now)
	}
	if t.next.Share > 0 {
		return t.stepBack()
	}
	if d, ok := t.fence(); ok {
		return d
	}
	return t.endWayBack()
}

// stepBack takes the planned way back one step down, on all entrances at once:
// lowering green is safe in any order.
func (t *turn) stepBack() Decision {
	to := Share(0)
	if t.next.Step >= 2 {
		to = t.next.Steps[t.next.Step-2].Share
	}
	var verdicts []Verdict
	if t.next.Share > 0 { // else blue has everything already
		verdicts = t.judge(wayBackGates(), Full-to)
		if d, ok := t.known(); !ok {
			d.Verdicts = verdicts
			return d
		}
	}
	if w := worst(verdicts); w.Judgement != Pass {
		return t.blueNotReady(w, verdicts, to)
	}
	t.openWayBack()
	t.intend()
	t.next.Step = max(0, t.next.Step-1)
	t.next.Share = to
	if t.next.Rollback == nil {
		t.next.Rollback = &RollbackRecord{By: "serve: blue", Why: "the configuration asks for the planned way back", At: t.now}
	}
	d, ok := t.lower()
	if !ok {
		d = t.stay(AwaitingReadBack, "the way back stands at %s already", t.next.Share)
	}
	d.Verdicts = verdicts
	return d
}

// blueNotReady says what the next step back waits for.
func (t *turn) blueNotReady(w Verdict, verdicts []Verdict, to Share) Decision {
	d := t.stay(BlueNotReady, "the way back to %s waits: %s: %s", to, w.Gate, w.Message)
	if w.Gate == "hold" {
		d = t.stay(Holding, "%s", w.Message)
	}
	d.Verdicts = verdicts
	return d.wakeAt(t.next.ReachedAt.Add(t.holdBack()), t.now)
}

// lower writes the intended share to every entrance that is above it; false:
// none is. One that stands lower, because its last rise never landed, is taken
// as it is: on the way back nothing rises.
func (t *turn) lower() (Decision, bool) {
	var changes []Change
	for i, e := range t.next.Entrances {
		r, known := t.reading(e.Name)
		if !known {
			return t.stay(EntranceUnknown, "entrance %s is unknown: %s", e.Name, t.unreadable(e.Name)), true
		}
		to := min(t.next.Share, r.least())
		if r.even() { // somebody set all weights to 0: half is no share that could be written by lowering
			to = t.stepBelow(to)
		}
		if r.StandsAt(to) {
			t.next.Entrances[i] = e.at(to)
		} else {
			changes = append(changes, t.change(i, to, Lowering))
		}
	}
	if len(changes) == 0 {
		return Decision{}, false
	}
	return t.act(changes, SteppingBack, "%s", rollbackScope(changes, t.next.Share)+" to blue"), true
}

// stepBelow is the largest planned share that is less; 0 where there is none.
func (t *turn) stepBelow(s Share) Share {
	below := Share(0)
	for _, step := range t.next.Steps {
		if step.Share < s {
			below = max(below, step.Share)
		}
	}
	return below
}
