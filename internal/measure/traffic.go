package measure

import (
	"fmt"
	"math"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

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

func (q Query) validate() error {
	if q.LoadBalancer == "" || q.TargetGroup == "" {
		return fmt.Errorf("gate %s names no load balancer and target group", q.Gate)
	}
	return q.span().validate("gate " + q.Gate)
}

func (q Query) span() span { return span{q.Window, q.Period, q.Settle} }

// The metrics of a traffic gate, in the order of their series.
const (
	requests = iota
	serverErrors
	connectionErrors
	answers
	metrics
)

func metricNames() [metrics]string {
	return [metrics]string{requestCount, "HTTPCode_Target_5XX_Count", "TargetConnectionErrorCount", "TargetResponseTime"}
}

// statistic is how a metric is summed up. Each answer of a target is one sample
// of its response time, so their number is the number of answers.
func statistic(metric int) string {
	if metric == answers {
		return "SampleCount"
	}
	return sum
}

// traffic makes the question of one gate. nil: there is nothing to ask; then the
// reading says why, or has both bounds zero.
func (c *CloudWatch) traffic(q Query, since, now time.Time, r *shift.TrafficReading) *question {
	*r = shift.TrafficReading{Gate: q.Gate, At: now, FreshFor: q.span().freshFor()}
	if err := q.validate(); err != nil {
		r.Err = err.Error()
		return nil
	}
	from, to := q.span().between(since, now)
	if !from.Before(to) {
		return nil
	}
	asked := &question{period: q.Period, from: from, to: to, failed: func(why string) { r.Err = why }}
	for m, name := range metricNames() {
		asked.series = append(asked.series, series{metric: name, statistic: statistic(m), loadBalancer: q.LoadBalancer, targetGroup: q.TargetGroup})
	}
	asked.counted = func() { asked.countTraffic(r) }
	return asked
}

// countTraffic sums the points of the whole periods asked for.
func (q *question) countTraffic(r *shift.TrafficReading) {
	asked, failed := 0.0, 0.0
	for at := q.from; at.Before(q.to); at = at.Add(q.period) {
		n, bad := q.answered(0, at)
		asked += n
		failed += bad
	}
	if failed > asked { // one such period among others keeps nobody from going back
		r.Err = contradiction(q.from, asked, failed)
		return
	}
	r.From, r.To = q.from, q.to
	r.Requests, r.Errors = int(math.Round(asked)), int(math.Round(failed))
}

// contradiction says that one of a period's metrics isn't told whole, or not yet.
func contradiction(at time.Time, asked, failed float64) string {
	return fmt.Sprintf("CloudWatch tells of %.0f errors in %.0f requests in the period from %s", failed, asked, at.Format(time.TimeOnly))
}

// answered counts one period of the target group whose series begin at first: the
// requests, and those that failed. A request that neither was answered nor failed
// to connect says nothing, so it isn't counted at all.
func (q *question) answered(first int, at time.Time) (asked, failed float64) {
	n, server, answered := q.series[first+requests].points[at], q.series[first+serverErrors].points[at], q.series[first+answers].points[at]
	// A request may be answered in the period after the one that it came in: then
	// there are more answers than requests.
	if server > n && answered >= server {
		n = answered
	}
	// One request may try several connections: they count for no more than
	// the requests that no target answered with an error.
	refused := min(q.series[first+connectionErrors].points[at], max(0, n-server))
	return min(n, max(server, answered)+refused), server + refused
}
