package measure

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/switcher/evidence"
)

func requestQuery(from, to int) RequestQuery {
	return RequestQuery{
		Gate: "users", Period: time.Minute, From: minute(from), To: minute(to),
		Blue: Group{"app/shop/1", "targetgroup/blue/1"}, Green: Group{"app/shop/1", "targetgroup/green/1"},
	}
}

func counts(numbers ...float64) []evidence.Count {
	var all []evidence.Count
	for i := 0; i < len(numbers); i += 2 {
		all = append(all, evidence.Count{Requests: numbers[i], Bad: numbers[i+1]})
	}
	return all
}

func TestRequestsOfBothSidesPeriodByPeriod(t *testing.T) {
	f := &fakeWatch{
		metrics: map[string]points{
			"RequestCount": {10: 7}, "HTTPCode_Target_5XX_Count": {10: 2, 12: 1, 13: 1}, "TargetConnectionErrorCount": {12: 3},
			"TargetResponseTime": {10: 6, 12: 90},
		},
		groups: map[string]points{"targetgroup/blue/1": {10: 100, 11: 50}, "targetgroup/green/1": {10: 10, 12: 95}},
	}
	got, err := New(Options{API: f}).Requests(t.Context(), requestQuery(10, 14))
	want := []evidence.Interval{
		{Start: minute(10), End: minute(11), Blue: counts(6, 2), Green: counts(6, 2)},   // of 100 and 10, six were answered
		{Start: minute(11), End: minute(12), Blue: counts(0, 0), Green: counts(0, 0)},   // 50 that nobody answered are no evidence
		{Start: minute(12), End: minute(13), Blue: counts(90, 4), Green: counts(93, 4)}, // no request came to blue then, but some were answered
		{Start: minute(13), End: minute(14), Blue: counts(0, 1), Green: counts(0, 1), Fault: "CloudWatch tells of 1 errors in 0 requests in the period from 09:13:00"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if len(f.calls) != 1 || len(f.calls[0].MetricDataQueries) != 8 {
		t.Errorf("%d calls, of which the first asks for %d metrics", len(f.calls), len(f.calls[0].MetricDataQueries))
	}
}

func TestBluesPastIsAskedForInPartsThatFit(t *testing.T) {
	f := &fakeWatch{metrics: map[string]points{"RequestCount": {1: 5}, "TargetResponseTime": {1: 5}}}
	q := requestQuery(0, 0)
	q.From, q.BlueOnly = minute(0).Add(-14*24*time.Hour), true
	q.To = minute(2)
	f.edit = func(out *cloudwatch.GetMetricDataOutput) {
		in := f.calls[len(f.calls)-1]
		if most := int(in.EndTime.Sub(*in.StartTime)/time.Minute+1) * len(in.MetricDataQueries); most > maxPoints {
			t.Errorf("a call asks for up to %d points", most)
		}
	}
	got, err := New(Options{API: f}).Requests(t.Context(), q)
	if err != nil || len(got) != 14*24*60+2 || len(f.calls) != 1 {
		t.Fatalf("%d intervals by %d calls, %v", len(got), len(f.calls), err)
	}
	if diff := cmp.Diff(evidence.Interval{Start: minute(1), End: minute(2), Blue: counts(5, 0)}, got[len(got)-1]); diff != "" {
		t.Errorf("the last (-want +got):\n%s", diff)
	}
	f.calls, q.BlueOnly = nil, false
	got, err = New(Options{API: f}).Requests(t.Context(), q)
	if err != nil || len(got) != 14*24*60+2 || len(f.calls) != 2 {
		t.Errorf("%d intervals of both sides by %d calls, %v", len(got), len(f.calls), err)
	}
}

// Nothing that CloudWatch doesn't vouch for passes for no errors.
func TestRequestsThatAreNotKnownWholeAreNotCounted(t *testing.T) {
	all := map[string]points{"RequestCount": {10: 100}}
	for name, test := range map[string]struct {
		watch *fakeWatch
		edit  func(*RequestQuery)
		want  string
	}{
		"a series is not complete": {&fakeWatch{metrics: all, status: map[string]types.StatusCode{"HTTPCode_Target_5XX_Count": types.StatusCodePartialData}}, nil, "PartialData"},
		"a series is missing":      {&fakeWatch{metrics: all, skip: "TargetConnectionErrorCount"}, nil, "TargetConnectionErrorCount is missing"},
		"it can't be asked":        {&fakeWatch{err: errors.New("no route")}, nil, "no route"},
		"no load balancer":         {&fakeWatch{}, func(q *RequestQuery) { q.Green.LoadBalancer = "" }, "gate users names no load balancer"},
		"no time":                  {&fakeWatch{}, func(q *RequestQuery) { q.To = q.From }, "shorter than the period"},
	} {
		t.Run(name, func(t *testing.T) {
			q := requestQuery(10, 12)
			if test.edit != nil {
				test.edit(&q)
			}
			got, err := New(Options{API: test.watch}).Requests(t.Context(), q)
			if got != nil || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, %v; want an error with %q", got, err, test.want)
			}
		})
	}
}

func TestEdgesAreReadable(t *testing.T) {
	for seconds, want := range map[float64]string{
		0.1: "100ms", 0.2473: "250ms", 0.0999: "100ms", 0.00042: "1ms", 0.0123: "13ms", 1.0001: "1.1s", 12.2: "13s", 0.99: "990ms", 0.12: "120ms",
	} {
		if got := readable(seconds).String(); got != want {
			t.Errorf("%g s is %s, want %s", seconds, got, want)
		}
	}
}

func TestSlowAnswersAreAskedForBySeconds(t *testing.T) {
	var asked []string
	for _, s := range requestSeries(Group{}, []time.Duration{250 * time.Millisecond, 12 * time.Second}) {
		asked = append(asked, fmt.Sprintf("%s %s", s.metric, s.statistic))
	}
	want := []string{
		"RequestCount Sum", "HTTPCode_Target_5XX_Count Sum", "TargetConnectionErrorCount Sum",
		"TargetResponseTime SampleCount", "TargetResponseTime TC(0.25:)", "TargetResponseTime TC(12:)",
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
