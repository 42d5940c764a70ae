package switcher

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Step is one synchronous turn for the pair: it observes, decides, journals,
// acts, and says when to look again. It starts no goroutine and reads no clock.
// A turn that was cut short, by Wake or by the end of ctx, decides nothing.
func (s *Switcher) Step(ctx context.Context, now time.Time) (wakeAt time.Time) {
	t := Turn{Now: now, Plan: *s.plan.Load()}
	if !s.takeTerm() {
		return s.aside(ctx, t)
	}
	// Decide counts from now until when a write may still land. So what gives
	// green traffic leaves within that time of the turn's start, or not at all,
	// however long the look and the journal took.
	sending, done := s.within(context.WithoutCancel(ctx), shift.WriteDeadline)
	defer done()
	found, observation, whole := s.gather(ctx, t.Plan)
	if !whole {
		return now
	}
	s.join(found, observation, now)
	// What people ask for by now counts, not what they asked before the look.
	observation.Request = s.observer.Request(s.state, s.loaded)
	if s.deserted(observation, now) {
		return now
	}
	t.Observation, t.Before, t.Superseded = observation, s.state, s.superseded
	if s.superseded {
		t.Decision = s.supersededDecision(t)
	} else {
		t.Decision = shift.Decide(t.Plan, s.state, t.Observation, now)
		s.carryOut(ctx, sending, &t)
		s.keepUntold(t)
		s.saveBeside(ctx, &t)
	}
	return s.finish(t)
}

// finish tells of a turn to all who want to know of it.
func (s *Switcher) finish(t Turn) (wakeAt time.Time) {
	s.tend(t)
	s.log.turn(t)
	s.reporter.Report(t)
	return s.wakeAt(t)
}

// tend hands on what is intended for the clusters, once it is written down. Who
// isn't in charge leaves them as they are.
func (s *Switcher) tend(t Turn) {
	switch {
	case s.steward == nil:
	case t.Superseded || s.superseded || t.Standby || s.left() == 0:
		s.steward.Intend(shift.ClusterIntent{Leave: true, Attempt: t.Decision.Next.Attempt})
	case t.JournalErr == nil && s.loaded:
		s.steward.Intend(t.Decision.Clusters)
	}
}

// keepUntold forgets how far singletons would have gone, where that could not be
// written down: who tends the clusters wasn't told either, and goes on by what it
// was told before. A way back of the traffic goes on without them.
func (s *Switcher) keepUntold(t Turn) {
	if t.JournalErr != nil && !s.superseded {
		s.state.Baton, s.state.Gaps = t.Before.Baton, t.Before.Gaps
	}
}

// gather reads the journal where that is still to be done, and looks at the
// world. Wake ends it early for a rollback, which doesn't wait for slow answers
// to questions it doesn't ask; but never twice in a row, so that turns go on
// however often people change their minds.
func (s *Switcher) gather(ctx context.Context, plan shift.Plan) (found *shift.Found, o shift.Observation, whole bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if !s.cutShort {
		s.cut.Store(&cancel)
		defer s.cut.Store(nil)
	}
	urgent := s.urgent()
	if urgent {
		s.cut.Store(nil)
	}
	found = s.load(ctx, plan.Pair, s.bound(s.timeouts.Journal, urgent, s.timeouts.JournalLowering))
	state := s.state
	if found != nil && found.Unreadable == "" {
		state = found.State
	}
	o = s.look(ctx, plan, state, urgent)
	s.cutShort = ctx.Err() != nil
	return found, o, !s.cutShort
}

// look looks at the world from where the state stands.
func (s *Switcher) look(ctx context.Context, plan shift.Plan, state shift.State, urgent bool) shift.Observation {
	asked := s.observer.Request(state, s.loaded)
	look := Look{
		Plan: plan, Entrances: state.Targets(plan), Loads: state.NeedsLoads(asked), Past: state.NeedsPast(asked), Evidence: state.Evidence, Asking: state.Asking(),
	}
	if state.Active() { // at rest nobody judges users' traffic
		look.MeasureFrom, look.Attention = state.MeasureFrom(), shift.Watching
	}
	if urgent {
		look.Attention = shift.Urgent
	}
	bounded, done := s.within(ctx, s.bound(s.timeouts.Observe, urgent, s.urgentBound()))
	defer done()
	o := s.observer.Observe(bounded, look)
	s.countBlind(urgent, o)
	return o
}

// urgent tells whether green is to be lowered now: that waits for nothing it
// can do without.
func (s *Switcher) urgent() bool {
	if s.state.Phase == shift.RollingBack {
		return true
	}
	asked := len(s.observer.Request(s.state, s.joined()).RollbackBy) > 0
	return asked && s.state.Phase != shift.RolledBack
}

