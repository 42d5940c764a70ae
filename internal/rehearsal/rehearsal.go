// Package rehearsal goes through a whole shift before it is made. The decisions are
// the daemon's own: shift.Decide is asked again and again, in a world where nothing
// goes wrong and the clock is moved. So a plan can't promise what the daemon does
// otherwise.
//
// In that world both clusters are ready, every probe, preflight and gate passes as
// soon as it has seen enough, people approve at once, and users ask as often, and
// fail as often, as was measured of blue. What a gate needs until it passes is
// reckoned by the gate's own arithmetic, fed with what is expected.
package rehearsal

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/evidence"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Options say which shift is rehearsed.
type Options struct {
	Plan shift.Plan
	// Entrances are as they were read; what can't be read is taken to have TTL 60 s.
	Entrances []shift.EntranceReading
	// Profiles are what was measured of blue for each request gate, by its name.
	Profiles map[string]evidence.Profile
	// Lags are how the sources of the other gates on users' traffic lag behind, by
	// the gate's name.
	Lags map[string]Lag
	// Start is when the shift is asked for.
	Start time.Time
}

// Lag is what a source needs until it can tell of what happens now.
type Lag struct{ Window, Settle time.Duration }

// Rehearsal is how a shift goes when all goes well.
type Rehearsal struct {
	Scenes []Scene
	// Standby: green has all traffic, and the rest of the time is standby.
	Standby bool
	// Stuck says what a shift would wait for without end; empty: nothing.
	Stuck string
}

// Scene is a moment at which something happens, or something else is waited for.
type Scene struct {
	At      time.Time
	Phase   shift.Phase
	Step    int
	Share   shift.Share
	Reason  shift.Reason
	Message string
	// Writes are what is written to AWS.
	Writes []string
}

// longest bounds a rehearsal: a shift that takes longer is not going well.
const longest = 35 * 24 * time.Hour

// usualTTL stands for a time to live that isn't known.
const usualTTL = time.Minute

// Rehearse goes through the shift until green has all traffic and standby begins.
func Rehearse(o Options) Rehearsal {
	w := newWorld(o)
	var r Rehearsal
	var last Scene
	since := Scene{At: o.Start}
	for w.now.Sub(o.Start) < longest && w.now.Sub(since.At) < patience(last) {
		d := w.turn()
		last = sceneOf(w.now, d)
		if again := last.Reason == since.Reason && last.Step == since.Step && subject(last) == subject(since); !again || len(last.Writes) > 0 {
			r.Scenes, since = append(r.Scenes, last), last
		}
		if r.Standby = d.Next.Phase == shift.OnStandby || d.Next.Phase == shift.Completed; r.Standby {
			return r
		}
		w.now = d.WakeAt
	}
	r.Stuck = fmt.Sprintf("it waits at %s: %s", last.Share, last.Message)
	return r
}

// patience is how long one thing is waited for. Where all goes well, what is unknown
// or fails stays so, and a gate that didn't see enough in a day never will; a window
// may be weeks away.
func patience(s Scene) time.Duration {
	switch {
	case s.Reason == shift.GateUnknown || s.Reason == shift.GateFailed || s.Reason == shift.BlueUnknown:
		return time.Hour
	case s.Reason == shift.GateWaits && subject(s) != "window":
		return farthest
	}
	return longest
}

// subject is what a message speaks of, without its numbers.
func subject(s Scene) string {
	what, _, _ := strings.Cut(s.Message, ":")
	return what
}

func sceneOf(now time.Time, d shift.Decision) Scene {
	s := Scene{At: now, Phase: d.Next.Phase, Step: d.Next.Step, Share: d.Next.Share, Reason: d.Reason, Message: d.Message}
	for _, c := range d.Changes {
		s.Writes = append(s.Writes, fmt.Sprintf("%s: %s", c.Entrance.Name, c.Wanted.Weights()))
	}
	return s
}

// world is where everything goes well.
type world struct {
	o     Options
	now   time.Time
	state shift.State
	// readings are the entrances as they stand.
	readings []shift.EntranceReading
	asked    shift.Approval
}

func newWorld(o Options) *world {
	w := &world{o: o, now: o.Start, state: shift.NewState()}
	// What is rehearsed is the traffic: what clusters need for it is gauged while it
	// goes on, and can't be told ahead.
	w.o.Plan.Capacity, w.o.Plan.Singletons, w.o.Plan.Gates.ReplicasAtLeast = shift.CapacityPolicy{}, shift.SingletonPolicy{}, 0
	for _, e := range o.Plan.Entrances {
		r := shift.EntranceReading{Name: e.Name, TTL: usualTTL}
		if i := slices.IndexFunc(o.Entrances, func(r shift.EntranceReading) bool { return r.Name == e.Name }); i >= 0 && o.Entrances[i].Err == "" {
			r = o.Entrances[i]
		}
		if e.Balancer != nil {
			r.TTL = 0
		}
		healthy := shift.Targets{Known: true, Healthy: 100, Total: 100}
		w.readings = append(w.readings, shift.EntranceReading{
			Name: e.Name, TTL: r.TTL, InSync: true, Weights: shift.Share(0).Weights(), BlueTargets: healthy, GreenTargets: healthy,
		})
	}
	return w
}

