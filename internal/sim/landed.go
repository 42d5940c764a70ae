package sim

import (
	"fmt"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

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
	bounds := w.result.ElbBoundary
	defer func() {
		// What came late to a load balancer is counted; that a daemon which didn't see
		// it, between two looks, goes by samples of before it, follows from it. So it is
		// where what came late undid an edit that nobody saw.
		if w.result.ElbBoundary == bounds && !g.undoesUnseen(is) {
			g.wroteAt = w.now
		}
		g.foreign, g.bare = false, g.bare && x.part != whole
	}()
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
	j.proven(x)
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
	if !j.intents[intent{order{n, c.Control.Version}, c.Wanted}] {
		j.w.violate("journal", "entrance %s rises to %s by version %d of attempt %d, which was never written down so", g.e.Name, c.Wanted, c.Control.Version, n)
	}
	s := j.w.api.state()
	inherited := s.Attempt == n && s.Rollback == nil && s.Share >= c.Wanted
	marked := before.marked && before.mark.Rollback && before.mark.Attempt >= n
	switch {
	case c.Control.Rollback:
		j.w.violate("S5", "entrance %s rises to %s by a decision that knows of the rollback", g.e.Name, c.Wanted)
	case a.over && a.rolledBack && g.dns && g.bare: // a person took its fence away
		j.w.result.Crossed++
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
	case c.Control.Epoch < j.epoch && !inherited && g.dns: // the newer one has written nothing there yet
		j.w.result.Crossed++
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
func (j *judge) proven(x *write) {
	w, rec, c := j.w, x.evidence, x.change
	switch {
	case rec.greenReady < 0 || rec.blueReady < 0:
		w.violate("S9", "a rise to %s though a cluster was not read", c.Wanted)
	case rec.greenReady < 8:
		w.violate("S2", "a rise to %s while green has %d ready replicas", c.Wanted, rec.greenReady)
	}
	for i, g := range w.aws.groups {
		switch {
		case !rec.read[i]:
			w.violate("S9", "a rise to %s though entrance %s was not read", c.Wanted, g.e.Name)
		case !g.dns && rec.greenTargets[i] == 0:
			w.violate("S2", "a rise to %s while green has no healthy target on %s", c.Wanted, g.e.Name)
		}
	}
	if lacks := j.granted[order{c.Control.Attempt, c.Control.Version}]; lacks != "" {
		w.violate("S2", "entrance %s rises to %s by a step that was granted %s", x.g.e.Name, c.Wanted, lacks)
	}
}

// grounds are what a state is decided on, when, and by whom.
type grounds struct {
	rec    record
	turnAt time.Duration
	by     life
}

// lacking says what a new step lacks while it is written down: evidence that was
// sampled after the last change was at AWS's servers and in resolvers, and the
// hold. Empty: nothing.
func (j *judge) lacking(by grounds, s shift.State) string {
	w, rec := j.w, by.rec
	if j.attempt(s.Attempt).helped {
		return ""
	}
	if len(rec.probes) < 2 {
		return "without two successes of green's probe"
	}
	if s.Step < 2 {
		return ""
	}
	var changed, stood time.Duration
	for _, g := range w.aws.groups {
		changed, stood = max(changed, g.wroteAt), max(stood, g.wroteAt+g.syncs+g.ttl)
	}
	hold := s.Steps[s.Step-2].Hold
	switch {
	case rec.told <= 0:
		return "though green's users were not measured"
	case rec.measured.from < stood-slack:
		return fmt.Sprintf("by samples from %s, the share stands since %s", stamp(rec.measured.from), stamp(stood))
	case float64(rec.toldBad) > 0.03*float64(rec.told) && rec.told > 500:
		return fmt.Sprintf("though %d of %d requests failed", rec.toldBad, rec.told)
	case rec.probes[len(rec.probes)-2] < stood-slack:
		return fmt.Sprintf("without two successes of the probe since %s", stamp(stood))
	case by.turnAt < changed+hold-slack:
		return fmt.Sprintf("at %s, %s after the last change, which is to be held for %s", stamp(by.turnAt), by.turnAt-changed, hold)
	}
	return ""
}

// slack is what a look takes, since samples are as old as its beginning, and what
// the clocks may differ by that a share is timed by: each is off AWS's by no more
// than shift.ClockSlack, and the second that a Date can't tell.
const slack = 2*(shift.ClockSlack+time.Second) + time.Second
