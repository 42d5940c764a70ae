package chronicle

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// history is what happened to one pair. Its zero value has seen nothing.
type history struct {
	shares []SharePoint
	events []Event
	nextID int64

	begun  bool // what the journal tells of before was taken over
	before stood
	// failing holds, by entrance, the failed write that was told last.
	failing map[string]string
	// journalAway: the trouble was told and is not over.
	journalAway bool
}

// stood is what one look is compared with the next by.
type stood struct {
	attempt   int
	phase     shift.Phase
	share     shift.Share
	step      int
	reached   time.Time
	reason    string
	question  string
	preflight string
	asked     Asked
}

// sharesNow gives a copy.
func (h *history) sharesNow() []SharePoint { return slices.Clone(h.shares) }

// turn notes what a turn of this daemon changed.
func (h *history) turn(t switcher.Turn, d Detail) {
	h.note(t.Now, t.Decision.Next, d)
	h.writes(t)
	switch away := t.JournalErr != nil; {
	case away && !h.journalAway:
		h.add(Event{At: t.Now, Kind: "journal", Level: "bad", Title: "The journal can't be written", Text: t.JournalErr.Error(), GreenShare: int(t.Decision.Next.Share)})
		h.journalAway = true
	case !away && h.journalAway:
		h.add(Event{At: t.Now, Kind: "journal", Level: "good", Title: "The journal is written again", GreenShare: int(t.Decision.Next.Share)})
		h.journalAway = false
	}
}

// status notes what the daemon in charge wrote down since.
func (h *history) status(at time.Time, s shift.State, d Detail) { h.note(at, s, d) }

func (h *history) note(at time.Time, s shift.State, d Detail) {
	now := stood{
		attempt: s.Attempt, phase: s.Phase, share: s.Share, step: s.Step, reached: s.ReachedAt, reason: d.Summary.Reason, asked: d.Asked,
	}
	if d.Question != nil {
		now.question = d.Question.ID
	}
	if p := d.Preflight; p != nil && p.At != nil {
		now.preflight = fmt.Sprint(p.Blocks, p.Warns, p.Waived, p.Digest)
	}
	if !h.begun {
		h.begun = true
		h.restore(s)
		h.point(SharePoint{At: at, Intended: int(s.Share), Seen: d.Summary.SeenShare})
		h.add(Event{At: at, Kind: "reason", Level: levelOf(d.Summary.Severity), Title: "This replica began to watch: " + spoken(now.reason), Text: d.Summary.Message})
		h.before = now
		return
	}
	milestones := h.nextID
	h.moved(at, s, d, now)
	h.asked(at, now)
	if now.reason != h.before.reason && h.nextID == milestones {
		h.add(Event{At: at, Kind: "reason", Level: levelOf(d.Summary.Severity), Title: spoken(now.reason), Text: d.Summary.Message})
	}
	h.point(SharePoint{At: at, Intended: int(s.Share), Seen: d.Summary.SeenShare})
	h.before = now
}

// restore takes over what the journal tells of the time before.
func (h *history) restore(s shift.State) {
	past := func(e Event) {
		if !e.At.IsZero() {
			e.Restored = true
			h.add(e)
		}
	}
	h.before.share = s.Share
	if !s.StartedAt.IsZero() {
		h.point(SharePoint{At: s.StartedAt, Restored: true})
		past(Event{At: s.StartedAt, Kind: "attempt", Level: "normal", Title: fmt.Sprintf("Attempt %d began", s.Attempt), Text: stepWords(s)})
	}
	if s.Preflight != nil {
		past(Event{At: s.Preflight.At, Kind: "preflight", Level: "normal", Title: outcomeWords(s.Preflight.Blocks, s.Preflight.Warns)})
	}
	if r := s.Rollback; r != nil {
		past(Event{At: r.At, Kind: "rollback", Level: "bad", Title: "Rollback, asked for by " + r.By, Text: r.Why})
	}
	if s.ChangedAt.After(s.StartedAt) {
		h.point(SharePoint{At: s.ChangedAt, Intended: int(s.Share), Restored: true})
		past(Event{At: s.ChangedAt, Kind: "step", Level: "normal", Title: shareWords(s), GreenShare: int(s.Share)})
	}
	past(Event{At: s.ReachedAt, Kind: "reached", Level: "normal", Title: s.Share.String() + " reached", GreenShare: int(s.Share)})
	if s.Phase.Terminal() {
		level, title := phaseWords(s.Phase)
		past(Event{At: s.EndedAt, Kind: "phase", Level: level, Title: title, GreenShare: int(s.Share)})
	}
	slices.SortStableFunc(h.events, func(a, b Event) int { return a.At.Compare(b.At) })
}

// moved notes what the daemon decided.
func (h *history) moved(at time.Time, s shift.State, d Detail, now stood) {
	was := h.before
	add := func(kind, level, title, text string) {
		h.add(Event{At: at, Kind: kind, Level: level, Title: title, Text: text, GreenShare: int(s.Share)})
	}
	if now.attempt != was.attempt {
		add("attempt", "normal", fmt.Sprintf("Attempt %d began", s.Attempt), stepWords(s))
	}
	switch {
	case now.phase != was.phase && now.phase == shift.RollingBack && s.Rollback != nil:
		add("rollback", "bad", "Rollback, asked for by "+s.Rollback.By, s.Rollback.Why)
	case now.phase != was.phase && now.phase != shift.InPreflight:
		level, title := phaseWords(now.phase)
		add("phase", level, title, d.Summary.Message)
	}
	if now.share != was.share {
		add("step", "normal", shareWords(s), d.Summary.Message)
	}
	if !now.reached.IsZero() && was.reached.IsZero() && now.share > 0 {
		add("reached", "normal", s.Share.String()+" reached", "Every entrance reads back as intended, and resolvers followed.")
	}
	switch {
	case now.question == was.question:
	case now.question != "":
		add("question", "bad", "A question for a person: "+spoken(d.Question.Reason), d.Question.Message)
	default:
		add("question", "good", "The question is answered", "")
	}
	if now.preflight != was.preflight && now.preflight != "" {
		level := "good"
		if d.Preflight.Blocks > 0 {
			level = "bad"
		}
		add("preflight", level, outcomeWords(d.Preflight.Blocks, d.Preflight.Warns), "")
	}
}

