package elb_test

import (
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// BenchmarkRollback measures a rollback: up to AWS's acknowledgement of the
// weights (ack-ns/op) and with the mark and the reading back (ns/op), beside
// the floor of one raw ModifyRule.
func BenchmarkRollback(b *testing.B) {
	b.Run("adapter", func(b *testing.B) {
		w := newWorld(b, 50, false)
		a := w.adapter()
		var acknowledged time.Duration
		for b.Loop() {
			b.StopTimer()
			must[*sdk.ModifyRuleOutput](b)(w.client.ModifyRule(b.Context(), &sdk.ModifyRuleInput{RuleArn: &w.arn, Actions: w.actions(shift.Weights{Blue: 50, Green: 50}, false)}))
			c := w.change(w.read(b, a), 0, shift.Rollback)
			b.StartTimer()
			started := time.Now()
			got := a.Commit(b.Context(), []shift.Change{c})[0]
			if got.Outcome != shift.Applied {
				b.Fatalf("got %+v", got)
			}
			acknowledged += got.At.Sub(started)
		}
		b.ReportMetric(float64(acknowledged)/float64(b.N), "ack-ns/op")
	})
	b.Run("one raw call", func(b *testing.B) {
		w := newWorld(b, 50, false)
		in := &sdk.ModifyRuleInput{RuleArn: &w.arn, Actions: w.actions(shift.Weights{Blue: 50, Green: 50}, false)}
		for b.Loop() {
			must[*sdk.ModifyRuleOutput](b)(w.client.ModifyRule(b.Context(), in))
		}
	})
}
