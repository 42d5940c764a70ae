// Package measure reads from CloudWatch what users see on green, and how much they
// ask of both sides.
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
// # What counts as slow
//
// An answer that took longer than an edge, by TargetResponseTime: how many did is a
// statistic of its own, TC(EDGE:). What was never answered took no time.
//
// # What silence means
//
// CloudWatch publishes a point only while requests flow. A period without
// RequestCount had no requests, and proves nothing; a period with RequestCount
// and without an error point had no errors, but only where CloudWatch calls all
// series complete and they have had time to settle. As a load, silence is no requests: only
// a series that CloudWatch doesn't call complete is unknown.
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

const (
	requestCount = "RequestCount"
	sum          = "Sum"
)

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

// Asked is what to measure at once.
type Asked struct {
	Traffic []Query
	// Since is the time from which samples of Traffic count. Loads look back over
	// their whole window, and over the one before.
	Since time.Time
	Loads []LoadQuery
}

// Answered has one reading for each query, in the order given.
type Answered struct {
	Traffic []shift.TrafficReading
	Loads   []shift.LoadReading
}

// Measure answers everything by one call for all queries of one period, up to 500
// metrics: 4 of each gate and 2 of each load. Only whole periods count; a reading
// of traffic with both bounds zero means that none has passed since. What can't be
// measured whole has its Err set: a part of the truth is no measurement.
func (c *CloudWatch) Measure(ctx context.Context, asked Asked) Answered {
	now := c.now()
	a := Answered{Traffic: make([]shift.TrafficReading, len(asked.Traffic)), Loads: make([]shift.LoadReading, len(asked.Loads))}
	var open []*question
	for i, q := range asked.Traffic {
		if one := c.traffic(q, asked.Since, now, &a.Traffic[i]); one != nil {
			open = append(open, one)
		}
	}
	for i, q := range asked.Loads {
		if one := c.load(q, now, &a.Loads[i]); one != nil {
			open = append(open, one)
		}
	}
	c.ask(ctx, open)
	return a
}

// span is the time that a query looks at.
type span struct{ window, period, settle time.Duration }

func (s span) validate(what string) error {
	switch {
	case s.period < time.Second || s.period%time.Second != 0:
		return fmt.Errorf("%s: period %s is not in whole seconds", what, s.period)
	case s.window < s.period:
		return fmt.Errorf("%s: window %s is shorter than the period %s", what, s.window, s.period)
	case s.settle < 0:
		return fmt.Errorf("%s: settle %s is negative", what, s.settle)
	}
	return nil
}

// freshFor is the age up to which the end of what was measured counts.
func (s span) freshFor() time.Duration { return s.window + s.settle + 2*s.period }

// between gives the whole periods that lie between since and now. since is rounded
// up: a period that began before it holds samples of the former share.
func (s span) between(since, now time.Time) (from, to time.Time) {
	to = now.Add(-s.settle).Truncate(s.period)
	from = to.Add(-s.window.Truncate(s.period))
	if since.After(from) {
		from = since.Truncate(s.period)
		if from.Before(since) {
			from = from.Add(s.period)
		}
	}
	return from.UTC(), to.UTC()
}
