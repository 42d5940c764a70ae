package shift

import (
	"time"

	"pgregory.net/rapid"
)

// wayBack judges the planned way back by what was observed of blue: S13 in the
// stricter form that it has time for, where unknown waits.
func (r *rules) wayBack(s State, o Observation, d Decision) {
	before := s.Share
	if d.Next.Phase != Returning || d.Next.From != "" || d.Next.Share >= before || d.Reason == Adopted {
		return
	}
	share := Full - d.Next.Share // blue's next
	if !r.blueSeen(o) || o.Blue.Ready()*100 < int(share)*d.Next.Baseline.Ready {
		r.rt.Fatalf("S13: a planned step gives blue %s on %d of %d replicas (read: %t)", share, o.Blue.Ready(), d.Next.Baseline.Ready, r.blueSeen(o))
	}
	if web := o.Blue.Workloads[0]; web.NotReady != "" && web.Ready*100 < int(share)*web.Wanted {
		r.rt.Fatalf("S16: a planned step gives blue %s, whose workload has %d of %d replicas", share, web.Ready, web.Wanted)
	}
	since := time.Time{}
	if s.Phase == Returning && s.From == "" {
		since = s.ReachedAt
	}
	if n := r.blueAnswers(o, since); n < 2 {
		r.rt.Fatalf("S16: a planned step back on %d good probes of blue", n)
	}
	r.blueTargets(o, "a planned step back")
	if len(d.Verdicts) == 0 {
		r.rt.Fatalf("a planned step back says nothing of why it may")
	}
	for _, v := range d.Verdicts {
		if v.Judgement != Pass {
			r.rt.Fatalf("S16: a planned step back although %s: %s", v.Gate, v.Message)
		}
	}
}

// standbyEnds judges the end of standby: only when its time is over and nothing
// is bad or unknown, on green or on blue.
func (r *rules) standbyEnds(s State, o Observation, d Decision) {
	if s.Phase != OnStandby || d.Next.Phase != Completed {
		return
	}
	if over := r.w.now.Sub(s.ChangedAt); over < r.w.plan.Standby.For {
		r.rt.Fatalf("S17: standby ends after %s", over)
	}
	if !r.blueSeen(o) || o.Blue.Workloads[0].NotReady != "" && o.Blue.Workloads[0].Ready < 10 || r.blueAnswers(o, time.Time{}) < 2 {
		r.rt.Fatalf("S17: standby ends although blue isn't known to be ready")
	}
	if o.Green.Err != "" || r.w.now.Sub(o.Green.At) > r.w.plan.StaleAfter || o.Green.Ready() < 8 {
		r.rt.Fatalf("S17: standby ends although green isn't known to be ready")
	}
	r.blueTargets(o, "standby's end")
	if len(o.Traffic) == 0 {
		r.rt.Fatalf("S17: standby ends although users are not measured")
	}
	if t := o.Traffic[0]; t.Err != "" || r.w.now.Sub(t.At) > r.w.plan.StaleAfter || t.Requests < 50 || float64(t.Errors) > 0.01*float64(t.Requests) {
		r.rt.Fatalf("S17: standby ends on %d errors in %d requests (%q)", t.Errors, t.Requests, t.Err)
	}
}

func (r *rules) blueSeen(o Observation) bool {
	return o.Blue.Err == "" && r.w.now.Sub(o.Blue.At) <= r.w.plan.StaleAfter
}

// blueAnswers counts the newest successes in a row of blue's probe, if it still
// runs.
func (r *rules) blueAnswers(o Observation, since time.Time) int {
	if len(o.BlueProbes) == 0 || r.w.blueProbe.stopped && r.w.now.Sub(r.w.blueProbe.results[len(r.w.blueProbe.results)-1].At) > 45*time.Second {
		return 0
	}
	good, results := 0, o.BlueProbes[0].Results
	for i := len(results) - 1; i >= 0 && results[i].Err == "" && results[i].At.After(since); i-- {
		good++
	}
	return good
}

func (r *rules) blueTargets(o Observation, what string) {
	for _, e := range o.Entrances {
		if !r.known(e) {
			r.rt.Fatalf("S16: %s although entrance %s is unknown", what, e.Name)
		}
		if r.w.group(e.Name).Balancer != nil && (!e.BlueTargets.Known || e.BlueTargets.Healthy == 0) {
			r.rt.Fatalf("S16: %s although blue has no healthy target at %s", what, e.Name)
		}
	}
}

// goesBackAsPlanned is liveness of the planned way back: blue is well, all of
// green is as bad as can be but for what sends users back by itself, and rises
// are paused.
func goesBackAsPlanned(rt *rapid.T, w *world) {
	w.ask.RollbackBy, w.ask.Serve, w.ask.Paused = nil, Blue, true
	w.green.err, w.probes[0].err, w.preflight.blocks, w.users.absent = "timeout", "status 503", 3, true
	var d Decision
	for range enough {
		d = w.tick(30 * time.Second)
		w.helpAlong(d)
		if back := w.mind.Phase == RolledBack || w.mind.Phase == Idle; back && w.allBlue() {
			return
		}
	}
	rt.Fatalf("L1: blue is asked to serve, yet the pair stands in %s: %s: %s", w.mind.Phase, d.Reason, d.Message)
}
