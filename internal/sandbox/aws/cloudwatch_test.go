package aws_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// suffix is what CloudWatch's dimensions take of an ARN.
func suffix(arn string) string {
	last := arn[strings.LastIndex(arn, ":")+1:]
	return strings.TrimPrefix(last, "loadbalancer/")
}

func query(id, metric, stat string, period int32, dimensions ...string) cwtypes.MetricDataQuery {
	m := &cwtypes.Metric{Namespace: sdk.String("AWS/ApplicationELB"), MetricName: &metric}
	for _, d := range dimensions {
		name := "TargetGroup"
		if strings.HasPrefix(d, "app/") {
			name = "LoadBalancer"
		}
		m.Dimensions = append(m.Dimensions, cwtypes.Dimension{Name: &name, Value: &d})
	}
	return cwtypes.MetricDataQuery{Id: &id, MetricStat: &cwtypes.MetricStat{Metric: m, Period: &period, Stat: &stat}}
}

// TestMetricsCountWhatTheEdgeReports: seconds 0 to 9 get two good answers of
// 100 ms each and, in second 4, one 502 of a target, one 502 of the load balancer
// for a target that it couldn't reach, and one 503 for which it found no group.
func TestMetricsCountWhatTheEdgeReports(t *testing.T) {
	clk := newClock()
	w := newWorld(t, aws.Options{Now: clk.now, MetricResolution: time.Second})
	e := newEntrance(t, w)
	start := clk.t
	w.SetTargetHealth(e.green, "10.1.0.1", 8080, routing.Healthy, "")
	for second := range 10 {
		good := routing.Request{At: clk.t, LoadBalancerARN: e.balancerARN, TargetGroupARN: e.green, Status: 200, FromTarget: true, Duration: 100 * time.Millisecond}
		w.RecordRequest(good)
		w.RecordRequest(good)
		if second == 4 {
			bad := good
			bad.Status, bad.Duration = 502, 400*time.Millisecond
			w.RecordRequest(bad)
			w.RecordRequest(routing.Request{At: clk.t, LoadBalancerARN: e.balancerARN, TargetGroupARN: e.blue, Status: 502, Unreached: true})
			w.RecordRequest(routing.Request{At: clk.t, LoadBalancerARN: e.balancerARN, Status: 503})
		}
		clk.advance(time.Second)
	}
	lb, green, blue := suffix(e.balancerARN), suffix(e.green), suffix(e.blue)
	for name, c := range map[string]struct {
		query cwtypes.MetricDataQuery
		want  string // "second=value", oldest first
	}{
		"requests of a group":                  {query("q", "RequestCount", "Sum", 5, lb, green), "0=11 5=10"},
		"requests of the load balancer":        {query("q", "RequestCount", "Sum", 5, lb), "0=12 5=10"},
		"requests of a group that had one":     {query("q", "RequestCount", "Sum", 5, lb, blue), "0=1"},
		"good answers":                         {query("q", "HTTPCode_Target_2XX_Count", "Sum", 5, lb, green), "0=10 5=10"},
		"bad answers exist where there were":   {query("q", "HTTPCode_Target_5XX_Count", "Sum", 1, lb, green), "4=1"},
		"bad answers of the load balancer":     {query("q", "HTTPCode_ELB_5XX_Count", "Sum", 1, lb), "4=2"},
		"targets that weren't reached":         {query("q", "TargetConnectionErrorCount", "Sum", 1, lb, blue), "4=1"},
		"nobody was kept from green":           {query("q", "TargetConnectionErrorCount", "Sum", 1, lb, green), ""},
		"which no group has":                   {query("q", "HTTPCode_ELB_5XX_Count", "Sum", 1, lb, blue), ""},
		"the average time":                     {query("q", "TargetResponseTime", "Average", 1, lb, green), "0=0.1 1=0.1 2=0.1 3=0.1 4=0.2 5=0.1 6=0.1 7=0.1 8=0.1 9=0.1"},
		"the longest time":                     {query("q", "TargetResponseTime", "Maximum", 10, lb, green), "0=0.4"},
		"nine of ten answers take no longer":   {query("q", "TargetResponseTime", "p90", 10, lb, green), "0=0.1"},
		"but one of twenty does":               {query("q", "TargetResponseTime", "p99", 10, lb, green), "0=0.4"},
		"answers slower than a bound":          {query("q", "TargetResponseTime", "TC(0.1:)", 5, lb, green), "0=1 5=0"},
		"and those that aren't, which it has":  {query("q", "TargetResponseTime", "TC(:0.1)", 5, lb, green), "0=10 5=10"},
		"the part that isn't slower":           {query("q", "TargetResponseTime", "PR(0.05:0.4)", 10, lb), "0=100"},
		"the number of samples":                {query("q", "TargetResponseTime", "SampleCount", 10, lb, green), "0=21"},
		"healthy targets":                      {query("q", "HealthyHostCount", "Average", 5, lb, green), "0=1 5=1"},
		"unhealthy targets are zero, not gone": {query("q", "UnHealthyHostCount", "Maximum", 5, lb, green), "0=0 5=0"},
		"targets of another load balancer":     {query("q", "HealthyHostCount", "Average", 5, "app/other/0", green), ""},
		"another load balancer has none":       {query("q", "RequestCount", "Sum", 5, "app/other/0"), ""},
		"a metric that isn't there":            {query("q", "Nonsense", "Sum", 5, lb), ""},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := w.cw.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
				StartTime: &start, EndTime: sdk.Time(clk.t), ScanBy: cwtypes.ScanByTimestampAscending, MetricDataQueries: []cwtypes.MetricDataQuery{c.query},
			})
			if err != nil {
				t.Fatal(err)
			}
			r := out.MetricDataResults[0]
			if r.StatusCode != cwtypes.StatusCodeComplete || *r.Label != *c.query.MetricStat.Metric.MetricName {
				t.Errorf("status %s, label %s", r.StatusCode, *r.Label)
			}
			var got []string
			for i, at := range r.Timestamps {
				got = append(got, fmt.Sprintf("%d=%.3g", int(at.Sub(start).Seconds()), r.Values[i]))
			}
			if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("points (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMetricDataComesNewestFirst(t *testing.T) {
	clk := newClock()
	w := newWorld(t, aws.Options{Now: clk.now})
	e := newEntrance(t, w)
	for range 3 {
		w.RecordRequest(routing.Request{LoadBalancerARN: e.balancerARN, TargetGroupARN: e.blue, Status: 200, FromTarget: true})
		clk.advance(time.Minute)
	}
	hidden := query("hidden", "RequestCount", "Sum", 60, suffix(e.balancerARN))
	hidden.ReturnData = sdk.Bool(false)
	out := must[*cloudwatch.GetMetricDataOutput](t)(w.cw.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
		StartTime: sdk.Time(clk.t.Add(-time.Hour)), EndTime: &clk.t,
		MetricDataQueries: []cwtypes.MetricDataQuery{query("a", "RequestCount", "Sum", 60, suffix(e.balancerARN)), hidden},
	}))
	if len(out.MetricDataResults) != 1 || len(out.MetricDataResults[0].Timestamps) != 3 {
		t.Fatalf("results %+v, want three points of the one query with ReturnData", out.MetricDataResults)
	}
	if at := out.MetricDataResults[0].Timestamps; !at[0].After(at[1]) {
		t.Errorf("points %v, want the newest first", at)
	}
}

