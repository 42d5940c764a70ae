package app

import (
	"context"
	"sync"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// aws is the pair's way to AWS: it sends each entrance to the adapter of its
// kind and joins the answers in the order of the question. It is a
// switcher.Committer.
type aws struct {
	route53 entrances
	elb     entrances
	meter   meter
}

// split tells the adapters and, for each, which places of the list are its own.
func (a aws) split(n int, isALB func(int) bool) map[entrances][]int {
	places := map[entrances][]int{}
	for i := range n {
		adapter := a.route53
		if isALB(i) {
			adapter = a.elb
		}
		places[adapter] = append(places[adapter], i)
	}
	return places
}

func (a aws) read(ctx context.Context, list []shift.Entrance, attention shift.Attention) []shift.EntranceReading {
	readings := make([]shift.EntranceReading, len(list))
	each(a.split(len(list), func(i int) bool { return list[i].Balancer != nil }), func(adapter entrances, places []int) {
		for k, r := range adapter.Read(ctx, pick(list, places), attention) {
			readings[places[k]] = r
		}
	})
	return readings
}

// Commit sends the changes of both kinds out at the same time: a rollback
// doesn't wait at one service for the other.
func (a aws) Commit(ctx context.Context, changes []shift.Change) []shift.Result {
	results := make([]shift.Result, len(changes))
	each(a.split(len(changes), func(i int) bool { return changes[i].Entrance.Balancer != nil }), func(adapter entrances, places []int) {
		for k, r := range adapter.Commit(ctx, pick(changes, places)) {
			results[places[k]] = r
		}
	})
	return results
}

// each runs the adapters side by side and waits for all.
func each(places map[entrances][]int, run func(entrances, []int)) {
	var running sync.WaitGroup
	for adapter, own := range places {
		running.Go(func() { run(adapter, own) })
	}
	running.Wait()
}

func pick[T any](list []T, places []int) []T {
	picked := make([]T, len(places))
	for k, i := range places {
		picked[k] = list[i]
	}
	return picked
}
