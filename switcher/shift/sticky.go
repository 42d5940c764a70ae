package shift

import (
	"slices"
	"time"
)

// tail is until when clients may stay on green by a cookie although green was
// told to get less; zero: nobody does. Stickiness of a load balancer beats its
// weights, so it counts from when green was last lowered.
func (e EntranceState) tail(r EntranceReading) time.Time {
	if e.LoweredAt.IsZero() || r.Sticky <= 0 {
		return time.Time{}
	}
	return e.LoweredAt.Add(r.Sticky)
}

// Tail is until when clients of any entrance may stay on green by a cookie
// although green was told to get less; zero: nobody does, as far as was read.
func (s State) Tail(o Observation) time.Time {
	var longest time.Time
	for _, e := range s.Entrances {
		if r, ok := o.entrance(e.Name); ok && e.tail(r).After(longest) {
			longest = e.tail(r)
		}
	}
	return longest
}

// Notes says what else decides where users go, beside the weights: other
// records of a group, health checks, and who stays on a side for a while: by a
// cookie, an open connection, a resolver's answer. Each is one sentence that
// begins with its entrance's name. Before them come the observation's own notes.
func Notes(s State, o Observation, now time.Time) []string {
	notes := slices.Clone(o.Notes)
	for _, r := range o.Entrances {
		for _, note := range r.Notes {
			notes = append(notes, r.Name+": "+note)
		}
	}
	return slices.Concat(notes, tailNotes(s, o, now), batonNotes(s, o, now))
}

// restick switches stickiness on again where a rollback switched it off and no
// cookie of that time is alive: one that is would lead its client to green.
func (t *turn) restick() (Decision, bool) {
	if t.next.Phase != RolledBack {
		return Decision{}, false
	}
	var changes []Change
	for _, e := range t.next.Entrances {
		r, known := t.reading(e.Name)
		if !known || e.Balancer == nil || !e.Balancer.RestoreStickiness || r.Unstuck == nil || !r.StandsAt(e.Share) {
			continue
		}
		if end := r.Unstuck.At.Add(r.Unstuck.For); end.After(t.now) || e.LoweredAt.Add(r.Unstuck.For).After(t.now) {
			continue
		}
		changes = append(changes, Change{Entrance: e.Entrance, Expected: r, Wanted: e.Share, Priority: Lowering, Restick: true})
	}
	if len(changes) == 0 {
		return Decision{}, false
	}
	return t.act(changes, RestoringStickiness, "the last cookie of before the rollback is dead; stickiness of %s is switched on again", changes[0].Entrance.Name), true
}
