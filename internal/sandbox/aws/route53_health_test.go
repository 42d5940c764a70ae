package aws_test

import (
	"fmt"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

func TestHealthChecksAreKeptAsCreated(t *testing.T) {
	w := newWorld(t, aws.Options{})
	sent := r53types.HealthCheckConfig{
		Type: r53types.HealthCheckTypeHttpsStrMatch, FullyQualifiedDomainName: sdk.String("shop.example.com"),
		SearchString: sdk.String("ok"), RequestInterval: sdk.Int32(10), Regions: []r53types.HealthCheckRegion{"us-east-1", "eu-west-1", "sa-east-1"},
	}
	in := &route53.CreateHealthCheckInput{CallerReference: sdk.String("r"), HealthCheckConfig: &sent}
	first, err := w.route53.CreateHealthCheck(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if want := "/healthcheck/" + *first.HealthCheck.Id; !strings.HasSuffix(*first.Location, want) {
		t.Errorf("location %s, want …%s", *first.Location, want)
	}
	again, err := w.route53.CreateHealthCheck(t.Context(), in)
	if err != nil || *again.HealthCheck.Id != *first.HealthCheck.Id {
		t.Errorf("the same request again: %v, want the same check", err)
	}
	other := sent
	other.SearchString = sdk.String("other")
	_, err = w.route53.CreateHealthCheck(t.Context(), &route53.CreateHealthCheckInput{CallerReference: in.CallerReference, HealthCheckConfig: &other})
	if c := code(t, err); c != "HealthCheckAlreadyExists" {
		t.Errorf("the caller reference with other settings: %q", c)
	}
	got, err := w.route53.GetHealthCheck(t.Context(), &route53.GetHealthCheckInput{HealthCheckId: first.HealthCheck.Id})
	if err != nil {
		t.Fatal(err)
	}
	want := sent
	want.Port, want.FailureThreshold, want.EnableSNI = sdk.Int32(443), sdk.Int32(3), sdk.Bool(true)
	want.MeasureLatency, want.Inverted, want.Disabled = sdk.Bool(false), sdk.Bool(false), sdk.Bool(false)
	if diff := cmp.Diff(&want, got.HealthCheck.HealthCheckConfig, cmpopts.IgnoreUnexported(want)); diff != "" {
		t.Errorf("the check with AWS's defaults (-want +got):\n%s", diff)
	}
	for i := range 4 {
		w.healthCheck(t, fmt.Sprint(i))
	}
	n := 0
	pages := route53.NewListHealthChecksPaginator(w.route53, &route53.ListHealthChecksInput{MaxItems: sdk.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n += len(page.HealthChecks)
	}
	if n != 5 {
		t.Errorf("%d checks are listed, want 5", n)
	}
}

func TestHealthChecksThatAreRefused(t *testing.T) {
	address := sdk.String("192.0.2.1")
	for name, c := range map[string]struct {
		config r53types.HealthCheckConfig
		says   string
	}{
		"no endpoint":                   {r53types.HealthCheckConfig{Type: "HTTP"}, "Either IPAddress or FullyQualifiedDomainName"},
		"an address that is none":       {r53types.HealthCheckConfig{Type: "HTTP", IPAddress: sdk.String("x")}, "not valid"},
		"TCP without a port":            {r53types.HealthCheckConfig{Type: "TCP", IPAddress: address}, "Missing field 'Port'"},
		"no string to match":            {r53types.HealthCheckConfig{Type: "HTTP_STR_MATCH", IPAddress: address}, "Missing field 'SearchString'"},
		"no alarm":                      {r53types.HealthCheckConfig{Type: "CLOUDWATCH_METRIC"}, "Missing field 'AlarmIdentifier'"},
		"an interval of 20 s":           {r53types.HealthCheckConfig{Type: "HTTP", IPAddress: address, RequestInterval: sdk.Int32(20)}, "must be 10 or 30"},
		"a threshold of 11":             {r53types.HealthCheckConfig{Type: "HTTP", IPAddress: address, FailureThreshold: sdk.Int32(11)}, "between 1 and 10"},
		"a port over 65535":             {r53types.HealthCheckConfig{Type: "HTTP", IPAddress: address, Port: sdk.Int32(65536)}, "between 1 and 65535"},
		"a type that isn't there":       {r53types.HealthCheckConfig{Type: "PING", IPAddress: address}, "Member must satisfy enum"},
		"a calculated check, by name":   {r53types.HealthCheckConfig{Type: "CALCULATED", HealthThreshold: sdk.Int32(1)}, "no health checks of the types CALCULATED"},
		"a routing control, by its ARN": {r53types.HealthCheckConfig{Type: "RECOVERY_CONTROL", RoutingControlArn: sdk.String("arn:x")}, "RECOVERY_CONTROL"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, aws.Options{})
			_, err := w.route53.CreateHealthCheck(t.Context(), &route53.CreateHealthCheckInput{CallerReference: sdk.String("r"), HealthCheckConfig: &c.config})
			if got := code(t, err); got != "InvalidInput" || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q (%v), want InvalidInput with %q", got, err, c.says)
			}
		})
	}
}

