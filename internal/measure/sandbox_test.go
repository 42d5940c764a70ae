package measure_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/internal/measure"
	sandbox "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
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
	// Ten minutes: ten requests to each group a minute, one of green's an error.
	for m := range 10 {
		for i := range 10 {
			at := now.Add(-time.Duration(m) * time.Minute).Truncate(time.Minute).Add(time.Duration(i) * time.Second)
			status := 200
			if i == 0 {
				status = 503
			}
			cloud.RecordRequest(routing.Request{At: at, LoadBalancerARN: balancer, TargetGroupARN: green, Status: status, FromTarget: true})
			cloud.RecordRequest(routing.Request{At: at, LoadBalancerARN: balancer, TargetGroupARN: blue, Status: 500, FromTarget: true})
		}
	}
	_, lb, _ := strings.Cut(balancer, ":loadbalancer/")
	tg := green[strings.Index(green, "targetgroup/"):]
	watch := measure.New(measure.Options{API: cloudwatch.NewFromConfig(cfg), Now: clock})
	query := measure.Query{Gate: "errors", LoadBalancer: lb, TargetGroup: tg, Window: 5 * time.Minute, Period: time.Minute, Settle: 2 * time.Minute}
	silent := query
	silent.Gate, silent.TargetGroup = "silent", "targetgroup/silent/0"

	got := watch.Measure(t.Context(), []measure.Query{query, silent}, now.Add(-6*time.Minute))
	if r := got[0]; r.Err != "" || r.Requests != 30 || r.Errors != 3 || r.From.Minute() != 25 || r.To.Minute() != 28 {
		t.Errorf("got %+v", r)
	}
	if r := got[1]; r.Err != "" || r.Requests != 0 || r.Errors != 0 {
		t.Errorf("a silent group: %+v", r)
	}
	if _, err := cloud.Inject(sandbox.Fault{Kind: sandbox.AccessDenied, Service: sandbox.CloudWatch, Operation: "GetMetricData"}); err != nil {
		t.Fatal(err)
	}
	if r := watch.Measure(t.Context(), []measure.Query{query}, time.Time{})[0]; !strings.Contains(r.Err, "grant cloudwatch:GetMetricData") || !r.To.IsZero() {
		t.Errorf("got %+v", r)
	}
}
