package measure

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
)

// maxSeries is how many metrics one call may ask for. GetMetricData, API
// reference.
const maxSeries = 500

// maxPages bounds the paging of one call.
const maxPages = 100

// mostValue is the largest value of a point that can be true: up to it numbers are
// exact, and many of them still fit into a counter.
const mostValue = 1e12

// question is one query on its way, with the points that came for it.
type question struct {
	period   time.Duration
	from, to time.Time
	series   []series
	// counted is told that every series is sound, failed that one isn't.
	counted func()
	failed  func(why string)
}

// series is one metric of one target group, and its points by their start.
type series struct {
	metric, statistic         string
	loadBalancer, targetGroup string

	status types.StatusCode
	notes  string
	fault  string // why the answer makes no sense; empty: it does
	points map[time.Time]float64
}

// ask makes one call for all questions with the same period. Other periods take
// a call of their own: points begin where the call's start time lies, and a
// start that suits one period may suit no other.
func (c *CloudWatch) ask(ctx context.Context, asked []*question) {
	ctx, cancel := context.WithTimeout(ctx, c.callTimeout)
	defer cancel()
	byPeriod := map[time.Duration][]*question{}
	for _, q := range asked {
		byPeriod[q.period] = append(byPeriod[q.period], q)
	}
	for _, period := range slices.Sorted(maps.Keys(byPeriod)) {
		for _, batch := range batches(byPeriod[period]) {
			err := c.collect(ctx, batch)
			for _, q := range batch {
				q.end(err)
			}
		}
	}
}

// end hands the question's points on, or why they can't be taken.
func (q *question) end(err error) {
	if err == nil {
		err = q.sound()
	}
	if err != nil {
		q.failed(err.Error())
		return
	}
	q.counted()
}

// batches splits questions so that each part fits into one call.
func batches(list []*question) [][]*question {
	var parts [][]*question
	room := 0
	for _, q := range list {
		if len(q.series) > room {
			parts, room = append(parts, nil), maxSeries
		}
		last := len(parts) - 1
		parts[last] = append(parts[last], q)
		room -= len(q.series)
	}
	return parts
}

// collect makes one call, page by page, and sorts its points to the questions.
func (c *CloudWatch) collect(ctx context.Context, batch []*question) error {
	in := &cloudwatch.GetMetricDataInput{ScanBy: types.ScanByTimestampAscending}
	byID := map[string]*series{}
	from, to := batch[0].from, batch[0].to
	for i, q := range batch {
		if q.from.Before(from) {
			from = q.from
		}
		if q.to.After(to) {
			to = q.to
		}
		for m := range q.series {
			id := "q" + strconv.Itoa(i) + "m" + strconv.Itoa(m)
			q.series[m].points = map[time.Time]float64{}
			byID[id] = &q.series[m]
			in.MetricDataQueries = append(in.MetricDataQueries, q.series[m].query(id, q.period))
		}
	}
	in.StartTime, in.EndTime = &from, &to
	return c.page(ctx, in, byID)
}

// page makes the calls of one question and sorts their points.
func (c *CloudWatch) page(ctx context.Context, in *cloudwatch.GetMetricDataInput, byID map[string]*series) error {
	for range maxPages {
		out, err := c.api.GetMetricData(ctx, in)
		if err != nil {
			return readError(err)
		}
		for _, r := range out.MetricDataResults {
			if s, ok := byID[aws.ToString(r.Id)]; ok {
				s.take(r)
			}
		}
		if aws.ToString(out.NextToken) == "" {
			return nil
		}
		in.NextToken = out.NextToken
	}
	return fmt.Errorf("reading CloudWatch: it has more than %d pages", maxPages)
}

func (s *series) query(id string, period time.Duration) types.MetricDataQuery {
	return types.MetricDataQuery{
		Id: &id,
		MetricStat: &types.MetricStat{
			Period: aws.Int32(int32(period / time.Second)),
			Stat:   &s.statistic,
			Metric: &types.Metric{
				Namespace:  aws.String("AWS/ApplicationELB"),
				MetricName: &s.metric,
				Dimensions: []types.Dimension{
					{Name: aws.String("LoadBalancer"), Value: &s.loadBalancer},
					{Name: aws.String("TargetGroup"), Value: &s.targetGroup},
				},
			},
		},
	}
}

// take adds one page of a series. The status of the last page is that of the
// whole: earlier ones may say PartialData.
func (s *series) take(r types.MetricDataResult) {
	s.status = r.StatusCode
	for _, m := range r.Messages {
		s.notes = ": " + aws.ToString(m.Value)
	}
	if len(r.Timestamps) != len(r.Values) {
		s.fault = fmt.Sprintf("has %d times and %d values", len(r.Timestamps), len(r.Values))
		return
	}
	for i, at := range r.Timestamps {
		if v := r.Values[i]; math.IsNaN(v) || v > mostValue || v < 0 {
			s.fault = fmt.Sprintf("has the value %g", v)
		}
		s.points[at.UTC()] = r.Values[i]
	}
}

// sound says what keeps the question's series from being counted.
func (q *question) sound() error {
	for _, s := range q.series {
		if err := q.soundSeries(s); err != nil {
			return fmt.Errorf("CloudWatch's answer for %s %w", s.metric, err)
		}
	}
	return nil
}

func (q *question) soundSeries(s series) error {
	switch {
	case s.status == "":
		return errors.New("is missing")
	case s.status != types.StatusCodeComplete:
		return fmt.Errorf("is %s%s", s.status, s.notes)
	case s.fault != "":
		return errors.New(s.fault)
	}
	for at := range s.points {
		if !at.Before(q.from) && at.Before(q.to) && at.Sub(q.from)%q.period != 0 {
			return fmt.Errorf("has a point at %s, which begins no period of %s", at.Format(time.TimeOnly), q.period)
		}
	}
	return nil
}

func readError(err error) error {
	f := awsapi.Classify(err)
	return fmt.Errorf("reading CloudWatch: %s%s", f, f.Remedy("cloudwatch:GetMetricData"))
}
