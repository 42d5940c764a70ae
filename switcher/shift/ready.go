package shift

import (
	"fmt"
	"slices"
	"time"
)

const blueCapacityGate = "blue's capacity"

// blueCanTakeAll judges whether blue is as ready to take everything back as the
// policy wants it.
func blueCanTakeAll(t *turn, _ Share) []Verdict {
	policy := t.p.Capacity
	if policy.AtLeast <= 0 {
		return nil
	}
	switch c := t.capacity(Blue, Full); {
	case !c.Known:
		return one(blueCapacityGate, Unmeasured, "%s", c.Sentence(Blue))
	case c.Percent >= policy.AtLeast:
		return one(blueCapacityGate, Pass, "%s", c.Sentence(Blue))
	case policy.Warn:
		return one(blueCapacityGate, Pass, "%s, less than %d %%, which only warns", c.Sentence(Blue), policy.AtLeast)
	default:
		return one(blueCapacityGate, Fail, "%s, at least %d %% are wanted", c.Sentence(Blue), policy.AtLeast)
	}
}

// enough is the percentage of the need from which blue counts as ready for a
// person who is to be warned.
func (p CapacityPolicy) enough() int {
	if p.AtLeast > 0 {
		return p.AtLeast
	}
	return 100
}

// sayReadiness adds to a message what a person must know of blue: before a
// weak one gets all users by a person's wish, and while users stand on green.
func (t *turn) sayReadiness(d *Decision) {
	policy := t.p.Capacity
	standing := []Reason{Holding, GateWaits, ApprovalNeeded, Paused, StandingBy}
	if policy.AtLeast > 0 && t.next.Active() && slices.Contains(standing, d.Reason) {
		if c := t.capacity(Blue, Full); c.Known && c.Percent < policy.AtLeast {
			d.Message += fmt.Sprintf("; %s, less than %d %%", c.Sentence(Blue), policy.AtLeast)
		}
	}
	if d.Next.Phase == RollingBack && t.wayBack().Warns {
		d.Message += "; WARNING: " + t.capacity(Blue, Full).Sentence(Blue)
	}
}

// CapacityNotes says what of capacity and floors people should know besides the
// decision: a policy that is broken, and floors that somebody else set back.
func CapacityNotes(p Plan, s State, o Observation, now time.Time) []string {
	t := newTurn(p, s, o, now)
	var notes []string
	if s.Active() && s.Phase != InPreflight {
		if c := t.capacity(Blue, Full); p.Capacity.AtLeast > 0 && c.Known && c.Percent < p.Capacity.AtLeast {
			notes = append(notes, fmt.Sprintf("%s, less than the %d %% that are wanted", c.Sentence(Blue), p.Capacity.AtLeast))
		}
	}
	if !s.FloorsHeld {
		return notes
	}
	if o.Floors.Err != "" {
		notes = append(notes, "autoscalers' floors: "+o.Floors.Err)
	}
	return slices.Concat(notes, floorNotes(Blue, o.Floors.Blue), floorNotes(Green, o.Floors.Green))
}

func floorNotes(side Side, autoscalers []Autoscaler) []string {
	var notes []string
	for _, a := range autoscalers {
		if a.RevertedBy != "" {
			notes = append(notes, fmt.Sprintf("%s of %s: %s set its floor back to %d", a.Key(), side, a.RevertedBy, a.Min))
		}
	}
	return notes
}

// capacityReason gives the reason of a rise that capacity or floors keep.
func capacityReason(w Verdict, other Reason) Reason {
	switch {
	case w.Judgement != Fail:
		return other
	case w.Gate == floorsGate:
		return FloorsNotHeld
	}
	return BlueTooWeak
}

// capacityNews is by how many points a capacity must differ to be news.
const capacityNews = 5

// Differs tells whether a readiness says something else than what was said
// before: not each point of a percentage, but the crossing of the policy's.
func (r Readiness) Differs(said Readiness, policy CapacityPolicy) bool {
	sameTail := func(a, b Tail) bool {
		return a.Entrance == b.Entrance && a.Kind == b.Kind && a.For == b.For && a.Until.Equal(b.Until)
	}
	return r.Blue.differs(said.Blue, policy.enough()) || r.Green.differs(said.Green, 100) ||
		r.Takes != said.Takes || !slices.EqualFunc(r.Tails, said.Tails, sameTail)
}

func (c SideCapacity) differs(said SideCapacity, enough int) bool {
	if c.Known != said.Known || c.Why != said.Why {
		return true
	}
	apart := max(c.Percent-said.Percent, said.Percent-c.Percent)
	return apart >= capacityNews || (c.Percent < enough) != (said.Percent < enough)
}
