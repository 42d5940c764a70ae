package sim

import (
	"context"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// record is what a look was made of, in true time and in truth: the judge's
// material.
type record struct {
	looking bool
	at      time.Duration // when everything was sampled
	urgent  bool
	read    [2]bool
	stood   [2]content

	measured      span // the true time that was measured
	told, toldBad int
	countedBad    bool            // some interval that was told had too many bad requests of green
	probes        []time.Duration // when green's probe succeeded, of the newest run
	greenReady    int             // -1: not read
	blueReady     int
	blueTargets   [2]int
	greenTargets  [2]int
	share         shift.Share
}

// Observe is a port of the loop. Everything is asked side by side.
func (r *replica) Observe(ctx context.Context, look switcher.Look) shift.Observation {
	p, w := r.loop, r.w
	r.boundary(p, false)
	began, end := r.clock(), w.now+time.Minute
	if sooner, ok := deadline(ctx); ok {
		end = sooner
	}
	r.rec = record{looking: true, urgent: look.Attention == shift.Urgent, greenReady: -1, blueReady: -1}
	defer func() { r.rec.looking = false }()
	var troubles [2]trouble
	takes := 10 * time.Millisecond
	for i := range look.Entrances {
		t := r.befalls(toAWS, false)
		if t.kind == LostRequest || t.kind == LostReply || w.now+takes+t.delay > end {
			t.kind, t.delay = LostReply, end-w.now
		}
		troubles[i%2] = t
		takes = max(takes, t.delay)
	}
	metrics := r.befalls(toMetrics, false)
	if metrics.kind == LostRequest || metrics.kind == LostReply || metrics.kind == Late {
		takes = max(takes, min(end-w.now, metrics.delay+time.Second))
	}
	if r.rec.urgent {
		takes = min(takes, end-w.now)
	}
	p.until(min(w.now+takes, end)) // the answers are of this moment
	if ctx.Err() != nil && w.now < end {
		return shift.Observation{} // cut short
	}
	o := shift.Observation{Blue: r.cluster(false), Green: r.cluster(true)}
	r.rec.at, r.rec.share = w.now, w.users.share
	r.recordClusters(o)
	for i, e := range look.Entrances {
		o.Entrances = append(o.Entrances, r.reading(e, troubles[i%2], began))
	}
	if r.rec.read[0] || r.rec.read[1] {
		o.ClockOff, o.LookedAt = r.clockOff(), r.clock()
	}
	if !r.rec.urgent {
		r.measure(&o, look, metrics)
	}
	r.boundary(p, true)
	return o
}

// clockOff is by how much the replica's clock is off AWS's for sure: an answer's
// Date has whole seconds.
func (r *replica) clockOff() time.Duration {
	date := r.w.trueTime().Truncate(time.Second)
	switch own := r.clock(); {
	case own.After(date.Add(time.Second)):
		return own.Sub(date.Add(time.Second))
	case own.Before(date):
		return own.Sub(date)
	}
	return 0
}

func (r *replica) recordClusters(o shift.Observation) {
	// What was old by the replica's own clock when its turn began counts as unread.
	old := func(c shift.ClusterReading) bool {
		return r.turnAt-r.truly(c.At) > r.lasts(r.w.plan.StaleAfter)+time.Second
	}
	if o.Green.Err == "" && !old(o.Green) {
		r.rec.greenReady = o.Green.Ready()
	}
	if o.Blue.Err == "" && !old(o.Blue) {
		r.rec.blueReady = o.Blue.Ready()
	}
	for i, g := range r.w.aws.groups {
		r.rec.blueTargets[i], r.rec.greenTargets[i] = g.blueTargets, g.greenTargets
	}
}

// measure asks what gates judge besides entrances and clusters.
func (r *replica) measure(o *shift.Observation, look switcher.Look, t trouble) {
	w := r.w
	o.Probes, o.BlueProbes = []shift.ProbeReading{r.probe(true)}, []shift.ProbeReading{r.probe(false)}
	for _, result := range o.Probes[0].Results {
		if result.Err != "" {
			r.rec.probes = r.rec.probes[:0]
			continue
		}
		r.rec.probes = append(r.rec.probes, r.truly(result.At))
	}
	if look.Plan.Preflight != shift.PreflightOff {
		at := r.clock()
		o.Preflight = shift.PreflightReading{At: at, FullAt: at, Attempt: look.Asking.Attempt, FreshFor: 45 * time.Second}
	}
	if w.users.absent > w.now {
		return
	}
	reading := r.traffic(look.MeasureFrom)
	if t.kind == LostRequest || t.kind == LostReply || t.kind == ServerError || t.kind == Throttled {
		reading = shift.TrafficReading{Gate: "errors", At: r.clock(), FreshFor: 45 * time.Second, Err: errCut.Error()}
	}
	o.Traffic = []shift.TrafficReading{reading}
	if len(look.Plan.Gates.Requests) > 0 {
		o.Requests = []shift.RequestReading{w.users.requests(r.clock())}
		for _, iv := range o.Requests[0].Intervals {
			r.rec.countedBad = r.rec.countedBad || iv.Green[0].Bad > 1.5*pastRatio*iv.Green[0].Requests
		}
	}
}

// reading is an entrance as the replica's adapter tells it.
func (r *replica) reading(e shift.Entrance, t trouble, at time.Time) shift.EntranceReading {
	w := r.w
	i := w.aws.index(e.Name)
	g := w.aws.groups[i]
	reading := shift.EntranceReading{Name: e.Name}
	switch t.kind {
	case LostRequest, LostReply:
		reading.Err = errCut.Error()
	case Throttled, ServerError, Expired:
		reading.Err = t.kind.String()
	}
	c := g.now
	if t.kind == StaleRead && !g.dns && w.now-g.changedAt < 10*time.Second {
		c = g.was
		if r.seen[i].known && r.seen[i].c == g.now && c != g.now {
			reading.Err = outdated.String()
		}
	}
	switch {
	case reading.Err != "":
		return reading
	case g.gone:
		reading.Err = "the record isn't there"
		return reading
	case c.w.Blue+c.w.Green == 0:
		reading.Err = "both have weight 0"
		return reading
	}
	r.seen[i], r.readAt[i] = sight{true, c}, w.now
	r.rec.read[i], r.rec.stood[i] = true, c
	reading.At, reading.Token, reading.Weights = at, c.token(), c.w
	if c.marked {
		reading.Mark = new(c.mark)
	}
	reading.TTL, reading.InSync = g.ttl, w.now-g.changedAt >= g.syncs
	if r.wrote[i] != r.life { // it has no change of its own to ask AWS about
		reading.InSync, reading.SyncUnheard = true, true
	}
	if !g.dns {
		reading.TTL, reading.InSync, reading.SyncUnheard = 0, true, false
		reading.BlueTargets = shift.Targets{Known: true, Healthy: g.blueTargets, Total: allTargets}
		reading.GreenTargets = shift.Targets{Known: true, Healthy: g.greenTargets, Total: allTargets}
	}
	return reading
}
