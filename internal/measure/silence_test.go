package measure

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"
)

// longWatch answers each metric by a list of its points, one page for each.
type longWatch struct {
	points map[string][]time.Time // of value 1, by metric
	status types.StatusCode
	calls  []*cloudwatch.GetMetricDataInput
}

func (l *longWatch) GetMetricData(_ context.Context, in *cloudwatch.GetMetricDataInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	call := *in
	l.calls = append(l.calls, &call)
	page := len(aws.ToString(in.NextToken))
	out := &cloudwatch.GetMetricDataOutput{}
	for _, q := range in.MetricDataQueries {
		at := l.points[*q.MetricStat.Metric.MetricName]
		r := types.MetricDataResult{Id: q.Id, StatusCode: l.status}
		if page < len(at) {
			r.Timestamps, r.Values = []time.Time{at[page]}, []float64{1}
		}
		if page+1 < len(at) {
			out.NextToken = aws.String(strings.Repeat("x", page+1))
			r.StatusCode = types.StatusCodePartialData
		}
		out.MetricDataResults = append(out.MetricDataResults, r)
	}
	return out, nil
}

func TestSilenceIsAskedForPageByPageOverAllOfTheTime(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 32, 20, 0, time.UTC)
	day := 24 * time.Hour
	from := now.Add(-day)
	seen := []time.Time{now.Add(-20 * time.Hour).Truncate(5 * time.Minute), now.Add(-2 * time.Hour).Truncate(5 * time.Minute)}
	l := &longWatch{status: types.StatusCodeComplete, points: map[string][]time.Time{"RequestCount": seen}}
	c := New(Options{API: l, Now: func() time.Time { return now }})
	ask := func(name string) Silence {
		return Silence{Namespace: "AWS/ApplicationELB", Name: name, Stat: "Sum", LoadBalancer: "app/a/1", From: from, To: now}
	}
	got := c.Silence(t.Context(), []Silence{ask("RequestCount"), ask("NewConnectionCount")})
	whole := SilenceReading{From: from.Truncate(5 * time.Minute), To: now.Truncate(5 * time.Minute), Period: 5 * time.Minute}
	loud := whole
	loud.Points, loud.Total, loud.Last = 2, 2, seen[1].Add(5*time.Minute)
	if diff := cmp.Diff([]SilenceReading{loud, whole}, got); diff != "" {
		t.Errorf("readings (-want +got):\n%s", diff)
	}
	if len(l.calls) != 2 || *l.calls[0].MetricDataQueries[0].MetricStat.Period != 300 {
		t.Errorf("it took %d calls, want one for each page", len(l.calls))
	}
}

func TestSilenceThatIsNotWholeIsUnknown(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 32, 20, 0, time.UTC)
	for name, c := range map[string]struct {
		status types.StatusCode
		from   time.Time
		want   string
	}{
		"a part of the data":     {types.StatusCodePartialData, now.Add(-time.Hour), "CloudWatch's answer is PartialData"},
		"an error":               {types.StatusCodeInternalError, now.Add(-time.Hour), "CloudWatch's answer is InternalError"},
		"forbidden":              {types.StatusCodeForbidden, now.Add(-time.Hour), "CloudWatch's answer is Forbidden"},
		"a time without periods": {types.StatusCodeComplete, now, "no whole period of 1m0s lies in that time"},
	} {
		w := New(Options{API: &longWatch{status: c.status}, Now: func() time.Time { return now }})
		got := w.Silence(t.Context(), []Silence{{Namespace: "AWS/NetworkELB", Name: "NewFlowCount", Stat: "Sum", LoadBalancer: "net/a/1", From: c.from, To: now}})
		if got[0].Err != c.want {
			t.Errorf("%s: %q, want %q", name, got[0].Err, c.want)
		}
	}
}

// CloudWatch keeps minutes for 15 days only, and one call takes no more than
// 100,800 points.
func TestALongSilenceTakesWiderPeriodsAndMoreCalls(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		age, want time.Duration
	}{
		"an hour": {time.Hour, time.Minute}, "a day": {day, 5 * time.Minute}, "60 days": {60 * day, 5 * time.Minute}, "longer than five minutes are kept": {64 * day, time.Hour},
	} {
		if got := periodOf(c.age, c.age); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	l := &longWatch{status: types.StatusCodeComplete}
	asked := make([]Silence, 12)
	for i := range asked {
		asked[i] = Silence{Namespace: "AWS/ApplicationELB", Name: "RequestCount", Stat: "Sum", LoadBalancer: "app/a/1", From: now.Add(-60 * day), To: now}
	}
	for i, r := range New(Options{API: l, Now: func() time.Time { return now }}).Silence(t.Context(), asked) {
		if r.Err != "" {
			t.Errorf("%d: %s", i, r.Err)
		}
	}
	if len(l.calls) != 3 { // 17,281 points each: five fit
		t.Errorf("it took %d calls, want 3", len(l.calls))
	}
}
