package record

import (
	"fmt"
	"slices"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Options say whose turns are recorded.
type Options struct {
	// Identity is the replica's name, Version its binary's.
	Identity, Version string
}

// Beside is what a turn doesn't tell and the record wants.
type Beside struct {
	// Configuration is the digest of the configuration that holds.
	Configuration string
	// AskedBy says who asks for the attempt.
	AskedBy []string
	// Report is the preflight's newest report; one without a time: there is none.
	Report finding.Report
	// Calls are the calls to AWS since the turn before.
	Calls []Call
}

// Recorder makes the record of one attempt out of the turns of one daemon. It is for
// one goroutine at a time, and never blocks.
type Recorder struct {
	options Options
	r       Record
	before  stood
	begun   bool
	// fromStart: this daemon saw the attempt begin.
	fromStart bool
	// resting: the attempt was over when this daemon first saw it, and nothing of it
	// happened since.
	resting bool
	// atFirst is where the pair stood in this daemon's first turn.
	atFirst stood
	// followed is what follows from the journal of the time before it.
	followed []Event
	// firstTurn is when that was.
	firstTurn time.Time
	// failing and away are troubles that were told and are not over.
	failing map[string]bool
	away    bool
	// last is when the last turn was.
	last time.Time
	// reported is the preflight that was taken over last.
	reported looked
}

// looked tells one report of a preflight from the next without reading it whole in
// each turn.
type looked struct {
	at    time.Time
	tally finding.Tally
}

// New makes a Recorder that saw nothing yet.
func New(o Options) *Recorder { return &Recorder{options: o, failing: map[string]bool{}} }

// Is tells whether the turn belongs to the attempt that is recorded.
func (n *Recorder) Is(t switcher.Turn) bool {
	return !n.begun || t.Decision.Next.Attempt == n.r.Attempt
}

// See takes over a turn. news: something happened that is worth to be kept soon.
func (n *Recorder) See(t switcher.Turn, b Beside) (news bool) {
	if !n.begun {
		n.begin(t, b)
		news = true
	}
	had, over := len(n.r.Timeline), n.r.Ended()
	now := stoodAt(t, b)
	if !over {
		n.spend(t)
		n.r.Calls = addCalls(n.r.Calls, b.Calls)
	}
	n.users(t)
	n.preflight(t, b)
	n.happened(t, now)
	n.wrote(t)
	n.journal(t)
	news = news || len(n.r.Timeline) != had
	if news {
		n.resting = n.resting && len(n.r.Timeline) == had
	}
	if news || !over { // of an attempt that is over only what happens is told
		n.stands(t)
	}
	n.before, n.last = now, t.Now
	return news
}

// Record gives what is recorded. It is a value that no later turn changes.
func (n *Recorder) Record() Record { return n.r.copied() }

// Resting tells whether the attempt was over before this daemon saw it, and nothing
// happened since: then there is nothing to keep, unless the record lacks its end.
func (n *Recorder) Resting() bool { return n.resting }

// Ended tells whether the attempt is over.
func (n *Recorder) Ended() bool { return n.r.Ended() }

// begin takes over where the pair stands in the first turn.
func (n *Recorder) begin(t switcher.Turn, b Beside) {
	s := t.Decision.Next
	n.begun, n.firstTurn, n.fromStart = true, t.Now.UTC(), t.Before.Attempt != s.Attempt
	n.r = Record{
		Schema: Schema, Pair: t.Plan.Pair, Attempt: s.Attempt, StartedAt: s.StartedAt.UTC(), HighestShare: int(s.Share),
		AskedBy: slices.Clone(b.AskedBy), Plan: planned(t),
		Daemons: []Daemon{{Identity: n.options.Identity, Version: n.options.Version, Since: t.Now.UTC(), Until: t.Now.UTC()}},
	}
	for i, step := range s.Steps {
		n.r.Steps = append(n.r.Steps, Step{Number: i + 1, Share: int(step.Share), HoldSeconds: step.Hold.Seconds(), Approval: step.Approval, Users: []Verdict{}})
	}
	if n.resting = s.Phase.Terminal() && !n.fromStart; n.resting {
		n.r.EndedAt = ended(t)
	}
	before := t
	before.Decision.Next, before.Decision.Reason = t.Before, ""
	n.before, n.atFirst = stoodAt(before, b), stoodAt(before, b)
	if n.fromStart {
		n.before = stood{attempt: s.Attempt - 1, share: t.Before.Share, reached: true, configuration: b.Configuration}
	} else {
		n.restore(t.Before)
	}
	if b.Configuration != "" {
		n.r.Configurations = []Configuration{{Digest: b.Configuration, Since: t.Now.UTC()}}
	}
}

// restore takes over what the journal tells of the time before the first turn.
func (n *Recorder) restore(s shift.State) {
	n.resumeSteps(s)
	if r := s.Rollback; r != nil {
		back := Rollback{At: r.At.UTC(), By: clip(r.By), Automatic: r.Automatic, Why: clip(r.Why), Users: []Verdict{}}
		if s.Phase == shift.RolledBack {
			back.DoneAt = instant(s.EndedAt)
		}
		n.r.Rollbacks = append(n.r.Rollbacks, back)
		n.follows(Event{At: back.At, Kind: "rollback", Phase: string(shift.RollingBack), Title: "Rollback, asked for by " + back.By, Text: back.Why})
	}
}

// follows notes what only the journal tells.
func (n *Recorder) follows(e Event) {
	e.Title, e.Count, e.Restored = clip(e.Title), 1, true
	n.followed = append(n.followed, e)
}

// resumeSteps notes what the journal tells of the present step.
func (n *Recorder) resumeSteps(s shift.State) {
	if k := s.Step; k >= 1 && k <= len(n.r.Steps) && s.Share > 0 {
		n.r.Steps[k-1].EnteredAt, n.r.Steps[k-1].ReachedAt = instant(s.ChangedAt), instant(s.ReachedAt)
		if s.Phase == shift.Shifting && int(s.Share) == n.r.Steps[k-1].Share {
			n.follows(Event{
				At: s.ChangedAt.UTC(), Kind: "rise", Phase: string(s.Phase), GreenShare: int(s.Share),
				Title: fmt.Sprintf("Green was sent to %s, step %d of %d", s.Share, k, len(s.Steps)), Text: "only the journal tells of it",
			})
		}
	}
}

// stands notes where the pair stands after a turn.
func (n *Recorder) stands(t switcher.Turn) {
	s := t.Decision.Next
	n.r.SeenAt, n.r.Phase, n.r.GreenShare = t.Now.UTC(), string(s.Phase), int(s.Share)
	n.r.Reason, n.r.Message = string(t.Decision.Reason), clip(t.Decision.Message)
	n.r.HighestShare = max(n.r.HighestShare, int(s.Share))
	n.r.Daemons[len(n.r.Daemons)-1].Until = t.Now.UTC()
	if n.r.EndedAt = nil; s.Phase.Terminal() {
		n.r.EndedAt = ended(t)
	}
}

// ended is when the attempt ended that is over by this turn.
func ended(t switcher.Turn) *time.Time {
	if at := t.Decision.Next.EndedAt; !at.IsZero() {
		return instant(at)
	}
	return instant(t.Now)
}

// instant is a time for a document; nil: there is none.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC())
}

// copied gives a copy whose lists may be changed without changing those of r.
func (r Record) copied() Record {
	r.Timeline, r.Daemons, r.Configurations = slices.Clone(r.Timeline), slices.Clone(r.Daemons), slices.Clone(r.Configurations)
	r.Steps, r.Grants, r.Rollbacks, r.Gaps = slices.Clone(r.Steps), slices.Clone(r.Grants), slices.Clone(r.Rollbacks), slices.Clone(r.Gaps)
	r.Calls, r.Writes, r.Unknown = slices.Clone(r.Calls), slices.Clone(r.Writes), slices.Clone(r.Unknown)
	return r
}
