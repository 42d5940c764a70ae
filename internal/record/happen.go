package record

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// stood is what one turn is compared with the next by.
type stood struct {
	attempt       int
	phase         shift.Phase
	share         shift.Share
	step          int
	reached       bool
	reason        shift.Reason
	question      string
	preflight     shift.PreflightOutcome
	configuration string

	paused, handsOff bool
	approved         int
	serve            shift.Side
	rollbackBy       string
}

func stoodAt(t switcher.Turn, b Beside) stood {
	s, q := t.Decision.Next, t.Observation.Request
	now := stood{
		attempt: s.Attempt, phase: s.Phase, share: s.Share, step: s.Step, reached: !s.ReachedAt.IsZero(), reason: t.Decision.Reason,
		configuration: b.Configuration, paused: q.Paused, handsOff: q.HandsOff, serve: q.Serve, rollbackBy: strings.Join(q.RollbackBy, " and "),
	}
	if q := s.Asks(); q != nil {
		now.question = q.ID
	}
	if s.Preflight != nil {
		now.preflight = *s.Preflight
	}
	if q.Approved.Attempt == s.Attempt {
		now.approved = q.Approved.Step
	}
	return now
}

// happened notes what a turn changed.
func (n *Recorder) happened(t switcher.Turn, now stood) {
	was := n.before
	had := len(n.r.Timeline)
	if now.attempt == was.attempt {
		n.asked(t, was, now)
	}
	if p, before := now.preflight, was.preflight; p.Blocks != before.Blocks || p.Warns != before.Warns || p.Waived != before.Waived || p.At.IsZero() != before.At.IsZero() {
		n.add(t, "preflight", fmt.Sprintf("Preflight: %d block, %d warn, %d waived", p.Blocks, p.Warns, p.Waived), "")
	}
	n.began(t, was, now)
	if now.attempt != was.attempt {
		n.asked(t, was, now)
	}
	n.moved(t, was, now)
	n.questioned(t, was, now)
	if now.configuration != was.configuration && now.configuration != "" {
		n.r.Configurations = append(n.r.Configurations, Configuration{Digest: now.configuration, Since: t.Now.UTC()})
		n.add(t, "configuration", "Another configuration holds", now.configuration)
	}
	n.why(t, was, now, len(n.r.Timeline) > had)
}

// why notes the reason, where nothing else that happened has said it. Once the
// attempt is over it is told only where a person should look.
func (n *Recorder) why(t switcher.Turn, was, now stood, said bool) {
	switch {
	case n.r.Ended() && now.reason.Severity() == shift.Normal:
	case now.reason == was.reason:
		n.again(t, string(now.reason))
	case !said:
		n.add(t, "reason", string(now.reason), t.Decision.Message)
	}
}

// began notes the attempt's beginning and its phases.
func (n *Recorder) began(t switcher.Turn, was, now stood) {
	s := t.Decision.Next
	if now.attempt != was.attempt {
		n.add(t, "attempt", fmt.Sprintf("Attempt %d began", s.Attempt), t.Decision.Message)
	}
	switch {
	case now.phase == was.phase:
	case now.phase == shift.RollingBack && s.Rollback != nil:
		n.rolledBack(t)
	case now.attempt == was.attempt:
		n.add(t, "phase", s.Phase.Meaning(), t.Decision.Message)
	}
	if now.phase != was.phase && (now.phase == shift.OnStandby || now.phase == shift.Completed) {
		n.grant(t, now.phase.Meaning())
	}
	if done := now.phase == shift.RolledBack && was.phase != shift.RolledBack; done && len(n.r.Rollbacks) > 0 {
		n.r.Rollbacks[len(n.r.Rollbacks)-1].DoneAt = instant(t.Now)
	}
}

func (n *Recorder) rolledBack(t switcher.Turn) {
	r := t.Decision.Next.Rollback
	// One that began with the mark at AWS, while a question was open, is known already.
	n.r.Rollbacks = slices.DeleteFunc(n.r.Rollbacks, func(had Rollback) bool { return had.At.Equal(r.At) && had.By == clip(r.By) })
	n.r.Rollbacks = append(n.r.Rollbacks, Rollback{
		At: r.At.UTC(), By: clip(r.By), Automatic: r.Automatic, Why: clip(r.Why), FromShare: new(int(t.Before.Share)), Users: usersOf(t),
	})
	n.add(t, "rollback", "Rollback, asked for by "+r.By, r.Why)
	n.left(t.Now)
}

