package measure

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// clock is not on a period's edge, as clocks are.
var clock = time.Date(2026, 11, 23, 9, 30, 20, 0, time.UTC)

func minute(m int) time.Time { return time.Date(2026, 11, 23, 9, m, 0, 0, time.UTC) }

// points are one metric's values by the minute of 9 o'clock.
type points map[int]float64

// fakeWatch answers from stored points, as CloudWatch does: a point is named by
// the start of its period, and a period without samples has none.
type fakeWatch struct {
	metrics map[string]points // by name
	status  map[string]types.StatusCode
	skip    string            // a metric that isn't answered at all
	groups  map[string]points // RequestCount of groups that have their own, by TargetGroup
	pages   bool              // one point a page
	err     error
	edit    func(*cloudwatch.GetMetricDataOutput)
	calls   []*cloudwatch.GetMetricDataInput
}

func (f *fakeWatch) GetMetricData(_ context.Context, in *cloudwatch.GetMetricDataInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	call := *in
	f.calls = append(f.calls, &call)
	if f.err != nil {
		return nil, f.err
	}
	if len(in.MetricDataQueries) > 500 {
		return nil, &smithy.GenericAPIError{Code: "ValidationError", Message: "more than 500 queries"}
	}
	page := 0
	if in.NextToken != nil {
		page, _ = strconv.Atoi(*in.NextToken)
	}
	out := &cloudwatch.GetMetricDataOutput{}
	for _, q := range in.MetricDataQueries {
		name := *q.MetricStat.Metric.MetricName
		if name == f.skip {
			continue
		}
		r := f.answer(in, q)
		if f.pages {
			more := page+1 < len(r.Timestamps)
			r.Timestamps, r.Values = from(r.Timestamps, page), from(r.Values, page)
			if more {
				r.StatusCode = types.StatusCodePartialData
				out.NextToken = aws.String(fmt.Sprint(page + 1))
			}
		}
		out.MetricDataResults = append(out.MetricDataResults, r)
	}
	if f.edit != nil {
		f.edit(out)
	}
	return out, nil
}

func (f *fakeWatch) answer(in *cloudwatch.GetMetricDataInput, q types.MetricDataQuery) types.MetricDataResult {
	name := *q.MetricStat.Metric.MetricName
	r := types.MetricDataResult{Id: q.Id, StatusCode: types.StatusCodeComplete}
	if s, ok := f.status[name]; ok {
		r.StatusCode = s
		r.Messages = []types.MessageData{{Value: aws.String("because")}}
	}
	stored, ok := f.metrics[name]
	if own, has := f.groups[*q.MetricStat.Metric.Dimensions[1].Value]; has && name == "RequestCount" {
		stored = own
	}
	if name == "TargetResponseTime" {
		if *q.MetricStat.Stat != "SampleCount" {
			r.StatusCode = types.StatusCodeInternalError
		}
		if !ok { // every request was answered
			stored = f.metrics["RequestCount"]
		}
	}
	period := int(*q.MetricStat.Period) / 60
	for m := 0; m < 60; m += period {
		sum, seen := 0.0, false
		for i := m; i < m+period; i++ {
			v, ok := stored[i]
			sum, seen = sum+v, seen || ok
		}
		if at := minute(m); seen && !at.Before(*in.StartTime) && at.Before(*in.EndTime) {
			r.Timestamps, r.Values = append(r.Timestamps, at), append(r.Values, sum)
		}
	}
	return r
}

// from gives one page of a list: its element n, if there is one.
func from[T any](all []T, n int) []T {
	if n >= len(all) {
		return nil
	}
	return all[n : n+1]
}

func query() Query {
	return Query{
		Gate: "errors", LoadBalancer: "app/web/a", TargetGroup: "targetgroup/green/2",
		Window: 5 * time.Minute, Period: time.Minute, Settle: 3 * time.Minute,
	}
}

// measuring is one query and what comes of it.
type measuring struct {
	watch fakeWatch
	query func(*Query)
	since time.Time
	want  shift.TrafficReading
	err   string
}

