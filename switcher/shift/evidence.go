package shift

import (
	"math"
	"slices"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/evidence"
)

const (
	// maxGateMetrics bounds what one request gate looks at: the journal has 32 KiB
	// for the evidence of a pair.
	maxGateMetrics = 4
	// usualAlarm stands for a chance of false alarms that nobody gave.
	usualAlarm = 0.01
)

// EvidenceSettings are what a request gate of the plan asks of the counts, in a
// shift by these steps. They follow from the plan alone.
func EvidenceSettings(p Plan, steps []Step, g RequestGate) evidence.Settings {
	held := time.Duration(0)
	for _, s := range steps {
		held += s.Hold
	}
	return evidence.Settings{
		Compare: g.Compare, Tolerate: max(1, g.Tolerate), MinExcess: g.MinExcess, Alarm: p.Gates.alarm(),
		Limit: g.MaxErrorRatio, HasLimit: g.HasLimit, Interval: g.Interval,
		Planned: max(1, int(held/max(g.Interval, time.Second))), Steps: max(1, len(steps)),
	}
}

// alarm is each request gate's part of the chance of a false alarm.
func (g Gates) alarm() float64 {
	least := math.Inf(1)
	for _, r := range g.Requests {
		if r.FalseAlarms > 0 {
			least = min(least, r.FalseAlarms)
		}
	}
	if math.IsInf(least, 1) {
		least = usualAlarm
	}
	return least / float64(max(1, len(g.Requests)))
}

// evidence gives what is remembered of a request gate.
func (t *turn) evidence(gate string) (GateEvidence, bool) {
	for _, e := range t.next.Evidence {
		if e.Gate == gate {
			return e, true
		}
	}
	return GateEvidence{Gate: gate}, false
}

// gatherEvidence counts what request gates saw since the last turn, each interval
// once. What a gate knows of blue's past is fixed before green's first user, or
// when the gate shows up.
func (t *turn) gatherEvidence() {
	switch t.next.Phase {
	case Shifting, OnStandby, Returning:
	case Idle, InPreflight, Completed, RollingBack, RolledBack:
		return
	}
	var all []GateEvidence
	for _, g := range t.p.Gates.Requests {
		r, _ := t.o.requests(g.Name)
		e, kept := t.evidence(g.Name)
		fixed := kept && (t.next.Step > 0 || t.next.Share > 0 || !e.Book.Last.IsZero())
		if !fixed && t.next.Phase != Returning && r.Profile != nil && profileFault(*r.Profile) == "" {
			e, kept = GateEvidence{Gate: g.Name, Profile: *r.Profile}, true
			e.Profile.Metrics = slices.Clone(r.Profile.Metrics)
		}
		if !kept {
			continue
		}
		if t.next.Share > 0 {
			e = t.count(g, e, r)
		}
		all = append(all, e)
	}
	t.next.Evidence = all
	for i, e := range all {
		all[i].UnknownSince = t.unknownSince(e)
	}
}

// dropEvidence forgets it when the attempt is over: the next one is judged by what
// is seen in it.
func (t *turn) dropEvidence() {
	if !t.next.Active() {
		t.next.Evidence = nil
	}
}

// unknownSince is when the gate began to be unmeasured; zero: it is measured, or
// green has no users.
func (t *turn) unknownSince(e GateEvidence) time.Time {
	i := slices.IndexFunc(t.p.Gates.Requests, func(g RequestGate) bool { return g.Name == e.Gate })
	switch {
	case t.next.Share == 0 || t.requests(t.p.Gates.Requests[i]).Judgement != Unmeasured:
		return time.Time{}
	case e.UnknownSince.IsZero():
		return t.now
	}
	return e.UnknownSince
}

// profileFault says why nothing can be judged by what was measured of blue; empty:
// it can.
func profileFault(p evidence.Profile) string {
	switch {
	case len(p.Metrics) == 0 || len(p.Metrics) > maxGateMetrics:
		return "what was measured of blue isn't what the gate looks at"
	case !(p.Rate > 0) || math.IsInf(p.Rate, 1):
		return "no request to blue was counted before the shift: is it looked for at the right place?"
	}
	return ""
}

// count takes over the intervals that were not counted yet. Those that began before
// the attempt, or aren't over by the daemon's clock, are none of its.
func (t *turn) count(g RequestGate, e GateEvidence, r RequestReading) GateEvidence {
	reached := t.next.ReachedAt
	if !reached.IsZero() {
		e.Book = e.Book.BeginStep(reached)
	}
	if r.Err != "" {
		return e
	}
	s := EvidenceSettings(t.p, t.next.Steps, g)
	for _, iv := range r.Intervals {
		if iv.Start.Before(e.Book.Last) || iv.Start.Before(t.next.StartedAt) || iv.End.After(t.now) {
			continue
		}
		stands := !reached.IsZero() && !iv.Start.Before(reached)
		settled := stands && !iv.Start.Before(reached.Add(g.SkipFirst))
		e.Book = e.Book.Add(s, e.Profile, iv, settled)
		if iv.Trouble(e.Profile) != "" {
			e.Unknown++
			continue
		}
		e.Counted = iv.End
		e = t.listen(e, iv, stands)
	}
	return e
}

// listen notes for how long green got no request at all, and how many it was to
// get meanwhile.
func (t *turn) listen(e GateEvidence, iv evidence.Interval, stands bool) GateEvidence {
	green, all := iv.Green[0].Requests, iv.Green[0].Requests+iv.Blue[0].Requests
	if !stands || green > 0 {
		e.Silent, e.Awaited = 0, 0
		return e
	}
	if all <= 0 { // nobody asks either side: as many are awaited as before the shift
		all = e.Profile.Rate * iv.End.Sub(iv.Start).Seconds()
	}
	e.Silent++
	e.Awaited = math.Round(min(e.Awaited+all*float64(t.next.Share)/float64(Full), 1e9)*10) / 10
	return e
}
