package sim

import (
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// asked notes what a replica hands to its committer.
func (j *judge) asked(r *replica, changes []shift.Change) {}

// landed judges a write at the moment when it takes effect.
func (j *judge) landed(x *write, before content) {
	w, g, c := j.w, x.g, x.change
	is, was := x.wanted.w, before.w
	if is.Blue+is.Green <= 0 || is.Blue < 0 || is.Green < 0 {
		w.violate("S1", "entrance %s gets %s", g.e.Name, is)
	}
	if is == was {
		return
	}
	raised := is.Green*(was.Blue+was.Green) > was.Green*(is.Blue+is.Green)
	a := j.attempt(c.Control.Attempt)
	defer func() { a.changedAt, g.foreign = w.now, false }()
	if !raised {
		w.result.Lowerings++
		return
	}
	w.result.Rises++
	if c.Priority != shift.Rise {
		j.bound(g, "S5", "a write back of %s raises entrance %s from %s to %s", x.r.name, g.e.Name, was, is)
		return
	}
	j.order(x, before, a)
	j.planned(x, before, a)
	j.proven(x, a)
}

// bound is a violation, or at a load balancer what is counted apart.
func (j *judge) bound(g *group, rule, format string, args ...any) {
	if g.dns {
		j.w.violate(rule, format, args...)
		return
	}
	j.w.say("judge", "at a load balancer: "+rule+": "+format, args...)
	j.w.result.ElbBoundary++
}

// order: S4, S5, S7, S8, S12, and that nothing rises that was not written down.
func (j *judge) order(x *write, before content, a *attempt) {
	g, c, n := x.g, x.change, x.change.Control.Attempt
	if share, ok := j.intents[order{n, c.Control.Version}]; !ok || share != c.Wanted {
		j.w.violate("journal", "entrance %s rises to %s by version %d of attempt %d, which was never written down so", g.e.Name, c.Wanted, c.Control.Version, n)
	}
	s := j.w.api.state()
	inherited := s.Attempt == n && s.Rollback == nil && s.Share >= c.Wanted
	marked := before.marked && before.mark.Rollback && before.mark.Attempt >= n
	switch {
	case c.Control.Rollback:
		j.w.violate("S5", "entrance %s rises to %s by a decision that knows of the rollback", g.e.Name, c.Wanted)
	case marked || a.over && a.rolledBack:
		j.bound(g, "S5", "entrance %s rises to %s after attempt %d went back (sent at %s)", g.e.Name, c.Wanted, n, stamp(x.sentAt))
	case a.over:
		j.bound(g, "S6", "entrance %s rises to %s after attempt %d was over", g.e.Name, c.Wanted, n)
	case a.rolledBack && g.dns: // its own write, or its fence, is to come
		j.w.result.Crossed++
	case a.rolledBack:
		j.bound(g, "S5", "entrance %s rises to %s after a rollback of attempt %d was journaled", g.e.Name, c.Wanted, n)
	case before.marked && before.mark.Epoch > c.Control.Epoch:
		j.bound(g, "S7", "entrance %s rises to %s by epoch %d after epoch %d wrote", g.e.Name, c.Wanted, c.Control.Epoch, before.mark.Epoch)
	case c.Control.Epoch < j.epoch && !inherited:
		j.bound(g, "S7", "entrance %s rises to %s by epoch %d, which epoch %d knows nothing of", g.e.Name, c.Wanted, c.Control.Epoch, j.epoch)
	case g.foreign && !a.helped:
		j.bound(g, "S12", "a rise to %s overwrites somebody's edit of %s to %s", c.Wanted, g.e.Name, before.w)
	}
	e := effect{j.w.aws.index(g.e.Name), order{n, c.Control.Version}}
	if j.done[e]++; j.done[e] > 1 {
		j.bound(g, "S4", "the rise of %s to %s (version %d) takes effect again", g.e.Name, c.Wanted, c.Control.Version)
	}
}

// planned: S3.
func (j *judge) planned(x *write, before content, a *attempt) {
	if a.helped {
		return
	}
	from := shift.Share(0)
	for _, step := range a.steps {
		if step.Share == x.change.Wanted {
			if !before.w.At(from) && x.g.dns {
				j.w.violate("S3", "entrance %s rises from %s to %s, which is not one step", x.g.e.Name, before.w, step.Share)
			}
			return
		}
		from = step.Share
	}
	j.w.violate("S3", "entrance %s rises to %s, which is no planned share", x.g.e.Name, x.change.Wanted)
}

// proven: S2 and S9, by what was really sampled, and when.
func (j *judge) proven(x *write, a *attempt) {
	w, rec, c := j.w, x.evidence, x.change
	step := 0
	for step < len(a.steps) && a.steps[step].Share < c.Wanted {
		step++
	}
	first := step+1 > a.began
	a.began = max(a.began, step+1)
	switch {
	case rec.greenReady < 0 || rec.blueReady < 0:
		w.violate("S9", "a rise to %s though a cluster was not read", c.Wanted)
	case rec.greenReady < 8:
		w.violate("S2", "a rise to %s while green has %d ready replicas", c.Wanted, rec.greenReady)
	case len(rec.probes) == 0:
		w.violate("S9", "a rise to %s though green's probe didn't succeed", c.Wanted)
	}
	for i, g := range w.aws.groups {
		switch {
		case !rec.read[i]:
			w.violate("S9", "a rise to %s though entrance %s was not read", c.Wanted, g.e.Name)
		case !g.dns && rec.greenTargets[i] == 0:
			w.violate("S2", "a rise to %s while green has no healthy target on %s", c.Wanted, g.e.Name)
		}
	}
	if !first || step == 0 || a.helped {
		return
	}
	// The last change, at AWS's servers, and in resolvers.
	stood := a.changedAt
	for _, g := range w.aws.groups {
		if at := a.changedAt + g.syncs + g.ttl; at > stood {
			stood = at
		}
	}
	hold := a.steps[step-1].Hold
	switch {
	case rec.told <= 0:
		w.violate("S9", "a rise to %s though green's users were not measured", c.Wanted)
	case rec.measured.from < stood-slack:
		w.violate("S2", "a rise to %s by samples from %s, the share stands since %s", c.Wanted, stamp(rec.measured.from), stamp(stood))
	case float64(rec.toldBad) > 0.03*float64(rec.told) && rec.told > 500:
		w.violate("S2", "a rise to %s though %d of %d requests failed", c.Wanted, rec.toldBad, rec.told)
	case len(rec.probes) < 2 || rec.probes[len(rec.probes)-2] < stood-slack:
		w.violate("S2", "a rise to %s without two successes of the probe since %s", c.Wanted, stamp(stood))
	case x.sentAt < a.changedAt+hold/2:
		w.violate("S2", "a rise to %s at %s, %s after the last change, which is to be held for %s", c.Wanted, stamp(x.sentAt), x.sentAt-a.changedAt, hold)
	}
}

// slack is what a look takes: samples are as old as its beginning.
const slack = time.Second
