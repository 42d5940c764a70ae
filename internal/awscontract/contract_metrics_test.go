package awscontract

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/measure"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
	"github.com/clusterswitch/clusterswitch/switcher/evidence"
)

// counted is one side's requests of a minute.
type counted struct{ answers, errors int }

// metricContracts are what gates rely on that count at CloudWatch.
func metricContracts() []contract {
	return []contract{{
		name:      "requests and errors of both target groups are told minute by minute, and a minute without any is none",
		notOnMoto: "it doesn't speak smithy's RPC v2 in CBOR, the only protocol of today's SDK for CloudWatch",
		holds: func(t *testing.T, b *backend) {
			client := cloudwatch.NewFromConfig(b.config)
			last := time.Now().UTC().Truncate(time.Minute).Add(-3 * time.Minute)
			group := func(side string) measure.Group {
				return measure.Group{LoadBalancer: "app/" + b.unique + "/0123456789abcdef", TargetGroup: "targetgroup/" + b.unique + side + "/0123456789abcdef"}
			}
			for minute, sides := range map[int]map[string]counted{0: {"blue": {90, 1}, "green": {10, 2}}, 2: {"blue": {80, 0}}} {
				for side, had := range sides {
					b.hadRequests(group(side), last.Add(time.Duration(minute-2)*time.Minute), had)
				}
			}
			got, err := measure.New(measure.Options{API: client}).Requests(t.Context(), measure.RequestQuery{
				Gate: "users", Blue: group("blue"), Green: group("green"), Period: time.Minute,
				From: last.Add(-2 * time.Minute), To: last.Add(time.Minute),
			})
			var want []evidence.Interval
			for minute, n := range [][2]evidence.Count{{{Requests: 90, Bad: 1}, {Requests: 10, Bad: 2}}, {}, {{Requests: 80}, {}}} {
				at := last.Add(time.Duration(minute-2) * time.Minute)
				want = append(want, evidence.Interval{Start: at, End: at.Add(time.Minute), Blue: n[:1], Green: n[1:]})
			}
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("counted, %v (-want +got):\n%s", err, diff)
			}
		},
	}}
}

// hadRequests lets a target group have had requests in a minute, as its load balancer
// would tell.
func (b *backend) hadRequests(g measure.Group, at time.Time, had counted) {
	for i := range had.answers {
		status := 200
		if i < had.errors {
			status = 503
		}
		b.cloud.RecordRequest(routing.Request{
			At: at, Status: status, FromTarget: true, Duration: 20 * time.Millisecond,
			LoadBalancerARN: fmt.Sprintf("arn:aws:elasticloadbalancing:%s:123456789012:loadbalancer/%s", region, g.LoadBalancer),
			TargetGroupARN:  fmt.Sprintf("arn:aws:elasticloadbalancing:%s:123456789012:%s", region, g.TargetGroup),
		})
	}
}
