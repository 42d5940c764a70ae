package shift

import (
	"fmt"
	"slices"
	"time"
)

// world is a simulated world around Decide: entrances at AWS, two clusters,
// probes, users, people, a journal, and a daemon that can die. The stories and
// the property tests share it. Nothing in it is random: whoever drives it
// chooses every fault.
type world struct {
	start, now  time.Time
	plan        Plan
	groups      []*group
	blue, green *cluster
	probes      []*prober
	blueProbe   *prober
	users       users
	preflight   checkup
	demand      demand
	counting    counting
	scalers     map[Side]*scaler
	ask         Request

	journal     *State  // what is durable now
	journaled   []State // everything that ever was
	journalDown bool
	mind        State // the daemon's memory
	awake       bool  // the daemon has recovered
	unreadable  string
	crash       bool // the daemon dies between journal and write

	flying []flight
	fate   func(Change) fate // what becomes of a write; nil: applied
	landed func(g *group, before Weights, c Change, how fate)
	seen   func(s State, o Observation, d Decision)
	hands  *hands // what keeps singletons; nil: there are none
}

// group is one entrance as AWS keeps it.
type group struct {
	Entrance
	weights                   Weights  // where green has the most
	rest                      *Weights // where it has less; nil: nowhere
	mark                      *Mark
	token                     int
	changedAt                 time.Time
	wroteAt                   time.Time // when the daemon last changed it
	syncs, ttl                time.Duration
	blueHealthy, greenHealthy int
	err, owner                string
	sticky, connection        time.Duration
	unstuck                   *Unstuck
	stale                     *EntranceReading // what an old reading still shows
	foreign                   bool             // somebody else wrote last
}

type cluster struct {
	ready int
	err   string
	stale bool
	// scales: an autoscaler follows the users.
	scales bool
}

type prober struct {
	name            string
	err             string
	stopped, absent bool
	results         []ProbeResult
}

// users are what the gate on users' traffic sees.
type users struct {
	errorRatio float64
	perSecond  int
	err        string
	stale      bool
	absent     bool
	early      bool // measured from the start of the attempt
}

// checkup is what looks at whether green is complete, if the plan asks for it.
type checkup struct {
	blocks  int
	err     string
	stopped bool
	newest  PreflightReading
}

// look takes a full look for the attempt that is under way.
func (c *checkup) look(now time.Time, attempt int) {
	if !c.stopped {
		c.newest = PreflightReading{At: now, FullAt: now, Attempt: attempt, FreshFor: 45 * time.Second, Err: c.err, Blocks: c.blocks}
		if c.blocks > 0 {
			c.newest.First = "ConfigMap shop/prices is missing in green"
		}
	}
}

// fate is what becomes of one write.
type fate struct {
	lost bool
	half bool          // it lands on a part of the records only
	late time.Duration // it lands so much later; at most WriteDeadline
}

type flight struct {
	at    time.Time
	token int // what Route 53 compares with
	c     Change
}

func newWorld() *world {
	start := time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)
	w := &world{
		start: start, now: start, mind: NewState(),
		blue: &cluster{ready: 10}, green: &cluster{ready: 10},
		probes: []*prober{{name: "storefront"}}, blueProbe: &prober{name: "storefront"},
		users: users{perSecond: 100}, scalers: newScalers(),
		ask: Request{Serve: Blue},
	}
	w.plan = Plan{
		Pair:     "shop",
		Steps:    []Step{{Share: 25, Hold: time.Minute}, {Share: 50, Hold: time.Minute}, {Share: 100, Hold: time.Minute}},
		Gates:    Gates{Traffic: []TrafficGate{{Name: "errors", MaxErrorRatio: 0.01, MinRequests: 50, Breaches: 2}}, ReplicasAtLeast: 80, Probes: []string{"storefront"}, BlueProbes: []string{"storefront"}},
		Standby:  Standby{For: 10 * time.Minute},
		Interval: 10 * time.Second, StaleAfter: 30 * time.Second,
	}
	w.enter(&group{
		Entrance: Entrance{Name: "dns", Route53: &Route53Entrance{HostedZoneID: "Z1", Names: []string{"shop.example.com"}, Types: []string{"A"}, BlueSetIdentifier: "blue", GreenSetIdentifier: "green", Mark: true}},
		syncs:    20 * time.Second, ttl: 30 * time.Second,
	})
	w.enter(&group{
		Entrance:    Entrance{Name: "rule", Balancer: &BalancerEntrance{RuleARN: "arn:rule", BlueTargetGroupARN: "arn:blue", GreenTargetGroupARN: "arn:green", MinHealthyTargets: 1}},
		blueHealthy: 3, greenHealthy: 3,
	})
	return w
}

