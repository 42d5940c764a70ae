package shift

import (
	"slices"
	"time"
)

// ClockSlack is by how much the daemon's clock may differ from AWS's before
// nothing rises any more: what was sampled when, and how long a share is held, is
// told by that clock, also from one daemon to the next.
const ClockSlack = 5 * time.Second

// torn tells whether the clock was set while the turn looked: then ClockOff is of
// another clock than now is. A look that took so long looks the same, and so old a
// turn may raise nothing anyway.
func (t *turn) torn() (took time.Duration, torn bool) {
	if t.o.LookedAt.IsZero() {
		return 0, false
	}
	took = t.o.LookedAt.Round(0).Sub(t.now.Round(0)) // what the clock shows, not what it counts
	return took, took < -ClockSlack || took > WriteDeadline
}

// clockWrong holds what would rise, or be measured, by a clock that is wrong.
func (t *turn) clockWrong() (Decision, bool) {
	if took, torn := t.torn(); torn {
		return t.stay(ClockWrong, "this look took %s, or the clock was set meanwhile: nothing is judged by its time, so nothing rises above %s",
			took.Round(time.Second), t.next.Share), true
	}
	off := t.o.ClockOff
	if off.Abs() <= ClockSlack {
		return Decision{}, false
	}
	way := "ahead of"
	if off < 0 {
		way = "behind"
	}
	return t.stay(ClockWrong, "this daemon's clock is %s %s AWS's: nothing it measures can be trusted, so nothing rises above %s",
		off.Abs().Round(time.Second), way, t.next.Share), true
}

// clockRight tells whether the clock was just found to be right: AWS answered, and
// its answer doesn't tell otherwise.
func (t *turn) clockRight() bool {
	answered := func(r EntranceReading) bool { return r.Err == "" && t.fresh(r.At, t.p.StaleAfter) }
	_, torn := t.torn()
	return !torn && t.o.ClockOff.Abs() <= ClockSlack && slices.ContainsFunc(t.o.Entrances, answered)
}

// farAhead is how far in the future a time of the state may lie: a turn can begin
// a little before what it reads.
const farAhead = 2 * WriteDeadline

// notAhead brings times of the state that lie in the future to now. They were
// written by a clock that went ahead; to wait for them could take for ever, and
// samples since then would never be found.
func (s *State) notAhead(now time.Time) {
	tame := func(at *time.Time) {
		if at.Sub(now) > farAhead {
			*at = now
		}
	}
	for _, at := range []*time.Time{&s.StartedAt, &s.ChangedAt, &s.ShownAt, &s.ReachedAt, &s.Baseline.At} {
		tame(at)
	}
	for i := range s.Entrances {
		e := &s.Entrances[i]
		for _, at := range []*time.Time{&e.SentAt, &e.LoweredAt, &e.RaisedAt} {
			tame(at)
		}
	}
	for i := range s.Breaches { // else users suffer until that time has come
		tame(&s.Breaches[i].To)
	}
	for i := range s.Evidence {
		tame(&s.Evidence[i].Book.Last)
	}
	if !s.ReachedAt.IsZero() && s.StartedAt.After(s.ReachedAt) {
		s.StartedAt = s.ReachedAt
	}
}
