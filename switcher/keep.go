package switcher

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// errNotJoined stands for a save that was not tried: what AWS shows could not
// be read yet, so nobody knows whether the journal tells the whole story.
var errNotJoined = errors.New("the journal is not joined with the marks at AWS yet")

// load reads the journal until it could once be joined with the marks, and a
// superseded daemon reads along with its successor. nil: there was no need. An
// error makes the journal unreadable for this turn: nothing rises, a rollback
// still works.
func (s *Switcher) load(ctx context.Context, pair string, timeout time.Duration) *shift.Found {
	if s.loaded && !s.superseded {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found, err := s.journal.Load(ctx, pair)
	if err != nil {
		return &shift.Found{Unreadable: err.Error()}
	}
	switch {
	case found.Unreadable != "":
		return &found
	case found.Present:
		found.Unreadable = found.State.Fault()
	default:
		found.State = shift.NewState()
	}
	// Whoever took charge after this daemon has a higher epoch. Two daemons
	// must never alternate writes, so this is for good.
	s.superseded = s.superseded || s.charged && found.State.Epoch > s.epoch
	if goesBack(s.state) && (found.Present || s.charged) {
		found.Memory = new(s.state)
	}
	return &found
}

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
	s.loaded, s.unjoined = final, errNotJoined
	if found.Unreadable != "" {
		s.unjoined = errors.New(found.Unreadable)
	}
	if final || !s.charged && !goesBack(s.state) {
		s.state, s.saved = state, found.State
	}
}

// save journals what the journal doesn't hold yet: a changed state, or news for
// those who read it.
func (s *Switcher) save(ctx context.Context, t *Turn, lowering bool) error {
	if !s.loaded {
		return s.unjoined
	}
	d := t.Decision
	said := shift.Said{
		Reason: d.Reason, Message: d.Message, Verdicts: d.Verdicts, BlueReady: t.Observation.Blue.ReadyOf(),
	}
	if same(d.Next, s.saved) && !s.news(t, said) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.bound(s.timeouts.Journal, lowering, s.timeouts.JournalLowering))
	defer cancel()
	s.epoch = d.Next.Epoch // even if the answer is lost: this daemon wrote it
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
	s.saved, s.charged = d.Next, true
	s.said, s.saidAt = said, t.Now
	return nil
}

func conflicted(err error) bool { return errors.Is(err, ErrConflict) }

func same(a, b shift.State) bool { return reflect.DeepEqual(a, b) }

// sayEvery bounds how often the journal is written although the state stands.
const sayEvery = 5 * time.Second

// news tells whether those who read the journal should hear something although
// the state stands: another reason at once, all else now and then. A sentence
// of a gate that only counts on is no news.
func (s *Switcher) news(t *Turn, said shift.Said) bool {
	if said.Reason != s.said.Reason {
		return true
	}
	// Where people's requests can't be read the custom resource may be gone; a
	// save finds out.
	changed := t.Observation.Request.Unknown != "" ||
		said.Message != s.said.Message || said.BlueReady != s.said.BlueReady ||
		!slices.EqualFunc(said.Verdicts, s.said.Verdicts, sameJudgement)
	return changed && t.Now.Sub(s.saidAt) >= max(sayEvery, t.Plan.Interval)
}

func sameJudgement(a, b shift.Verdict) bool {
	return a.Gate == b.Gate && a.Judgement == b.Judgement
}
