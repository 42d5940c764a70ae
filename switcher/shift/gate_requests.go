package shift

import (
	"cmp"
	"fmt"
	"math"
	"time"
)

const (
	// unmeasuredTooLong is from when a request gate that can't be measured is called so.
	unmeasuredTooLong = 10 * time.Minute
	// silentIntervals and silentRequests: green is said to get no requests when it had
	// none in so many intervals, and should have had so many.
	silentIntervals = 2
	silentRequests  = 50
	// swappedShare is how far from the middle a share must be for swapped sides to
	// show, and swappedSlack how exact the mirror image need be, beside chance.
	swappedShare = Share(25)
	swappedSlack = 0.05
)

// requestVerdict is a request gate's verdict, and what follows from it.
type requestVerdict struct {
	Verdict
	// suffer: it is proven that users suffer on green, and that blue is better.
	suffer bool
	// both: both sides are over the limit.
	both bool
}

// requests judges one gate on users' requests while green has users.
func (t *turn) requests(g RequestGate) requestVerdict {
	e, kept := t.evidence(g.Name)
	r, read := t.o.requests(g.Name)
	answer := func(j Judgement, format string, args ...any) requestVerdict {
		return requestVerdict{Verdict: verdict(g.Name, j, format, args...)}
	}
	if !kept {
		return requestVerdict{Verdict: t.profiled(g)}
	}
	within := cmp.Or(r.FreshFor, g.Settle+3*g.Interval)
	switch {
	case !read:
		return answer(Unmeasured, "it was not measured")
	case r.Err != "":
		return answer(Unmeasured, "it can't be measured: %s", r.Err)
	case e.Counted.IsZero() && t.now.Sub(t.next.MeasureFrom()) <= within && !t.faulty(e):
		return answer(Wait, "no interval of %s is over and settled yet", g.Interval)
	case !t.fresh(e.Counted, within):
		return answer(Unmeasured, "%s", t.notCounted(e, r))
	case e.Silent >= silentIntervals && e.Awaited >= silentRequests:
		return answer(Unmeasured, "green gets no requests: none in %d intervals, its share of %s would be %s", e.Silent, t.next.Share, number(e.Awaited))
	}
	if !t.next.ReachedAt.IsZero() {
		e.Book = e.Book.BeginStep(t.next.ReachedAt) // it may have been reached in this very turn
	}
	if sentence, swapped := t.sidesSwapped(e); swapped {
		return answer(Unmeasured, "%s", sentence)
	}
	return t.judged(g, e, r)
}

// judged says what the evidence of a gate that is measured comes to.
func (t *turn) judged(g RequestGate, e GateEvidence, r RequestReading) requestVerdict {
	said := saying{g: g, p: e.Profile, v: e.Book.Judge(EvidenceSettings(t.p, t.next.Steps, g), e.Profile)}
	switch v := said.v; {
	case v.Bad || v.Disaster:
		return requestVerdict{Verdict: verdict(g.Name, Fail, "%s", said.bad(r.Intervals)), suffer: true}
	case v.BothBad:
		return requestVerdict{Verdict: verdict(g.Name, Fail, "%s", said.both()), both: true}
	case t.faulty(e):
		return requestVerdict{Verdict: verdict(g.Name, Unmeasured, "%s", t.notCounted(e, r))}
	case v.Good && !t.next.ReachedAt.IsZero():
		return requestVerdict{Verdict: verdict(g.Name, Pass, "%s", said.good())}
	}
	return requestVerdict{Verdict: verdict(g.Name, Wait, "%s", said.waits())}
}

// profiled tells whether it is known what blue was like before the shift.
func (t *turn) profiled(g RequestGate) Verdict {
	if e, kept := t.evidence(g.Name); kept {
		return verdict(g.Name, Pass, "blue's past is known: %s", profileSaid(e.Profile))
	}
	why := "it was not measured yet"
	switch r, _ := t.o.requests(g.Name); {
	case r.Profile != nil && profileFault(*r.Profile) != "":
		why = profileFault(*r.Profile)
	case r.Err != "":
		why = r.Err
	}
	return verdict(g.Name, Unmeasured, "blue's past, which green is to be judged by, isn't known: %s", why)
}

// faulty tells whether the newest interval could not be judged.
func (t *turn) faulty(e GateEvidence) bool { return e.Book.Last.After(e.Counted) }

// notCounted says since when nothing could be counted, and why.
func (t *turn) notCounted(e GateEvidence, r RequestReading) string {
	why := "no new interval came"
	if t.faulty(e) {
		why = "the newest interval can't be judged"
	}
	for _, iv := range r.Intervals {
		if trouble := iv.Trouble(e.Profile); trouble != "" && iv.Start.Before(e.Book.Last) && !iv.Start.Before(e.Counted) {
			why = trouble
		}
	}
	if e.Counted.IsZero() {
		return "nothing could be counted yet: " + why
	}
	return "nothing could be counted since " + e.Counted.UTC().Format(time.TimeOnly) + " UTC: " + why
}

// sidesSwapped tells whether green gets what blue is to get: then the sides are
// mixed up, where they are measured or where the weights are, and every comparison
// would speak of the wrong one.
func (t *turn) sidesSwapped(e GateEvidence) (string, bool) {
	share := t.next.Share
	if share > swappedShare && share < Full-swappedShare || len(e.Book.Metrics) == 0 || t.next.ReachedAt.IsZero() {
		return "", false
	}
	green, blue := e.Book.Metrics[0].Green[0], e.Book.Metrics[0].Blue[0]
	all, mirror := green+blue, float64(Full-share)/float64(Full)
	if all < silentRequests {
		return "", false
	}
	chance := 4 * math.Sqrt(max(mirror*(1-mirror), 1/all)/all)
	if math.Abs(green/all-mirror) > swappedSlack+chance {
		return "", false
	}
	return fmt.Sprintf("the sides seem to be swapped: green has %s of %s requests, %s was intended", percent(green/all), number(all), share), true
}

// profiles judge before the first step: a comparison without blue's past would take
// its measure from what it judges.
func (t *turn) profiles() []Verdict {
	var verdicts []Verdict
	for _, g := range t.p.Gates.Requests {
		verdicts = append(verdicts, t.profiled(g))
	}
	return verdicts
}

// evidenceReason gives the reason of its own that a request gate's verdict may have.
func (t *turn) evidenceReason(w Verdict, otherwise Reason) Reason {
	for _, g := range t.p.Gates.Requests {
		if g.Name != w.Gate || t.next.Share == 0 {
			continue
		}
		e, _ := t.evidence(g.Name)
		switch {
		case w.Judgement == Fail && t.requests(g).both:
			return BothSuffer
		case w.Judgement == Unmeasured && !e.UnknownSince.IsZero() && t.now.Sub(e.UnknownSince) >= unmeasuredTooLong:
			return GateUnmeasured
		}
	}
	return otherwise
}
