package shift

import (
	"fmt"
	"slices"
	"time"
)

func soaked(t *turn, _ Share) []Verdict {
	if t.next.Step == 0 {
		return nil // before the first step there is nothing to soak
	}
	hold := t.next.Steps[t.next.Step-1].Hold
	if left := t.next.ReachedAt.Add(hold).Sub(t.now); left > 0 {
		return one("hold", Wait, "%s is held for %s", t.next.Share, hold)
	}
	return one("hold", Pass, "%s was held for %s", t.next.Share, hold)
}

func probesPass(t *turn, _ Share) []Verdict {
	verdicts := t.probesMissing()
	for _, p := range t.o.Probes {
		verdicts = append(verdicts, t.probe(p, t.next.ReachedAt))
	}
	return verdicts
}

// probesMissing names the planned probes that have no reading at all: absent is
// unknown, not good.
func (t *turn) probesMissing() []Verdict {
	var verdicts []Verdict
	for _, name := range t.p.Gates.Probes {
		if !slices.ContainsFunc(t.o.Probes, func(r ProbeReading) bool { return r.Name == name }) {
			verdicts = append(verdicts, verdict("probe "+name, Unmeasured, "it has no reading"))
		}
	}
	return verdicts
}

// probesStillPass asks less than probesPass: no evidence since the change a
// moment ago, only that the newest result is fresh and the probe passing.
func probesStillPass(t *turn, _ Share) []Verdict {
	verdicts := t.probesMissing()
	for _, p := range t.o.Probes {
		v := t.probe(p, time.Time{})
		if v.Judgement == Wait && p.Passing {
			v.Judgement = Pass
		}
		verdicts = append(verdicts, v)
	}
	return verdicts
}

func (t *turn) probe(p ProbeReading, since time.Time) Verdict {
	name := "probe " + p.Name
	if len(p.Results) == 0 {
		return verdict(name, Wait, "it has not run yet")
	}
	last := p.Results[len(p.Results)-1]
	if !t.fresh(last.At, p.FreshFor) {
		return verdict(name, Unmeasured, "its last result is older than %s", p.FreshFor)
	}
	if last.Err != "" && !p.Passing {
		return verdict(name, Fail, "%s", last.Err)
	}
	run := 0
	for i := len(p.Results) - 1; i >= 0 && p.Results[i].Err == "" && p.Results[i].At.After(since); i-- {
		run++
	}
	if needed := max(1, p.Needed); run < needed {
		return verdict(name, Wait, "%d of %d successes in a row since the last change", run, needed)
	}
	return verdict(name, Pass, "%d successes in a row", run)
}

func workloadsReady(t *turn, _ Share) []Verdict {
	const name = "workloads"
	if v, ok := t.clusterKnown(name, Green, t.o.Green); !ok {
		return v
	}
	if t.o.Green.NodesReady == 0 {
		return one(name, Fail, "green has no ready node")
	}
	for _, w := range t.o.Green.Workloads {
		if w.NotReady != "" {
			return one(name, Fail, "green's %s: %s", w.Key(), w.NotReady)
		}
	}
	return one(name, Pass, "all %d workloads of green are ready", len(t.o.Green.Workloads))
}

// replicasSuffice compares green with blue, workload by workload: the
// configured percentage of what blue has now, and for the next share what that
// part of the present load needs, by what blue carried everything with.
func replicasSuffice(t *turn, next Share) []Verdict {
	const name = "replicas"
	if v, ok := t.clusterKnown(name, Green, t.o.Green); !ok {
		return v
	}
	if v, ok := t.clusterKnown(name, Blue, t.o.Blue); !ok {
		return v
	}
	green := t.o.Green.readyByKey()
	for _, w := range t.o.Blue.Workloads {
		if w.Single || t.growsWithItsShare(w.Key()) {
			continue
		}
		need := percentOf(t.p.Gates.ReplicasAtLeast, w.Ready)
		if have := green[w.Key()]; have < need {
			return one(name, Fail, "green's %s has %d ready replicas, blue's has %d; at least %d are needed", w.Key(), have, w.Ready, need)
		}
	}
	least, all := t.capacities(Green, next)
	switch {
	case !least.Known:
		return one(name, Unmeasured, "%s", least.Sentence(Green))
	case least.Ready < least.Need:
		return one(name, Fail, "%s", t.tooFew(least, next))
	}
	return one(name, Pass, "green has %d ready replicas, %d are needed for %s", all.Ready, all.Need, next)
}

// growsWithItsShare tells whether the floor of a workload's autoscaler in green is
// raised to what each next share needs: then it isn't to be as large as blue's
// before it has blue's load.
func (t *turn) growsWithItsShare(workload string) bool {
	return t.p.Capacity.Pin && slices.ContainsFunc(t.o.Floors.Green, func(a Autoscaler) bool { return a.Workload == workload })
}

// tooFew says what green lacks for a share.
func (t *turn) tooFew(c SideCapacity, next Share) string {
	who, carried := "green", t.next.Baseline.Ready
	if c.Weakest != "" {
		who = "green's " + c.Weakest
		for _, w := range t.next.Baseline.Workloads {
			if w.Workload == c.Weakest {
				carried = w.Ready
			}
		}
	}
	by := ""
	if c.ByLoad {
		by = " and by the load of now"
	}
	return fmt.Sprintf("%s has %d ready replicas; %s of the load needs %d, as blue carried everything on %d%s", who, c.Ready, next, c.Need, carried, by)
}

// percentOf rounds up: a part of a replica is a replica.
func percentOf(percent, n int) int { return (percent*n + 99) / 100 }

func (t *turn) clusterKnown(gate string, side Side, c ClusterReading) ([]Verdict, bool) {
	switch {
	case c.Err != "":
		return one(gate, Unmeasured, "%s can't be read: %s", side, c.Err), false
	case !t.fresh(c.At, t.p.StaleAfter):
		return one(gate, Unmeasured, "%s was not read within %s", side, t.p.StaleAfter), false
	}
	return nil, true
}

func targetsHealthy(t *turn, _ Share) []Verdict { return t.sideTargets(Green) }

// sideTargets judges the targets of one side of each load balancer.
func (t *turn) sideTargets(side Side) []Verdict {
	var verdicts []Verdict
	for _, e := range t.next.Entrances {
		if e.Balancer == nil {
			continue // only load balancers tell the health of targets
		}
		name := "targets of " + e.Name
		r, known := t.reading(e.Name)
		targets := r.GreenTargets
		if side == Blue {
			name, targets = "blue's "+name, r.BlueTargets
		}
		need := max(1, e.Balancer.MinHealthyTargets)
		z := targets.thin(e.Balancer.MinHealthyPerZone)
		switch {
		case !known || !targets.Known:
			verdicts = append(verdicts, verdict(name, Unmeasured, "%s's target health can't be read", side))
		case targets.Healthy < need:
			verdicts = append(verdicts, verdict(name, Fail, "%s has %d healthy targets of %d, at least %d are needed%s", side, targets.Healthy, targets.Total, need, targets.because()))
		case z != nil:
			verdicts = append(verdicts, verdict(name, Fail, "%s has %d healthy targets of %d in zone %s, at least %d are needed in each", side, z.Healthy, z.Total, z.Zone, e.Balancer.MinHealthyPerZone))
		default:
			verdicts = append(verdicts, verdict(name, Pass, "%s has %d healthy targets", side, targets.Healthy))
		}
	}
	return verdicts
}
