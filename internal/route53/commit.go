package route53

import (
	"context"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Commit carries changes out and answers each, in the order given. Changes of
// one zone and priority share atomic batches, with those of other callers too;
// rollbacks go first.
//
// A rise or planned lowering is written only onto exactly what Expected names,
// and at most once. A rollback reads and writes again until it stands or the
// time is over. Where green has no more than a lowering or rollback wants,
// nothing is written. All of it ends within shift.WriteDeadline, and what waited
// too long for its turn isn't sent any more. Result.At is when AWS acknowledged
// the write, or when it was read back if the acknowledgement was lost.
//
// An entrance that is larger than a batch is written in several, name by name.
// It is Applied only if all are; if some are, the outcome is Unknown.
func (a *Adapter) Commit(ctx context.Context, changes []shift.Change) []shift.Result {
	ctx, cancel := context.WithTimeout(ctx, commitBudget)
	defer cancel()
	results := make([]shift.Result, len(changes))
	zones := map[string][]*swap{}
	for i, c := range changes {
		results[i].Entrance = c.Entrance.Name
		s := &swap{Change: c, ctx: ctx, result: &results[i], bare: map[string]string{}}
		if c.Entrance.Route53 == nil || !c.Wanted.Valid() || c.Restick {
			s.answer(shift.Refused, time.Time{}, "%s of %s is not a change of a Route 53 entrance", c.Wanted, c.Entrance.Name)
			continue
		}
		if c.Priority == shift.Rollback {
			s.ctx = awsapi.Urgent(ctx)
		}
		id := c.Entrance.Route53.HostedZoneID
		zones[id] = append(zones[id], s)
	}
	var wg sync.WaitGroup
	for id, swaps := range zones {
		wg.Go(func() { a.zone(id).commit(swaps) })
	}
	wg.Wait()
	return results
}

func (z *zone) commit(swaps []*swap) {
	byPriority := map[shift.Priority][]*swap{}
	for _, s := range swaps {
		z.register(namesOf(s.entrance()))
		byPriority[s.Priority] = append(byPriority[s.Priority], s)
	}
	z.rollBack(byPriority[shift.Rollback])
	z.swapExpected(byPriority[shift.Lowering])
	z.swapExpected(byPriority[shift.Rise])
}

// submitAll lets the parts of several changes wait for a batch together.
func (z *zone) submitAll(parts [][]*part) {
	var all []*part
	for _, each := range parts {
		all = append(all, each...)
	}
	z.queue.submit(all...)
}
