package shift

import (
	"slices"
	"time"

	"pgregory.net/rapid"
)

// rules watches a world and fails the test as soon as a rule of the design is
// broken. It judges by what lands at AWS and by what was observed, with its own
// reading of the rules rather than the code's.
type rules struct {
	rt *rapid.T
	w  *world
	// helped: a person adopted or restored in this attempt, so the shares may
	// be off the plan.
	helped map[int]bool
	// done counts the writes that took effect, by entrance and version of intent.
	done       map[effect]int
	documented map[Reason]bool
}

type effect struct {
	entrance string
	attempt  int
	version  int64
}

func watch(rt *rapid.T, w *world) *rules {
	r := &rules{rt: rt, w: w, helped: map[int]bool{}, done: map[effect]int{}, documented: map[Reason]bool{}}
	for _, doc := range Reasons() {
		r.documented[doc.Reason] = true
	}
	w.seen, w.landed = r.decided, r.landed
	return r
}

// landed judges one write of the daemon at the moment it takes effect.
func (r *rules) landed(g *group, before Weights, c Change, how fate) {
	late := how.late > 0
	after := c.Wanted.Weights()
	r.rt.Logf("%s entrance %s: %s, now %s (late: %t)", r.w.now.Format(time.TimeOnly), g.Name, before, after, late)
	if after.Blue+after.Green <= 0 || after.Blue < 0 || after.Green < 0 {
		r.rt.Fatalf("S1: entrance %s would get %s", g.Name, after)
	}
	if c.Priority != Rise && !late && after.Share() > before.Share() {
		r.rt.Fatalf("S5: a write back raises entrance %s from %s to %s", g.Name, before, after)
	}
	if after.Share() <= before.Share() {
		return
	}
	inFlight := late // sent before, and not fenced by a later write: it may land, to be undone
	if r.goneBack(c.Control.Attempt) && !inFlight {
		r.rt.Fatalf("S5: entrance %s rises to %s after attempt %d went back", g.Name, after, c.Control.Attempt)
	}
	if inFlight && r.w.mind.Phase.Terminal() && r.w.awake && r.w.mind.Attempt >= c.Control.Attempt && r.w.mind.Rollback != nil && !r.helped[0] {
		r.rt.Fatalf("S5: entrance %s rises to %s after %s, where nobody undoes it", g.Name, after, r.w.mind.Phase)
	}
	if g.foreign && !inFlight && !r.helped[c.Control.Attempt] {
		r.rt.Fatalf("S12: a rise to %s overwrites somebody's edit of %s to %s", after, g.Name, before)
	}
	e := effect{g.Name, c.Control.Attempt, c.Control.Version}
	if how.half { // the rest of it must still be done
		return
	}
	if r.done[e]++; r.done[e] > 1 && !late {
		r.rt.Fatalf("S4: the rise of entrance %s to %s (version %d) takes effect again", g.Name, after, c.Control.Version)
	}
}

// goneBack tells whether a rollback of the attempt is durable: in the journal,
// or in a mark at AWS.
func (r *rules) goneBack(attempt int) bool {
	if j := r.w.journal; j != nil && j.Rollback != nil && j.Attempt >= attempt {
		return true
	}
	return slices.ContainsFunc(r.w.groups, func(g *group) bool {
		return g.mark != nil && g.mark.Rollback && g.mark.Attempt >= attempt
	})
}

