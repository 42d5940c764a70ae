package explore

import (
	"time"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const (
	entranceName = "shop"
	interval     = 10 * time.Second
	leaseLasts   = 15 * time.Second
	// What is older than old counts as equally old, as no bound of the loop's is
	// longer; but for what was sent to AWS: the loop reckons with that for 2 minutes.
	old    = 50 * time.Second
	oldest = 130 * time.Second
)

func epoch() time.Time { return time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC) }

// world is one state. It is a value: what it points to is never changed.
type world struct {
	now      time.Time
	entrance entrance
	journal  journal
	replicas [2]replica
	lease    lease
	late     late
	flag     bool // a person asks for a rollback
	crashes  int
	delays   int
	saves    int
	losses   int
	cuts     int
	pauses   int // strides
	judge    judge
}

// entrance is what AWS keeps.
type entrance struct {
	weights shift.Weights
	mark    shift.Mark
	marked  bool
}

// journal is what the API server keeps. version changes with each write.
type journal struct {
	state   *shift.State // nil: there is none
	version int
}

// lease is the right to write. The holder renews it all the time, until it is cut
// off or dies.
type lease struct {
	holder int // -1: nobody
	until  time.Time
	cut    bool
	terms  [2]int64
}

// replica is one daemon: the memory that its turn began with, and that turn.
type replica struct {
	life   int // counts its processes
	memory *switcher.Memory
	wakeAt time.Time
	seen   int   // the journal's version that it knows; 0: none
	flag   bool  // it heard of the rollback
	turn   *turn // nil: it rests
	woken  bool  // since the last answer of its turn
	// heard: it knew of the rollback when it had looked at the world in this turn.
	heard bool
	// sent is how things stood when the writing of this turn began.
	sent way
}

// sight is what a replica sees without asking anybody.
type sight struct {
	at    time.Time
	flag  bool
	term  int64
	until time.Time // of its lease; zero: it doesn't hold it
}

type answer struct {
	sight
	woken bool
	reply reply
}

// reply is what the world says to a call.
type reply struct {
	err     string
	clash   bool         // the journal was written by somebody else
	state   *shift.State // nil: there is no journal
	stands  entrance
	from    time.Time // since when users' traffic was measured; zero: it wasn't
	outcome shift.Outcome
}

// late is a write whose answer never came, and which may still land.
type late struct {
	call    *call     // nil: there is none
	until   time.Time // from which on it lands no more
	life    int
	replica int
	seen    int
	before  entrance // what a swap expects
	sent    way
	heard   bool
}

func (o Options) first(born *switcher.Memory) world {
	w := world{now: epoch(), entrance: entrance{weights: shift.Share(0).Weights()}, crashes: o.Crashes, delays: o.Delays, saves: o.Saves, losses: o.Losses, cuts: o.Cuts, pauses: o.Pauses}
	w.lease = lease{holder: 0, until: epoch().Add(leaseLasts), terms: [2]int64{1, 0}}
	for i := range w.replicas {
		w.replicas[i] = replica{memory: born, wakeAt: epoch()}
	}
	return w
}

// plan is the pair's, with the shortest holds there are.
func (o Options) plan() shift.Plan {
	p := shift.Plan{
		Pair:     "shop",
		Gates:    shift.Gates{Traffic: []shift.TrafficGate{{Name: "errors", MaxErrorRatio: 0.01, MinRequests: 1, Breaches: 1}}},
		Interval: interval, StaleAfter: 3 * interval,
	}
	for _, s := range o.Shares {
		p.Steps = append(p.Steps, shift.Step{Share: s})
	}
	e := shift.Entrance{Name: entranceName}
	if o.Kind == Balancer {
		e.Balancer = &shift.BalancerEntrance{RuleARN: "arn:rule", BlueTargetGroupARN: "arn:blue", GreenTargetGroupARN: "arn:green", MinHealthyTargets: 1}
	} else {
		e.Route53 = &shift.Route53Entrance{HostedZoneID: "Z1", Names: []string{"shop.example.com"}, Types: []string{"A"}, BlueSetIdentifier: "blue", GreenSetIdentifier: "green", Mark: true}
	}
	p.Entrances = []shift.Entrance{e}
	return p
}

func (w *world) sight(r int) sight {
	s := sight{at: w.now, flag: w.replicas[r].flag, term: w.lease.terms[r]}
	if w.lease.holder == r {
		s.until = w.lease.until
	}
	return s
}

// pass lets the time come; leases are renewed, and what is too late never lands.
func (w *world) pass(to time.Time) {
	if !to.After(w.now) {
		return
	}
	w.now = to
	if w.lease.holder >= 0 && !w.lease.cut {
		w.lease.until = to.Add(leaseLasts)
	}
	if w.late.call != nil && !w.late.until.After(to) {
		w.late = late{}
	}
}

// on rounds a time up to the stride.
func (o Options) on(t time.Time) time.Time {
	since := t.Sub(epoch())
	if past := since % o.Stride; past > 0 {
		since += o.Stride - past
	}
	return epoch().Add(since)
}

func (o Options) strides(span time.Duration) int { return int(span / o.Stride) }

// mayPass tells whether the time may come at which a replica's next turn begins.
func (w *world) mayPass(o Options, r int) bool {
	to := o.on(w.replicas[r].wakeAt)
	return !to.After(w.now) || w.pauses >= o.strides(to.Sub(w.now)) || !w.waits(o, to)
}

// waits tells whether something is due, or under way, before that time.
func (w *world) waits(o Options, to time.Time) bool {
	if w.lease.holder < 0 || !w.lease.until.After(w.now) {
		return true // it would be taken
	}
	for i := range w.replicas {
		if p := &w.replicas[i]; p.turn != nil || o.on(p.wakeAt).Before(to) || w.flag && !p.flag {
			return true
		}
	}
	return false
}
