package aws_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

// clock is a hand-moved clock.
type clock struct{ t time.Time }

func (c *clock) now() time.Time          { return c.t }
func (c *clock) advance(d time.Duration) { c.t = c.t.Add(d) }

func newClock() *clock {
	return &clock{t: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
}

// world is an embedded AWS with real SDK clients that talk to it over HTTP.
type world struct {
	*aws.Cloud
	url     string
	config  sdk.Config
	route53 *route53.Client
	elb     *elbv2.Client
	cw      *cloudwatch.Client
	sts     *sts.Client
}

func newWorld(t testing.TB, opts aws.Options) *world {
	t.Helper()
	cloud := aws.New(opts)
	server := httptest.NewServer(cloud)
	t.Cleanup(server.Close)
	config := sdk.Config{
		Region:       "ap-northeast-1",
		BaseEndpoint: sdk.String(server.URL),
		Credentials:  credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		Retryer:      func() sdk.Retryer { return sdk.NopRetryer{} },
		HTTPClient:   server.Client(),
	}
	return &world{
		Cloud: cloud, url: server.URL, config: config,
		route53: route53.NewFromConfig(config), elb: elbv2.NewFromConfig(config),
		cw: cloudwatch.NewFromConfig(config), sts: sts.NewFromConfig(config),
	}
}

// code returns the wire code of a refusal, or "" for success.
func code(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var refused smithy.APIError
	if !errors.As(err, &refused) {
		t.Fatalf("error %v is not an answer of the API", err)
	}
	return refused.ErrorCode()
}

// zone creates a hosted zone and returns its id.
func (w *world) zone(t testing.TB, name string) string {
	t.Helper()
	out, err := w.route53.CreateHostedZone(t.Context(), &route53.CreateHostedZoneInput{
		Name: sdk.String(name), CallerReference: sdk.String(t.Name() + name),
	})
	if err != nil {
		t.Fatalf("creating zone %s: %v", name, err)
	}
	return *out.HostedZone.Id
}

func (w *world) change(t testing.TB, zone string, changes ...r53types.Change) error {
	t.Helper()
	_, err := w.route53.ChangeResourceRecordSets(t.Context(), &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: &zone, ChangeBatch: &r53types.ChangeBatch{Changes: changes},
	})
	return err
}

func (w *world) list(t testing.TB, zone string) []r53types.ResourceRecordSet {
	t.Helper()
	out, err := w.route53.ListResourceRecordSets(t.Context(), &route53.ListResourceRecordSetsInput{HostedZoneId: &zone})
	if err != nil {
		t.Fatalf("listing %s: %v", zone, err)
	}
	return out.ResourceRecordSets
}

func create(s r53types.ResourceRecordSet) r53types.Change {
	return r53types.Change{Action: r53types.ChangeActionCreate, ResourceRecordSet: &s}
}

func remove(s r53types.ResourceRecordSet) r53types.Change {
	return r53types.Change{Action: r53types.ChangeActionDelete, ResourceRecordSet: &s}
}

func upsert(s r53types.ResourceRecordSet) r53types.Change {
	return r53types.Change{Action: r53types.ChangeActionUpsert, ResourceRecordSet: &s}
}

func simple(name, typ string, values ...string) r53types.ResourceRecordSet {
	s := r53types.ResourceRecordSet{Name: &name, Type: r53types.RRType(typ), TTL: sdk.Int64(60)}
	for _, v := range values {
		s.ResourceRecords = append(s.ResourceRecords, r53types.ResourceRecord{Value: &v})
	}
	return s
}

func weighted(name, id string, weight int64, value string) r53types.ResourceRecordSet {
	s := simple(name, "A", value)
	s.SetIdentifier, s.Weight = &id, &weight
	return s
}

// alias is a simple alias that evaluates its target's health.
func alias(name, typ, zone, target string) r53types.ResourceRecordSet {
	return r53types.ResourceRecordSet{Name: &name, Type: r53types.RRType(typ), AliasTarget: &r53types.AliasTarget{
		HostedZoneId: &zone, DNSName: &target, EvaluateTargetHealth: true,
	}}
}

// member makes a set the weighted member of that identifier.
func member(s r53types.ResourceRecordSet, id string, weight int64) r53types.ResourceRecordSet {
	s.SetIdentifier, s.Weight = &id, &weight
	return s
}

// checked adds a health check.
func checked(s r53types.ResourceRecordSet, id string) r53types.ResourceRecordSet {
	s.HealthCheckId = &id
	return s
}

// healthCheck creates a health check and returns its id.
func (w *world) healthCheck(t testing.TB, reference string) string {
	t.Helper()
	out, err := w.route53.CreateHealthCheck(t.Context(), &route53.CreateHealthCheckInput{
		CallerReference: &reference,
		HealthCheckConfig: &r53types.HealthCheckConfig{
			Type: r53types.HealthCheckTypeHttp, IPAddress: sdk.String("192.0.2.1"), ResourcePath: sdk.String("/healthz"),
		},
	})
	if err != nil {
		t.Fatalf("creating the health check %s: %v", reference, err)
	}
	return *out.HealthCheck.Id
}

// sdkValues leaves the SDK's unexported marks out of comparisons.
func sdkValues() cmp.Option {
	return cmpopts.IgnoreUnexported(r53types.ResourceRecordSet{}, r53types.ResourceRecord{}, r53types.AliasTarget{}, r53types.GeoLocation{})
}

// post sends a raw signed-looking call, for what the SDK would never send.
func (w *world) post(t testing.TB, path, body string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/us-east-1/route53/aws4_request, Signature=x")
	got, err := w.config.HTTPClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got.StatusCode, string(text)
}
