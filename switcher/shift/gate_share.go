package shift

import (
	"fmt"
	"math"
	"strings"
)

const shareGate = "observed share"

// shareObserved compares the share of requests that green gets with the intended
// one: weights that don't act show there, and users that a cookie or a resolver
// keeps.
func shareObserved(t *turn, _ Share) []Verdict {
	o := t.p.Gates.ObservedShare
	if o.Off || o.Tolerance <= 0 || t.next.Share == 0 || !o.Required && len(t.p.Capacity.Loads) == 0 {
		return nil
	}
	measured, off := t.observedShares()
	switch {
	case len(off) > 0 && o.Warn:
		return one(shareGate, Pass, "%s; that only warns", strings.Join(off, "; "))
	case len(off) > 0:
		return one(shareGate, Fail, "%s: weights don't act, or users are kept by a cookie, a resolver or a connection", strings.Join(off, "; "))
	case len(measured) > 0:
		return one(shareGate, Pass, "%s", strings.Join(measured, "; "))
	case o.Required:
		return one(shareGate, t.shareJudgement(), "green's share of requests isn't measured since the last change")
	}
	return nil
}

// shareJudgement tells a share that will soon be measured from one that can't be.
func (t *turn) shareJudgement() Judgement {
	for _, s := range t.p.Capacity.Loads {
		if _, known := t.load(s.Name); known {
			return Wait
		}
	}
	return Unmeasured
}

// observedShares says what share each source of load shows since the present one
// was reached, and of these which are off by more than tolerance and chance.
func (t *turn) observedShares() (measured, off []string) {
	wanted := float64(t.next.Share) / float64(Full)
	tolerance := float64(t.p.Gates.ObservedShare.Tolerance) / float64(Full)
	for _, s := range t.p.Capacity.Loads {
		r, known := t.load(s.Name)
		requests := r.total() * r.To.Sub(r.From).Seconds()
		if !known || t.next.ReachedAt.IsZero() || r.From.Before(t.next.ReachedAt) || requests < 1 {
			continue
		}
		// At 0 and 100 % chance explains nothing, but one request is one.
		chance := 4 * math.Sqrt(max(wanted*(1-wanted), 1/requests)/requests)
		share := r.Green / r.total()
		said := fmt.Sprintf("%s: green gets %s of %s requests, %s is intended", s.Name, percent(share), number(requests), t.next.Share)
		if measured = append(measured, said); math.Abs(share-wanted) > tolerance+chance {
			off = append(off, said)
		}
	}
	return measured, off
}