// decided judges one decision by what was observed for it.
func (r *rules) decided(s State, o Observation, d Decision) {
	r.rt.Logf("%s attempt %d %s %s: %s: %s", r.w.now.Format(time.TimeOnly), d.Next.Attempt, d.Next.Phase, d.Next.Share, d.Reason, d.Message)
	r.sound(s, o, d)
	r.transition(s, o, d)
	if d.Reason == Adopted || d.Reason == Restoring {
		r.helped[d.Next.Attempt] = true
	}
	if d.Reason == ShiftStarted { // blue has all traffic, whoever saw to that
		for _, g := range r.w.groups {
			g.foreign = false
		}
	}
	for _, e := range d.Next.Entrances { // what is intended may be what somebody wrote: there is no edit left
		if g := r.w.group(e.Name); d.Next.Question == nil && g.reading(r.w.now).StandsAt(e.Share) {
			g.foreign = false
		}
	}
	if s.Attempt != d.Next.Attempt && s.Phase.Terminal() && (d.Next.Phase == Shifting || d.Next.Phase == InPreflight) && o.Request.Attempt <= s.Attempt {
		r.rt.Fatalf("S6: attempt %d starts by itself after %s", d.Next.Attempt, s.Phase)
	}
	if o.Request.HandsOff && len(d.Changes) > 0 {
		r.rt.Fatalf("hands off, yet there are %d changes", len(d.Changes))
	}
	r.personsRollback(s, o, d)
	r.automaticRollback(s, o, d)
	r.baseline(s, d)
	r.standby(s, o, d)
	r.clusters(d)
	r.editedToZero(s, o, d)
	r.wayBack(s, o, d)
	r.standbyEnds(s, o, d)
	for _, c := range d.Changes {
		if e := c.Expected; c.Priority == Rollback && r.known(e) && e.Name != "" && e.BlueTargets.Known && e.BlueTargets.Healthy == 0 && e.GreenTargets.Healthy > 0 && !o.Request.RollbackForce {
			r.rt.Fatalf("section 2: entrance %s is sent to a blue that is proven dead", e.Name)
		}
		switch {
		case c.Fence: // moves nobody
		case c.Priority == Rise:
			r.rise(s, o, d, c)
		case d.Next.Rollback != nil && d.Next.Rollback.Automatic:
			r.capacity(o, d, c)
		}
	}
}

func (r *rules) transition(s State, o Observation, d Decision) {
	if s.Phase == d.Next.Phase {
		return
	}
	if !slices.ContainsFunc(Transitions(), func(t Transition) bool { return t.From == s.Phase && t.To == d.Next.Phase }) {
		r.rt.Fatalf("the transition from %s to %s (%s) is not in the table", s.Phase, d.Next.Phase, d.Reason)
	}
	if s.Phase == RolledBack && d.Next.Phase == RollingBack && slices.ContainsFunc(o.Entrances, func(e EntranceReading) bool { return !e.StandsAt(0) }) {
		return // a rise that landed late is undone
	}
	if s.Phase.Terminal() && d.Next.Phase != Shifting && d.Next.Phase != InPreflight && o.Request.Serve != Blue && !o.Request.rollbackAsked() {
		r.rt.Fatalf("S6: %s becomes %s though nobody asked", s.Phase, d.Next.Phase)
	}
}

// rise judges one rise: S2, S3, S9 and S12.
func (r *rules) rise(s State, o Observation, d Decision, c Change) {
	fresh := func(at time.Time) bool { return !at.IsZero() && r.w.now.Sub(at) <= r.w.plan.StaleAfter }
	green, blue := o.Green, o.Blue
	newStep := d.Next.Step > s.Step
	switch {
	case len(d.Changes) != 1:
		r.rt.Fatalf("S3: a rise comes with %d changes", len(d.Changes))
	case c.Wanted != d.Next.Share || d.Next.Step > s.Step+1:
		r.rt.Fatalf("S3: a rise to %s, intended %s, from step %d to %d", c.Wanted, d.Next.Share, s.Step, d.Next.Step)
	case !r.helped[d.Next.Attempt] && c.Wanted != d.Next.Steps[d.Next.Step-1].Share:
		r.rt.Fatalf("S3: %s is not the share of step %d", c.Wanted, d.Next.Step)
	case o.Request.Paused || o.Request.Serve != Green || o.Request.rollbackAsked():
		r.rt.Fatalf("a rise although people ask for %+v", o.Request)
	case green.Err != "" || blue.Err != "" || !fresh(green.At) || !fresh(blue.At):
		r.rt.Fatalf("S9: a rise though a cluster is unknown")
	case float64(green.Ready()) < r.need(o, d, float64(c.Wanted)) || green.Ready() < 8:
		r.rt.Fatalf("S2: a rise to %s on %d replicas", c.Wanted, green.Ready())
	case len(o.Probes) == 0 || !fresh(o.Probes[0].Results[len(o.Probes[0].Results)-1].At.Add(15*time.Second)):
		r.rt.Fatalf("S9: a rise though the probe is silent")
	}
	for _, e := range o.Entrances {
		if e.Err != "" || !fresh(e.At) {
			r.rt.Fatalf("S9: a rise though entrance %s is unknown", e.Name)
		}
		if e.GreenTargets.Known && e.GreenTargets.Healthy == 0 || e.Owner != "" {
			r.rt.Fatalf("S2: a rise though entrance %s has no healthy green target or is owned (%q)", e.Name, e.Owner)
		}
	}
	r.blueReady(o, d)
	r.evidence(s, o, c, newStep)
	if r.w.plan.Preflight == PreflightBlock {
		r.complete(s, o, newStep)
	}
	if newStep {
		if !r.w.plan.Gates.OpenAt(r.w.now) {
			r.rt.Fatalf("a step begins outside of the windows: %+v", r.w.plan.Gates)
		}
		r.counted(s, o, d)
		r.blueMeasured(o, d)
		r.settled(s, d)
	}
}