func (w *world) enter(g *group) {
	g.weights, g.changedAt = Share(0).Weights(), w.start.Add(-time.Hour)
	w.groups = append(w.groups, g)
	w.plan.Entrances = append(w.plan.Entrances, g.Entrance)
}

func (w *world) group(name string) *group {
	i := slices.IndexFunc(w.groups, func(g *group) bool { return g.Name == name })
	return w.groups[i]
}

// tick lets time pass, then takes one turn of a loop: observe, decide, journal,
// act.
func (w *world) tick(d time.Duration) Decision {
	w.now = w.now.Add(d)
	w.land()
	w.scale()
	w.probe()
	w.count()
	if w.hands != nil {
		w.hands.pass(w.now)
	}
	s, keep := w.mind, true
	if !w.awake {
		s, keep = Recover(w.found(), w.observe(w.mind), w.now)
		w.awake = keep
	}
	w.preflight.look(w.now, s.Attempt)
	o := w.observe(s)
	decision := Decide(w.plan, s, o, w.now)
	if w.seen != nil {
		w.seen(s, o, decision)
	}
	back := decision.Next.Phase == RollingBack || decision.Next.Phase == RolledBack
	written := keep && w.save(decision.Next)
	switch {
	case !keep:
	case written:
		w.mind = decision.Next
	case back: // singletons go no further than what is written down
		w.mind = decision.Next
		w.mind.Baton, w.mind.Gaps = s.Baton, s.Gaps
	default:
		w.mind = s // nothing is done that was not written down
	}
	if w.crash {
		w.restart()
		return decision
	}
	if w.hands != nil && written {
		w.hands.told = decision.Clusters
	}
	for _, c := range decision.Changes {
		if written || c.Priority == Rollback {
			w.send(c)
		}
	}
	if written {
		w.tend(decision.Clusters)
	}
	return decision
}

func (w *world) save(s State) bool {
	if w.journalDown {
		return false
	}
	w.journal = new(s.clone())
	w.journaled = append(w.journaled, s.clone())
	return true
}

// restart is the daemon's death and its new start; memory is gone.
func (w *world) restart() {
	w.awake, w.crash, w.mind = false, false, NewState()
}

func (w *world) found() Found {
	if w.journal == nil || w.unreadable != "" {
		return Found{Unreadable: w.unreadable}
	}
	return Found{State: w.journal.clone(), Present: true}
}

// send is a committer. A rise is refused when the entrance changed since it
// was read; a way back reads again and never raises.
func (w *world) send(c Change) {
	g := w.group(c.Entrance.Name)
	if g.err != "" {
		return
	}
	if c.Priority == Rise && c.Expected.Token != g.reading(w.now).Token {
		return
	}
	if c.Priority != Rise && g.reading(w.now).atMost(c.Wanted) {
		g.fence(c)
		return
	}
	f := fate{}
	if w.fate != nil {
		f = w.fate(c)
	}
	switch {
	case f.lost:
	case f.late > 0:
		w.flying = append(w.flying, flight{at: w.now.Add(f.late), token: g.token, c: c})
	default:
		w.write(g, c, f)
	}
}

func (w *world) land() {
	var still []flight
	for _, f := range w.flying {
		g := w.group(f.c.Entrance.Name)
		switch {
		case f.at.After(w.now):
			still = append(still, f)
		case g.Route53 != nil && g.token != f.token: // compare-and-swap
		default:
			w.write(g, f.c, fate{late: time.Second})
		}
	}
	w.flying = still
}

func (w *world) write(g *group, c Change, how fate) {
	before, after := g.weights, c.Wanted.Weights()
	if w.landed != nil {
		w.landed(g, before, c, how)
	}
	g.set(w.now, after)
	if how.half && before.Share() != after.Share() {
		if g.rest = &before; before.Share() > after.Share() {
			g.weights, g.rest = before, &after
		}
	}
	if g.foreign, g.mark = false, new(c.Control); !before.same(g.weights) {
		g.wroteAt = w.now
	}
}

