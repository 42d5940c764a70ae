package shift

import "time"

// lateLanding is within what a request that was sent may still take effect, though
// whoever sent it gave up long before: the network delivers late.
const lateLanding = 2 * time.Minute

// fences are writes that keep rises which are still on their way from landing at
// Route 53 after the way back: where nothing was to be lowered, nothing has changed
// that their swaps could fail by. The mark alone does it. They are written however long
// nothing was sent: a journal that was lost, or set back, doesn't tell of what was.
func (t *turn) fences() []Change {
	var fences []Change
	for i, e := range t.next.Entrances {
		r, known := t.reading(e.Name)
		switch {
		case !known || e.Route53 == nil || !e.Route53.Mark:
		case r.Mark != nil && r.Mark.Rollback && r.Mark.Attempt >= t.next.Attempt:
		default:
			fences = append(fences, Change{
				Entrance: t.next.Entrances[i].Entrance, Expected: r, Wanted: t.next.Share, Priority: Rollback, Fence: true,
			})
		}
	}
	return fences
}

// KeepSent takes over when another state, of the same daemon, last sent writes that
// this one doesn't know of: a journal that was set back tells of none, and they may
// land all the same.
func (s *State) KeepSent(mind State) {
	for i := range s.Entrances {
		e := &s.Entrances[i]
		for _, known := range mind.Entrances {
			if known.Name == e.Name && known.SentAt.After(e.SentAt) {
				e.SentAt = known.SentAt
			}
		}
	}
}

// stillWithin tells whether a time since a write was sent isn't over. Who sent it had
// a clock that agreed with AWS's, or nothing had risen; where this daemon's is ahead,
// less time has passed than it shows.
func (t *turn) stillWithin(sent time.Time, span time.Duration) bool {
	return sent.Add(span + max(t.o.ClockOff, 0)).After(t.now)
}

// fence writes the fences that are still to be written.
func (t *turn) fence() (Decision, bool) {
	fences := t.fences()
	if len(fences) == 0 {
		return Decision{}, false
	}
	return t.act(fences, RollbackUnderWay, "blue's weights stand; the mark of the rollback is written, so that no earlier write can land any more"), true
}

// landedLate finds a load balancer on which a rise of before the way back landed
// after its end: nothing fences it there, so it is undone.
func (t *turn) landedLate() bool {
	for _, e := range t.next.Entrances {
		r, known := t.reading(e.Name)
		if t.next.Phase != RolledBack || !known || e.Balancer == nil || e.SentAt.IsZero() || !t.stillWithin(e.SentAt, lateLanding) {
			continue
		}
		for _, step := range t.next.Steps {
			if r.Weights == step.Share.Weights() && step.Share > e.Share {
				return true
			}
		}
	}
	return false
}

// undoLate goes on with the way back that a late rise undid.
func (t *turn) undoLate() Decision {
	t.next.Version++
	t.next.Phase, t.next.EndedAt = RollingBack, time.Time{}
	return t.rollingBack()
}
