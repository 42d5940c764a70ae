package record

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Continue puts what former daemons recorded of the attempt before what this one
// did, and says what lies between; old is nil where nothing is kept. It is for once,
// when it is known what is kept. worth is false where there is nothing to keep that
// isn't kept.
func (n *Recorder) Continue(old *Record) (worth bool) {
	mine := n.r
	switch {
	case old == nil && n.resting:
		return false
	case old == nil:
		if !n.fromStart {
			n.gap(mine.StartedAt, "no record of the time before was found; what is known of it follows from the journal", "")
			n.insert(n.followed...)
		}
		return true
	case n.resting && old.Ended():
		n.r = old.copied()
		n.r.Daemons = append(n.r.Daemons, mine.Daemons...)
		return false
	}
	n.resting = false
	n.continueWith(*old, mine)
	return true
}

func (n *Recorder) continueWith(old, mine Record) {
	joined := old.copied()
	n.r = joined
	n.r.EndedAt, n.r.Phase, n.r.GreenShare, n.r.SeenAt = mine.EndedAt, mine.Phase, mine.GreenShare, mine.SeenAt
	n.r.Reason, n.r.Message, n.r.HighestShare = mine.Reason, mine.Message, max(old.HighestShare, mine.HighestShare)
	n.between(old, mine)
	for _, e := range n.followed {
		if e.At.After(old.SeenAt) {
			n.insert(e)
		}
	}
	n.r.Timeline = append(n.r.Timeline, mine.Timeline...)
	n.r.Daemons = append(n.r.Daemons, mine.Daemons...)
	n.r.AskedBy = union(old.AskedBy, mine.AskedBy)
	n.r.Grants = append(n.r.Grants, mine.Grants...)
	n.r.Calls = addCalls(n.r.Calls, mine.Calls)
	n.r.JournalErrors += mine.JournalErrors
	n.r.WatchedSeconds += mine.WatchedSeconds
	n.r.LeftOut += mine.LeftOut
	n.joinLists(old, mine)
	n.r.bound()
}

// between says what lies between two daemons.
func (n *Recorder) between(old, mine Record) {
	first := mine.Daemons[0]
	why := fmt.Sprintf("%s (%s) began", first.Identity, first.Version)
	if len(old.Daemons) > 0 {
		last := old.Daemons[len(old.Daemons)-1]
		why = fmt.Sprintf("%s (%s) stopped, or lost its lease, and %s (%s) went on", last.Identity, last.Version, first.Identity, first.Version)
		if last.Identity == first.Identity {
			why = fmt.Sprintf("the daemon %s was restarted (%s, before it %s)", first.Identity, first.Version, last.Version)
		}
	}
	var changed []string
	if was := old.Phase; was != string(n.atFirst.phase) {
		changed = append(changed, fmt.Sprintf("%s became %s", was, n.atFirst.phase))
	}
	if old.GreenShare != int(n.atFirst.share) {
		changed = append(changed, fmt.Sprintf("green went from %d %% to %s", old.GreenShare, n.atFirst.share))
	}
	n.gap(old.SeenAt, why, strings.Join(changed, "; "))
}

// gap notes a gap up to this daemon's first turn.
func (n *Recorder) gap(from time.Time, why, meanwhile string) {
	until := n.firstTurn
	n.r.Gaps = append(n.r.Gaps, Gap{From: from.UTC(), Until: until, Why: why, Meanwhile: meanwhile})
	e := Event{
		At: from.UTC(), Kind: "gap", Phase: string(n.atFirst.phase), GreenShare: int(n.atFirst.share), Count: 1, Until: &until,
		Title: "Nothing is recorded until " + clock(until), Text: clip(why),
	}
	if meanwhile != "" {
		e.Text += "; meanwhile " + meanwhile
	}
	n.insert(e)
}

// insert puts events where they belong by their time.
func (n *Recorder) insert(events ...Event) {
	for _, e := range events {
		at := slices.IndexFunc(n.r.Timeline, func(had Event) bool { return had.At.After(e.At) })
		if at < 0 {
			at = len(n.r.Timeline)
		}
		n.r.Timeline = slices.Insert(n.r.Timeline, at, e)
	}
}

// joinLists joins what has keys of its own.
func (n *Recorder) joinLists(old, mine Record) {
	for _, c := range mine.Configurations {
		if k := len(n.r.Configurations); k == 0 || n.r.Configurations[k-1].Digest != c.Digest {
			n.r.Configurations = append(n.r.Configurations, c)
		}
	}
	for _, r := range mine.Rollbacks {
		i := slices.IndexFunc(n.r.Rollbacks, func(had Rollback) bool { return had.At.Equal(r.At) && had.By == r.By })
		switch {
		case i < 0:
			n.r.Rollbacks = append(n.r.Rollbacks, r)
		case n.r.Rollbacks[i].DoneAt == nil:
			n.r.Rollbacks[i].DoneAt = r.DoneAt
		}
	}
	for _, w := range mine.Writes {
		i := slices.IndexFunc(n.r.Writes, func(had Write) bool { return had.Entrance == w.Entrance && had.Outcome == w.Outcome })
		if i < 0 {
			n.r.Writes = append(n.r.Writes, w)
			continue
		}
		n.r.Writes[i].Count += w.Count
	}
	for _, u := range mine.Unknown {
		n.unknown(u.Of, u.Seconds)
	}
	if mine.PreflightAtStart != nil {
		n.r.PreflightAtStart = mine.PreflightAtStart
	}
	if mine.Preflight != nil {
		n.r.Preflight = mine.Preflight
	}
	if n.r.Preflight.says(n.r.PreflightAtStart) {
		n.r.Preflight = nil
	}
	n.r.Steps = joinSteps(old.Steps, mine.Steps)
}

// says tells whether two looks found the same.
func (p *Preflight) says(o *Preflight) bool {
	return p != nil && o != nil && p.Summary == o.Summary && reflect.DeepEqual(p.Findings, o.Findings)
}

// joinSteps lets the later daemon complete what the former one knew.
func joinSteps(old, mine []Step) []Step {
	if len(old) != len(mine) {
		return slices.Clone(mine)
	}
	joined := slices.Clone(old)
	for i, m := range mine {
		s := &joined[i]
		if s.EnteredAt == nil {
			s.EnteredAt = m.EnteredAt
		}
		if m.ReachedAt != nil {
			s.ReachedAt = m.ReachedAt
		}
		if m.LeftAt != nil {
			s.LeftAt = m.LeftAt
		}
		if len(m.Users) > 0 {
			s.Users = m.Users
		}
		if i > 0 && s.EnteredAt != nil && joined[i-1].EnteredAt != nil && joined[i-1].LeftAt == nil {
			joined[i-1].LeftAt = s.EnteredAt
		}
	}
	return joined
}

func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// clock gives a time of the day.
func clock(t time.Time) string { return t.UTC().Format(time.TimeOnly) }
