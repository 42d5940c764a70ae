package shift

import (
	"fmt"
	"math"
	"time"

	"pgregory.net/rapid"
)

// demand is what users ask for in a world, and what can be seen of that and of
// the autoscalers. The zero value isn't measured.
type demand struct {
	perSecond     float64 // of both sides
	err           string
	stale, absent bool
	// since is when the source began to count; zero: long ago.
	since     time.Time
	noFloors  string
	oldFloors bool
}

// scaler is the autoscaler of the one workload on a side, with whoever else
// writes it.
type scaler struct {
	min, max, held, was int
	reverts             string // who sets the floor back; empty: nobody
	reverted            string // who did
}

func newScalers() map[Side]*scaler {
	return map[Side]*scaler{Blue: {min: 1, max: 10}, Green: {min: 10, max: 10}}
}

const worldWorkload = "Deployment shop/web"

// measured lets the world's load be measured from now on.
func (w *world) measured(perSecond float64) {
	w.demand.perSecond = perSecond
	w.plan.Capacity.Loads = []LoadSource{{Name: "shop"}}
}

// scale lets blue's autoscaler follow the users: ten replicas carry 100 requests
// a second.
func (w *world) scale() {
	s := w.scalers[Blue]
	if !w.blue.scales {
		return
	}
	load := w.demand.perSecond
	if len(w.plan.Capacity.Loads) == 0 {
		load = 100
	}
	wants := int(math.Ceil(load / 10 * float64(Full-w.groups[0].weights.Share()) / 100))
	w.blue.ready = min(max(wants, s.min), s.max)
}

// tend is a steward: it brings the autoscalers where they are wanted, and gives
// back what they had.
func (w *world) tend(i ClusterIntent) {
	if i.Leave || w.demand.noFloors != "" {
		return
	}
	w.scalers[Blue].bring(i.Hold, i.Blue)
	w.scalers[Green].bring(i.Hold, i.Green)
}

func (s *scaler) bring(hold bool, floors []Floor) {
	least := 0
	if hold {
		least = leastByKey(floors)[worldWorkload]
	}
	switch {
	case least == 0 && s.held > 0:
		s.min, s.held, s.reverted = s.was, 0, ""
	case least == 0:
	case s.held == 0 && s.min >= least: // somebody's own is enough
	case s.reverts != "":
		if s.held == 0 {
			s.was, s.held = s.min, least
		}
		s.min, s.reverted = s.was, s.reverts
	default:
		if s.held == 0 {
			s.was = s.min
		}
		s.held, s.min, s.reverted = least, min(least, s.max), ""
	}
}

// fight lets somebody set the floor back from now on, or no more.
func (s *scaler) fight(who string, yes bool) {
	if s.reverts = ""; yes {
		s.reverts = who
	}
}

func (w *world) loads() []LoadReading {
	if len(w.plan.Capacity.Loads) == 0 || w.demand.absent {
		return nil
	}
	at := w.now
	if w.demand.stale {
		at = at.Add(-time.Hour)
	}
	green := float64(w.groups[0].weights.Share()) / 100
	blue := w.demand.perSecond * (1 - green)
	r := LoadReading{
		Name: w.plan.Capacity.Loads[0].Name, At: w.now, From: at.Add(-time.Minute), To: at, FreshFor: time.Minute, Err: w.demand.err,
		Blue: blue, Green: w.demand.perSecond * green, Past: LoadPast{Windows: 4, Least: blue, Most: blue},
	}
	// A source that counts only since a moment ago shows a part of it.
	seen := func(at time.Time) float64 { return min(max(at.Sub(w.demand.since).Minutes(), 0), 1) }
	if !w.demand.since.IsZero() {
		r.Blue, r.Green = blue*seen(at), r.Green*seen(at)
		r.Past.Least, r.Past.Most = blue*seen(r.From), blue*seen(at.Add(-15*time.Second))
	}
	return []LoadReading{r}
}

func (w *world) floors() FloorsReading {
	r := FloorsReading{At: w.now, Err: w.demand.noFloors, Blue: w.scalers[Blue].reading(), Green: w.scalers[Green].reading()}
	if w.demand.oldFloors {
		r.At = w.now.Add(-time.Hour)
	}
	return r
}

