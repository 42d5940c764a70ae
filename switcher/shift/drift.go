package shift

import (
	"cmp"
	"fmt"
)

// drifted looks for an entrance that stands where the daemon neither put it
// nor found it. Green set to 0 by hand is a person's rollback; anything else
// is a question, and until it is answered nothing is written.
func (t *turn) drifted() (Decision, bool) {
	for _, e := range t.next.Entrances {
		r, known := t.reading(e.Name)
		if known && r.Mark != nil && (r.Mark.outranks(t.next) || r.Mark.tellsRollback(t.next)) {
			return t.outranked(e.Name, *r.Mark), true
		}
		if !known || !foreign(e, r) {
			continue
		}
		if r.StandsAt(0) && (!e.overwritten(r) || e.landed(r, t.next.Attempt)) {
			why := fmt.Sprintf("somebody set green to 0 on entrance %s by hand", e.Name)
			return t.rollBack(RollbackRecord{By: "a person at AWS", Why: why}, RollbackRequested), true
		}
		t.ask(Drift, e.Name, fmt.Sprintf("somebody else set entrance %s to %s; %s was intended; %s", e.Name, r, e.Share, r.rival()))
		return t.stay(Drift, "%s", t.next.Question.Message), true
	}
	return Decision{}, false
}

// outranked yields to a mark that is newer than this state: somebody rolled
// back without the journal, or another daemon took charge and this one stops. A
// rollback counts whatever its version: who made it could not read the journal,
// and intent may have changed since the last write.
func (t *turn) outranked(entrance string, m Mark) Decision {
	if m.Rollback && t.next.Rollback == nil {
		t.next.Attempt, t.next.Epoch = max(t.next.Attempt, m.Attempt), max(t.next.Epoch, m.Epoch)
		t.next.Version = max(t.next.Version, m.Version)
		return t.rollBack(m.rollbackRecord(), RollbackRequested)
	}
	t.ask(JournalsDisagree, entrance, fmt.Sprintf("the mark of entrance %s is newer than the journal: attempt %d, epoch %d, version %d, phase %s at %s",
		entrance, m.Attempt, m.Epoch, m.Version, m.Phase, m.Share))
	return t.stay(JournalsDisagree, "%s", t.next.Question.Message)
}

// foreign tells whether what stands there is somebody else's. A write that is
// still pending may show before or after.
func foreign(e EntranceState, r EntranceReading) bool {
	return !r.is(func(w Weights) bool { return w.At(e.Share) || e.stood(w) }) || e.overwritten(r)
}

// overwritten tells whether somebody wrote since the daemon decided to: the weights
// are what its write replaces, but not the mark beside them. Sent again, it would
// undo what it doesn't know of. A mark that is away tells nothing.
func (e EntranceState) overwritten(r EntranceReading) bool {
	return e.Pending && r.Mark != nil && (e.WasMark == nil || *r.Mark != *e.WasMark) &&
		r.is(func(w Weights) bool { return !w.At(e.Share) && e.stood(w) })
}

// landed tells by the mark, which nobody took away, that the attempt's rise to this
// share took effect, also where the state has gone on since.
func (e EntranceState) landed(r EntranceReading, attempt int) bool {
	return r.Mark != nil && !r.Mark.Rollback && r.Mark.Attempt == attempt && r.Mark.Share == e.Share
}

// ask opens a question, once.
func (t *turn) ask(reason Reason, entrance, message string) {
	if q := t.next.Question; q != nil && q.Reason == reason && q.Entrance == entrance && q.Message == message {
		return
	}
	t.next.Version++
	t.next.Question = &Question{
		ID:     fmt.Sprintf("%d-%d", t.next.Attempt, t.now.UnixMilli()),
		Reason: reason, Entrance: entrance, Message: message, At: t.now,
	}
}