// urgentBound is how long an urgent look may take: longer after each that saw
// too little. A slow AWS could else never be seen, and no rollback would end.
func (s *Switcher) urgentBound() time.Duration {
	return min(s.timeouts.Urgent<<min(s.blind, maxBlind), max(s.timeouts.Urgent, s.timeouts.Observe))
}

const maxBlind = 8

func (s *Switcher) countBlind(urgent bool, o shift.Observation) {
	unread := func(r shift.EntranceReading) bool { return r.Err != "" }
	if urgent && slices.ContainsFunc(o.Entrances, unread) {
		s.blind = min(s.blind+1, maxBlind)
	} else {
		s.blind = 0
	}
}

func (s *Switcher) bound(usual time.Duration, urgent bool, short time.Duration) time.Duration {
	if urgent {
		return short
	}
	return usual
}

// carryOut journals the decision and then writes it. What could not be
// journaled is not done, with one exception: lowering green goes out all the
// same and is written down afterwards. A person's rollback doesn't even wait
// for the try: the wish is durable where the person wrote it, and the mark
// tells of the write. A turn that has decided is finished, also when the daemon
// is told to stop.
func (s *Switcher) carryOut(ctx, sending context.Context, t *Turn) {
	ctx = context.WithoutCancel(ctx)
	d := &t.Decision
	switch {
	case s.left() > 0:
	case s.lowersAlone():
		s.lowerAlone(ctx, t)
		return
	default:
		s.yield(t)
		return
	}
	if s.leaseTooShort(t) {
		return
	}
	lowering := len(d.Changes) > 0 && !rises(d.Changes)
	if lowering && byPerson(d.Next) {
		s.state = d.Next
		t.Results = s.commit(ctx, d.Changes)
		t.JournalErr = s.save(ctx, t, lowering)
		t.Superseded = s.superseded
		return
	}
	t.JournalErr = s.save(ctx, t, lowering)
	switch {
	case s.superseded:
		t.Superseded = true
		t.Decision = s.supersededDecision(*t)
		return
	case t.JournalErr != nil && !lowering && !goesBack(d.Next):
		s.withhold(t, shift.JournalUnwritable)
		return
	}
	s.state = d.Next
	switch {
	case len(d.Changes) == 0:
	case feeds(d.Changes):
		t.Results = s.commit(sending, d.Changes)
	default:
		t.Results = s.commit(ctx, d.Changes)
	}
}

// feeds tells whether any of the changes leaves green traffic.
func feeds(changes []shift.Change) bool {
	return slices.ContainsFunc(changes, func(c shift.Change) bool { return c.Wanted > 0 })
}

// byPerson tells whether a person asked for the rollback that is under way.
func byPerson(s shift.State) bool {
	return s.Phase == shift.RollingBack && s.Rollback != nil && !s.Rollback.Automatic
}

// withhold says of a decision that was not written down that it was not
// carried out. One that moves nothing needs no other words. How often gates failed in
// a row stays in memory: for want of a journal users would else never be sent back.
func (s *Switcher) withhold(t *Turn, reason shift.Reason) {
	d, kept := &t.Decision, t.Before
	kept.Breaches = d.Next.Breaches
	s.state.Breaches = kept.Breaches
	if same(d.Next, kept) {
		return
	}
	d.Next, d.Changes = kept, nil
	d.Reason = reason
	d.Message = fmt.Sprintf("%s, but it was not done: %s", d.Message, t.JournalErr)
}

// supersededDecision stands in the place of a decision: who isn't in charge
// decides nothing.
func (s *Switcher) supersededDecision(t Turn) shift.Decision {
	return shift.Decision{
		Next: s.state, Reason: shift.Superseded, WakeAt: t.Now.Add(max(t.Plan.Interval, time.Second)),
		Message: "a newer daemon took charge of the pair; this one writes nothing any more",
	}
}

// goesBack tells whether the fast way back was taken. Once it was, it is not
// forgotten for want of a journal.
func goesBack(s shift.State) bool {
	return s.Phase == shift.RollingBack || s.Phase == shift.RolledBack
}

func rises(changes []shift.Change) bool {
	for _, c := range changes {
		if c.Priority == shift.Rise {
			return true
		}
	}
	return false
}

const firstRetry = 100 * time.Millisecond

// wakeAt is the decision's own time, or sooner after a write: at once to read
// it back, then at growing distance for as long as the same thing must be
// written again. A conflict in the journal is tried again likewise.
func (s *Switcher) wakeAt(t Turn) time.Time {
	repeat := conflicted(t.JournalErr)
	if len(t.Results) == 0 && !repeat {
		s.again = 0
		return t.Decision.WakeAt
	}
	delay := s.again
	s.again = min(max(2*s.again, firstRetry), t.Plan.Interval)
	for _, r := range t.Results {
		repeat = repeat || r.Outcome != shift.Applied
	}
	if repeat {
		delay = max(delay, min(firstRetry, t.Plan.Interval))
	}
	return t.Now.Add(delay)
}
