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
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const (
	arn      = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:"
	balancer = arn + "loadbalancer/app/web/50dc6c495c0c9188"
	blue     = arn + "targetgroup/blue/73e2d6bc24d8a067"
	green    = arn + "targetgroup/green/943f017f100becff"
)

func TestMeasuringWhatTheEmbeddedAWSCounted(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	now := time.Date(2026, 11, 23, 9, 30, 20, 0, time.UTC)
	clock := func() time.Time { return now }
	cloud := sandbox.New(sandbox.Options{Now: clock})
	server := httptest.NewServer(cloud)
	defer server.Close()
	cfg, err := awsapi.Load(t.Context(), awsapi.Options{Region: "ap-northeast-1", EndpointURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
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
	watch := measure.New(measure.Options{API: cloudwatch.NewFromConfig(cfg), Now: clock})
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
