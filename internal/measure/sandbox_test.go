package measure_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/internal/measure"
	sandbox "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
	"github.com/clusterswitch/clusterswitch/switcher/evidence"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const (
	arn      = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:"
	balancer = arn + "loadbalancer/app/web/50dc6c495c0c9188"
	blue     = arn + "targetgroup/blue/73e2d6bc24d8a067"
	green    = arn + "targetgroup/green/943f017f100becff"
)

// world is an embedded AWS over HTTP, and a CloudWatch that asks it.
func world(t *testing.T, now time.Time) (*sandbox.Cloud, *measure.CloudWatch) {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	clock := func() time.Time { return now }
	cloud := sandbox.New(sandbox.Options{Now: clock})
	server := httptest.NewServer(cloud)
	t.Cleanup(server.Close)
	cfg, err := awsapi.Load(t.Context(), awsapi.Options{Region: "ap-northeast-1", EndpointURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return cloud, measure.New(measure.Options{API: cloudwatch.NewFromConfig(cfg), Now: clock})
}

func TestMeasuringWhatTheEmbeddedAWSCounted(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 30, 20, 0, time.UTC)
	cloud, watch := world(t, now)
	// Ten minutes: ten requests to green a minute, one of them an error, and twenty to blue.
	for m := range 10 {
		for i := range 10 {
			at := now.Add(-time.Duration(m) * time.Minute).Truncate(time.Minute).Add(time.Duration(i) * time.Second)
			status := 200
			if i == 0 {
				status = 503
			}
			cloud.RecordRequest(routing.Request{At: at, LoadBalancerARN: balancer, TargetGroupARN: green, Status: status, FromTarget: true})
			for range 2 {
				cloud.RecordRequest(routing.Request{At: at, LoadBalancerARN: balancer, TargetGroupARN: blue, Status: 500, FromTarget: true})
			}
		}
	}
	_, lb, _ := strings.Cut(balancer, ":loadbalancer/")
	tg := green[strings.Index(green, "targetgroup/"):]
	query := measure.Query{Gate: "errors", LoadBalancer: lb, TargetGroup: tg, Window: 5 * time.Minute, Period: time.Minute, Settle: 2 * time.Minute}
	silent := query
	silent.Gate, silent.TargetGroup = "silent", "targetgroup/silent/0"

	load := measure.LoadQuery{
		Name: "web", Window: 5 * time.Minute, Period: time.Minute, Settle: 2 * time.Minute,
		Blue: measure.Group{LoadBalancer: lb, TargetGroup: blue[strings.Index(blue, "targetgroup/"):]}, Green: measure.Group{LoadBalancer: lb, TargetGroup: tg},
	}

	answered := watch.Measure(t.Context(), measure.Asked{
		Traffic: []measure.Query{query, silent}, Since: now.Add(-6 * time.Minute), Loads: []measure.LoadQuery{load},
	})
	got := answered.Traffic
	wantLoad := []shift.LoadReading{{
		Name: "web", At: now, From: now.Add(-7 * time.Minute).Truncate(time.Minute), To: now.Add(-2 * time.Minute).Truncate(time.Minute),
		FreshFor: 9 * time.Minute, Blue: 20.0 / 60, Green: 10.0 / 60,
		Past: shift.LoadPast{Windows: 5, Least: 40.0 / 300, Most: 20.0 / 60}, // the first requests came within it
	}}
	if diff := cmp.Diff(wantLoad, answered.Loads); diff != "" {
		t.Errorf("load (-want +got):\n%s", diff)
	}
	if r := got[0]; r.Err != "" || r.Requests != 30 || r.Errors != 3 || r.From.Minute() != 25 || r.To.Minute() != 28 {
		t.Errorf("got %+v", r)
	}
	if r := got[1]; r.Err != "" || r.Requests != 0 || r.Errors != 0 {
		t.Errorf("a silent group: %+v", r)
	}
	if _, err := cloud.Inject(sandbox.Fault{Kind: sandbox.AccessDenied, Service: sandbox.CloudWatch, Operation: "GetMetricData"}); err != nil {
		t.Fatal(err)
	}
	if r := watch.Measure(t.Context(), measure.Asked{Traffic: []measure.Query{query}}).Traffic[0]; !strings.Contains(r.Err, "grant cloudwatch:GetMetricData") || !r.To.IsZero() {
		t.Errorf("got %+v", r)
	}
}

// Edges are chosen by blue's past; then each period's answers beyond them count as
// slow, errors or not.
func TestCountingSlowAnswersAtTheEmbeddedAWS(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 30, 20, 0, time.UTC)
	cloud, watch := world(t, now)
	record := func(at time.Time, group string, took time.Duration, status int) {
		cloud.RecordRequest(routing.Request{At: at, LoadBalancerARN: balancer, TargetGroupARN: group, Status: status, FromTarget: true, Duration: took})
	}
	for m := range 120 { // of blue's answers one in ten takes 200 ms or more, one in a hundred 900 ms
		at := now.Truncate(time.Minute).Add(-time.Duration(m+3) * time.Minute)
		for i := range 100 {
			took := 20 * time.Millisecond
			switch {
			case i == 0:
				took = 900 * time.Millisecond
			case i < 11:
				took = 200 * time.Millisecond
			}
			record(at, blue, took, 200)
		}
		for range 10 {
			record(at, green, 500*time.Millisecond, 503)
		}
	}
	_, lb, _ := strings.Cut(balancer, ":loadbalancer/")
	group := func(arn string) measure.Group {
		return measure.Group{LoadBalancer: lb, TargetGroup: arn[strings.Index(arn, "targetgroup/"):]}
	}
	edges, err := watch.Edges(t.Context(), group(blue), time.Hour, now)
	if diff := cmp.Diff([]time.Duration{200 * time.Millisecond, 900 * time.Millisecond}, edges); diff != "" || err != nil {
		t.Fatalf("edges, %v (-want +got):\n%s", err, diff)
	}
	last := now.Truncate(time.Minute).Add(-3 * time.Minute)
	got, err := watch.Requests(t.Context(), measure.RequestQuery{
		Gate: "users", Blue: group(blue), Green: group(green), Period: time.Minute, Edges: edges, From: last, To: last.Add(time.Minute),
	})
	want := []evidence.Interval{{
		Start: last, End: last.Add(time.Minute),
		Blue:  []evidence.Count{{Requests: 100}, {Requests: 100, Bad: 1}, {Requests: 100}},
		Green: []evidence.Count{{Requests: 10, Bad: 10}, {Requests: 10, Bad: 10}, {Requests: 10}},
	}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("intervals, %v (-want +got):\n%s", err, diff)
	}
	if edges, err := watch.Edges(t.Context(), measure.Group{LoadBalancer: lb, TargetGroup: "targetgroup/silent/0"}, time.Hour, now); err != nil || len(edges) != 0 {
		t.Errorf("edges of a group without requests: %v, %v", edges, err)
	}
}
