package switcher

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// errNotJoined stands for a save that was not tried: what AWS shows could not
// be read yet, so nobody knows whether the journal tells the whole story.
var errNotJoined = errors.New("the journal is not joined with the marks at AWS yet")

// load reads the journal until it could once be joined with the marks; who was
// superseded, or doesn't hold the lease, reads along. nil: there was no need. An
// error makes the journal unreadable for this turn: nothing rises, a rollback
// still works.
func (s *Switcher) load(ctx context.Context, pair string, timeout time.Duration) *shift.Found {
	if s.loaded && !s.superseded && !s.away {
		return nil
	}
	ctx, cancel := s.within(ctx, timeout)
	defer cancel()
	found, err := s.journal.Load(ctx, pair)
	s.asked, s.heard = err == nil, s.heard || err == nil
	if err != nil {
		return &shift.Found{Unreadable: err.Error()}
	}
	switch {
	case found.Unreadable != "":
		return &found
	case found.Present:
		found.Unreadable = found.State.Fault()
	default: // by a journal that is gone nobody is in charge
		found.State, s.superseded = shift.NewState(), false
	}
	// Whoever took charge after this daemon has a higher epoch. Two daemons
	// must never alternate writes, so only deserted() ends it.
	s.superseded = s.superseded || s.charged && found.State.Epoch > s.epoch
	if goesBack(s.state) && (found.Present || s.charged || s.rooted) {
		found.Memory = new(s.state)
	}
	return &found
}

// heedWithin is how long a person's rollback may be left undone by the daemon
// in charge before the one it took over from takes charge again.
const heedWithin = 10 * time.Second

// finishWithin is how long the way back that a person asks for may stay unfinished in
// the journal before that. Whoever is at it is done sooner, unless AWS is away.
const finishWithin = 2 * time.Minute

// deserted tells whether the successor of a superseded daemon is gone or stuck:
// it leaves a person's rollback undone, which it would journal within a second.
// Then this one takes charge anew; the way back must not depend on who started
// last. Who holds the lease takes charge anew in any case: nobody else is to write,
// so what looked like a successor is gone, or was a person's edit.
func (s *Switcher) deserted(o shift.Observation, now time.Time) bool {
	// A question without a shift: the journal was lost while green had users. Without
	// either, green has users whom somebody sent there by hand.
	underWay := s.state.Active() || s.state.Phase == shift.Completed || s.state.Question != nil || slices.ContainsFunc(o.Entrances, hasUsers)
	unheeded := len(o.Request.RollbackBy) > 0 && !o.Request.HandsOff && underWay
	if !s.superseded || s.lease == nil && !unheeded {
		s.unheeded = time.Time{}
		return false
	}
	if s.unheeded.IsZero() || s.unheeded.After(now) { // a clock that was set right
		s.unheeded = now
	}
	patience := heedWithin
	if s.lease == nil && s.state.Phase == shift.RollingBack {
		patience = finishWithin
	}
	if now.Sub(s.unheeded) < patience {
		return false
	}
	s.superseded, s.charged, s.loaded, s.unheeded = false, false, false, time.Time{}
	return true
}

// hasUsers tells whether AWS was freshly read to send users to green.
func hasUsers(r shift.EntranceReading) bool { return r.Err == "" && r.Weights.Green > 0 }

// join takes over what the journal held. What is known already stays for as
// long as the journal, or the marks at AWS, can't be read.
func (s *Switcher) join(found *shift.Found, o shift.Observation, now time.Time) {
	switch {
	case found == nil:
		return
	case s.superseded:
		if found.Unreadable == "" {
			s.state = found.State
		}
		return
	}
	state, final := shift.Recover(*found, o, now)
	if final && found.Present && s.edited(found.State) {
		state = shift.Distrust(s.state, found.State, now)
	}
	s.loaded, s.unjoined = final, errNotJoined
	if found.Unreadable != "" {
		s.unjoined = errors.New(found.Unreadable)
	}
	if final || !s.charged && !goesBack(s.state) {
		state.KeepSent(s.state)
		s.state, s.saved = state, found.State
	}
}

// edited tells whether a journal that nobody took over since, by its epoch, holds
// what this daemon never wrote: somebody edited it, or put back an older one.
func (s *Switcher) edited(found shift.State) bool {
	if !s.charged || found.Epoch > s.epoch || same(found, s.saved) {
		return false
	}
	return !slices.ContainsFunc(s.tried, func(own shift.State) bool { return same(found, own) })
}

