package route53_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/internal/route53"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// BenchmarkRollback measures a rollback from the decision to AWS's
// acknowledgement, beside the floor: the same number of records in one raw call.
func BenchmarkRollback(b *testing.B) {
	b.Run("adapter", func(b *testing.B) {
		w := newWorld(b, 50)
		// A loop of rollbacks would be a burst, and gathered as such.
		a := route53.New(route53.Options{API: w.client, Now: w.clock, Gather: -1})
		for b.Loop() {
			b.StopTimer()
			w.put(b, types.ChangeActionUpsert, "shop", "green", 50)
			c := w.change(w.read(b, a, "shop"), 0, 2, shift.Rollback)
			b.StartTimer()
			if got := a.Commit(b.Context(), []shift.Change{c})[0]; got.Outcome != shift.Applied {
				b.Fatalf("got %+v", got)
			}
		}
	})
	b.Run("one raw call", func(b *testing.B) {
		w := newWorld(b, 50)
		var changes []types.Change
		for _, id := range []string{"a", "b", "c", "d", "e", "f"} {
			changes = append(changes, types.Change{Action: types.ChangeActionUpsert, ResourceRecordSet: &types.ResourceRecordSet{
				Name: aws.String("raw.example.com"), Type: types.RRTypeA, SetIdentifier: &id, Weight: aws.Int64(1), TTL: aws.Int64(10),
				ResourceRecords: []types.ResourceRecord{{Value: aws.String("192.0.2.1")}},
			}})
		}
		in := &sdk.ChangeResourceRecordSetsInput{HostedZoneId: &w.zone, ChangeBatch: &types.ChangeBatch{Changes: changes}}
		for b.Loop() {
			if _, err := w.client.ChangeResourceRecordSets(b.Context(), in); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkAThousandPairs measures what a thousand pairs of one zone cost
// together, each with a loop of its own: reading all of them, and rolling all of
// them back, beside the fewest batches that Route 53's limits allow.
func BenchmarkAThousandPairs(b *testing.B) {
	const pairs = 1000
	w := newWorld(b, 0)
	var entrances []shift.Entrance
	var sets []types.ResourceRecordSet
	for i := range pairs {
		name := fmt.Sprintf("p%d", i)
		entrances = append(entrances, w.entrance(name))
		sets = append(sets, values(name, types.RRTypeA, "blue", 50, "192.0.2.1"), values(name, types.RRTypeA, "green", 50, "192.0.2.2"))
	}
	w.send(b, types.ChangeActionCreate, sets...)
	a := w.adapter()
	each := func(do func(i int)) {
		var wg sync.WaitGroup
		for i := range entrances {
			wg.Go(func() { do(i) })
		}
		wg.Wait()
	}
	readings := make([]shift.EntranceReading, pairs)
	read := func() { each(func(i int) { readings[i] = a.Read(b.Context(), entrances[i:i+1], shift.Watching)[0] }) }
	calls := func(operation string) (n int) {
		for _, c := range w.cloud.Calls() {
			if c.Operation == operation {
				n++
			}
		}
		return n
	}
	read()
	b.Run("reading", func(b *testing.B) {
		before := calls("ListResourceRecordSets")
		for b.Loop() {
			read()
		}
		b.ReportMetric(float64(calls("ListResourceRecordSets")-before)/float64(b.N), "calls/op")
	})
	b.Run("rolling back", func(b *testing.B) {
		version, batches := int64(1), 0
		var fewest int
		for b.Loop() {
			b.StopTimer()
			for i := range sets {
				sets[i].Weight = aws.Int64(50)
			}
			w.send(b, types.ChangeActionUpsert, sets...)
			read()
			version++
			before := calls("ChangeResourceRecordSets")
			b.StartTimer()
			each(func(i int) {
				c := w.change(readings[i], 0, version, shift.Rollback)
				if got := a.Commit(b.Context(), []shift.Change{c})[0]; got.Outcome != shift.Applied {
					b.Errorf("got %+v", got)
				}
			})
			b.StopTimer()
			batches += calls("ChangeResourceRecordSets") - before
			fewest = route53.FewestBatches(slices.Repeat([]route53.BatchSize{{Records: 6, Characters: 36 + 2*len(`""`+shift.Mark{Attempt: 1, Epoch: 1, Version: version, Phase: shift.Shifting, Rollback: true}.String())}}, pairs))
			b.StartTimer()
		}
		b.ReportMetric(float64(batches)/float64(b.N), "batches/op")
		b.ReportMetric(float64(fewest), "fewest")
	})
}
