package aws

import (
	"fmt"
	"testing"
	"time"
)

// TestABatchCostsNoMoreInALargeZone: planning touches the names of the batch
// only, and a page of a listing is cut out of an order that is kept.
func TestABatchCostsNoMoreInALargeZone(t *testing.T) {
	costs := func(names int) (plan, page float64) {
		z := newHostedZone("Z1", "example.com.", xmlZoneRequest{})
		weight := int64(1)
		set := func(i int) recordSet {
			return recordSet{name: fmt.Sprintf("n%d.example.com.", i), typ: "A", id: "blue", weight: &weight, ttl: 60, values: []string{"192.0.2.1"}}
		}
		run := func(changes ...change) *batchPlan {
			p := &batchPlan{zone: z, touched: map[string][]recordSet{}}
			if err := p.run(changes); err != nil {
				t.Fatal(err)
			}
			return p
		}
		for i := range names {
			z.sets.apply(z.id, run(change{"CREATE", set(i)}).touched)
		}
		plan = testing.AllocsPerRun(20, func() {
			z.sets.apply(z.id, run(change{"DELETE", set(1)}, change{"CREATE", set(1)}).touched)
		})
		page = testing.AllocsPerRun(20, func() { z.sets.page(recordSet{}, 10) })
		return plan, page
	}
	smallPlan, smallPage := costs(20)
	largePlan, largePage := costs(2000)
	// A map's own growth may take one or two more; the names of the zone would take thousands.
	const few = 3
	if largePlan > smallPlan+few || largePage > smallPage+few {
		t.Errorf("a batch allocates %v times and a page %v in a large zone, %v and %v in a small one", largePlan, largePage, smallPlan, smallPage)
	}
}

// BenchmarkPlan is what a batch of 1,000 records costs without HTTP and XML, in
// a zone of 3,000 record sets, published and all.
func BenchmarkPlan(b *testing.B) {
	s := newDNSStore(Options{Now: time.Now}.withDefaults(), &idSource{}, newELBStore(Options{}.withDefaults(), &idSource{}, nil))
	z := newHostedZone("Z1", "example.com.", xmlZoneRequest{})
	weights := []int64{0, 100}
	set := func(i int, id string, weight int64) recordSet {
		return recordSet{name: fmt.Sprintf("n%d.example.com.", i), typ: "A", id: id, weight: &weight, ttl: 60, values: []string{"192.0.2.1"}}
	}
	run := func(changes []change) {
		p := &batchPlan{zone: z, balancer: s.balancers.named, touched: map[string][]recordSet{}}
		if err := p.run(changes); err != nil {
			b.Fatal(err)
		}
		z.sets.apply(z.id, p.touched)
		var touched []string
		for name := range p.touched {
			touched = append(touched, name)
		}
		s.publishLocked(z, touched, time.Now())
	}
	for i := range 1000 {
		run([]change{{"CREATE", set(i, "blue", weights[0])}, {"CREATE", set(i, "green", weights[1])}, {"CREATE", set(i, "third", 0)}})
	}
	turn := 0
	for b.Loop() {
		var batch []change
		was, is := weights[turn%2], weights[(turn+1)%2]
		for i := range 250 {
			batch = append(batch, change{"DELETE", set(i, "blue", was)}, change{"DELETE", set(i, "green", is)},
				change{"CREATE", set(i, "blue", is)}, change{"CREATE", set(i, "green", was)})
		}
		run(batch)
		turn++
	}
}
