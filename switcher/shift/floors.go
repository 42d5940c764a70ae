package shift

import (
	"fmt"
	"slices"
	"time"
)

// FloorsState is what the floors of autoscalers follow from, with the baseline.
type FloorsState struct {
	// Since is when they were last raised, or began to be given back.
	Since time.Time `json:"since"`
	// Share is what green's floors are for; 0: all are given back. It never falls
	// within an attempt.
	Share Share `json:"share,omitempty"`
	// Peaks are the highest loads seen since floors are held, of both sides.
	Peaks []LoadBaseline `json:"peaks,omitempty"`
}

// holdsFloors tells whether floors are to be held: from before the first user
// moves until the end of standby, or of the way back.
func (t *turn) holdsFloors() bool {
	switch t.next.Phase {
	case Shifting, OnStandby, Returning, RollingBack:
		return t.p.Capacity.Pin
	case Idle, InPreflight, Completed, RolledBack:
	}
	return false
}

// keepFloors notes whether floors are to be held, so that whoever comes after a
// crash knows that there is something to give back.
func (t *turn) keepFloors() {
	switch {
	case t.holdsFloors():
		t.raiseFloors()
		return
	case t.next.Phase == Idle && t.next.Question != nil:
		return // the journal is away: a shift may be under way that needs them
	}
	anyHeld := slices.ContainsFunc(slices.Concat(t.o.Floors.Blue, t.o.Floors.Green), func(a Autoscaler) bool { return a.Held > 0 })
	if !t.next.FloorsHeld && anyHeld { // a lost journal doesn't know of them
		t.next.FloorsHeld = true
	}
	f := t.next.Floors
	switch {
	case !t.next.FloorsHeld:
		t.next.Floors = nil
	case f == nil || f.Share > 0:
		t.next.Floors = &FloorsState{Since: t.now}
	case !anyHeld && t.floorsKnown() == "" && t.o.Floors.At.After(f.Since):
		t.next.FloorsHeld, t.next.Floors = false, nil
	}
}

// raiseFloors holds floors for green's next share, and for the highest load.
// They only rise: an autoscaler that is let go in between takes away what users
// need a moment later.
func (t *turn) raiseFloors() {
	t.next.FloorsHeld = true
	f := t.next.Floors
	if f == nil || f.Share == 0 {
		f = &FloorsState{Since: t.now}
	}
	if share := t.next.nextShare(); share > f.Share {
		f.Share, f.Since = share, t.now
	}
	f.Share = max(f.Share, 1)
	for _, s := range t.p.Capacity.Loads {
		r, known := t.load(s.Name)
		i := slices.IndexFunc(f.Peaks, func(l LoadBaseline) bool { return l.Name == s.Name })
		base, _ := t.next.Baseline.rate(s.Name)
		switch {
		case !known:
		case i >= 0 && r.total() > f.Peaks[i].Rate*sameLoad:
			f.Peaks[i].Rate, f.Since = r.total(), t.now
		case i < 0 && r.total() > base*sameLoad && len(f.Peaks) < maxBaselineLoads:
			f.Peaks, f.Since = append(f.Peaks, LoadBaseline{Name: s.Name, Rate: r.total()}), t.now
		}
	}
	t.next.Floors = f
}

// floors are what follows from the state: on blue what carries everything, on
// green what its next share needs.
func (t *turn) floors() (hold bool, blue, green []Floor) {
	f := t.next.Floors
	if !t.next.FloorsHeld || f == nil || f.Share == 0 {
		return false, nil, nil
	}
	g := gauge{base: t.next.Baseline, sources: t.p.Capacity.Loads, rates: map[string]float64{}}
	for _, l := range slices.Concat(t.next.Baseline.Loads, f.Peaks) { // the peak is what counts
		g.rates[l.Name] = l.Rate
	}
	for _, w := range t.next.Baseline.Workloads {
		all, _ := g.need(w.Workload, w.Ready, Full)
		blue = append(blue, Floor{Workload: w.Workload, Least: max(w.Ready, wholeReplicas(all))})
		part, _ := g.need(w.Workload, w.Ready, f.Share)
		green = append(green, Floor{Workload: w.Workload, Least: wholeReplicas(part)})
	}
	return true, blue, green
}

// floorsKnown says why it is unknown how floors stand; empty: it is known.
func (t *turn) floorsKnown() string {
	switch r := t.o.Floors; {
	case r.Err != "":
		return r.Err
	case r.At.IsZero():
		return "autoscalers were not read yet"
	case !t.fresh(r.At, t.p.StaleAfter):
		return fmt.Sprintf("autoscalers were not read within %s", t.p.StaleAfter)
	}
	return ""
}

const floorsGate = "floors"

// floorsHeld judges whether autoscalers are kept from shrinking either side.
func floorsHeld(t *turn, _ Share) []Verdict {
	if !t.p.Capacity.Pin {
		return nil
	}
	hold, blue, green := t.floors()
	if why := t.floorsKnown(); why != "" {
		return one(floorsGate, Unmeasured, "whether floors are held is unknown: %s", why)
	}
	if !hold || !t.o.Floors.At.After(t.next.Floors.Since) {
		return one(floorsGate, Wait, "floors are being raised")
	}
	held := 0
	for _, side := range []struct {
		name        Side
		floors      []Floor
		autoscalers []Autoscaler
	}{{Blue, blue, t.o.Floors.Blue}, {Green, green, t.o.Floors.Green}} {
		least := leastByKey(side.floors)
		for _, a := range side.autoscalers {
			want := min(least[a.Workload], a.Max)
			switch {
			case want == 0:
			case a.RevertedBy != "" && a.Min < want:
				return one(floorsGate, Fail, "%s set %s of %s back to %d, %d is to be held", a.RevertedBy, a.Key(), side.name, a.Min, want)
			case a.HeldBy != "" && a.Min < want:
				return one(floorsGate, Fail, "%s of %s is held by %s at %d, %d is to be held", a.Key(), side.name, a.HeldBy, a.Min, want)
			case a.Min < want:
				return one(floorsGate, Wait, "%s of %s is at %d, %d is to be held", a.Key(), side.name, a.Min, want)
			default:
				held++
			}
		}
	}
	return one(floorsGate, Pass, "the floors of %d autoscalers are held", held)
}

func leastByKey(floors []Floor) map[string]int {
	least := make(map[string]int, len(floors))
	for _, f := range floors {
		least[f.Workload] = f.Least
	}
	return least
}
