package sim

import (
	"slices"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/evidence"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// users are the users' requests, what is measured of them, and the clusters that
// answer them. All of it goes by true time.
type users struct {
	w      *world
	points []point
	green  float64 // the ratio of green's requests that fail
	blue   float64
	share  shift.Share

	// What is wrong with measuring, until when.
	away, stale, absent, nonsense, swapped, wide time.Duration
	reset                                        time.Duration

	intervals []evidence.Interval
	counted   time.Duration // until when intervals were closed

	greenReady, blueReady   int
	greenUnread, blueUnread time.Duration
	// Since when they are not read, and what was read last. In every other case the
	// watch is silent and what it told before goes on being told.
	greenSince, blueSince time.Duration
	greenWas, blueWas     int
	probeBad              []span // when green's probe fails
}

// span is a time from which something is wrong until it isn't.
type span struct{ from, to time.Duration }

func (s span) has(t time.Duration) bool { return t >= s.from && t < s.to }

// point is where rates change: what was counted until then, and the rates since.
type point struct {
	at                time.Duration
	requests, errors  float64 // green's, until then
	perSecond, failed float64 // green's since then
}

const (
	allRequests = 100.0 // a second
	wantedReady = 10
)

func newUsers(w *world) *users {
	return &users{w: w, points: []point{{}}, greenReady: wantedReady, blueReady: wantedReady}
}

// follow takes over weights or errors that changed.
func (u *users) follow() {
	var green shift.Share
	for _, g := range u.w.aws.groups {
		if !g.gone {
			green = max(green, g.now.w.Share())
		}
	}
	u.share = green
	last, now := u.points[len(u.points)-1], u.w.now
	took := (now - last.at).Seconds()
	perSecond := allRequests * float64(green) / 100
	failed := u.green
	if u.dead() {
		failed = 1
	}
	next := point{
		at: now, requests: last.requests + took*last.perSecond, errors: last.errors + took*last.failed,
		perSecond: perSecond, failed: perSecond * failed,
	}
	if next.perSecond != last.perSecond || next.failed != last.failed {
		u.points = append(u.points, next)
	}
}

// dead tells whether green has no healthy target on any entrance with one.
func (u *users) dead() bool {
	for _, g := range u.w.aws.groups {
		if !g.dns && g.greenTargets == 0 {
			return true
		}
	}
	return false
}

func (u *users) suffer(ratio float64) {
	u.green = ratio
	u.follow()
}

func (u *users) heal() {
	u.green, u.blue = 0, 0
	u.away, u.stale, u.absent, u.nonsense, u.swapped, u.wide, u.reset = 0, 0, 0, 0, 0, 0, 0
	u.greenReady, u.blueReady, u.greenUnread, u.blueUnread = wantedReady, wantedReady, 0, 0
	for i := range u.probeBad {
		u.probeBad[i].to = min(u.probeBad[i].to, u.w.now)
	}
	u.follow()
}

// until gives what was counted of green up to a true time.
func (u *users) until(at time.Duration) (requests, errors float64) {
	at = min(at, u.w.now)
	for _, v := range slices.Backward(u.points) {
		if p := v; p.at <= at {
			took := (at - p.at).Seconds()
			return p.requests + took*p.perSecond, p.errors + took*p.failed
		}
	}
	return 0, 0
}

// between gives what was counted of green in a true time.
func (u *users) between(from, to time.Duration) (requests, errors float64) {
	r0, e0 := u.until(from)
	r1, e1 := u.until(to)
	return r1 - r0, e1 - e0
}

// gateWindow is how far the gate on errors looks back.
const gateWindow = 5 * time.Minute

// traffic is what a source of metrics answers to a replica that asks for a time by
// its own clock. Sources have the true time: what the replica takes for now may be
// another time there.
func (r *replica) traffic(since time.Time) shift.TrafficReading {
	u, now := r.w.users, r.clock()
	reading := shift.TrafficReading{Gate: "errors", At: now, FreshFor: 45 * time.Second}
	rec := &r.rec
	switch {
	case u.away > r.w.now:
		reading.Err = "connection refused"
		return reading
	case since.IsZero() || !since.Before(now):
		return reading
	}
	to := now
	if u.stale > r.w.now {
		to = now.Add(-2 * time.Minute)
	}
	from := since
	if first := to.Add(-gateWindow); from.Before(first) {
		from = first
	}
	if !from.Before(to) {
		return reading
	}
	if u.wide > r.w.now { // the source rounds the time up to its own steps
		from = from.Add(-time.Minute)
	}
	rec.measured = span{from.Sub(began()), to.Sub(began())}
	requests, errors := u.between(rec.measured.from, rec.measured.to)
	reading.From, reading.To, reading.Requests, reading.Errors = from, to, int(requests), int(errors)
	if u.swapped > r.w.now { // blue's numbers pass for green's
		all := allRequests * (rec.measured.to - rec.measured.from).Seconds()
		reading.Requests, reading.Errors = max(0, int(all-requests)), int((all-requests)*u.blue)
	}
	if u.nonsense > r.w.now {
		reading.Errors = reading.Requests + 7
	}
	rec.told, rec.toldBad = reading.Requests, reading.Errors
	return reading
}

// probeEvery is how often each replica probes green.
const probeEvery = 5 * time.Second

// probe gives the newest results of a replica's own probes: of green, or of blue.
func (r *replica) probe(green bool) shift.ProbeReading {
	u := r.w.users
	reading := shift.ProbeReading{Name: "storefront", Needed: 2, FreshFor: 20 * time.Second}
	last := r.w.now - r.w.now%probeEvery
	first := max(last-5*probeEvery, r.probesFrom)
	bad := 0
	for at := first - first%probeEvery; at <= last; at += probeEvery {
		if at < r.probesFrom {
			continue
		}
		result := shift.ProbeResult{At: r.clockAt(at)}
		for _, s := range u.probeBad {
			if green && s.has(at) {
				result.Err = "status 503"
			}
		}
		if result.Err != "" {
			bad++
		} else {
			bad = 0
		}
		reading.Results = append(reading.Results, result)
	}
	reading.Passing = len(reading.Results) > 0 && bad < 2
	return reading
}

// cluster gives what a watch of one cluster tells.
func (r *replica) cluster(green bool) shift.ClusterReading {
	u := r.w.users
	ready, unread, since, was := u.blueReady, u.blueUnread, u.blueSince, u.blueWas
	if green {
		ready, unread, since, was = u.greenReady, u.greenUnread, u.greenSince, u.greenWas
	}
	at := r.w.now
	switch silent := unread/time.Millisecond%2 == 0; {
	case unread <= r.w.now:
	case silent:
		ready, at = was, since
	default:
		return shift.ClusterReading{Err: "the watch broke off"}
	}
	web := shift.Workload{Kind: "Deployment", Namespace: "shop", Name: "web", Wanted: wantedReady, Ready: ready}
	if ready < 8 {
		web.NotReady = "too few replicas are ready"
	}
	return shift.ClusterReading{At: r.clockAt(at), Nodes: 3, NodesReady: 3, Workloads: []shift.Workload{web}}
}
