package route53

import (
	"context"
	"sync"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Read reads the entrances, each as one reading in the order given. What can't
// be read or must not be touched has its Err set to a sentence that says what
// to do.
//
// Reads of one zone share its listings: a page of 300 records answers for every
// name on it, for all pairs that ask while it is on its way and for a moment
// longer (Options.Reuse). No listing answers that began before the last write of
// the names ended.
func (a *Adapter) Read(ctx context.Context, entrances []shift.Entrance, attention shift.Attention) []shift.EntranceReading {
	readings := make([]shift.EntranceReading, len(entrances))
	places := map[string][]int{}
	for i, e := range entrances {
		if e.Route53 == nil {
			readings[i] = shift.EntranceReading{Name: e.Name, Err: "it is not a Route 53 entrance"}
			continue
		}
		places[e.Route53.HostedZoneID] = append(places[e.Route53.HostedZoneID], i)
	}
	var wg sync.WaitGroup
	for id, own := range places {
		wg.Go(func() { a.zone(id).read(ctx, entrances, own, attention, readings) })
	}
	wg.Wait()
	return readings
}

// read fills in the readings of those entrances that are in the zone.
func (z *zone) read(ctx context.Context, entrances []shift.Entrance, own []int, attention shift.Attention, readings []shift.EntranceReading) {
	var names []string
	for _, i := range own {
		names = append(names, namesOf(*entrances[i].Route53)...)
	}
	z.register(names)
	w, l := z.fresh(attention), &z.calm
	if attention == shift.Urgent {
		ctx, l = awsapi.Urgent(ctx), &z.urgent
	}
	var wg sync.WaitGroup
	var waiting map[string]error
	wg.Go(func() { waiting = z.unsynced(ctx, names, w) })
	knew := z.unordered()
	seen := z.look(ctx, l, names, w)
	wg.Wait()
	owners, unknown := z.registry(ctx, attention != shift.Urgent)
	if !knew && z.unordered() { // the scan found what the listings' pages didn't show
		seen = z.look(ctx, l, names, w)
	}
	for _, i := range own {
		p, err := pictureOf(*entrances[i].Route53, seen)
		if err != nil {
			readings[i] = shift.EntranceReading{Name: entrances[i].Name, Err: err.Error()}
			continue
		}
		readings[i] = p.reading(entrances[i])
		settle(&readings[i], *entrances[i].Route53, waiting, z.heard)
		// A rollback's Read doesn't wait for the owner: what isn't known then stops
		// no way back, and Commit lets nothing rise whose owner isn't known.
		switch r := &readings[i]; {
		case owners != nil:
			r.Owner = owners.owner(*entrances[i].Route53)
		case r.Err == "" && attention != shift.Urgent:
			r.Err = unknown.Error()
		}
	}
}

// settle says whether the entrance's changes are in sync: all of them are.
func settle(r *shift.EntranceReading, e shift.Route53Entrance, waiting map[string]error, heard func(name string) bool) {
	r.InSync = r.Err == ""
	for _, n := range namesOf(e) {
		err, pending := waiting[n]
		r.InSync = r.InSync && !pending
		r.SyncUnheard = r.SyncUnheard || !heard(n)
		if err != nil && r.Err == "" {
			r.Err = err.Error()
		}
	}
}
