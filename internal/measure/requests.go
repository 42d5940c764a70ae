package measure

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/evidence"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// RequestQuery asks for the requests of both sides, period by period.
type RequestQuery struct {
	// Gate is the request gate that it is for.
	Gate string
	// Blue and Green are the target groups of both sides.
	Blue, Green Group
	// Period is the width of one interval, as in Query.
	Period time.Duration
	// Edges are the times beyond which an answer is slow.
	Edges []time.Duration
	// From and To bound the time in whole periods. To lies so far back that its points
	// have settled.
	From, To time.Time
	// BlueOnly leaves green out.
	BlueOnly bool
}

func (q RequestQuery) validate() error {
	for side, g := range map[shift.Side]Group{shift.Blue: q.Blue, shift.Green: q.Green} {
		if g.LoadBalancer == "" || g.TargetGroup == "" {
			return fmt.Errorf("gate %s names no load balancer and target group of %s", q.Gate, side)
		}
	}
	s := span{q.To.Sub(q.From), q.Period, 0}
	return s.validate("gate " + q.Gate)
}

// Requests counts what both sides had in each period: requests that were answered
// or could not be connected, and of these the errors, and the answers slower than
// each edge. A period without a point had no requests; a series that CloudWatch
// doesn't call complete is an error.
func (c *CloudWatch) Requests(ctx context.Context, q RequestQuery) ([]evidence.Interval, error) {
	if err := q.validate(); err != nil {
		return nil, err
	}
	groups := []Group{q.Blue, q.Green}
	if q.BlueOnly {
		groups = groups[:1]
	}
	var intervals []evidence.Interval
	// One call has room for so many points only.
	most := time.Duration(maxPoints/(len(groups)*(int(metrics)+len(q.Edges)))-1) * q.Period
	for from := q.From; from.Before(q.To); from = from.Add(most) {
		to := from.Add(most)
		if to.After(q.To) {
			to = q.To
		}
		asked := &question{period: q.Period, from: from.UTC(), to: to.UTC()}
		for _, g := range groups {
			asked.series = append(asked.series, requestSeries(g, q.Edges)...)
		}
		if err := c.one(ctx, asked); err != nil {
			return nil, err
		}
		intervals = append(intervals, asked.intervals(len(q.Edges), len(groups))...)
	}
	return intervals, nil
}

// one asks a single question.
func (c *CloudWatch) one(ctx context.Context, asked *question) error {
	var failed error
	asked.counted = func() {}
	asked.failed = func(why string) { failed = fmt.Errorf("%s", why) }
	c.ask(ctx, []*question{asked})
	return failed
}

// requestSeries are what is asked of one target group: the metrics of a traffic
// gate, and how many answers took longer than each edge. The bounds of a trimmed
// count are exclusive below and open above.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
func requestSeries(g Group, edges []time.Duration) []series {
	var all []series
	for m, name := range metricNames() {
		all = append(all, series{metric: name, statistic: statistic(m), loadBalancer: g.LoadBalancer, targetGroup: g.TargetGroup})
	}
	for _, edge := range edges {
		all = append(all, series{
			metric: metricNames()[answers], statistic: "TC(" + inSeconds(edge) + ":)",
			loadBalancer: g.LoadBalancer, targetGroup: g.TargetGroup,
		})
	}
	return all
}

func inSeconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }

// intervals gives each period's counts.
func (q *question) intervals(edges, groups int) []evidence.Interval {
	var all []evidence.Interval
	for at := q.from; at.Before(q.to); at = at.Add(q.period) {
		iv := evidence.Interval{Start: at, End: at.Add(q.period), Blue: q.counts(0, edges, at)}
		if groups > 1 {
			iv.Green = q.counts(metrics+edges, edges, at)
		}
		for _, side := range [][]evidence.Count{iv.Blue, iv.Green} {
			if len(side) > 0 && side[0].Bad > side[0].Requests {
				iv.Fault = contradiction(at, side[0].Requests, side[0].Bad)
			}
		}
		all = append(all, iv)
	}
	return all
}

// counts gives the counts of one period of the group whose series begin at first.
func (q *question) counts(first, edges int, at time.Time) []evidence.Count {
	asked, failed := q.answered(first, at)
	counts := []evidence.Count{{Requests: asked, Bad: failed}}
	for e := range edges {
		slow := q.series[first+metrics+e].points[at]
		counts = append(counts, evidence.Count{Requests: asked, Bad: min(slow, asked)})
	}
	return counts
}

// Edges chooses up to three times that one in ten, one in a hundred and one in five
// hundred of blue's answers exceed, hour by hour in the middle. None: there were no
// answers.
func (c *CloudWatch) Edges(ctx context.Context, blue Group, over time.Duration, at time.Time) ([]time.Duration, error) {
	const hour = time.Hour
	to := at.UTC().Truncate(hour).Add(hour)
	asked := &question{period: hour, from: to.Add(-max(hour, over.Truncate(hour)) - hour), to: to}
	for _, percentile := range []string{"p90", "p99", "p99.8"} {
		asked.series = append(asked.series, series{
			metric: metricNames()[answers], statistic: percentile, loadBalancer: blue.LoadBalancer, targetGroup: blue.TargetGroup,
		})
	}
	if err := c.one(ctx, asked); err != nil {
		return nil, err
	}
	var edges []time.Duration
	for _, s := range asked.series {
		var seen []float64
		for _, v := range s.points {
			seen = append(seen, v)
		}
		if len(seen) == 0 {
			continue
		}
		slices.Sort(seen)
		if edge := readable(seen[len(seen)/2]); edge > 0 && !slices.Contains(edges, edge) {
			edges = append(edges, edge)
		}
	}
	return edges, nil
}

// readable rounds seconds up to two digits that a person can remember, at least a
// millisecond.
func readable(seconds float64) time.Duration {
	ms := max(1, seconds*1e3)
	unit := math.Pow(10, math.Floor(math.Log10(ms))-1)
	return time.Duration(math.Round(math.Ceil(ms/unit-1e-9)*unit*1e3)) * time.Microsecond
}
