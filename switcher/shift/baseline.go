package shift

import (
	"cmp"
	"math"
	"slices"
)

// What the journal can hold of a baseline: it has 32 KiB for all of a pair but its
// evidence. The
// largest workloads are kept one by one, the others count in the total.
const (
	maxBaselineWorkloads = 200
	maxBaselineBytes     = 12 << 10
	maxBaselineLoads     = 32
)

// baselineBytes is what one workload takes in the journal, beside its key.
const baselineBytes = len(`{"w":"","n":1000000},`)

// minBaselineRate is the least load, in requests a second, that says what a
// replica carries: an idle cluster's few requests would make any load look
// thousandfold.
const minBaselineRate = 1.0

// takeBaseline measures what carries everything now. Call it where blue does.
func (t *turn) takeBaseline() Baseline {
	b := t.blueReplicas()
	b.Loads = t.withLoads(nil)
	return b
}

// completeBaseline adds the loads that were not measured when the attempt began,
// for as long as blue carries everything: at rest nobody asks for them, and a window
// may not have been full.
func (t *turn) completeBaseline() {
	if t.next.Step == 0 && t.next.Share == 0 {
		t.next.Baseline.Loads = t.withLoads(t.next.Baseline.Loads)
	}
}

// withLoads adds what each source asks for over a full window and that isn't among
// the loads yet, or was too little to tell what a replica carries.
func (t *turn) withLoads(loads []LoadBaseline) []LoadBaseline {
	for _, s := range t.p.Capacity.Loads {
		r, known := t.load(s.Name)
		if !known || r.notFull() != "" {
			continue
		}
		i := slices.IndexFunc(loads, func(l LoadBaseline) bool { return l.Name == s.Name })
		switch {
		case i >= 0 && !tells(loads[i].Rate) && tells(r.total()):
			loads[i].Rate = r.total()
		case i < 0 && len(loads) < maxBaselineLoads:
			loads = append(loads, LoadBaseline{Name: s.Name, Rate: r.total()})
		}
	}
	return loads
}

// blueReplicas is a baseline without loads, for where green has users already:
// what blue's replicas carry can't be told, so they stand for it themselves.
func (t *turn) blueReplicas() Baseline {
	b := Baseline{At: t.now, Ready: t.o.Blue.Ready()}
	for _, w := range t.o.Blue.Workloads {
		if !w.Single && w.Ready > 0 {
			b.Workloads = append(b.Workloads, WorkloadBaseline{Workload: w.Key(), Ready: w.Ready})
		}
	}
	slices.SortFunc(b.Workloads, func(x, y WorkloadBaseline) int {
		return cmp.Or(cmp.Compare(y.Ready, x.Ready), cmp.Compare(x.Workload, y.Workload))
	})
	b.Workloads = b.Workloads[:fitting(b.Workloads)]
	return b
}

// fitting counts the workloads that the journal can hold.
func fitting(workloads []WorkloadBaseline) int {
	size := 0
	for i, w := range workloads {
		size += len(w.Workload) + baselineBytes
		if i == maxBaselineWorkloads || size > maxBaselineBytes {
			return i
		}
	}
	return len(workloads)
}

// load gives what a source asks for now; false is unknown: not read, too old, or
// no number of requests.
func (t *turn) load(name string) (LoadReading, bool) {
	i := slices.IndexFunc(t.o.Loads, func(r LoadReading) bool { return r.Name == name })
	if i < 0 {
		return LoadReading{}, false
	}
	r := t.o.Loads[i]
	// A source that publishes late is asked less often, too.
	asked := t.fresh(r.At, max(t.p.StaleAfter, r.FreshFor))
	known := r.Err == "" && asked && t.fresh(r.To, r.FreshFor) && isRate(r.Blue) && isRate(r.Green)
	return r, known
}

func isRate(r float64) bool { return r >= 0 && !math.IsInf(r, 1) } // no NaN is >= 0

// tells whether a rate says what a replica carries.
func tells(rate float64) bool { return isRate(rate) && rate >= minBaselineRate }

// total is what users ask of both sides, in requests a second.
func (r LoadReading) total() float64 { return r.Blue + r.Green }

// rate is what a source asked of blue; false: nothing that tells what a replica
// carries.
func (b Baseline) rate(name string) (float64, bool) {
	for _, l := range b.Loads {
		if l.Name == name {
			return l.Rate, tells(l.Rate)
		}
	}
	return 0, false
}
