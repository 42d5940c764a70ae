package switcher

import (
	"context"
	"errors"
	"reflect"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// errNotLoaded stands for a save that was not tried.
var errNotLoaded = errors.New("the journal was not read yet")

// Step is one synchronous turn for the pair: it observes, decides, journals,
// acts, and says when to look again. It starts no goroutine and reads no clock.
func (s *Switcher) Step(ctx context.Context, now time.Time) (wakeAt time.Time) {
	t := Turn{Now: now, Plan: *s.plan.Load()}
	found, tried := s.load(ctx, t.Plan.Pair)
	if s.charged && found.Unreadable != "" {
		tried = false // hold on to what is known until the journal is back
	}
	if tried && found.Unreadable == "" {
		s.state = found.State
	}
	t.Observation = s.observe(ctx, t.Plan)
	if tried {
		s.state, s.loaded = shift.Recover(found, t.Observation, now)
		s.saved = found.State
	}
	t.Before, t.Superseded = s.state, s.superseded
	t.Decision = shift.Decide(t.Plan, s.state, t.Observation, now)
	if s.superseded {
		t.Decision.Changes = nil
	} else {
		s.carryOut(ctx, &t)
	}
	s.log.turn(t)
	s.reporter.Report(t)
	return s.wakeAt(t)
}

// load reads the journal until it could once be joined with the marks. An
// error makes it unreadable for this turn: nothing rises, a rollback still works.
func (s *Switcher) load(ctx context.Context, pair string) (found shift.Found, tried bool) {
	if s.loaded {
		return shift.Found{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeouts.JournalLowering)
	defer cancel()
	found, err := s.journal.Load(ctx, pair)
	if err != nil {
		return shift.Found{Unreadable: err.Error()}, true
	}
	if !found.Present && found.Unreadable == "" {
		found.State = shift.NewState()
	}
	// Whoever took charge after this daemon has a higher epoch; two daemons
	// must never alternate writes.
	s.superseded = s.charged && found.State.Epoch > s.state.Epoch
	return found, true
}

func (s *Switcher) observe(ctx context.Context, plan shift.Plan) shift.Observation {
	request := s.observer.Request(s.state)
	look := Look{
		Plan: plan, Entrances: s.state.Targets(plan), MeasureFrom: s.state.MeasureFrom(),
		Urgent: len(request.RollbackBy) > 0 && s.state.Phase != shift.RolledBack,
	}
	timeout := s.timeouts.Observe
	if look.Urgent {
		timeout = s.timeouts.Urgent
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	observation := s.observer.Observe(ctx, look)
	observation.Request = request
	return observation
}

// carryOut journals the decision and then writes it. What could not be
// journaled is not done, with one exception: green is lowered all the same. A
// rollback doesn't even wait for the journal: it is written first and written
// down right after. A crash in between loses nothing, because the write carries
// the mark, and the mark tells of the rollback.
func (s *Switcher) carryOut(ctx context.Context, t *Turn) {
	d := &t.Decision
	switch {
	case len(d.Changes) == 0:
		if t.JournalErr = s.save(ctx, t, s.timeouts.Journal); t.JournalErr == nil {
			s.state = d.Next
		}
	case lowest(d.Changes) == shift.Rollback:
		s.state = d.Next
		t.Results = s.commit(ctx, d.Changes)
		t.JournalErr = s.save(ctx, t, s.timeouts.JournalLowering)
	case lowest(d.Changes) == shift.Lowering:
		t.JournalErr = s.save(ctx, t, s.timeouts.JournalLowering)
		s.state = d.Next
		t.Results = s.commit(ctx, d.Changes)
	default:
		if t.JournalErr = s.save(ctx, t, s.timeouts.Journal); t.JournalErr != nil {
			d.Changes = nil
			return
		}
		s.state = d.Next
		t.Results = s.commit(ctx, d.Changes)
	}
}

// commit writes. A write under way is finished even when the daemon is told to
// stop.
func (s *Switcher) commit(ctx context.Context, changes []shift.Change) []shift.Result {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.timeouts.Write)
	defer cancel()
	return s.committer.Commit(ctx, changes)
}

// lowest is the priority that the most careful change of the list asks for: a
// list with one rise is handled as a rise.
func lowest(changes []shift.Change) shift.Priority {
	p := changes[0].Priority
	for _, c := range changes {
		p = min(p, c.Priority)
	}
	return p
}

// save journals what the journal doesn't hold yet: a changed state, or another
// reason.
func (s *Switcher) save(ctx context.Context, t *Turn, timeout time.Duration) error {
	d := t.Decision
	if !s.loaded {
		return errNotLoaded
	}
	if reflect.DeepEqual(d.Next, s.saved) && !s.news(t) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := s.journal.Save(ctx, t.Plan.Pair, d.Next, shift.Said{
		Reason: d.Reason, Message: d.Message, Verdicts: d.Verdicts, BlueReady: t.Observation.Blue.ReadyOf(),
	})
	switch {
	case errors.Is(err, ErrConflict):
		s.loaded = false // join with what is there now before anything else
		return err
	case err != nil:
		return err
	}
	s.saved, s.charged = d.Next, true
	s.said, s.sentence, s.saidAt = d.Reason, d.Message, t.Now
	return nil
}

// news tells whether those who read the journal should hear something although
// the state stands: another reason at once, another sentence now and then.
func (s *Switcher) news(t *Turn) bool {
	if t.Decision.Reason != s.said {
		return true
	}
	return t.Decision.Message != s.sentence && t.Now.Sub(s.saidAt) >= max(sentenceEvery, t.Plan.Interval)
}

// sentenceEvery bounds how often a sentence that only counts on is written.
const sentenceEvery = 5 * time.Second

// wakeAt is the decision's own time, or sooner after a write: at once to read
// it back, then at growing distance for as long as the same thing must be
// written again.
func (s *Switcher) wakeAt(t Turn) time.Time {
	if len(t.Results) == 0 {
		s.again = 0
		return t.Decision.WakeAt
	}
	delay := s.again
	s.again = min(max(2*s.again, firstRetry), t.Plan.Interval)
	for _, r := range t.Results {
		if r.Outcome != shift.Applied {
			delay = max(delay, min(firstRetry, t.Plan.Interval))
		}
	}
	return t.Now.Add(delay)
}

const firstRetry = 100 * time.Millisecond
