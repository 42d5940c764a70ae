package shift

import (
	"fmt"
	"strings"
	"time"
)

// standbyGates are judged for as long as green has all traffic and blue is kept
// ready: that green serves, and that blue could. Standby ends only when all of
// them pass.
func standbyGates() []gate {
	return []gate{
		workloadsReady, targetsHealthy, usersServed, // green
		blueCanTakeAll, blueReady, blueTargetsHealthy, blueProbesAnswer, // blue
		singletonsHanded,
	}
}

// bake decides on standby once the world was seen. A failure is said at once: to
// go back is a person's choice unless the plan says otherwise. When the time is
// over, whatever doesn't pass keeps blue ready, because blue is the only way back.
func (t *turn) bake() Decision {
	verdicts := t.judge(standbyGates(), Full)
	end := t.next.ChangedAt.Add(t.p.Standby.For)
	over := !end.After(t.now)
	w := worst(verdicts)
	d := t.stay(StandingBy, "green has all traffic; blue is kept ready for %s%s", t.p.Standby.For, t.standbyFindings())
	switch {
	case w.Judgement == Fail && w.Gate == blueCapacityGate:
		d = t.stay(BlueTooWeak, "%s: %s%s", w.Gate, w.Message, keptSince(over, end))
	case w.Judgement == Fail:
		d = t.stay(t.evidenceReason(w, StandbyGateFailed), "%s: %s%s%s", w.Gate, w.Message, t.whoDecides(w), keptSince(over, end))
	case w.Gate == singletonsGate:
		d = t.blocked(w, verdicts)
	case over && w.Judgement != Pass:
		d = t.stay(t.evidenceReason(w, StandbyKept), "%s: %s%s", w.Gate, w.Message, keptSince(over, end))
	case over:
		t.next.Version++
		t.next.Phase, t.next.EndedAt = Completed, t.now
		d = t.stay(ShiftCompleted, "attempt %d is complete: green serves", t.next.Attempt)
	case w.Judgement == Unmeasured:
		d.Reason, d.Message = t.evidenceReason(w, d.Reason), d.Message+fmt.Sprintf("; %s: %s", w.Gate, w.Message)
	}
	d.Verdicts = verdicts
	return d.wakeAt(end, t.now)
}

// whoDecides says what follows from a failed gate in standby.
func (t *turn) whoDecides(w Verdict) string {
	switch {
	case strings.HasPrefix(w.Gate, "blue's "):
		return "; until it passes the way back isn't ready"
	case t.p.Standby.AutoRollback:
		return ""
	}
	return "; a person decides"
}

func keptSince(over bool, end time.Time) string {
	if !over {
		return ""
	}
	return fmt.Sprintf("; standby was to end at %s and goes on until every gate passes", end.UTC().Format(time.DateTime))
}
