package app

import (
	"context"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/measure"
	"github.com/clusterswitch/clusterswitch/probes"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/evidence"
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

// meter measures users' traffic and load.
type meter interface {
	Measure(ctx context.Context, asked measure.Asked) measure.Answered
	Requests(ctx context.Context, q measure.RequestQuery) ([]evidence.Interval, error)
	Edges(ctx context.Context, blue measure.Group, over time.Duration, at time.Time) ([]time.Duration, error)
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
	// blueProbes are the probes of blue; nil: there are none.
	blueProbes prober
	// loads measures what users ask of both sides; nil: nobody does.
	loads *loadMeter
	// gates measures what gates judge; nil: nobody does.
	gates *gateMeter
	// preflight tells how complete green is, from memory; nil: nobody looks.
	preflight func(now time.Time) shift.PreflightReading
	// retire tells whether blue may be deleted, from memory; nil: nobody looks.
	retire func() shift.RetireReading
	// floors and singletons tell how far the clusters are from what is intended, from
	// memory; nil: nobody tends them.
	floors     func() shift.FloorsReading
	singletons func() []shift.SingletonReading
	// notes is what the pair's other parts have to say to those who read the
	// journal; nil: nothing.
	notes func() []string

	mu      sync.Mutex // guards queries and lasting
	queries []query
	// lasting is how long clients keep a connection, by entrance.
	lasting map[string]time.Duration
}

func (o *observer) configure(queries []query) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queries = queries
}

func (o *observer) configureConnections(lasting map[string]time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lasting = lasting
}

// addConnections adds what only the configuration knows of records: AWS can't
// tell what clients do with an answer.
func (o *observer) addConnections(readings []shift.EntranceReading) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, r := range readings {
		if lasting, ok := o.lasting[r.Name]; ok {
			readings[i].Connection = lasting
		}
	}
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
	if o.blueProbes != nil {
		observation.BlueProbes = switcher.ProbeReadings(o.blueProbes.Snapshot())
	}
	var reading sync.WaitGroup
	reading.Go(func() { observation.Traffic = o.measure(ctx, look) })
	if o.preflight != nil {
		observation.Preflight = o.preflight(time.Now())
	}
	if o.retire != nil {
		observation.Retire = o.retire()
	}
	if o.floors != nil {
		observation.Floors = o.floors()
	}
	if o.singletons != nil {
		observation.Singletons = o.singletons()
	}
	if o.notes != nil {
		observation.Notes = o.notes()
	}
	observation.Entrances = o.aws.read(ctx, look.Entrances, look.Attention)
	if o.aws.clockOff != nil {
		observation.ClockOff, observation.LookedAt = o.aws.clockOff(), time.Now()
	}
	o.addConnections(observation.Entrances)
	reading.Wait()
	if o.loads != nil {
		observation.Loads = o.loads.known()
	}
	if o.gates != nil {
		o.gates.observe(look, &observation)
	}
	return observation
}

// measure measures users' traffic, and refreshes what is known of their load. An
// urgent look waits for neither.
func (o *observer) measure(ctx context.Context, look switcher.Look) []shift.TrafficReading {
	wantsLoads := look.Loads && o.loads != nil
	if wantsLoads {
		o.loads.want(look.Past)
	}
	if look.Attention == shift.Urgent {
		if wantsLoads {
			o.loads.nudge(true)
		}
		return nil
	}
	var queries []query
	if !look.MeasureFrom.IsZero() {
		o.mu.Lock()
		queries = o.queries
		o.mu.Unlock()
	}
	var (
		reading sync.WaitGroup
		set     *loadSet
		due     []loadQuery
	)
	if wantsLoads {
		reading.Go(func() { o.loads.await(ctx) })
		set, due = o.loads.due()
	}
	if len(queries) == 0 && len(due) == 0 {
		reading.Wait()
		return nil
	}
	traffic, loads := o.aws.measure(ctx, queries, look.MeasureFrom, due)
	if wantsLoads {
		o.loads.take(set, loads...)
	}
	reading.Wait()
	return traffic
}