// openQuestion holds while a question stands, and carries out a person's
// answer. A drift that went away by itself needs no answer.
func (t *turn) openQuestion() (Decision, bool) {
	q := t.next.Question
	if q == nil || t.next.Phase == RollingBack {
		return Decision{}, false
	}
	answer := t.o.Request.Resolve
	switch {
	case answer.ID == q.ID && answer.How == Adopt && q.Reason != JournalUnreadable:
		return t.adopt(), true
	case answer.ID == q.ID && answer.How == Restore && q.Reason == Drift:
		return t.restore(), true
	case q.Reason == Drift && !t.stillForeign():
		t.next.Question = nil
		t.intend()
		return Decision{}, false
	case q.Reason == Drift:
		if d, ok := t.drifted(); ok {
			return d, true // it may have drifted further, or to 0
		}
	}
	return t.stay(q.Reason, "%s", q.Message), true
}

func (t *turn) stillForeign() bool {
	for _, e := range t.next.Entrances {
		r, known := t.reading(e.Name)
		if !known || foreign(e, r) {
			return true // unknown is not good
		}
	}
	return false
}

// adopt goes on from what is there: from the lowest share that any entrance
// shows; the others are lowered to it.
func (t *turn) adopt() Decision {
	if len(t.next.Entrances) == 0 {
		t.next.Entrances = freeze(t.p.Entrances, 0)
		t.next.Steps = t.p.Steps
	}
	lowest := Full
	for _, e := range t.next.Entrances {
		r, known := t.reading(e.Name)
		if !known {
			return t.stay(EntranceUnknown, "can't adopt: entrance %s is unknown: %s", e.Name, t.unreadable(e.Name))
		}
		lowest = min(lowest, r.lowest())
	}
	if t.next.Phase == Idle && lowest > 0 && !t.blueMeasured() {
		return t.stay(BlueUnknown, "can't adopt: what blue carries can't be measured: %s", cmp.Or(t.o.Blue.Err, "no fresh reading shows a ready replica"))
	}
	for i := range t.next.Entrances {
		e := &t.next.Entrances[i]
		r, _ := t.reading(e.Name)
		if *e = e.at(lowest); e.RaisedAt.IsZero() && lowest > 0 {
			e.RaisedAt = t.now // by somebody, until now
		}
		if !r.StandsAt(lowest) {
			e.pend(r)
		}
	}
	t.next.Question = nil
	t.next.Share, t.next.Step = lowest, stepAt(t.next.Steps, lowest)
	if mark, ok := newestMark(t.o); ok { // what was adopted must outrank what was found
		t.next.Attempt = max(t.next.Attempt, mark.Attempt)
		t.next.Epoch = max(t.next.Epoch, mark.Epoch)
		t.next.Version = max(t.next.Version, mark.Version)
	}
	for _, r := range t.o.Entrances {
		if r.Mark != nil {
			t.next.Epoch = max(t.next.Epoch, r.Mark.Epoch)
		}
	}
	t.resumePhase(lowest)
	t.intend()
	return t.stay(Adopted, "a person lets the daemon go on from %s", lowest)
}

// resumePhase finds the phase for what was adopted: a pair whose journal was
// lost, or a standby that no longer has all traffic on green. A rollback that a
// mark told of goes on: its attempt never rises again.
func (t *turn) resumePhase(share Share) {
	switch {
	case t.next.Phase == OnStandby && share < Full, t.next.Phase == InPreflight && share > 0:
		t.next.Phase = Shifting
	case t.next.Phase == Idle && t.next.Rollback != nil:
		t.next.Phase = RollingBack
		t.next.Attempt = max(1, t.next.Attempt, t.o.Request.Attempt)
		t.next.StartedAt = t.now
	case t.next.Phase == Idle && share > 0:
		t.next.Phase = Shifting
		t.next.Attempt = max(1, t.next.Attempt, t.o.Request.Attempt)
		t.next.StartedAt = t.now
		t.next.Baseline = t.blueReplicas()
	}
}

// restore lets the intended shares be written again, up to what the gates allow
// (goOn); on the way back nothing rises by it (lower).
func (t *turn) restore() Decision {
	for i := range t.next.Entrances {
		e := &t.next.Entrances[i]
		r, known := t.reading(e.Name)
		switch {
		case !known:
			return t.stay(EntranceUnknown, "can't restore: entrance %s is unknown: %s", e.Name, t.unreadable(e.Name))
		case r.StandsAt(e.Share):
		default:
			e.pend(r)
		}
	}
	t.next.Question = nil
	t.intend()
	return t.stay(Restoring, "a person lets the daemon write %s again", t.next.Share)
}
