package aws_test

import (
	"testing"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

// BenchmarkSwap is the floor of a Route 53 rollback: one swap of both members by
// the raw SDK.
func BenchmarkSwap(b *testing.B) {
	w := newWorld(b, aws.Options{})
	zone := seedZone(b, w)
	share := int64(0)
	for b.Loop() {
		next := 100 - share
		err := w.change(b, zone,
			remove(weighted("shop.example.com", "blue", 100-share, "192.0.2.1")), remove(weighted("shop.example.com", "green", share, "192.0.2.2")),
			create(weighted("shop.example.com", "blue", 100-next, "192.0.2.1")), create(weighted("shop.example.com", "green", next, "192.0.2.2")),
		)
		if err != nil {
			b.Fatal(err)
		}
		share = next
	}
}

// BenchmarkModifyRule is the floor of an ALB rollback: one ModifyRule by the raw SDK.
func BenchmarkModifyRule(b *testing.B) {
	e := newEntrance(b, newWorld(b, aws.Options{}))
	weight := int32(0)
	for b.Loop() {
		weight = 100 - weight
		if err := e.modify(b, forward(share{e.blue, 100 - weight}, share{e.green, weight})); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRecordSets is what each DNS query costs here.
func BenchmarkRecordSets(b *testing.B) {
	w := newWorld(b, aws.Options{})
	seedZone(b, w)
	for b.Loop() {
		if len(w.RecordSets("shop.example.com.", "A")) != 2 {
			b.Fatal("the pair isn't published")
		}
	}
}