// moved notes another intended share, and that one was reached.
func (n *Recorder) moved(t switcher.Turn, was, now stood) {
	s := t.Decision.Next
	switch {
	case now.share > was.share && now.step >= 1 && now.step <= len(n.r.Steps) && now.phase == shift.Shifting:
		title := fmt.Sprintf("Green is sent to %s, step %d of %d", s.Share, s.Step, len(s.Steps))
		n.add(t, "rise", title, t.Decision.Message)
		n.left(t.Now)
		n.r.Steps[now.step-1].EnteredAt = instant(t.Now)
		n.grant(t, fmt.Sprintf("step %d, %s", s.Step, s.Share))
	case now.share > was.share:
		n.add(t, "rise", "Green is sent to "+s.Share.String(), t.Decision.Message)
	case now.share < was.share:
		n.add(t, "lower", "Green is sent to "+s.Share.String(), t.Decision.Message)
		n.left(t.Now)
	}
	if now.reached && !(was.reached && now.share == was.share) && now.share > 0 {
		n.add(t, "reached", s.Share.String()+" reached: every entrance reads back so, and resolvers followed", "")
		if k := now.step; k >= 1 && k <= len(n.r.Steps) && int(now.share) == n.r.Steps[k-1].Share {
			n.r.Steps[k-1].ReachedAt = instant(s.ReachedAt)
		}
	}
}

// left notes that the step which green has is over.
func (n *Recorder) left(at time.Time) {
	for i := range n.r.Steps {
		if s := &n.r.Steps[i]; s.EnteredAt != nil && s.LeftAt == nil {
			s.LeftAt = instant(at)
		}
	}
}

// questioned notes questions and their answers.
func (n *Recorder) questioned(t switcher.Turn, was, now stood) {
	if now.question == was.question {
		return
	}
	if was.question != "" {
		how := "it stands no longer"
		if r := t.Observation.Request.Resolve; r.ID == was.question {
			how = "a person answered: " + string(r.How)
		}
		n.add(t, "answer", "The question is answered", how)
	}
	if q := t.Decision.Next.Question; q != nil && now.question != "" {
		n.add(t, "question", "A question for a person: "+string(q.Reason), q.Message)
	}
}

// asked notes what people asked for.
func (n *Recorder) asked(t switcher.Turn, was, now stood) {
	for _, change := range []struct {
		happened bool
		title    string
	}{
		{now.paused && !was.paused, "A person paused the pair"},
		{!now.paused && was.paused, "The pause was taken away"},
		{now.handsOff && !was.handsOff, "Hands off: the daemon writes nothing"},
		{!now.handsOff && was.handsOff, "Hands off was taken away"},
		{now.approved > 0 && now.approved != was.approved, fmt.Sprintf("A person approved step %d", now.approved)},
		{now.rollbackBy != "" && was.rollbackBy != now.rollbackBy, "The rollback flag is set by " + now.rollbackBy},
		{now.rollbackBy == "" && was.rollbackBy != "", "The rollback flag was taken away"},
		{now.serve != was.serve && was.serve != "" && now.serve != "", "The users are asked to be on " + string(now.serve)},
	} {
		if change.happened {
			n.add(t, "asked", change.title, "")
		}
	}
}

// wrote notes what became of writes.
func (n *Recorder) wrote(t switcher.Turn) {
	for i, r := range t.Results {
		n.countWrite(r)
		change := t.Decision.Changes[i]
		if r.Outcome == shift.Applied {
			delete(n.failing, r.Entrance)
			n.add(t, "write", fmt.Sprintf("%s was set to %s", r.Entrance, change.Wanted), r.Note)
			continue
		}
		n.failing[r.Entrance] = true
		n.add(t, "failed-write", fmt.Sprintf("%s was not set to %s: %s", r.Entrance, change.Wanted, r.Outcome), r.Note)
	}
}

func (n *Recorder) countWrite(r shift.Result) {
	i := slices.IndexFunc(n.r.Writes, func(w Write) bool { return w.Entrance == r.Entrance && w.Outcome == string(r.Outcome) })
	if i < 0 {
		i, n.r.Writes = len(n.r.Writes), append(n.r.Writes, Write{Entrance: r.Entrance, Outcome: string(r.Outcome)})
	}
	n.r.Writes[i].Count++
}

// journal notes trouble with the journal, and its end.
func (n *Recorder) journal(t switcher.Turn) {
	switch away := t.JournalErr != nil; {
	case away:
		n.r.JournalErrors++
		if !n.away {
			n.add(t, "journal", "The journal can't be written", t.JournalErr.Error())
		}
		n.away = true
	case n.away:
		n.add(t, "journal", "The journal is written again", "")
		n.away = false
	}
}