func (m measuring) check(t *testing.T) {
	t.Parallel()
	q := query()
	if m.query != nil {
		m.query(&q)
	}
	got := New(Options{API: &m.watch, Now: func() time.Time { return clock }}).Measure(t.Context(), Asked{Traffic: []Query{q}, Since: m.since}).Traffic[0]
	if m.err != "" && !strings.Contains(got.Err, m.err) {
		t.Errorf("Err %q doesn't tell %q", got.Err, m.err)
	}
	if m.err != "" {
		got.Err = ""
	}
	want := m.want
	want.Gate, want.At, want.FreshFor = "errors", clock, q.Window+q.Settle+2*q.Period
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// steady has requests in every minute: few where the window lies, many around it.
func steady() points {
	return points{20: 1000, 21: 1000, 22: 10, 23: 20, 24: 30, 25: 40, 26: 50, 27: 1000, 28: 1000, 29: 1000}
}

// With the clock at 9:30:20 and 3 minutes to settle, the window is 9:22 to 9:27.
func TestMeasuring(t *testing.T) {
	t.Parallel()
	cases := map[string]measuring{
		"counts whole settled periods of the window only": {
			watch: fakeWatch{metrics: map[string]points{"RequestCount": steady(), "HTTPCode_Target_5XX_Count": {21: 99, 23: 2, 26: 3, 27: 99}}},
			want:  shift.TrafficReading{From: minute(22), To: minute(27), Requests: 150, Errors: 5},
		},
		"takes a missing error point beside requests for no errors": {
			watch: fakeWatch{metrics: map[string]points{"RequestCount": steady()}},
			want:  shift.TrafficReading{From: minute(22), To: minute(27), Requests: 150},
		},
		"takes missing requests for no requests": {
			want: shift.TrafficReading{From: minute(22), To: minute(27)},
		},
		"begins after the last change, rounded up": {
			watch: fakeWatch{metrics: map[string]points{"RequestCount": steady()}}, since: minute(23).Add(time.Second),
			want: shift.TrafficReading{From: minute(24), To: minute(27), Requests: 120},
		},
		"begins with the last change when that was on the edge": {
			watch: fakeWatch{metrics: map[string]points{"RequestCount": steady()}}, since: minute(23),
			want: shift.TrafficReading{From: minute(23), To: minute(27), Requests: 140},
		},
		"has measured nothing before a whole period has settled": {
			watch: fakeWatch{metrics: map[string]points{"RequestCount": steady()}}, since: minute(26).Add(time.Second),
		},
		"has measured nothing when the last change is in the future": {
			watch: fakeWatch{metrics: map[string]points{"RequestCount": steady()}}, since: minute(59),
		},
		"counts a connection that failed as an error": {
			watch: fakeWatch{metrics: map[string]points{"RequestCount": steady(), "TargetConnectionErrorCount": {22: 4, 24: 1}}},
			want:  shift.TrafficReading{From: minute(22), To: minute(27), Requests: 150, Errors: 5},
		},
		"counts no request twice that failed at several connections": {
			watch: fakeWatch{metrics: map[string]points{"RequestCount": steady(), "HTTPCode_Target_5XX_Count": {22: 3}, "TargetConnectionErrorCount": {22: 300}}},
			want:  shift.TrafficReading{From: minute(22), To: minute(27), Requests: 150, Errors: 10},
		},
		"counts errors of requests that came before the period": {
			watch: fakeWatch{metrics: map[string]points{"RequestCount": {22: 100}, "TargetResponseTime": {22: 93, 23: 9}, "HTTPCode_Target_5XX_Count": {23: 7}}},
			want:  shift.TrafficReading{From: minute(22), To: minute(27), Requests: 102, Errors: 7},
		},
		"has measured nothing where there are errors without requests": {
			watch: fakeWatch{metrics: map[string]points{"HTTPCode_Target_5XX_Count": {23: 7}}},
			err:   "CloudWatch tells of 7 errors in 0 requests in the period from 09:22:00",
		},
		"still counts errors where one period has them without requests": {
			watch: fakeWatch{metrics: map[string]points{"RequestCount": {22: 100}, "TargetResponseTime": {22: 93}, "HTTPCode_Target_5XX_Count": {22: 60, 23: 7}}},
			want:  shift.TrafficReading{From: minute(22), To: minute(27), Requests: 93, Errors: 67},
		},
		"takes a request that nobody answered for no evidence": {
			watch: fakeWatch{metrics: map[string]points{"RequestCount": steady(), "TargetResponseTime": {22: 10, 23: 5, 26: 1}}},
			want:  shift.TrafficReading{From: minute(22), To: minute(27), Requests: 16},
		},
		"sees nothing of a target group that answers nobody": {
			watch: fakeWatch{metrics: map[string]points{"RequestCount": steady(), "TargetResponseTime": {}}},
			want:  shift.TrafficReading{From: minute(22), To: minute(27)},
		},
		"measures in wider periods": {
			watch: fakeWatch{metrics: map[string]points{"RequestCount": steady()}}, query: func(q *Query) { q.Period, q.Settle = 5*time.Minute, 4*time.Minute },
			want: shift.TrafficReading{From: minute(20), To: minute(25), Requests: 2060},
		},
		"leaves out the part of the window that is no whole period": {
			watch: fakeWatch{metrics: map[string]points{"RequestCount": steady()}}, query: func(q *Query) { q.Window = 2*time.Minute + 59*time.Second },
			want: shift.TrafficReading{From: minute(25), To: minute(27), Requests: 90},
		},
		"joins pages": {
			watch: fakeWatch{pages: true, metrics: map[string]points{"RequestCount": steady(), "HTTPCode_Target_5XX_Count": {23: 2, 26: 3}}},
			want:  shift.TrafficReading{From: minute(22), To: minute(27), Requests: 150, Errors: 5},
		},
	}
	for name, c := range cases {
		t.Run(name, c.check)
	}
}

func TestWhatIsNoMeasurement(t *testing.T) {
	t.Parallel()
	cases := map[string]measuring{
		"refuses a part of the truth": {
			watch: fakeWatch{metrics: map[string]points{"RequestCount": steady()}, status: map[string]types.StatusCode{"HTTPCode_Target_5XX_Count": types.StatusCodePartialData}},
			err:   "HTTPCode_Target_5XX_Count is PartialData: because",
		},
		"refuses an answer that lacks a metric": {
			watch: fakeWatch{metrics: map[string]points{"RequestCount": steady()}, skip: "TargetConnectionErrorCount"}, err: "TargetConnectionErrorCount is missing",
		},
		"refuses what is not a number": {
			watch: fakeWatch{metrics: map[string]points{"RequestCount": {23: math.NaN()}}}, err: "RequestCount has the value NaN",
		},
		"refuses a negative count": {
			watch: fakeWatch{metrics: map[string]points{"RequestCount": steady(), "HTTPCode_Target_5XX_Count": {23: -1}}}, err: "has the value -1",
		},
		"refuses an infinite count": {
			watch: fakeWatch{metrics: map[string]points{"RequestCount": {23: math.Inf(1)}}}, err: "has the value +Inf",
		},
		"refuses points between the periods": {
			watch: fakeWatch{metrics: map[string]points{"RequestCount": steady()}, edit: func(o *cloudwatch.GetMetricDataOutput) {
				o.MetricDataResults[0].Timestamps[1] = minute(23).Add(time.Second)
			}}, err: "begins no period",
		},
		"refuses times without values": {
			watch: fakeWatch{metrics: map[string]points{"RequestCount": steady()}, edit: func(o *cloudwatch.GetMetricDataOutput) {
				o.MetricDataResults[0].Values = o.MetricDataResults[0].Values[:1]
			}}, err: "5 times and 1 values",
		},
		"says which right is missing": {
			watch: fakeWatch{err: &smithy.GenericAPIError{Code: "AccessDenied"}}, err: "grant cloudwatch:GetMetricData",
		},
		"says that it is throttled":          {watch: fakeWatch{err: &smithy.GenericAPIError{Code: "Throttling", Message: "Rate exceeded"}}, err: "throttled"},
		"refuses a query without dimensions": {query: func(q *Query) { q.TargetGroup = "" }, err: "no load balancer and target group"},
		"refuses a period of no length":      {query: func(q *Query) { q.Period = 0 }, err: "whole seconds"},
		"refuses a window below its period":  {query: func(q *Query) { q.Window = time.Second }, err: "shorter than the period"},
		"refuses to look into the future":    {query: func(q *Query) { q.Settle = -time.Minute }, err: "negative"},
	}
	for name, c := range cases {
		t.Run(name, c.check)
	}
}

func TestAllQueriesOfOnePeriodGoInOneCall(t *testing.T) {
	t.Parallel()
	watch := &fakeWatch{metrics: map[string]points{"RequestCount": {22: 10, 26: 5}}}
	short := query()
	short.Gate, short.Window = "short", time.Minute
	for _, r := range New(Options{API: watch, Now: func() time.Time { return clock }}).Measure(t.Context(), Asked{Traffic: []Query{query(), short}}).Traffic {
		want := map[string]int{"errors": 15, "short": 5}[r.Gate]
		if r.Err != "" || r.Requests != want {
			t.Errorf("%s: %d requests (%s), want %d", r.Gate, r.Requests, r.Err, want)
		}
	}
	if len(watch.calls) != 1 || len(watch.calls[0].MetricDataQueries) != 8 {
		t.Errorf("%d calls", len(watch.calls))
	}
}

func TestEveryPeriodHasACallThatBeginsOnItsEdge(t *testing.T) {
	t.Parallel()
	watch := &fakeWatch{metrics: map[string]points{"RequestCount": {15: 1, 20: 2, 26: 5}}}
	wide := query()
	wide.Gate, wide.Period, wide.Window, wide.Settle = "wide", 5*time.Minute, 10*time.Minute, 4*time.Minute
	narrow := query()
	narrow.Window = 19 * time.Minute // from 9:08, where no period of 5 minutes begins
	readings := New(Options{API: watch, Now: func() time.Time { return clock }}).Measure(t.Context(), Asked{Traffic: []Query{narrow, wide}}).Traffic
	if readings[0].Requests != 8 || readings[1].Requests != 3 {
		t.Errorf("got %+v", readings)
	}
	for _, call := range watch.calls {
		for _, q := range call.MetricDataQueries {
			period := time.Duration(*q.MetricStat.Period) * time.Second
			if !call.StartTime.Truncate(period).Equal(*call.StartTime) {
				t.Errorf("a call from %s asks for periods of %s", call.StartTime, period)
			}
		}
	}
}

func TestNoCallIsMadeWhenNothingCanBeMeasured(t *testing.T) {
	t.Parallel()
	watch := &fakeWatch{}
	New(Options{API: watch, Now: func() time.Time { return clock }}).Measure(t.Context(), Asked{Traffic: []Query{query()}, Since: clock})
	if len(watch.calls) != 0 {
		t.Errorf("%d calls", len(watch.calls))
	}
}

func TestManyQueriesStayWithinTheLimitOfOneCall(t *testing.T) {
	t.Parallel()
	watch := &fakeWatch{metrics: map[string]points{"RequestCount": {22: 10}}}
	readings := New(Options{API: watch, Now: func() time.Time { return clock }}).Measure(t.Context(), Asked{Traffic: slices.Repeat([]Query{query()}, 400)}).Traffic
	for _, r := range readings {
		if r.Err != "" || r.Requests != 10 {
			t.Fatalf("got %+v", r)
		}
	}
	if len(watch.calls) != 4 {
		t.Errorf("%d calls", len(watch.calls))
	}
}
