package app

import (
	"context"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/measure"
	"github.com/clusterswitch/clusterswitch/probes"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// entrances reads and writes entrances of one kind.
type entrances interface {
	Read(ctx context.Context, entrances []shift.Entrance, attention shift.Attention) []shift.EntranceReading
	Commit(ctx context.Context, changes []shift.Change) []shift.Result
	// Runbook gives the commands that take an entrance back by hand, from its
	// newest reading and without asking anybody.
	Runbook(e shift.Entrance) (commands []string, err error)
}

// meter measures users' traffic.
type meter interface {
	Measure(ctx context.Context, queries []measure.Query, since time.Time) []shift.TrafficReading
}

// cluster hands out what is known of one cluster, from memory.
type cluster interface {
	Snapshot() shift.ClusterReading
}

// prober hands out the probes' recent history, from memory.
type prober interface {
	Snapshot() []probes.Reading
}

// observer gathers one pair's observation.
type observer struct {
	requests *requests
	aws      *aws
	blue     cluster
	green    cluster
	probes   prober
	// preflight tells how complete green is, from memory; nil: nobody looks.
	preflight func(now time.Time) shift.PreflightReading
	// retire tells whether blue may be deleted, from memory; nil: nobody looks.
	retire func() shift.RetireReading
	// notes is what the pair's other parts have to say to those who read the
	// journal; nil: nothing.
	notes func() []string

	mu      sync.Mutex // guards queries
	queries []query
}

func (o *observer) configure(queries []query) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queries = queries
}

// Request is what people ask for.
func (o *observer) Request(s shift.State, joined bool) shift.Request {
	return o.requests.request(s, joined)
}

// Observe looks at AWS in parallel; clusters and probes are known already.
func (o *observer) Observe(ctx context.Context, look switcher.Look) shift.Observation {
	observation := shift.Observation{
		Blue:   o.blue.Snapshot(),
		Green:  o.green.Snapshot(),
		Probes: switcher.ProbeReadings(o.probes.Snapshot()),
	}
	var reading sync.WaitGroup
	if look.Attention != shift.Urgent && !look.MeasureFrom.IsZero() {
		o.mu.Lock()
		queries := o.queries
		o.mu.Unlock()
		reading.Go(func() { observation.Traffic = o.aws.measure(ctx, queries, look.MeasureFrom) })
	}
	if o.preflight != nil {
		observation.Preflight = o.preflight(time.Now())
	}
	if o.retire != nil {
		observation.Retire = o.retire()
	}
	if o.notes != nil {
		observation.Notes = o.notes()
	}
	observation.Entrances = o.aws.read(ctx, look.Entrances, look.Attention)
	reading.Wait()
	return observation
}