func TestHostCountsHaveAHistory(t *testing.T) {
	clk := newClock()
	w := newWorld(t, aws.Options{Now: clk.now, MetricResolution: time.Second})
	green := w.group(t, "green", "10.1.0.1")
	start := clk.t
	clk.advance(2 * time.Second)
	e := entrance{world: w, balancerARN: w.balancer(t, "shop")}
	w.listener(t, e.balancerARN, 80, forward(share{green, 1}))
	clk.advance(2 * time.Second)
	w.SetTargetHealth(green, "10.1.0.1", 8080, routing.Healthy, "")
	clk.advance(2 * time.Second)
	w.SetTargetHealth(green, "10.1.0.1", 8080, routing.Unhealthy, "")
	clk.advance(2 * time.Second)
	out := must[*cloudwatch.GetMetricDataOutput](t)(w.cw.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
		StartTime: &start, EndTime: sdk.Time(clk.t.Add(time.Minute)), ScanBy: cwtypes.ScanByTimestampAscending,
		MetricDataQueries: []cwtypes.MetricDataQuery{query("q", "HealthyHostCount", "Average", 1, suffix(e.balancerARN), suffix(green))},
	}))
	if diff := cmp.Diff([]float64{0, 0, 1, 1, 0, 0}, out.MetricDataResults[0].Values); diff != "" {
		t.Errorf("healthy targets from when the group was attached until now (-want +got):\n%s", diff)
	}
}

