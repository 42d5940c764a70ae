package elb_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

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

// BenchmarkThousandRules rolls the rules of 1,000 pairs back at once at an AWS
// that takes as many calls as come, and looks at them all while they rest. It
// gives the time until all weights stood (weights-s/op), until all else was
// written too (all-s/op), and the calls of one look at all pairs (calls/look).
func BenchmarkThousandRules(b *testing.B) {
	const n = 1000
	w := newWorld(b, 50, false)
	entrances := w.manyRules(b, n)
	var weights, all time.Duration
	calls := 0
	for b.Loop() {
		b.StopTimer()
		a := w.adapter()
		a.Read(b.Context(), entrances, shift.Resting)
		time.Sleep(1100 * time.Millisecond) // beyond what may be reused
		before := len(w.cloud.Calls())
		each(entrances, func(e shift.Entrance) { a.Read(b.Context(), []shift.Entrance{e}, shift.Resting) })
		calls += len(w.cloud.Calls()) - before
		b.StartTimer()
		began := time.Now()
		var mu sync.Mutex
		var last time.Time
		each(entrances, func(e shift.Entrance) {
			c := w.change(a.Read(b.Context(), []shift.Entrance{e}, shift.Urgent)[0], 0, shift.Rollback)
			c.Entrance = e
			got := a.Commit(b.Context(), []shift.Change{c})[0]
			mu.Lock()
			defer mu.Unlock()
			if got.Outcome != shift.Applied {
				b.Errorf("got %+v", got)
			}
			if got.At.After(last) {
				last = got.At
			}
		})
		weights += last.Sub(began)
		all += time.Since(began)
		b.StopTimer()
		each(entrances, func(e shift.Entrance) {
			own := *w
			own.arn, own.blue, own.green = e.Balancer.RuleARN, e.Balancer.BlueTargetGroupARN, e.Balancer.GreenTargetGroupARN
			own.modify(b, shift.Share(50).Weights(), false)
		})
		b.StartTimer()
	}
	b.ReportMetric(weights.Seconds()/float64(b.N), "weights-s/op")
	b.ReportMetric(all.Seconds()/float64(b.N), "all-s/op")
	b.ReportMetric(float64(calls)/float64(b.N), "calls/look")
}

// each does something for all entrances side by side, as the pairs' loops do.
func each(entrances []shift.Entrance, do func(shift.Entrance)) {
	var loops sync.WaitGroup
	for _, e := range entrances {
		loops.Go(func() { do(e) })
	}
	loops.Wait()
}

// manyRules makes load balancers of 100 rules each, all between the same groups
// on each.
func (w *world) manyRules(b *testing.B, n int) []shift.Entrance {
	b.Helper()
	var entrances []shift.Entrance
	var listener string
	blue, green := w.blue, w.green
	for i := range n {
		if i%100 == 0 {
			name := fmt.Sprintf("web-%d", i/100)
			w.blue, w.green = w.group(b, name+"-blue"), w.group(b, name+"-green")
			balancer := must[*sdk.CreateLoadBalancerOutput](b)(w.client.CreateLoadBalancer(b.Context(), &sdk.CreateLoadBalancerInput{Name: &name, Subnets: []string{"subnet-a", "subnet-c"}}))
			listener = *must[*sdk.CreateListenerOutput](b)(w.client.CreateListener(b.Context(), &sdk.CreateListenerInput{
				LoadBalancerArn: balancer.LoadBalancers[0].LoadBalancerArn, Protocol: types.ProtocolEnumHttps, Port: aws.Int32(443),
				Certificates:   []types.Certificate{{CertificateArn: aws.String("arn:aws:acm:ap-northeast-1:123456789012:certificate/1")}},
				DefaultActions: []types.Action{{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: aws.String("404")}}},
			})).Listeners[0].ListenerArn
		}
		e := w.entrance()
		e.Name = fmt.Sprintf("web-%d", i)
		e.Balancer.RuleARN = w.newRule(b, listener, int32(i%100+1), shift.Share(50).Weights(), false)
		entrances = append(entrances, e)
	}
	w.blue, w.green = blue, green
	return entrances
}
