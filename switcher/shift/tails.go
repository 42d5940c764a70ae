package shift

import (
	"fmt"
	"strings"
	"time"
)

const (
	// propagation is within what Route 53 usually brings a change to all its
	// servers (Route 53 API reference, ChangeResourceRecordSets: "within 60
	// seconds").
	propagation = 60 * time.Second
	// balancerTakes is what a load balancer takes to follow changed weights. AWS
	// states no bound; its servers follow within seconds.
	balancerTakes = 5 * time.Second
)

// Tails says who may stay on a side although the weights send them to the
// other: for green after it was lowered, for blue after green rose. What they
// last is known from the newest readings, also old ones; where an entrance was
// never read, only Route 53's own time is.
func Tails(s State, o Observation, now time.Time) []Tail {
	var tails []Tail
	for _, e := range s.Entrances {
		r, _ := o.entrance(e.Name)
		for _, side := range []Side{Green, Blue} {
			since := s.leftSince(e, side)
			if side == Blue && since.IsZero() {
				continue // nobody ever left blue by it
			}
			for _, t := range lasting(e.Entrance, r) {
				t.Entrance, t.Side = e.Name, side
				if t.Kind != TailDeregistration { // weights take no target away
					t.Since = since
				}
				t.Until = t.until(r, now)
				tails = append(tails, t)
			}
		}
	}
	return tails
}

// until is when the last of those who were told to leave is gone. Where AWS was
// seen to be bringing the change to its servers still, it counts from then.
func (t Tail) until(r EntranceReading, now time.Time) time.Time {
	if t.Since.IsZero() || t.For == Endless {
		return time.Time{}
	}
	until := t.Since.Add(t.For)
	if pending := r.Err == "" && !r.At.IsZero() && !r.InSync; pending && t.Kind != TailCookie {
		if later := r.At.Add(t.For - propagation); later.After(until) {
			until = later
		}
	}
	if !until.After(now) {
		return time.Time{}
	}
	return until
}

// lasting gives how long users stay, by each kind that the entrance has.
func lasting(e Entrance, r EntranceReading) []Tail {
	var tails []Tail
	answers := time.Duration(0)
	if e.Route53 != nil {
		answers = propagation + r.TTL
		tails = append(tails, Tail{Kind: TailDNS, For: answers})
	}
	switch {
	case r.Connection == Endless:
		tails = append(tails, Tail{Kind: TailConnection, For: Endless})
	case r.Connection > 0: // one that was opened by the last old answer
		tails = append(tails, Tail{Kind: TailConnection, For: answers + r.Connection})
	}
	if r.Sticky > 0 {
		tails = append(tails, Tail{Kind: TailCookie, For: r.Sticky})
	}
	if r.Deregistration > 0 {
		tails = append(tails, Tail{Kind: TailDeregistration, For: r.Deregistration})
	}
	return tails
}

// leftSince is when users were last told to leave a side of the entrance; zero:
// never, or they were told to come back since.
func (s State) leftSince(e EntranceState, side Side) time.Time {
	raised := e.RaisedAt
	if raised.IsZero() && e.Share > 0 { // a journal of before RaisedAt
		raised = s.MeasureFrom()
	}
	switch {
	case side == Green && !raised.After(e.LoweredAt):
		return e.LoweredAt
	case side == Blue && raised.After(e.LoweredAt):
		return raised
	}
	return time.Time{}
}

// Alive tells whether anybody may still be there since the last move away.
func (t Tail) Alive(now time.Time) bool {
	return !t.Since.IsZero() && (t.For == Endless || t.Until.After(now))
}

// String says who stays, as the end of a sentence that begins with the entrance.
func (t Tail) String() string {
	until := "until " + t.Until.UTC().Format(time.DateTime)
	switch t.Kind {
	case TailDNS:
		return fmt.Sprintf("resolvers may send clients to %s %s", t.Side, until)
	case TailCookie:
		return fmt.Sprintf("clients that hold its cookie may stay on %s %s", t.Side, until)
	case TailConnection:
		if t.For == Endless {
			until = "for as long as they keep them"
		}
		return fmt.Sprintf("clients with open connections may stay on %s %s", t.Side, until)
	case TailDeregistration:
		return fmt.Sprintf("a target that is taken away from %s may finish its requests for %s", t.Side, t.For)
	}
	return ""
}

// WayBackTakes is how long it lasts, were green lowered to nothing now, until
// the last user whom weights can move is on blue: what AWS takes to bring the
// weights to all its servers, and what resolvers keep the former answer. Users
// whom weights don't move are in Tails.
func WayBackTakes(s State, o Observation) time.Duration {
	var takes time.Duration
	for _, e := range s.Entrances {
		if e.Route53 == nil {
			takes = max(takes, balancerTakes)
			continue
		}
		r, _ := o.entrance(e.Name)
		takes = max(takes, propagation+r.TTL)
	}
	return takes
}

// tailNotes are the tails of an entrance that a person may wonder about: on
// green after it was lowered, on blue when the weights say that it is empty.
func tailNotes(s State, o Observation, now time.Time) []string {
	empty := map[string]bool{}
	for _, e := range s.Entrances {
		empty[e.Name] = e.Share == Full
	}
	var notes []string
	for _, t := range Tails(s, o, now) {
		if t.Alive(now) && (t.Side == Green || empty[t.Entrance]) {
			notes = append(notes, t.Entrance+": "+t.String())
		}
	}
	return notes
}

// stillOn says in the end of a sentence who may be on a side for how long yet:
// the longest tail, and one that nothing bounds. Empty: nobody.
func (t *turn) stillOn(side Side) string {
	var longest, endless *Tail
	for _, tail := range Tails(t.next, t.o, t.now) {
		switch {
		case tail.Side != side || !tail.Alive(t.now):
		case tail.For == Endless:
			endless = &tail
		case longest == nil || tail.Until.After(longest.Until):
			longest = &tail
		}
	}
	var said strings.Builder
	for _, tail := range []*Tail{longest, endless} {
		if tail != nil {
			fmt.Fprintf(&said, "; at %s %s", tail.Entrance, tail)
		}
	}
	return said.String()
}