func TestGetMetricDataRefusals(t *testing.T) {
	many := func(n int) (out []cwtypes.MetricDataQuery) {
		for i := range n {
			out = append(out, query(fmt.Sprintf("q%d", i), "RequestCount", "Sum", 60))
		}
		return out
	}
	math := cwtypes.MetricDataQuery{Id: sdk.String("m"), Expression: sdk.String("a/b")}
	for name, c := range map[string]struct {
		queries []cwtypes.MetricDataQuery
		span    time.Duration
		code    string
	}{
		"500 queries":                        {queries: many(500)},
		"501 queries are too many":           {queries: many(501), code: "ValidationError"},
		"100,800 points pass":                {queries: many(1), span: 100_799 * time.Minute},
		"more points are too many":           {queries: many(2), span: 60_000 * time.Minute, code: "ValidationError"},
		"a period of 30 s is refused":        {queries: []cwtypes.MetricDataQuery{query("q", "RequestCount", "Sum", 30)}, code: "ValidationError"},
		"a period of 90 s is refused":        {queries: []cwtypes.MetricDataQuery{query("q", "RequestCount", "Sum", 90)}, code: "ValidationError"},
		"an id twice is refused":             {queries: append(many(1), many(1)...), code: "ValidationError"},
		"an id with a capital is refused":    {queries: []cwtypes.MetricDataQuery{query("Q", "RequestCount", "Sum", 60)}, code: "ValidationError"},
		"a trimmed mean is refused, by name": {queries: []cwtypes.MetricDataQuery{query("q", "TargetResponseTime", "tm90", 60)}, code: "ValidationError"},
		"a percentile of a mere count too":   {queries: []cwtypes.MetricDataQuery{query("q", "RequestCount", "p99", 60)}, code: "ValidationError"},
		"metric math is refused, by name":    {queries: []cwtypes.MetricDataQuery{math}, code: "ValidationError"},
		"a start after the end is refused":   {queries: many(1), span: -time.Minute, code: "ValidationError"},
		"a call without queries is refused":  {queries: []cwtypes.MetricDataQuery{}, code: "MissingParameter"},
	} {
		t.Run(name, func(t *testing.T) {
			clk := newClock()
			w := newWorld(t, aws.Options{Now: clk.now})
			if c.span == 0 {
				c.span = time.Hour
			}
			_, err := w.cw.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
				StartTime: sdk.Time(clk.t.Add(-c.span)), EndTime: &clk.t, MetricDataQueries: c.queries,
			})
			if got := code(t, err); got != c.code {
				t.Errorf("code %q, want %q (%v)", got, c.code, err)
			}
		})
	}
}

func TestCallerIdentity(t *testing.T) {
	w := newWorld(t, aws.Options{AccountID: "210987654321"})
	out, err := w.sts.GetCallerIdentity(t.Context(), nil)
	if err != nil || *out.Account != "210987654321" || *out.Arn != "arn:aws:iam::210987654321:user/sandbox" {
		t.Errorf("identity %+v, %v", out, err)
	}
	if arn := w.group(t, "blue"); !strings.Contains(arn, ":210987654321:") {
		t.Errorf("group %s isn't in the account", arn)
	}
	_, err = w.elb.DescribeTargetGroups(t.Context(), &elbv2.DescribeTargetGroupsInput{})
	if err != nil {
		t.Error(err)
	}
}
