package shift

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// maxPercent bounds what is said of a side that has far more than it needs.
const maxPercent = 999

// sameLoad is how far above the baseline a load counts as the same: a rate that
// is taken over minutes hides peaks of more than that, so it is no evidence
// that replicas are too few.
const sameLoad = 1.05

// CapacityOf tells how much of a share of the present load a side can carry:
// ready replicas against those that are needed by what blue carried everything
// with. What isn't freshly known makes it unknown.
func CapacityOf(p Plan, s State, o Observation, side Side, share Share, now time.Time) SideCapacity {
	return newTurn(p, s, o, now).capacity(side, share)
}

// capacity is CapacityOf for this turn.
func (t *turn) capacity(side Side, share Share) SideCapacity {
	c, _ := t.capacities(side, share)
	return c
}

// capacities gives the capacity of a side where it is least, and of all of its
// workloads together.
func (t *turn) capacities(side Side, share Share) (least, all SideCapacity) {
	c, other := t.o.Blue, t.o.Green
	if side == Green {
		c, other = other, c
	}
	if v, known := t.clusterKnown("", side, c); !known {
		least.Why = v[0].Message
		return least, least
	}
	base := t.next.Baseline
	switch {
	case base.Ready <= 0:
		least.Why = "what blue carried everything with was not measured"
		return least, least
	case share <= 0:
		least.Why = "it is to carry nothing"
		return least, least
	}
	ready, gone := c.readyByKey(), map[string]bool{}
	if _, known := t.clusterKnown("", "", other); known {
		gone = base.goneFrom(ready, other.readyByKey()) // a release took it away
	}
	g := t.gauge()
	rest := base.Ready
	need, byLoad := 0.0, false
	lowest := math.Inf(1)
	for _, w := range base.Workloads {
		rest -= w.Ready
		if gone[w.Workload] {
			continue
		}
		n, measured := g.need(w.Workload, w.Ready, share)
		need, byLoad = need+n, byLoad || measured
		if has := float64(ready[w.Workload]) / n; n > 0 && has < lowest*(1-tiny) {
			lowest = has
			least = SideCapacity{Weakest: w.Workload, Ready: ready[w.Workload], ByLoad: measured}.of(n)
		}
	}
	n, measured := g.need("", rest, share)
	need, byLoad = need+n, byLoad || measured
	if need == 0 {
		least.Why = "none of the workloads that carried everything is there any more"
		return least, least
	}
	all = SideCapacity{Ready: c.Ready(), ByLoad: byLoad}.of(need)
	if float64(all.Ready)/need < lowest*(1-tiny) {
		least = all
	}
	return least, all
}

// of completes a capacity by what is needed.
func (c SideCapacity) of(need float64) SideCapacity {
	c.Known, c.Need = true, wholeReplicas(need)
	c.Percent = int(min(maxPercent, float64(c.Ready)*100/need+tiny))
	return c
}

// readyByKey gives the ready replicas of each workload that carries users' load.
func (c ClusterReading) readyByKey() map[string]int {
	ready := make(map[string]int, len(c.Workloads))
	for _, w := range c.Workloads {
		if !w.Single {
			ready[w.Key()] = w.Ready
		}
	}
	return ready
}

// goneFrom finds the workloads that neither side has any more.
func (b Baseline) goneFrom(one, other map[string]int) map[string]bool {
	gone := map[string]bool{}
	for _, w := range b.Workloads {
		_, here := one[w.Workload]
		_, there := other[w.Workload]
		if !here && !there {
			gone[w.Workload] = true
		}
	}
	return gone
}

// gauge turns a share of a load into replicas. It is a value: what it says
// follows from what is in it.
type gauge struct {
	base    Baseline
	sources []LoadSource
	// rates are requests a second on both sides, of the sources that are known.
	rates map[string]float64
}

// gauge measures by the load of now.
func (t *turn) gauge() gauge {
	g := gauge{base: t.next.Baseline, sources: t.p.Capacity.Loads, rates: map[string]float64{}}
	for _, s := range g.sources {
		if r, known := t.load(s.Name); known {
			g.rates[s.Name] = r.total()
		}
	}
	return g
}