// TestHealthCheckStates: a state is that of the check, not of its endpoint.
func TestHealthCheckStates(t *testing.T) {
	for name, c := range map[string]struct {
		inverted, disabled bool
		set                *bool
		unhealthy          bool
		status             string // how the checkers' finding begins
		refused            bool
	}{
		"a new one is healthy":                    {status: "Success"},
		"a new inverted one is unhealthy":         {inverted: true, unhealthy: true, status: "Success"},
		"set to unhealthy":                        {set: sdk.Bool(false), unhealthy: true, status: "Failure"},
		"an inverted one set to healthy":          {inverted: true, set: sdk.Bool(true), status: "Failure"},
		"a disabled one stays healthy":            {disabled: true, set: sdk.Bool(false), refused: true, status: "Success"},
		"a disabled inverted one stays unhealthy": {disabled: true, inverted: true, unhealthy: true, set: sdk.Bool(true), refused: true, status: "Success"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, aws.Options{})
			out, err := w.route53.CreateHealthCheck(t.Context(), &route53.CreateHealthCheckInput{CallerReference: sdk.String("r"), HealthCheckConfig: &r53types.HealthCheckConfig{
				Type: "HTTP", IPAddress: sdk.String("192.0.2.1"), Inverted: &c.inverted, Disabled: &c.disabled,
			}})
			if err != nil {
				t.Fatal(err)
			}
			id := *out.HealthCheck.Id
			zone := w.zone(t, "example.com")
			if err := w.change(t, zone, create(checked(weighted("shop.example.com", "blue", 1, "192.0.2.1"), id))); err != nil {
				t.Fatal(err)
			}
			if c.set != nil {
				if err := w.SetHealthCheck(id, *c.set); (err != nil) != c.refused {
					t.Errorf("setting it: %v", err)
				}
			}
			if got := w.RecordSets("shop.example.com", "A")[0].Unhealthy; got != c.unhealthy {
				t.Errorf("unhealthy: %t, want %t", got, c.unhealthy)
			}
			status, err := w.route53.GetHealthCheckStatus(t.Context(), &route53.GetHealthCheckStatusInput{HealthCheckId: &id})
			if err != nil {
				t.Fatal(err)
			}
			if report := status.HealthCheckObservations[0].StatusReport; len(status.HealthCheckObservations) != 3 || !strings.HasPrefix(*report.Status, c.status) || report.CheckedTime == nil {
				t.Errorf("%d observations, the first %q, want %q", len(status.HealthCheckObservations), *report.Status, c.status)
			}
		})
	}
}

// TestADeletedHealthCheckIsForgotten: AWS deletes one that records still name.
func TestADeletedHealthCheckIsForgotten(t *testing.T) {
	w := newWorld(t, aws.Options{})
	zone, id := w.zone(t, "example.com"), w.healthCheck(t, "r")
	blue := checked(weighted("shop.example.com", "blue", 1, "192.0.2.1"), id)
	if err := w.change(t, zone, create(blue)); err != nil {
		t.Fatal(err)
	}
	if err := w.SetHealthCheck(id, false); err != nil {
		t.Fatal(err)
	}
	if _, err := w.route53.DeleteHealthCheck(t.Context(), &route53.DeleteHealthCheckInput{HealthCheckId: &id}); err != nil {
		t.Fatal(err)
	}
	if w.RecordSets("shop.example.com", "A")[0].Unhealthy {
		t.Error("a record set fails by a check that was deleted")
	}
	_, getErr := w.route53.GetHealthCheck(t.Context(), &route53.GetHealthCheckInput{HealthCheckId: &id})
	_, statusErr := w.route53.GetHealthCheckStatus(t.Context(), &route53.GetHealthCheckStatusInput{HealthCheckId: &id})
	_, deleteErr := w.route53.DeleteHealthCheck(t.Context(), &route53.DeleteHealthCheckInput{HealthCheckId: &id})
	for call, err := range map[string]error{"Get": getErr, "status": statusErr, "Delete": deleteErr, "UPSERT": w.change(t, zone, upsert(blue))} {
		if c := code(t, err); c != "NoSuchHealthCheck" {
			t.Errorf("%s afterwards: %q, want NoSuchHealthCheck", call, c)
		}
	}
	if w.SetHealthCheck(id, true) == nil {
		t.Error("its state can still be set")
	}
	if err := w.change(t, zone, remove(blue)); err != nil {
		t.Errorf("the record set can't be deleted any more: %v", err)
	}
}