func (s *scaler) reading() []Autoscaler {
	return []Autoscaler{{
		Kind: "HorizontalPodAutoscaler", Namespace: "shop", Name: "web", Workload: worldWorkload,
		Min: s.min, Max: s.max, Held: s.held, Was: s.was, RevertedBy: s.reverted,
	}}
}

func (w *world) allGivenBack() bool {
	return !w.mind.FloorsHeld && w.scalers[Blue].held == 0 && w.scalers[Green].held == 0 &&
		w.scalers[Blue].min == 1 && w.scalers[Green].min == 10
}

// healDemand ends what is wrong with loads and autoscalers. The load is one that
// any baseline of this world was taken with, or less.
func (w *world) healDemand() {
	w.demand = demand{perSecond: 40}
	for _, s := range w.scalers {
		s.reverts = ""
	}
}

// wantRandomly draws what is wanted of blue.
func (w *world) wantRandomly(rt *rapid.T) {
	w.plan.Capacity = CapacityPolicy{
		AtLeast: rapid.SampledFrom([]int{0, 50, 90}).Draw(rt, "at least"),
		Warn:    rapid.IntRange(0, 3).Draw(rt, "only warn") == 0,
		Pin:     rapid.Bool().Draw(rt, "floors"),
	}
	if rapid.Bool().Draw(rt, "measured") {
		w.measured(100)
	}
}

// need is how many replicas a share of the load of now needs, by the test's own
// reading: as many of those that carried everything as the load is of what it
// was. A twentieth more counts as the same; what isn't measured counts as it was.
func (r *rules) need(o Observation, d Decision, percent float64) float64 {
	growth, base := 1.0, d.Next.Baseline
	for _, l := range o.Loads {
		fresh := l.Err == "" && r.w.now.Sub(l.To) <= l.FreshFor
		if len(base.Loads) == 0 || base.Loads[0].Rate < 1 || !fresh {
			continue
		}
		if growth = (l.Blue + l.Green) / base.Loads[0].Rate; growth > 1 && growth <= 1.05 {
			growth = 1
		}
	}
	return float64(base.Ready)*growth*percent/100 - 1e-6
}

// blueReady: S2. Nothing rises while blue could not take everything back, if the
// plan says so, nor before floors are held.
func (r *rules) blueReady(o Observation, d Decision) {
	policy := r.w.plan.Capacity
	if policy.AtLeast > 0 && !policy.Warn && r.need(o, d, float64(policy.AtLeast)) > float64(o.Blue.Ready()) {
		r.rt.Fatalf("S2: a rise while blue has %d replicas, %v are needed for %d %% of the load", o.Blue.Ready(), r.need(o, d, float64(policy.AtLeast)), policy.AtLeast)
	}
	if !policy.Pin {
		return
	}
	if f := o.Floors; f.Err != "" || r.w.now.Sub(f.At) > r.w.plan.StaleAfter || f.Blue[0].Min < min(d.Next.Baseline.Ready, f.Blue[0].Max) {
		r.rt.Fatalf("S2: a rise while floors aren't seen to be held: %+v", f)
	}
}

// baseline: what is noted as blue's load is what users ask, and no part of it that a
// source saw.
func (r *rules) baseline(s State, d Decision) {
	if len(d.Next.Baseline.Loads) == 0 || d.Next.Attempt != s.Attempt {
		return
	}
	now, before := d.Next.Baseline.Loads[0].Rate, 0.0
	if len(s.Baseline.Loads) > 0 {
		before = s.Baseline.Loads[0].Rate
	}
	if now != before && now >= 1 && math.Abs(now-r.w.demand.perSecond) > 1e-6 {
		r.rt.Fatalf("S2: users ask %v a second, and blue's load is noted as %v", r.w.demand.perSecond, now)
	}
}

