package measure

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// Silence asks for all of one metric of a load balancer over a time.
type Silence struct {
	// Namespace is AWS/ApplicationELB or AWS/NetworkELB, Name that of the metric, Stat
	// Sum or Maximum.
	Namespace, Name, Stat string
	// LoadBalancer and TargetGroup are CloudWatch's dimension values; no TargetGroup:
	// the metric of the whole load balancer.
	LoadBalancer, TargetGroup string
	// From and To bound the time.
	From, To time.Time
}

// SilenceReading is what CloudWatch has of it. A period without a point is a
// period in which nothing happened: ELB publishes none then.
type SilenceReading struct {
	// From and To are the whole periods that were asked for.
	From, To time.Time
	// Period is the width of one point.
	Period time.Duration
	// Points is how many came, Total their sum.
	Points int
	Total  float64
	// Last is when the newest period above zero ended; zero: none was.
	Last time.Time
	// Err says why it isn't known whole; empty: it is.
	Err string
}

const (
	// maxMetrics and maxPoints bound one call. GetMetricData, API reference.
	maxMetrics = 500
	maxPoints  = 100_800
)

// periodOf is the narrowest period that CloudWatch still has of a time that began
// so long ago: minutes are kept for 15 days, five minutes for 63 days. A wider one
// is taken where a day has to be asked for, to keep answers small. GetMetricData,
// API reference.
func periodOf(age, span time.Duration) time.Duration {
	const day = 24 * time.Hour
	switch {
	case age > 63*day:
		return time.Hour
	case age > 15*day || span > 6*time.Hour:
		return 5 * time.Minute
	}
	return time.Minute
}

// Silence answers every question with one reading, in the order given, in as few
// calls as the limits allow.
func (c *CloudWatch) Silence(ctx context.Context, asked []Silence) []SilenceReading {
	readings := make([]SilenceReading, len(asked))
	by := map[time.Duration][]int{}
	for i, q := range asked {
		period := periodOf(c.now().Sub(q.From), q.To.Sub(q.From))
		// The period in which it begins is asked for whole: more silence than wanted is
		// no harm. The one in which it ends is not over yet.
		readings[i] = SilenceReading{From: q.From.Truncate(period).UTC(), To: q.To.Truncate(period).UTC(), Period: period}
		if !readings[i].From.Before(readings[i].To) {
			readings[i].Err = fmt.Sprintf("no whole period of %s lies in that time", period)
			continue
		}
		by[period] = append(by[period], i)
	}
	for period, own := range by {
		most := 1
		for _, i := range own {
			most = max(most, int(readings[i].To.Sub(readings[i].From)/period)+1)
		}
		for batch := range slices.Chunk(own, min(maxMetrics, max(1, maxPoints/most))) {
			c.silence(ctx, asked, batch, readings)
		}
	}
	return readings
}

// silence makes one call, page by page.
func (c *CloudWatch) silence(ctx context.Context, asked []Silence, batch []int, readings []SilenceReading) {
	ctx, cancel := context.WithTimeout(ctx, 3*c.callTimeout)
	defer cancel()
	in := &cloudwatch.GetMetricDataInput{ScanBy: types.ScanByTimestampAscending}
	byID := map[string]*series{}
	from, to := readings[batch[0]].From, readings[batch[0]].To
	for _, i := range batch {
		if readings[i].From.Before(from) {
			from = readings[i].From
		}
		if readings[i].To.After(to) {
			to = readings[i].To
		}
		id := "s" + strconv.Itoa(i)
		byID[id] = &series{points: map[time.Time]float64{}}
		in.MetricDataQueries = append(in.MetricDataQueries, asked[i].metric(id, readings[i].Period))
	}
	in.StartTime, in.EndTime = &from, &to
	err := c.page(ctx, in, byID)
	for _, i := range batch {
		if err != nil {
			readings[i].Err = err.Error()
			continue
		}
		readings[i].sum(*byID["s"+strconv.Itoa(i)])
	}
}

func (q Silence) metric(id string, period time.Duration) types.MetricDataQuery {
	m := &types.Metric{Namespace: &q.Namespace, MetricName: &q.Name, Dimensions: []types.Dimension{{Name: aws.String("LoadBalancer"), Value: &q.LoadBalancer}}}
	if q.TargetGroup != "" {
		m.Dimensions = append(m.Dimensions, types.Dimension{Name: aws.String("TargetGroup"), Value: &q.TargetGroup})
	}
	return types.MetricDataQuery{Id: &id, MetricStat: &types.MetricStat{Metric: m, Period: aws.Int32(int32(period / time.Second)), Stat: &q.Stat}}
}

// sum adds the points up. What is not whole is unknown.
func (r *SilenceReading) sum(s series) {
	switch {
	case s.status == "":
		r.Err = "CloudWatch's answer is missing"
		return
	case s.status != types.StatusCodeComplete:
		r.Err = fmt.Sprintf("CloudWatch's answer is %s%s", s.status, s.notes)
		return
	case s.fault != "":
		r.Err = "CloudWatch's answer " + s.fault
		return
	}
	for at, v := range s.points {
		if at.Before(r.From) || !at.Before(r.To) {
			continue
		}
		r.Points++
		r.Total += v
		if end := at.Add(r.Period); v > 0 && end.After(r.Last) {
			r.Last = end
		}
	}
}