// save journals what the journal doesn't hold yet: a changed state, or news for
// those who read it.
func (s *Switcher) save(ctx context.Context, t *Turn, lowering bool) error {
	if !s.loaded {
		return s.unjoined
	}
	d, said := t.Decision, s.sayingOf(t)
	if same(d.Next, s.saved) && !s.news(t, said) {
		return nil
	}
	ctx, cancel := s.within(ctx, s.bound(s.timeouts.Journal, lowering, s.timeouts.JournalLowering))
	defer cancel()
	s.epoch = d.Next.Epoch // even if the answer is lost: this daemon wrote it
	s.noteTry(d.Next)
	err := s.journal.Save(ctx, t.Plan.Pair, d.Next, said)
	if conflicted(err) {
		// Join with what is there before anything else; but whether to go on
		// lowering green is for the daemon in charge, so who that is can't wait.
		s.loaded, s.unjoined = false, err
		if lowering {
			s.load(ctx, t.Plan.Pair, s.timeouts.JournalLowering)
		}
	}
	if err != nil {
		return err
	}
	s.saved, s.charged, s.rooted, s.tried = d.Next, true, true, nil
	s.said, s.saidAt = said, t.Now
	return nil
}

// saveBeside tells people how a turn ended whose state can't be journaled: what
// can't be read stays as it is, and no journal is begun before AWS was read.
// Whether it reaches them is of no consequence to the loop.
func (s *Switcher) saveBeside(ctx context.Context, t *Turn) {
	if s.loaded || !s.asked || conflicted(s.unjoined) || t.Superseded || t.Standby {
		return
	}
	said := s.sayingOf(t)
	if said.Beside = true; !s.news(t, said) {
		return
	}
	ctx, cancel := s.within(context.WithoutCancel(ctx), s.timeouts.JournalLowering)
	defer cancel()
	_ = s.journal.Save(ctx, t.Plan.Pair, t.Decision.Next, said)
	s.said, s.saidAt = said, t.Now
}

// sayingOf is what people are to read of a turn.
func (s *Switcher) sayingOf(t *Turn) shift.Said {
	d := t.Decision
	return shift.Said{
		Reason: d.Reason, Message: s.withFailure(d), Verdicts: d.Verdicts, BlueReady: t.Observation.Blue.ReadyOf(),
		Notes:     append(shift.Notes(d.Next, t.Observation, t.Now), shift.CapacityNotes(t.Plan, d.Next, t.Observation, t.Now)...),
		Readiness: shift.MeasureReadiness(t.Plan, d.Next, t.Observation, t.Now),
		Retire:    t.Observation.Retire,
	}
}

// maxTried bounds what is remembered of saves without an answer.
const maxTried = 32

// noteTry remembers a save until one is known to have landed: any of those
// before it may have landed with its answer lost.
func (s *Switcher) noteTry(state shift.State) {
	if n := len(s.tried); n > 0 && same(s.tried[n-1], state) {
		return
	}
	if len(s.tried) == maxTried {
		s.tried = slices.Delete(s.tried, 0, 1)
	}
	s.tried = append(s.tried, state)
}

// withFailure gives a decision's sentence to those who read the journal. What
// keeps its writes from landing belongs to it: "all traffic goes to blue" alone
// would sound like done.
func (s *Switcher) withFailure(d shift.Decision) string {
	pending := func(e shift.EntranceState) bool { return e.Pending }
	if s.failure == "" || !slices.ContainsFunc(d.Next.Entrances, pending) {
		return d.Message
	}
	return d.Message + "; the last write did not go through: " + s.failure
}

func failureOf(results []shift.Result) string {
	var failed []string
	for _, r := range results {
		if r.Outcome != shift.Applied {
			failed = append(failed, fmt.Sprintf("%s: %s", r.Entrance, r.Note))
		}
	}
	return strings.Join(failed, "; ")
}

func conflicted(err error) bool { return errors.Is(err, ErrConflict) }

func same(a, b shift.State) bool { return reflect.DeepEqual(a, b) }

// sayEvery bounds how often the journal is written although the state stands.
const sayEvery = 5 * time.Second

// news tells whether those who read the journal should hear something although
// the state stands: another reason at once, all else now and then, and a sign
// of life. A sentence
// of a gate that only counts on is no news.
func (s *Switcher) news(t *Turn, said shift.Said) bool {
	if said.Reason != s.said.Reason {
		return true
	}
	// Where people's requests can't be read the custom resource may be gone; a
	// save finds out.
	changed := t.Observation.Request.Unknown != "" ||
		said.Message != s.said.Message || said.BlueReady != s.said.BlueReady || !slices.Equal(said.Notes, s.said.Notes) || said.Retire != s.said.Retire ||
		!slices.EqualFunc(said.Verdicts, s.said.Verdicts, sameJudgement) ||
		said.Readiness.Differs(s.said.Readiness, t.Plan.Capacity)
	age := t.Now.Sub(s.saidAt)
	return changed && age >= max(sayEvery, t.Plan.Interval) || age >= max(heartbeat, t.Plan.Interval)
}

// heartbeat is how often the journal is written although there is nothing new:
// a daemon that is silent can't be told from one that is dead.
const heartbeat = 30 * time.Second

func sameJudgement(a, b shift.Verdict) bool {
	return a.Gate == b.Gate && a.Judgement == b.Judgement
}