// evidence judges what users and probes said: after the change, of this step.
func (r *rules) evidence(s State, o Observation, c Change, newStep bool) {
	stood := r.w.start
	for _, g := range r.w.groups {
		if at := g.wroteAt.Add(g.syncs + g.ttl); at.After(stood) && s.Step > 0 {
			stood = at
		}
	}
	if s.StartedAt.After(stood) {
		stood = s.StartedAt
	}
	if s.Share > 0 {
		if len(o.Traffic) == 0 || o.Traffic[0].Err != "" || r.w.now.Sub(o.Traffic[0].At) > r.w.plan.StaleAfter {
			r.rt.Fatalf("S9: a rise to %s though users are not measured", c.Wanted)
		}
		t := o.Traffic[0]
		if newStep && t.From.Before(stood) {
			r.rt.Fatalf("S2: a rise on samples from %s, the share stands since %s", t.From, stood)
		}
		if newStep && (t.Requests < 50 || float64(t.Errors) > 0.01*float64(t.Requests)) {
			r.rt.Fatalf("S2: a rise on %d errors in %d requests", t.Errors, t.Requests)
		}
	}
	good := 0
	results := o.Probes[0].Results
	for i := len(results) - 1; i >= 0 && results[i].Err == "" && (!newStep || results[i].At.After(stood)); i-- {
		good++
	}
	if newStep && good < 2 {
		r.rt.Fatalf("S2: a rise on %d good probe results since %s", good, stood)
	}
}

// complete judges the look at green's completeness: of this attempt, and for a
// new step not older than the share that stands.
func (r *rules) complete(s State, o Observation, newStep bool) {
	p := o.Preflight
	switch {
	case p.Err != "" || p.Attempt != s.Attempt || p.FullAt.Before(s.StartedAt) || r.w.now.Sub(p.At) > p.FreshFor:
		r.rt.Fatalf("S9: a rise though it is unknown whether green is complete: %+v", p)
	case p.Blocks > 0:
		r.rt.Fatalf("S2: a rise though %d findings block", p.Blocks)
	case newStep && s.Step > 0 && p.At.Before(s.ReachedAt):
		r.rt.Fatalf("S2: a rise on a look at green from %s, the share stands since %s", p.At, s.ReachedAt)
	}
}

// settled judges the world before a new step: all entrances at the step's
// share for its hold, and the step approved.
func (r *rules) settled(s State, d Decision) {
	step := s.Steps[s.Step]
	if step.Approval && r.w.ask.Approved != (Approval{Attempt: s.Attempt, Step: s.Step + 1}) {
		r.rt.Fatalf("step %d was not approved", s.Step+1)
	}
	for _, g := range r.w.groups {
		if g.stale == nil && !g.weights.At(s.Share) {
			r.rt.Fatalf("S3: step %d begins while entrance %s stands at %s instead of %s", d.Next.Step, g.Name, g.weights, s.Share)
		}
		if s.Step > 0 && r.w.now.Sub(g.wroteAt) < g.syncs+g.ttl+s.Steps[s.Step-1].Hold {
			r.rt.Fatalf("S2: step %d begins %s after entrance %s changed", d.Next.Step, r.w.now.Sub(g.wroteAt), g.Name)
		}
	}
}

