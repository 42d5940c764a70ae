package sim

import (
	"slices"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// config is what a replica reads from its configuration.
type config struct {
	plan     shift.Plan
	serve    shift.Side
	attempt  int
	rollback bool
}

// spec is what people ask for in the custom resource.
type spec struct {
	known                             bool
	attempt                           int
	rollback, force, paused, handsOff bool
	approved                          shift.Approval
	resolve                           shift.Resolution
}

// join adds up both sources, as internal/app does.
func (c config) join(s spec) shift.Request {
	q := shift.Request{
		Serve: c.serve, Attempt: max(c.attempt, s.attempt), RollbackForce: s.force, Paused: s.paused,
		HandsOff: s.handsOff, Approved: s.approved, Resolve: s.resolve,
	}
	if q.Serve == shift.Green {
		q.Attempt = max(1, q.Attempt)
	}
	if !s.known {
		q.Unknown = "the custom resource is gone, or not read yet"
	}
	if c.rollback {
		q.RollbackBy = append(q.RollbackBy, "the configuration")
	}
	if s.rollback {
		q.RollbackBy = append(q.RollbackBy, "the custom resource")
	}
	return q
}

// people change their minds, the configuration and what is stored.
type people struct {
	w      *world
	config config
	// flagAt is when a rollback was last asked for; negative: nobody does.
	flagAt time.Duration
}

func newPeople(w *world) *people {
	return &people{w: w, config: config{plan: w.plan, serve: shift.Green, attempt: 1}, flagAt: -1}
}

// edit changes the spec of the custom resource, as kubectl does.
func (p *people) edit(change func(s *spec)) {
	p.w.api.edit(change)
}

// reload changes the configuration; each replica reads it a little later.
func (p *people) reload(change func(c *config)) {
	change(&p.config)
	for _, r := range p.w.replicas {
		later := time.Duration(0)
		if !p.w.o.Calm {
			later = time.Duration(p.w.rng.Int64N(int64(3 * time.Second)))
		}
		p.w.in(later, func() {
			r.config = p.config
			if r.alive {
				r.sw.SetPlan(p.config.plan)
				r.wake()
			}
		})
	}
}

func (p *people) flag() {
	p.w.say("people", "set the rollback flag")
	if p.flagAt < 0 {
		p.flagAt = p.w.now
	}
	p.edit(func(s *spec) { s.rollback = true })
}

func (p *people) unflag() {
	p.w.say("people", "take the rollback flag away")
	p.flagAt = -1
	p.edit(func(s *spec) { s.rollback = false })
	if p.config.rollback {
		p.reload(func(c *config) { c.rollback = false })
	}
}

// plan schedules what happens in the time of faults.
func (p *people) plan() {
	w := p.w
	n := int(w.mix.events*w.mix.span.Minutes()) + w.rng.IntN(3)
	for range n {
		at := time.Duration(w.rng.Int64N(int64(w.mix.span)))
		w.at(at, func() { w.happen() })
	}
	// An approving person follows the shift, and one who begins anew.
	w.in(5*time.Second, p.approve)
	w.in(30*time.Second, p.anew)
	w.in(15*time.Second, p.standby)
}

// approve approves whatever waits for it, and looks again.
func (p *people) approve() {
	s := p.w.api.state()
	if s.Step < len(s.Steps) && s.Steps[s.Step].Approval {
		if a := (shift.Approval{Attempt: s.Attempt, Step: s.Step + 1}); p.w.api.spec().approved != a {
			p.edit(func(s *spec) { s.approved = a })
		}
	}
	p.w.in(11*time.Second, p.approve)
}

// standby brings trouble to a green that has everything: standby is short, and what
// happens at any time seldom meets it.
func (p *people) standby() {
	w := p.w
	if !w.troubled() {
		return
	}
	if w.api.state().Phase == shift.OnStandby && w.rng.IntN(3) == 0 {
		w.plant([]Kind{UsersSuffer, UsersSuffer, TargetsGone, ProbeFails, GreenShrinks}[w.rng.IntN(5)])
	}
	w.in(15*time.Second, p.standby)
}

// anew asks for a new attempt where the last one is over, so that the time of
// faults isn't spent at rest.
func (p *people) anew() {
	if s := p.w.api.state(); s.Phase == shift.RolledBack && p.flagAt < 0 && p.w.rng.IntN(3) > 0 {
		next := max(s.Attempt, p.w.api.ask.attempt) + 1
		p.edit(func(s *spec) { s.attempt = next })
	}
	if p.w.troubled() {
		p.w.in(30*time.Second, p.anew)
	}
}

// answer answers the open question, if there is one.
func (p *people) answer(how shift.ResolveHow) {
	q := p.w.api.state().Question
	if q == nil {
		return
	}
	p.w.say("people", "answer %s to %s", how, q.Reason)
	p.edit(func(s *spec) { s.resolve = shift.Resolution{ID: q.ID, How: how} })
}

const patience = 45 * time.Minute

// want sees that what people want in the end comes about: L1 and L2.
func (p *people) want() {
	w := p.w
	p.edit(func(s *spec) { s.paused, s.handsOff, s.force = false, false, false })
	if p.flagAt >= 0 || w.rng.IntN(3) == 0 {
		p.wantBack()
		return
	}
	p.wantEnd()
}

// wantBack sets the flag; all traffic goes back.
func (p *people) wantBack() {
	w := p.w
	p.flag()
	limit := w.now + 150*time.Second
	w.run(limit, func() bool { return w.aws.allBlue() })
	if len(w.result.Violations) > 0 {
		return
	}
	if !w.aws.allBlue() {
		w.violate("L2", "the flag is set since %s and no fault is left, yet green stands at %s", stamp(p.flagAt), w.aws)
		return
	}
	w.run(w.now+15*time.Minute, func() bool { return w.api.state().Phase == shift.RolledBack || w.api.state().Phase == shift.Idle })
	if s := w.api.state(); len(w.result.Violations) == 0 && s.Phase != shift.RolledBack && s.Phase != shift.Idle {
		w.violate("L1", "green has nothing, yet the journal stands in %s: %s", s.Phase, w.api.said)
	}
}

// wantEnd helps the shift to its end, as a person would who reads what is said.
func (p *people) wantEnd() {
	w := p.w
	p.reload(func(c *config) { c.serve = shift.Green })
	limit := w.now + patience
	for w.now < limit && len(w.result.Violations) == 0 {
		w.run(w.now+20*time.Second, func() bool { return w.api.state().Phase == shift.Completed && w.aws.allGreen() })
		s := w.api.state()
		if s.Phase == shift.Completed && w.aws.allGreen() {
			return
		}
		p.help(s)
	}
	if len(w.result.Violations) == 0 {
		w.violate("L1", "no fault is left, yet the journal stands in %s: %s", w.api.state().Phase, w.api.said)
	}
}

func (p *people) help(s shift.State) {
	w := p.w
	if s.Question != nil {
		p.answer(shift.Adopt)
	}
	if s.Phase == shift.RolledBack || s.Phase == shift.Idle || s.Phase == shift.Completed {
		for _, g := range w.aws.groups {
			if g.now.w.Green > 0 && s.Question == nil {
				w.say("people", "set %s to blue by hand", g.e.Name)
				g.hand(content{w: shift.Share(0).Weights(), mark: g.now.mark, marked: g.now.marked})
			}
		}
		if next := s.Attempt + 1; w.api.spec().attempt < next && s.Question == nil && (s.Phase != shift.Idle || s.Attempt > 0) {
			p.edit(func(s *spec) { s.attempt = next })
		}
	}
	if strings.Contains(w.api.said, "requests: it isn't proven") { // as its reason tells them
		p.reload(func(c *config) { c.plan.Gates.Requests = nil })
	}
	if !w.leased && !slices.ContainsFunc(w.replicas, func(r *replica) bool { return !r.alive || !r.superseded }) {
		w.say("people", "restart %s, since no daemon is in charge", w.replicas[0].name)
		w.replicas[0].kill()
		w.replicas[0].start()
	}
	if w.api.unreadable() {
		w.say("people", "restore the journal")
		w.api.mend()
	}
}

// journey plays the journey of a calm world.
func (p *people) journey() {
	w := p.w
	phase := func(wanted shift.Phase) func() bool { return func() bool { return w.api.state().Phase == wanted } }
	over := phase(shift.Completed)
	switch w.o.Journey {
	case "rollback":
		w.run(50*time.Second, nil)
		p.flag()
		over = phase(shift.RolledBack)
	case "suffer":
		w.run(50*time.Second, nil)
		w.users.suffer(0.5)
		over = phase(shift.RolledBack)
	case "back":
		w.run(10*time.Minute, over)
		p.reload(func(c *config) { c.serve = shift.Blue })
		over = phase(shift.RolledBack)
	}
	w.run(w.now+20*time.Minute, over)
	w.run(w.now+2*time.Minute, nil)
}
