package app

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/measure"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// place is where an adapter works: as whom, and in which region. An empty role
// is the daemon's own identity, an empty region that of the configuration.
type place struct{ role, region string }

// adapters makes the adapters of one place.
type adapters struct {
	route53 func(place) entrances
	elb     func(place) entrances
	meter   func(place) meter
}

// aws is the daemon's way to AWS: it sends each entrance to the adapter of its
// kind and place, which all pairs share, and joins the answers in the order of
// the question. It is a switcher.Committer.
type aws struct {
	adapters adapters
	// clockOff is by how much this process's clock is off AWS's; nil: nobody knows.
	clockOff func() time.Duration

	mu        sync.Mutex // guards all below
	zones     map[place]entrances
	balancers map[place]entrances
	meters    map[place]meter
}

func newAWS(a adapters) *aws {
	return &aws{adapters: a, zones: map[place]entrances{}, balancers: map[place]entrances{}, meters: map[place]meter{}}
}

// timed lets readings tell of a wrong clock.
func (a *aws) timed(off func() time.Duration) *aws {
	a.clockOff = off
	return a
}

// of gives the adapter of an entrance. Route 53 has one region for all.
func (a *aws) of(e shift.Entrance) entrances {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case e.Balancer != nil:
		return made(a.balancers, place{e.Balancer.RoleARN, e.Balancer.Region()}, a.adapters.elb)
	case e.Route53 != nil:
		return made(a.zones, place{role: e.Route53.RoleARN}, a.adapters.route53)
	}
	return unknownKind{}
}

// balancersAt gives the adapter of a place's load balancers.
func (a *aws) balancersAt(p place) entrances {
	a.mu.Lock()
	defer a.mu.Unlock()
	return made(a.balancers, p, a.adapters.elb)
}

func (a *aws) meterOf(p place) meter {
	a.mu.Lock()
	defer a.mu.Unlock()
	return made(a.meters, p, a.adapters.meter)
}

// made gives what was made for a place, and makes it at the first time.
func made[T any](had map[place]T, p place, open func(place) T) T {
	it, ok := had[p]
	if !ok {
		it = open(p)
		had[p] = it
	}
	return it
}

// split tells the adapters and, for each, which places of the list are its own.
func (a *aws) split(n int, entrance func(int) shift.Entrance) map[entrances][]int {
	own := map[entrances][]int{}
	for i := range n {
		adapter := a.of(entrance(i))
		own[adapter] = append(own[adapter], i)
	}
	return own
}

func (a *aws) read(ctx context.Context, list []shift.Entrance, attention shift.Attention) []shift.EntranceReading {
	readings := make([]shift.EntranceReading, len(list))
	each(a.split(len(list), func(i int) shift.Entrance { return list[i] }), func(adapter entrances, own []int) {
		for k, r := range adapter.Read(ctx, pick(list, own), attention) {
			readings[own[k]] = r
		}
	})
	return readings
}

// Commit sends the changes of all kinds and places out at the same time: a
// rollback doesn't wait at one service for the other.
func (a *aws) Commit(ctx context.Context, changes []shift.Change) []shift.Result {
	results := make([]shift.Result, len(changes))
	each(a.split(len(changes), func(i int) shift.Entrance { return changes[i].Entrance }), func(adapter entrances, own []int) {
		for k, r := range adapter.Commit(ctx, pick(changes, own)) {
			results[own[k]] = r
		}
	})
	return results
}

// query is what to measure, and where.
type query struct {
	place
	measure.Query
}

// measure asks every place for what it can tell, side by side. Gates and loads of
// one place go together.
func (a *aws) measure(ctx context.Context, queries []query, since time.Time, loads []loadQuery) ([]shift.TrafficReading, []shift.LoadReading) {
	traffic, load := make([]shift.TrafficReading, len(queries)), make([]shift.LoadReading, len(loads))
	own := map[place][]int{} // indexes of queries, and behind them those of loads
	for i, q := range queries {
		own[q.place] = append(own[q.place], i)
	}
	for i, q := range loads {
		own[q.place] = append(own[q.place], len(queries)+i)
	}
	each(own, func(p place, own []int) {
		asked, first := measure.Asked{Since: since}, len(own)
		for k, i := range own {
			if i < len(queries) {
				asked.Traffic = append(asked.Traffic, queries[i].Query)
				continue
			}
			asked.Loads, first = append(asked.Loads, loads[i-len(queries)].LoadQuery), min(first, k)
		}
		answered := a.meterOf(p).Measure(ctx, asked)
		for k, r := range answered.Traffic {
			traffic[own[k]] = r
		}
		for k, r := range answered.Loads {
			load[own[first+k]-len(queries)] = r
		}
	})
	return traffic, load
}

// each runs one question for each key side by side and waits for all.
func each[K comparable](own map[K][]int, run func(K, []int)) {
	var running sync.WaitGroup
	for key, places := range own {
		running.Go(func() { run(key, places) })
	}
	running.Wait()
}

func pick[T any](list []T, own []int) []T {
	picked := make([]T, len(own))
	for k, i := range own {
		picked[k] = list[i]
	}
	return picked
}

// unknownKind answers for an entrance that a newer daemon froze and this one
// doesn't know.
type unknownKind struct{}

const kindUnknown = "this version of clusterswitch doesn't know its kind"

// Read says of each that it can't be read.
func (unknownKind) Read(_ context.Context, list []shift.Entrance, _ shift.Attention) []shift.EntranceReading {
	readings := make([]shift.EntranceReading, len(list))
	for i, e := range list {
		readings[i] = shift.EntranceReading{Name: e.Name, Err: kindUnknown}
	}
	return readings
}

// Commit refuses.
func (unknownKind) Commit(_ context.Context, changes []shift.Change) []shift.Result {
	results := make([]shift.Result, len(changes))
	for i, c := range changes {
		results[i] = shift.Result{Entrance: c.Entrance.Name, Outcome: shift.Refused, Note: kindUnknown}
	}
	return results
}

// Runbook knows no commands.
func (unknownKind) Runbook(shift.Entrance) ([]string, error) { return nil, errors.New(kindUnknown) }
