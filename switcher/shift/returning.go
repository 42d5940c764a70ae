package shift

import "time"

// stepBack takes the planned way back one step down, on all entrances at once:
// lowering green is safe in any order.
func (t *turn) stepBack() Decision {
	to := Share(0)
	if t.next.Step >= 2 {
		to = t.next.Steps[t.next.Step-2].Share
	}
	if d, ok := t.blueReadyFor(Full - to); !ok {
		return d
	}
	if t.next.Phase != Returning {
		t.openWayBack()
	}
	t.intend()
	t.next.Phase = Returning
	t.next.Step = max(0, t.next.Step-1)
	t.next.Share = to
	if t.next.Rollback == nil {
		t.next.Rollback = &RollbackRecord{By: "serve: blue", Why: "the configuration asks for the planned way back", At: t.now}
	}
	if d, ok := t.lower(); ok {
		return d
	}
	return t.stay(AwaitingReadBack, "the way back stands at %s already", t.next.Share)
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
		if to := min(t.next.Share, r.least()); r.StandsAt(to) {
			t.next.Entrances[i] = EntranceState{Entrance: e.Entrance, Share: to, SentAt: e.SentAt, LoweredAt: e.LoweredAt}
		} else {
			changes = append(changes, t.change(i, to, Lowering))
		}
	}
	if len(changes) == 0 {
		return Decision{}, false
	}
	return t.act(changes, SteppingBack, "%s", rollbackScope(changes, t.next.Share)+" to blue"), true
}

// returning walks the planned way back: hold each share, see that blue can
// carry more, step down.
func (t *turn) returning() Decision {
	if d, ok := t.drifted(); ok {
		return d
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
	if t.next.Share == 0 {
		return t.endWayBack()
	}
	hold := t.next.Steps[max(0, t.next.Step-1)].Hold
	if end := t.next.ReachedAt.Add(hold); end.After(t.now) {
		return t.stay(Holding, "on the way back %s is held for %s", t.next.Share, hold).wakeAt(end, t.now)
	}
	return t.stepBack()
}

// blueReadyFor asks whether blue is known to be able to carry the share. The
// planned way back has time: unknown waits.
func (t *turn) blueReadyFor(share Share) (Decision, bool) {
	for _, e := range t.next.Entrances {
		r, known := t.reading(e.Name)
		if !known {
			return t.stay(EntranceUnknown, "entrance %s is unknown: %s", e.Name, t.unreadable(e.Name)), false
		}
		if e.Balancer != nil && (!r.BlueTargets.Known || r.BlueTargets.Healthy == 0) {
			return t.stay(BlueNotReady, "entrance %s: blue has no target that is known to be healthy", e.Name), false
		}
	}
	capacity, known := t.blueCapacity()
	if !known || capacity < share {
		return t.stay(BlueNotReady, "blue can carry %s (known: %t), the next step back needs %s", capacity, known, share), false
	}
	return Decision{}, true
}