// asked notes what people asked for.
func (h *history) asked(at time.Time, now stood) {
	was, is := h.before.asked, now.asked
	for _, change := range []struct {
		happened bool
		level    string
		title    string
	}{
		{is.Paused && !was.Paused, "held", "A person paused the pair"},
		{!is.Paused && was.Paused, "normal", "The pause was taken away"},
		{is.HandsOff && !was.HandsOff, "held", "Hands off: the daemon writes nothing"},
		{!is.HandsOff && was.HandsOff, "normal", "Hands off was taken away"},
		{is.ApprovedStep > 0 && is.ApprovedStep != was.ApprovedStep, "good", fmt.Sprintf("A person approved step %d", is.ApprovedStep)},
		{len(is.RollbackBy) > 0 && len(was.RollbackBy) == 0, "bad", "The rollback flag is set by " + strings.Join(is.RollbackBy, " and ")},
		{len(is.RollbackBy) == 0 && len(was.RollbackBy) > 0, "normal", "The rollback flag was taken away"},
	} {
		if change.happened {
			h.add(Event{At: at, Kind: "asked", Level: change.level, Title: change.title, GreenShare: int(now.share)})
		}
	}
}

// writes notes what became of writes; the same failure is told once.
func (h *history) writes(t switcher.Turn) {
	if h.failing == nil {
		h.failing = map[string]string{}
	}
	for i, r := range t.Results {
		change := t.Decision.Changes[i]
		e := Event{At: t.Now, Kind: "write", Level: "good", GreenShare: int(t.Decision.Next.Share), Text: r.Note}
		if r.Outcome == shift.Applied {
			delete(h.failing, r.Entrance)
			e.Title = fmt.Sprintf("%s was set to %s", r.Entrance, change.Wanted)
			h.add(e)
			continue
		}
		told := fmt.Sprint(change.Wanted, r.Outcome, r.Note)
		if h.failing[r.Entrance] == told {
			continue
		}
		h.failing[r.Entrance] = told
		e.Level, e.Title = "bad", fmt.Sprintf("%s was not set to %s: %s", r.Entrance, change.Wanted, r.Outcome)
		h.add(e)
	}
}

// point notes the share where it is not what it was.
func (h *history) point(p SharePoint) {
	p.At = p.At.UTC()
	if n := len(h.shares); n > 0 {
		last := h.shares[n-1]
		if last.Restored == p.Restored && last.Intended == p.Intended && sameNumber(last.Seen, p.Seen) {
			return
		}
	}
	if len(h.shares) == maxShares {
		h.shares = slices.Delete(h.shares, 0, 1)
	}
	h.shares = append(h.shares, p)
}

func sameNumber(a, b *int) bool { return a == b || a != nil && b != nil && *a == *b }

// add notes an event. Where there is no room, the oldest of those goes that only
// tell of another reason, else the oldest.
func (h *history) add(e Event) {
	h.nextID++
	e.ID, e.At, e.Title, e.Text = h.nextID, e.At.UTC(), clip(e.Title), clipTo(e.Text, maxText/2)
	if len(h.events) == maxEvents {
		oldest := max(0, slices.IndexFunc(h.events, func(e Event) bool { return e.Kind == "reason" }))
		h.events = slices.Delete(h.events, oldest, oldest+1)
	}
	h.events = append(h.events, e)
}

func levelOf(severity string) string {
	switch severity {
	case "person":
		return "bad"
	case "held":
		return "held"
	}
	return "normal"
}

func phaseWords(p shift.Phase) (level, title string) {
	switch p {
	case shift.Shifting:
		return "good", "Nothing stops the shift: going up, step by step"
	case shift.OnStandby:
		return "good", "Green has all traffic; blue is kept ready"
	case shift.Completed:
		return "good", "The shift is completed"
	case shift.Returning:
		return "held", "The planned way back began"
	case shift.RollingBack:
		return "bad", "Rollback"
	case shift.RolledBack:
		return "normal", "Blue has all traffic again"
	case shift.Idle, shift.InPreflight:
	}
	return "normal", p.Meaning()
}

func shareWords(s shift.State) string {
	if s.Phase == shift.Shifting && s.Step > 0 {
		return fmt.Sprintf("Green is sent to %s, step %d of %d", s.Share, s.Step, len(s.Steps))
	}
	return "Green is sent to " + s.Share.String()
}

func stepWords(s shift.State) string {
	var shares []string
	for _, step := range s.Steps {
		shares = append(shares, step.Share.String())
	}
	if len(shares) == 0 {
		return ""
	}
	return "Steps: " + strings.Join(shares, ", ")
}

func outcomeWords(blocks, warns int) string {
	if blocks > 0 {
		return fmt.Sprintf("Preflight: %d findings block", blocks)
	}
	return fmt.Sprintf("Preflight: nothing blocks, %d warn", warns)
}