// turn is one turn of the loop; what is decided is done at once.
func (w *world) turn() shift.Decision {
	d := shift.Decide(w.o.Plan, w.state, w.observe(), w.now)
	w.state = d.Next
	for _, c := range d.Changes {
		for i := range w.readings {
			if w.readings[i].Name == c.Entrance.Name {
				w.readings[i].Weights, w.readings[i].Mark = c.Wanted.Weights(), new(c.Control)
			}
		}
	}
	if d.Reason == shift.ApprovalNeeded {
		w.asked = shift.Approval{Attempt: d.Next.Attempt, Step: d.Next.Step + 1}
	}
	return d
}

func (w *world) observe() shift.Observation {
	ready := shift.ClusterReading{
		At: w.now, Nodes: 1, NodesReady: 1,
		Workloads: []shift.Workload{{Kind: "Deployment", Namespace: "rehearsal", Name: "all", Wanted: 100, Ready: 100}},
	}
	o := shift.Observation{
		Request: shift.Request{Serve: shift.Green, Attempt: 1, Approved: w.asked},
		Blue:    ready, Green: ready,
		Preflight: shift.PreflightReading{At: w.now, FullAt: w.now, Attempt: w.state.Attempt, FreshFor: time.Hour},
	}
	for _, r := range w.readings {
		r.At = w.now
		o.Entrances = append(o.Entrances, r)
	}
	o.Probes = w.probes(w.o.Plan.Gates.Probes)
	o.BlueProbes = w.probes(w.o.Plan.Gates.BlueProbes)
	for _, g := range w.o.Plan.Gates.Traffic {
		o.Traffic = append(o.Traffic, w.traffic(g))
	}
	for _, g := range w.o.Plan.Gates.Requests {
		o.Requests = append(o.Requests, w.requests(g))
	}
	for _, g := range w.o.Plan.Gates.Limits {
		o.Limits = append(o.Limits, w.limit(g))
	}
	return o
}

func (w *world) probes(names []string) []shift.ProbeReading {
	readings := make([]shift.ProbeReading, len(names))
	for i, name := range names {
		readings[i] = shift.ProbeReading{
			Name: name, Needed: 1, FreshFor: time.Hour, Passing: true, Results: []shift.ProbeResult{{At: w.now}},
		}
	}
	return readings
}

// traffic is what a gate with a window sees: no errors, as late as its source is.
func (w *world) traffic(g shift.TrafficGate) shift.TrafficReading {
	lag := w.o.Lags[g.Name]
	r := shift.TrafficReading{Gate: g.Name, At: w.now, FreshFor: lag.Window + lag.Settle + time.Hour}
	from, to := w.now.Add(-lag.Settle-lag.Window), w.now.Add(-lag.Settle)
	if since := w.state.MeasureFrom(); since.After(from) {
		from = since
	}
	if w.state.Share == 0 || !from.Before(to) {
		return r
	}
	r.From, r.To = from, to
	r.Requests = int(w.rate() * float64(w.state.Share) / 100 * to.Sub(from).Seconds())
	return r
}

// rate is how many requests a second users send, as far as a request gate's profile
// tells; enough for every gate where none does.
func (w *world) rate() float64 {
	for _, name := range slices.Sorted(maps.Keys(w.o.Profiles)) {
		if rate := w.o.Profiles[name].Rate; rate > 0 {
			return rate
		}
	}
	return 1e6
}

// requests is what is expected to be counted: green is no worse than blue was.
func (w *world) requests(g shift.RequestGate) shift.RequestReading {
	p, known := w.o.Profiles[g.Name]
	r := shift.RequestReading{Gate: g.Name, At: w.now, FreshFor: g.Settle + 3*g.Interval + time.Minute}
	if !known {
		r.Err = "it was not measured"
		return r
	}
	r.Profile = &p
	to := w.now.Add(-g.Settle).Truncate(g.Interval)
	from := to.Add(-40 * g.Interval)
	i := slices.IndexFunc(w.state.Evidence, func(e shift.GateEvidence) bool { return e.Gate == g.Name })
	if i >= 0 && w.state.Evidence[i].Book.Last.After(from) {
		from = w.state.Evidence[i].Book.Last
	}
	if since := w.state.MeasureFrom(); since.After(from) { // before it other weights stood
		from = since.Add(g.Interval - 1).Truncate(g.Interval)
	}
	for at := from; at.Before(to); at = at.Add(g.Interval) {
		r.Intervals = append(r.Intervals, p.Expected(at, g.Interval, float64(w.state.Share)/100, func(m evidence.Metric) float64 { return m.Ratio }))
	}
	return r
}

// limit is a value within its limits.
func (w *world) limit(g shift.LimitGate) shift.LimitReading {
	lag, asked := w.o.Lags[g.Name], w.state.Asking()
	r := shift.LimitReading{
		Gate: g.Name, At: w.now, From: w.now.Add(-lag.Window), FreshFor: time.Hour, Attempt: asked.Attempt, Step: asked.Step,
	}
	switch {
	case g.Max != nil && g.Min != nil:
		r.Value = (*g.Max + *g.Min) / 2
	case g.Max != nil:
		r.Value = min(*g.Max, 0)
	case g.Min != nil:
		r.Value = max(*g.Min, 0)
	}
	return r
}
