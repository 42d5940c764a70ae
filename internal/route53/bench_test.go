package route53_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// BenchmarkRollback measures a rollback from the decision to AWS's
// acknowledgement, beside the floor: the same number of records in one raw call.
func BenchmarkRollback(b *testing.B) {
	b.Run("adapter", func(b *testing.B) {
		w := newWorld(b, 50)
		a := w.adapter()
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
