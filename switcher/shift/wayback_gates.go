package shift

import (
	"slices"
	"time"
)

// wayBackGates must pass before the planned way back takes a step. They judge
// blue alone, by the share that it is to have next: green's gates may fail just
// because green is bad.
func wayBackGates() []gate {
	return []gate{
		heldBackLongEnough, // the hold of the present share is over
		blueReady,          // blue's workloads are there, or enough of each
		blueTargetsHealthy, // load balancers can reach blue
		blueProbesPass,     // blue answers, as far as it is probed
		blueCarries,        // blue's ready replicas carry its next share
	}
}

// holdBack is how long the present share is held on the way back. Before the
// first step nothing is held: people want back.
func (t *turn) holdBack() time.Duration {
	if t.next.From != "" {
		return 0
	}
	return t.next.Steps[max(0, t.next.Step-1)].Hold
}

func heldBackLongEnough(t *turn, _ Share) []Verdict {
	if t.next.From != "" {
		return nil
	}
	hold := t.holdBack()
	if t.next.ReachedAt.Add(hold).After(t.now) {
		return one("hold", Wait, "on the way back %s is held for %s", t.next.Share, hold)
	}
	return one("hold", Pass, "on the way back %s was held for %s", t.next.Share, hold)
}

// blueReady asks of each of blue's workloads that it is ready, or has the part
// of its replicas that the share is of all traffic: one that still scales up
// can carry a part.
func blueReady(t *turn, share Share) []Verdict {
	const name = "blue's workloads"
	if v, ok := t.clusterKnown(name, Blue, t.o.Blue); !ok {
		return v
	}
	if t.o.Blue.NodesReady == 0 {
		return one(name, Fail, "blue has no ready node")
	}
	for _, w := range t.o.Blue.Workloads {
		if need := percentOf(int(share), w.Wanted); !w.Single && w.NotReady != "" && (w.Ready < need || w.Ready == 0) {
			return one(name, Fail, "blue's %s has %d ready replicas of %d, %d are needed for %s: %s", w.Key(), w.Ready, w.Wanted, max(1, need), share, w.NotReady)
		}
	}
	return one(name, Pass, "blue's workloads are ready enough for %s", share)
}

// blueTargetsHealthy asks of blue's targets what a rise asks of green's.
func blueTargetsHealthy(t *turn, _ Share) []Verdict { return t.sideTargets(Blue) }

// blueProbesPass asks for fresh successes on blue since the way back last moved
// users to it; before the first step, of any time.
func blueProbesPass(t *turn, _ Share) []Verdict {
	if t.next.From != "" {
		return t.blueProbes(time.Time{})
	}
	return t.blueProbes(t.next.ReachedAt)
}

// blueProbesAnswer asks for fresh successes on blue, whenever the share changed.
func blueProbesAnswer(t *turn, _ Share) []Verdict { return t.blueProbes(time.Time{}) }

func (t *turn) blueProbes(since time.Time) []Verdict {
	var verdicts []Verdict
	for _, name := range t.p.Gates.BlueProbes {
		i := slices.IndexFunc(t.o.BlueProbes, func(r ProbeReading) bool { return r.Name == name })
		if i < 0 {
			verdicts = append(verdicts, verdict(blueProbe+name, Unmeasured, "it has no reading"))
			continue
		}
		v := t.probe(t.o.BlueProbes[i], since)
		v.Gate = blueProbe + name
		verdicts = append(verdicts, v)
	}
	return verdicts
}

// blueProbe begins the name of a gate on a probe of blue; green's begin with
// "probe ".
const blueProbe = "blue's probe "

func blueCarries(t *turn, share Share) []Verdict {
	const name = "blue's capacity"
	capacity, known := t.blueCapacity()
	switch {
	case !known && t.next.Baseline.Ready <= 0:
		return one(name, Unmeasured, "it was never measured what blue carries everything with")
	case !known:
		return one(name, Unmeasured, "it isn't known what blue can carry: no fresh reading of blue")
	case capacity < share:
		return one(name, Fail, "blue can carry %s now, the next step back gives it %s", capacity, share)
	}
	return one(name, Pass, "blue can carry %s, %s is needed", capacity, share)
}