// editedToZero: S12. Green set to 0 by hand is a person's rollback.
func (r *rules) editedToZero(s State, o Observation, d Decision) {
	if s.Phase != Shifting && s.Phase != OnStandby || s.Question != nil || o.Request.HandsOff || r.helped[s.Attempt] {
		return
	}
	for i, e := range s.Entrances {
		read := o.Entrances[i]
		if r.known(read) && read.Weights.At(0) && e.Share > 0 && !e.Pending && d.Next.Phase != RollingBack && d.Next.Question == nil {
			r.rt.Fatalf("S12: entrance %s was set to 0 by hand, yet: %s: %s", e.Name, d.Reason, d.Message)
		}
		if d.Reason == Drift && d.Next.Question.Entrance == e.Name && r.known(read) && read.Weights.At(0) {
			r.rt.Fatalf("S12: entrance %s was set to 0 by hand, and that is only asked about", e.Name)
		}
	}
}

// personsRollback: S10. The flag writes every entrance in the very same
// decision, except where nothing is left to do or blue is proven dead.
func (r *rules) personsRollback(s State, o Observation, d Decision) {
	if !o.Request.rollbackAsked() || o.Request.HandsOff || s.Phase == Idle && s.Question == nil {
		return
	}
	if s.Phase == RolledBack { // obeyed when green is seen to have traffic
		if !slices.ContainsFunc(o.Entrances, func(e EntranceReading) bool { return r.known(e) && !e.Weights.At(0) }) {
			return
		}
	}
	for _, e := range o.Entrances {
		dead := e.BlueTargets.Known && e.BlueTargets.Healthy == 0 && e.GreenTargets.Healthy > 0
		if r.known(e) && (e.Weights.At(0) || dead && !o.Request.RollbackForce) {
			continue
		}
		if !slices.ContainsFunc(d.Changes, func(c Change) bool { return c.Entrance.Name == e.Name && c.Wanted == 0 && c.Priority == Rollback }) {
			r.rt.Fatalf("S10: the flag is set in %s, yet entrance %s is not written: %s: %s", s.Phase, e.Name, d.Reason, d.Message)
		}
	}
}

func (r *rules) known(e EntranceReading) bool {
	return e.Err == "" && r.w.now.Sub(e.At) <= r.w.plan.StaleAfter
}

// automaticRollback: S15. Only what users feel sends traffic back by itself.
func (r *rules) automaticRollback(s State, o Observation, d Decision) {
	if d.Next.Phase != RollingBack && d.Next.Phase != RolledBack || s.Rollback != nil && s.Rollback.Automatic || d.Next.Rollback == nil || !d.Next.Rollback.Automatic || d.Next.Rollback.By != "clusterswitch" {
		return
	}
	if s.Phase == OnStandby && !r.w.plan.Standby.AutoRollback {
		r.rt.Fatalf("S15: standby goes back by itself")
	}
	for _, e := range o.Entrances {
		if r.known(e) && e.Weights.Green > 0 && e.GreenTargets.Known && e.GreenTargets.Healthy == 0 {
			return
		}
	}
	for _, t := range o.Traffic {
		if t.Err == "" && r.w.now.Sub(t.At) <= r.w.plan.StaleAfter && float64(t.Errors) > 0.01*float64(t.Requests) {
			return
		}
	}
	if r.suffers(o) {
		return
	}
	r.rt.Fatalf("S15: the daemon goes back by itself though users are not seen to suffer: %s", d.Message)
}

// capacity: S13. An automatic way back leaves on green what blue can't carry.
func (r *rules) capacity(o Observation, d Decision, c Change) {
	for _, e := range o.Entrances {
		if r.known(e) && e.GreenTargets.Known && e.GreenTargets.Healthy == 0 && e.BlueTargets.Healthy > 0 {
			return
		}
	}
	if o.Blue.Err != "" || r.w.now.Sub(o.Blue.At) > r.w.plan.StaleAfter || d.Next.Baseline.Ready == 0 || !r.known(c.Expected) {
		return
	}
	if moved := float64(100 - c.Wanted); r.need(o, d, moved) > float64(o.Blue.Ready()) {
		r.rt.Fatalf("S13: blue gets %v %% on %d replicas, %v are needed for it (%+v)", moved, o.Blue.Ready(), r.need(o, d, moved), d.Next.Baseline)
	}
}
