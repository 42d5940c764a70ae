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
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The metrics of one question, in the order of their series.
const (
	requests = iota
	serverErrors
	connectionErrors
	answers
	metrics
)

func metricNames() [metrics]string {
	return [metrics]string{"RequestCount", "HTTPCode_Target_5XX_Count", "TargetConnectionErrorCount", "TargetResponseTime"}
}

// statistic is how a metric is summed up. Each answer of a target is one sample
// of its response time, so their number is the number of answers.
func statistic(metric int) string {
	if metric == answers {
		return "SampleCount"
	}
	return "Sum"
}

// maxQuestions keeps a call within 500 metrics. GetMetricData, API reference.
const maxQuestions = 500 / metrics

// maxPages bounds the paging of one call.
const maxPages = 100

// question is one query on its way, with the points that came for it.
type question struct {
	query    Query
	from, to time.Time
	reading  *shift.TrafficReading
	series   [metrics]series
}

// series is one metric's points by their start.
type series struct {
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
		byPeriod[q.query.Period] = append(byPeriod[q.query.Period], q)
	}
	for _, period := range slices.Sorted(maps.Keys(byPeriod)) {
		for batch := range slices.Chunk(byPeriod[period], maxQuestions) {
			err := c.collect(ctx, batch)
			for _, q := range batch {
				if err != nil {
					q.reading.Err = err.Error()
				} else if err := q.count(); err != nil {
					q.reading.Err = err.Error()
				}
			}
		}
	}
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
		for m, name := range metricNames() {
			id := "q" + strconv.Itoa(i) + "m" + strconv.Itoa(m)
			q.series[m].points = map[time.Time]float64{}
			byID[id] = &q.series[m]
			in.MetricDataQueries = append(in.MetricDataQueries, q.metric(id, name, statistic(m)))
		}
	}
	in.StartTime, in.EndTime = &from, &to
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

func (q *question) metric(id, name, statistic string) types.MetricDataQuery {
	return types.MetricDataQuery{
		Id: &id,
		MetricStat: &types.MetricStat{
			Period: aws.Int32(int32(q.query.Period / time.Second)),
			Stat:   &statistic,
			Metric: &types.Metric{
				Namespace:  aws.String("AWS/ApplicationELB"),
				MetricName: &name,
				Dimensions: []types.Dimension{
					{Name: aws.String("LoadBalancer"), Value: &q.query.LoadBalancer},
					{Name: aws.String("TargetGroup"), Value: &q.query.TargetGroup},
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
		if v := r.Values[i]; math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
			s.fault = fmt.Sprintf("has the value %g", v)
		}
		s.points[at.UTC()] = r.Values[i]
	}
}

// count sums the points of the whole periods asked for. A request that neither
// was answered nor failed to connect says nothing, so it isn't counted at all.
func (q *question) count() error {
	for m, s := range q.series {
		if err := q.sound(s); err != nil {
			return fmt.Errorf("CloudWatch's answer for %s %w", metricNames()[m], err)
		}
	}
	asked, failed := 0.0, 0.0
	for at := q.from; at.Before(q.to); at = at.Add(q.query.Period) {
		n, server := q.series[requests].points[at], q.series[serverErrors].points[at]
		// One request may try several connections: they count for no more than
		// the requests that no target answered with an error.
		refused := min(q.series[connectionErrors].points[at], max(0, n-server))
		asked += min(n, max(server, q.series[answers].points[at])+refused)
		failed += server + refused
	}
	r := q.reading
	r.From, r.To = q.from, q.to
	r.Requests, r.Errors = int(math.Round(asked)), int(math.Round(failed))
	return nil
}

// sound says what keeps a series from being counted.
func (q *question) sound(s series) error {
	switch {
	case s.status == "":
		return errors.New("is missing")
	case s.status != types.StatusCodeComplete:
		return fmt.Errorf("is %s%s", s.status, s.notes)
	case s.fault != "":
		return errors.New(s.fault)
	}
	for at := range s.points {
		if !at.Before(q.from) && at.Before(q.to) && at.Sub(q.from)%q.query.Period != 0 {
			return fmt.Errorf("has a point at %s, which begins no period of %s", at.Format(time.TimeOnly), q.query.Period)
		}
	}
	return nil
}

func readError(err error) error {
	f := awsapi.Classify(err)
	if f.Class == awsapi.Denied {
		return fmt.Errorf("reading CloudWatch: %s: grant cloudwatch:GetMetricData", f)
	}
	return fmt.Errorf("reading CloudWatch: %s", f)
}