// hand is somebody else's edit. It is a foreign one unless no shift is under
// way, or it does just what the daemon intends, or it leaves what stood there
// before a write that is open.
func (w *world) hand(g *group, v Weights) {
	g.set(w.now, v)
	s := w.mind
	if !w.awake && w.journal != nil {
		s = *w.journal
	}
	g.foreign = s.Active()
	for _, e := range s.Entrances {
		if e.Name == g.Name && (v.At(e.Share) || e.stood(v)) {
			g.foreign = false
		}
	}
}

func (g *group) set(now time.Time, v Weights) {
	g.weights, g.rest, g.changedAt, g.token = v, nil, now, g.token+1
}

func (g *group) reading(now time.Time) EntranceReading {
	r := EntranceReading{
		Name: g.Name, At: now, Err: g.err, Owner: g.owner, Token: string(rune('a' + g.token)), Weights: g.weights,
		TTL: g.ttl, InSync: now.Sub(g.changedAt) >= g.syncs, Mark: g.mark, Sticky: g.sticky, Connection: g.connection, Unstuck: g.unstuck,
	}
	if g.rest != nil {
		r.Apart, r.Where = []Weights{g.weights, *g.rest}, fmt.Sprintf("%s and %s", g.weights, *g.rest)
	}
	if g.Balancer != nil {
		r.BlueTargets = Targets{Known: true, Healthy: g.blueHealthy, Total: 3}
		r.GreenTargets = Targets{Known: true, Healthy: g.greenHealthy, Total: 3}
	}
	return r
}

// freeze makes readings of the entrance old from now on.
func (g *group) freeze(now time.Time) {
	if g.stale == nil {
		g.stale = new(g.reading(now))
	}
}

func (w *world) probe() {
	for _, p := range append(w.probes, w.blueProbe) {
		if !p.stopped {
			p.results = append(p.results, ProbeResult{At: w.now, Err: p.err})
		}
	}
}

func (w *world) observe(s State) Observation {
	o := Observation{Request: w.ask, Preflight: w.preflight.newest, Blue: w.blue.reading(w.now), Green: w.green.reading(w.now)}
	for _, g := range w.groups {
		r := g.reading(w.now)
		if g.stale != nil {
			r = *g.stale
		}
		o.Entrances = append(o.Entrances, r)
	}
	for _, p := range w.probes {
		if !p.absent {
			o.Probes = append(o.Probes, p.reading())
		}
	}
	o.Loads, o.Floors, o.Requests = w.loads(), w.floors(), w.requests()
	if !w.blueProbe.absent {
		o.BlueProbes = []ProbeReading{w.blueProbe.reading()}
	}
	if !w.users.absent {
		o.Traffic = append(o.Traffic, w.users.reading(s, w.now))
	}
	if w.hands != nil {
		o.Singletons = w.hands.readings()
	}
	return o
}

func (c *cluster) reading(now time.Time) ClusterReading {
	r := ClusterReading{At: now, Err: c.err, Nodes: 3, NodesReady: 3}
	if c.stale {
		r.At = now.Add(-time.Hour)
	}
	web := Workload{Kind: "Deployment", Namespace: "shop", Name: "web", Wanted: 10, Ready: c.ready}
	if c.ready < 8 {
		web.NotReady = "too few replicas are ready"
	}
	r.Workloads = []Workload{web}
	return r
}

// reading debounces as a probe with successes 2 and failures 2 does.
func (p *prober) reading() ProbeReading {
	recent := p.results[max(0, len(p.results)-10):]
	n := len(recent)
	passing := n > 0 && (recent[n-1].Err == "" || n > 1 && recent[n-2].Err == "")
	return ProbeReading{Name: p.name, Needed: 2, FreshFor: 45 * time.Second, Results: recent, Passing: passing}
}

func (u users) reading(s State, now time.Time) TrafficReading {
	r := TrafficReading{Gate: "errors", At: now, FreshFor: 45 * time.Second, Err: u.err}
	from := s.MeasureFrom()
	if u.early {
		from = s.StartedAt
	}
	if s.Share == 0 || from.IsZero() || !from.Before(now) {
		return r
	}
	r.From, r.To = from, now
	r.Requests = u.perSecond * int(now.Sub(from)/time.Second)
	r.Errors = int(u.errorRatio * float64(r.Requests))
	if u.stale {
		r.At, r.To = now.Add(-time.Hour), now.Add(-time.Hour)
	}
	return r
}
