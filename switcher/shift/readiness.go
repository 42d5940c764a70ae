package shift

import (
	"fmt"
	"time"
)

// Measured tells whether there is anything to say: an attempt with users on its
// way.
func (r Readiness) Measured() bool { return r.Wanted > 0 }

// Enough tells whether blue is as ready to take everything back as it shall be.
// Unknown is not enough.
func (r Readiness) Enough() bool { return r.Blue.Known && r.Blue.Percent >= r.Wanted }

// Sentence answers, for a person: if all users went back to blue now, how many
// could it carry, how long would it take, and who would stay on green longest?
func (r Readiness) Sentence() string {
	text := r.Blue.Sentence(Blue)
	if r.Takes > 0 {
		text += fmt.Sprintf("; going back takes up to %s", r.Takes)
	}
	if tail, stay := r.longestTail(); stay {
		text += fmt.Sprintf("; at %s %s", tail.Entrance, tail.Would())
	}
	return text
}

// longestTail is that of the users who would stay on green longer than the way
// back takes, and longest of all.
func (r Readiness) longestTail() (longest Tail, stay bool) {
	for _, t := range r.Tails {
		if t.Side == Green && t.Kind != TailDeregistration && t.For > max(r.Takes, longest.For) {
			longest, stay = t, true
		}
	}
	return longest, stay
}

// Would says who would stay, were they sent to the other side now, and how long;
// as the end of a sentence that begins with the entrance.
func (t Tail) Would() string {
	lasting := "for up to " + t.For.String()
	if t.For == Endless {
		lasting = "for as long as they keep them"
	}
	switch t.Kind {
	case TailDNS:
		return fmt.Sprintf("resolvers would send clients to %s %s", t.Side, lasting)
	case TailCookie:
		return fmt.Sprintf("clients that hold its cookie would stay on %s %s", t.Side, lasting)
	case TailConnection:
		return fmt.Sprintf("clients with open connections would stay on %s %s", t.Side, lasting)
	case TailDeregistration:
		return fmt.Sprintf("a target that is taken away from %s would finish its requests %s", t.Side, lasting)
	}
	return ""
}

// GapSeconds is how long nobody began a singleton's work: until now, or the last
// time; 0: never.
func (e BatonState) GapSeconds(now time.Time) float64 {
	switch {
	case !e.OffSince.IsZero():
		return max(0, now.Sub(e.OffSince).Seconds())
	case e.Gap != nil:
		return e.Gap.To.Sub(e.Gap.From).Seconds()
	}
	return 0
}
