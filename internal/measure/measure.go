// Package measure reads what users see on green from CloudWatch.
//
// # What counts as an error
//
// HTTPCode_Target_5XX_Count, the server errors that targets answer, plus
// TargetConnectionErrorCount, the connections to targets that could not be
// made: the load balancer counts such a request in RequestCount and answers it
// with 502 or 504 itself. Without the second, a green that refuses every
// connection would look flawless. HTTPCode_ELB_5XX_Count isn't used: it exists
// per load balancer only, so it can't tell green's errors from blue's.
//
// A request that the target never answers is in neither: the client gives up, or
// the load balancer does after its idle timeout. It isn't counted as an error,
// since clients also leave sound services, but not as a good request either: only
// answered ones (the samples of TargetResponseTime) and connections that failed
// are counted. So a green that hangs passes no gate, for want of requests.
//
// # What silence means
//
// CloudWatch publishes a point only while requests flow. A period without
// RequestCount had no requests, and proves nothing; a period with RequestCount
// and without an error point had no errors.
//
// Metrics and dimensions:
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
package measure

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// API is what is needed of the CloudWatch client.
type API interface {
	GetMetricData(context.Context, *cloudwatch.GetMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error)
}

// Query asks for the traffic of one green target group.
type Query struct {
	// Gate is the traffic gate that the reading is for.
	Gate string
	// LoadBalancer and TargetGroup are CloudWatch's dimension values, the ends of
	// the ARNs: app/NAME/ID and targetgroup/NAME/ID.
	LoadBalancer string
	TargetGroup  string
	// Window is how much time is measured, at least one Period.
	Window time.Duration
	// Period is the width of one point: whole seconds, 60 s or a multiple of it
	// for what ELB publishes.
	Period time.Duration
	// Settle is how old a point must be before it counts: CloudWatch still adds
	// to younger ones. 2 to 3 minutes for ELB.
	Settle time.Duration
}

// Options makes a CloudWatch.
type Options struct {
	API API
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// CallTimeout bounds one measurement, the SDK's repetitions included; zero: 10 s.
	CallTimeout time.Duration
}

const defaultCallTimeout = 10 * time.Second

// CloudWatch measures users' traffic by GetMetricData.
type CloudWatch struct {
	api         API
	now         func() time.Time
	callTimeout time.Duration
}

// New makes a CloudWatch.
func New(o Options) *CloudWatch {
	c := &CloudWatch{api: o.API, now: o.Now, callTimeout: o.CallTimeout}
	if c.now == nil {
		c.now = time.Now
	}
	if c.callTimeout <= 0 {
		c.callTimeout = defaultCallTimeout
	}
	return c
}

// Measure answers every query with one reading, in the order given, by one call
// for all queries of one period (up to 125). Only whole periods between since and now count; a
// reading with both bounds zero means that none has passed yet. What can't be
// measured whole has its Err set: a part of the truth is no measurement.
func (c *CloudWatch) Measure(ctx context.Context, queries []Query, since time.Time) []shift.TrafficReading {
	now := c.now()
	readings := make([]shift.TrafficReading, len(queries))
	var asked []*question
	for i, q := range queries {
		readings[i] = shift.TrafficReading{Gate: q.Gate, At: now, FreshFor: q.Window + q.Settle + 2*q.Period}
		if err := q.validate(); err != nil {
			readings[i].Err = err.Error()
			continue
		}
		from, to := q.span(since, now)
		if !from.Before(to) {
			continue
		}
		asked = append(asked, &question{query: q, from: from, to: to, reading: &readings[i]})
	}
	c.ask(ctx, asked)
	return readings
}

func (q Query) validate() error {
	switch {
	case q.LoadBalancer == "" || q.TargetGroup == "":
		return fmt.Errorf("gate %s names no load balancer and target group", q.Gate)
	case q.Period < time.Second || q.Period%time.Second != 0:
		return fmt.Errorf("gate %s: period %s is not in whole seconds", q.Gate, q.Period)
	case q.Window < q.Period:
		return fmt.Errorf("gate %s: window %s is shorter than the period %s", q.Gate, q.Window, q.Period)
	case q.Settle < 0:
		return fmt.Errorf("gate %s: settle %s is negative", q.Gate, q.Settle)
	}
	return nil
}

// span gives the whole periods that lie between since and now. since is rounded
// up: a period that began before it holds samples of the former share.
func (q Query) span(since, now time.Time) (from, to time.Time) {
	to = now.Add(-q.Settle).Truncate(q.Period)
	from = to.Add(-q.Window.Truncate(q.Period))
	if since.After(from) {
		from = since.Truncate(q.Period)
		if from.Before(since) {
			from = from.Add(q.Period)
		}
	}
	return from.UTC(), to.UTC()
}