// need is how many replicas a share of the load needs of a workload that carried
// everything with n; in parts of a replica, and at least one. By load, where its
// sources are measured: the one that needs most counts. One that isn't measured
// counts as if it were what it was. The key is empty for all workloads that the
// baseline doesn't name.
func (g gauge) need(workload string, n int, share Share) (need float64, byLoad bool) {
	if n <= 0 || share <= 0 {
		return 0, false
	}
	part := float64(share) / float64(Full)
	measured, missing := false, false
	for _, s := range g.sources {
		if !s.carriedBy(workload) {
			continue
		}
		all, known := g.replicasFor(s, n)
		if !known {
			missing = true
			continue
		}
		need, measured = max(need, all*part), true
	}
	if plain := float64(n) * part; !measured || missing && plain > need {
		return max(plain, 1), false
	}
	return max(need, 1), true
}

// replicasFor is how many replicas all of a source's load needs of a workload
// that had n: as blue was seen to carry it, or as it is known to.
func (g gauge) replicasFor(s LoadSource, n int) (float64, bool) {
	rate, known := g.rates[s.Name]
	if !known {
		return 0, false
	}
	all := math.Inf(1)
	if base, seen := g.base.rate(s.Name); seen {
		if rate > base && rate <= base*sameLoad {
			rate = base
		}
		all = float64(n) * (rate / base)
	}
	if s.carriedAsKnown() {
		all = min(all, rate/s.PerReplica)
	}
	return all, !math.IsInf(all, 1)
}

// carriedAsKnown tells whether it is known what a replica carries.
func (s LoadSource) carriedAsKnown() bool { return s.PerReplica > 0 && len(s.Workloads) > 0 }

func (s LoadSource) carriedBy(workload string) bool {
	return len(s.Workloads) == 0 || slices.Contains(s.Workloads, workload)
}

// tiny is what reckoning with fractions may be off by.
const tiny = 1e-6

// wholeReplicas rounds up: a part of a replica is a replica.
func wholeReplicas(need float64) int {
	return int(min(math.Ceil(need-tiny), 1<<30))
}

// Sentence says how ready a side is, for a person: of all of the load on blue,
// of its own part on green.
func (c SideCapacity) Sentence(side Side) string {
	if !c.Known {
		return fmt.Sprintf("what %s can carry is unknown: %s", side, c.Why)
	}
	what := "the load"
	if side == Green {
		what = "its part of the load"
	}
	return fmt.Sprintf("%s is ready for %d %% of %s (%s)", side, c.Percent, what, c.replicas())
}

// replicas says what a capacity comes from.
func (c SideCapacity) replicas() string {
	who := c.Weakest
	if who == "" {
		who = "all workloads"
	}
	by := ""
	if c.ByLoad {
		by = " by the measured load"
	}
	return fmt.Sprintf("%s: %d ready, %d needed%s", who, c.Ready, c.Need, by)
}

// MeasureReadiness answers what would be, went all users back to blue now. It
// is zero before the first baseline, and where blue has everyone back.
func MeasureReadiness(p Plan, s State, o Observation, now time.Time) Readiness {
	if s.Baseline.Ready <= 0 || s.Phase == Idle || s.Phase == RolledBack {
		return Readiness{}
	}
	t := newTurn(p, s, o, now)
	return Readiness{
		Blue: t.capacity(Blue, Full), Green: t.capacity(Green, s.nextShare()), Wanted: p.Capacity.enough(),
		Takes: WayBackTakes(s, o), Tails: Tails(s, o, now),
	}
}

// nextShare is the share that green is to get next, or has where it gets no
// more.
func (s State) nextShare() Share {
	if s.Phase == InPreflight || s.Phase == Shifting {
		if s.Step >= 0 && s.Step < len(s.Steps) {
			return s.Steps[s.Step].Share
		}
		return Full
	}
	return s.Share
}