// blueMeasured: S2. Green's first users wait for a load whose source began to count
// less than a window ago, up to two minutes.
func (r *rules) blueMeasured(o Observation, d Decision) {
	base := d.Next.Baseline
	if d.Next.Step != 1 || len(base.Loads) > 0 && base.Loads[0].Rate >= 1 || r.w.now.Sub(base.At) >= 2*time.Minute {
		return
	}
	for _, l := range o.Loads {
		if l.Err == "" && r.w.now.Sub(l.To) <= l.FreshFor && l.Blue >= 1 && l.To.Sub(r.w.demand.since) < time.Minute {
			r.rt.Fatalf("S2: green gets its first users while blue's load counts only since %s: %+v", r.w.demand.since, l)
		}
	}
}

// standby: S15. It isn't over while blue is measured to be too weak.
func (r *rules) standby(s State, o Observation, d Decision) {
	policy := r.w.plan.Capacity
	known := o.Blue.Err == "" && r.w.now.Sub(o.Blue.At) <= r.w.plan.StaleAfter
	if s.Phase != OnStandby || d.Next.Phase != Completed || policy.AtLeast == 0 || policy.Warn || !known {
		return
	}
	if r.need(o, d, float64(policy.AtLeast)) > float64(o.Blue.Ready()) {
		r.rt.Fatalf("S15: standby ends while blue has %d replicas, %v are needed", o.Blue.Ready(), r.need(o, d, float64(policy.AtLeast)))
	}
}

// clusters: what is held is written down before, and nothing is held where no
// user can be on green.
func (r *rules) clusters(d Decision) {
	i := d.Clusters
	switch {
	case i.Hold && (!d.Next.FloorsHeld || i.Leave):
		r.rt.Fatalf("floors are to be held that nobody will remember: %+v", i)
	case i.Hold && !r.w.plan.Capacity.Pin:
		r.rt.Fatalf("floors are to be held though nobody asks for it: %+v", i)
	case i.Hold && (d.Next.Phase.Terminal() || d.Next.Phase == Idle || d.Next.Phase == InPreflight):
		r.rt.Fatalf("floors are to be held in %s: %+v", d.Next.Phase, i)
	case !i.Hold && d.Next.FloorsHeld && i.Leave && !r.w.ask.HandsOff:
		r.rt.Fatalf("floors are held, and nobody gives them back")
	}
	for _, f := range i.Blue {
		if f.Least < d.Next.Baseline.Ready {
			r.rt.Fatalf("blue may shrink to %d, everything was carried on %d", f.Least, d.Next.Baseline.Ready)
		}
	}
}

// capacity: "hold N" or "warn N", and "pin" if floors are to be held.
func (s *story) capacity(words []string) {
	s.w.plan.Capacity.AtLeast, s.w.plan.Capacity.Warn = s.number(words[1]), words[0] == "warn"
	s.w.plan.Capacity.Pin = len(words) > 2 && words[2] == "pin"
}

// load: N requests a second, or "unknown"; "anew" lets its source forget what it has
// counted.
func (s *story) load(arg string) {
	if arg == "anew" {
		s.w.demand.since = s.w.now
		return
	}
	if s.w.demand.err = ""; arg == "unknown" {
		s.w.demand.err = "the metrics can't be read"
		return
	}
	s.w.measured(float64(s.number(arg)))
}

// scaler: "follows" or "rests" say what blue's autoscaler does; "fought by NAME"
// who sets its floor back, "left alone" that nobody does.
func (s *story) scaler(words []string) {
	switch words[0] {
	case "follows", "rests":
		s.w.blue.scales = words[0] == "follows"
	case "fought":
		s.w.scalers[Blue].fight(words[2], true)
	case "left":
		s.w.scalers[Blue].fight("", false)
	default:
		s.t.Fatalf("an autoscaler can't be %q", words)
	}
}

// intent tells where the autoscalers stand now.
func (s *story) intent() {
	for _, side := range []Side{Blue, Green} {
		a := s.w.scalers[side]
		s.lines = append(s.lines, fmt.Sprintf("          %s's autoscaler: at least %d, %d held; %s has %d ready", side, a.min, a.held, side, s.w.cluster(side).ready))
	}
}

func (w *world) cluster(side Side) *cluster {
	if side == Blue {
		return w.blue
	}
	return w.green
}
