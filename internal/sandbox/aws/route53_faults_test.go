package aws_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

const changeSets = "ChangeResourceRecordSets"

// TestFaultStatuses: retries go by the HTTP status too.
func TestFaultStatuses(t *testing.T) {
	for name, c := range map[string]struct {
		kind aws.FaultKind
		want int
	}{
		"throttled":           {aws.Throttle, http.StatusBadRequest},
		"a prior request":     {aws.PriorRequestNotComplete, http.StatusBadRequest},
		"denied":              {aws.AccessDenied, http.StatusForbidden},
		"expired":             {aws.ExpiredCredentials, http.StatusForbidden},
		"an internal error":   {aws.ServerError, http.StatusInternalServerError},
		"service unavailable": {aws.ServiceUnavailable, http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, aws.Options{})
			zone := seedZone(t, w)
			if _, err := w.Inject(aws.Fault{Kind: c.kind, Service: aws.Route53, Operation: changeSets}); err != nil {
				t.Fatal(err)
			}
			err := w.change(t, zone, create(simple("new.example.com", "A", "192.0.2.1")))
			var answer *awshttp.ResponseError
			if !errors.As(err, &answer) || answer.HTTPStatusCode() != c.want {
				t.Errorf("answered with %v, want the status %d", err, c.want)
			}
		})
	}
}

// TestAFaultHitsItsZoneAndRecordTypeOnly stands for policies with conditions.
func TestAFaultHitsItsZoneAndRecordTypeOnly(t *testing.T) {
	w := newWorld(t, aws.Options{})
	zone, other := w.zone(t, "example.com"), w.zone(t, "example.net")
	_, err := w.Inject(aws.Fault{Kind: aws.AccessDenied, Service: aws.Route53, Operation: changeSets, Resource: zone, RecordType: "TXT"})
	if err != nil {
		t.Fatal(err)
	}
	a, txt := simple("www.example.com", "A", "192.0.2.1"), simple("www.example.com", "TXT", `"x"`)
	got := map[string]string{
		"a batch with a TXT":             code(t, w.change(t, zone, create(a), create(txt))),
		"the same without":               code(t, w.change(t, zone, create(a))),
		"another zone's TXT":             code(t, w.change(t, other, create(simple("www.example.net", "TXT", `"x"`)))),
		"a DELETE of a TXT is no better": code(t, w.change(t, zone, remove(txt))),
	}
	want := map[string]string{"a batch with a TXT": "AccessDenied", "the same without": "", "another zone's TXT": "", "a DELETE of a TXT is no better": "AccessDenied"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	denied := w.change(t, zone, create(txt)).Error()
	if says := "not authorized to perform: route53:ChangeResourceRecordSets on resource: arn:aws:route53:::" + zone[1:] + " because"; !strings.Contains(denied, says) {
		t.Errorf("%q lacks %q", denied, says)
	}
}

// TestASlowChangeIsListedButNotAnswered, and those after it wait for it.
func TestASlowChangeIsListedButNotAnswered(t *testing.T) {
	clk := newClock()
	w := newWorld(t, aws.Options{Now: clk.now, Propagation: time.Second})
	zone := seedZone(t, w)
	other := w.zone(t, "example.net")
	clk.advance(time.Second)
	clearSlow, err := w.Inject(aws.Fault{Kind: aws.SlowSync, Service: aws.Route53, Operation: changeSets, Resource: zone, Delay: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	change := func(zone string, c r53types.Change) *string {
		out, err := w.route53.ChangeResourceRecordSets(t.Context(), &route53.ChangeResourceRecordSetsInput{HostedZoneId: &zone, ChangeBatch: &r53types.ChangeBatch{Changes: []r53types.Change{c}}})
		if err != nil {
			t.Fatal(err)
		}
		return out.ChangeInfo.Id
	}
	slow := change(zone, upsert(weighted("shop.example.com", "green", 10, "192.0.2.2")))
	clearSlow()
	next := change(zone, upsert(weighted("shop.example.com", "green", 20, "192.0.2.2")))
	elsewhere := change(other, create(simple("www.example.net", "A", "192.0.2.1")))
	state := func() []any {
		out := []any{w.RecordSets("shop.example.com", "A")[1].Weight}
		for _, id := range []*string{slow, next, elsewhere} {
			got, err := w.route53.GetChange(t.Context(), &route53.GetChangeInput{Id: id})
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, string(got.ChangeInfo.Status))
		}
		return out
	}
	if listed := *w.list(t, zone)[4].Weight; listed != 20 {
		t.Errorf("listed with %d, want 20 at once", listed)
	}
	for _, c := range []struct {
		after time.Duration
		want  []any
	}{
		{time.Second, []any{int64(0), "PENDING", "PENDING", "INSYNC"}},
		{59 * time.Second, []any{int64(0), "PENDING", "PENDING", "INSYNC"}},
		{time.Second, []any{int64(20), "INSYNC", "INSYNC", "INSYNC"}},
	} {
		clk.advance(c.after)
		if diff := cmp.Diff(c.want, state()); diff != "" {
			t.Errorf("%s later: weight, slow, next, elsewhere (-want +got):\n%s", c.after, diff)
		}
	}
}

// TestAZoneRefusesBatchesWhileItIsBusy: a refused batch doesn't make it busy.
func TestAZoneRefusesBatchesWhileItIsBusy(t *testing.T) {
	clk := newClock()
	w := newWorld(t, aws.Options{Now: clk.now, ChangeProcessing: 100 * time.Millisecond})
	zone, other := seedZone(t, w), w.zone(t, "example.net")
	good, bad := upsert(weighted("shop.example.com", "green", 10, "192.0.2.2")), create(weighted("shop.example.com", "green", 10, "192.0.2.2"))
	var got []string
	for _, step := range []struct {
		wait  time.Duration
		zone  string
		batch r53types.Change
	}{
		{0, zone, good},
		{0, other, create(simple("www.example.net", "A", "192.0.2.1"))},
		{99 * time.Millisecond, zone, bad},
		{time.Millisecond, zone, bad},
		{0, zone, good},
		{0, zone, good},
	} {
		clk.advance(step.wait)
		got = append(got, code(t, w.change(t, step.zone, step.batch)))
	}
	const busy = "PriorRequestNotComplete"
	if diff := cmp.Diff([]string{busy, "", busy, "InvalidChangeBatch", "", busy}, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	if _, err := w.route53.DeleteHostedZone(t.Context(), &route53.DeleteHostedZoneInput{Id: &zone}); code(t, err) != busy {
		t.Errorf("deleting the busy zone: %v", err)
	}
	w.list(t, zone) // reads go on
}

// TestRateLimits counts every call of a service, those that are refused too, but
// not those that are throttled.
func TestRateLimits(t *testing.T) {
	for name, c := range map[string]struct {
		burst int
		call  func(t *testing.T, w *world) error
	}{
		"Route 53, whatever the operation": {50, func(t *testing.T, w *world) error {
			if len(w.Calls())%2 == 0 {
				_, err := w.route53.ListHostedZones(t.Context(), &route53.ListHostedZonesInput{})
				return err
			}
			_, err := w.route53.GetHostedZone(t.Context(), &route53.GetHostedZoneInput{Id: sdk.String("Z0")})
			if code(t, err) == "NoSuchHostedZone" {
				return nil
			}
			return err
		}},
		"ELB": {40, func(t *testing.T, w *world) error {
			_, err := w.elb.DescribeRules(t.Context(), &elbv2.DescribeRulesInput{RuleArns: []string{"arn:x"}})
			if code(t, err) == "Throttling" {
				return err
			}
			return nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			clk := newClock()
			w := newWorld(t, aws.Options{Now: clk.now, RateLimits: aws.AWSRateLimits()})
			passed := func(tries int) int {
				n := 0
				for range tries {
					err := c.call(t, w)
					if got := code(t, err); got == "" {
						n++
					} else if got != "Throttling" || !strings.Contains(err.Error(), "Rate exceeded") {
						t.Fatal(err)
					}
				}
				return n
			}
			got := []int{passed(70)}
			for _, wait := range []time.Duration{90 * time.Millisecond, 10 * time.Millisecond, time.Second, time.Hour} {
				clk.advance(wait)
				got = append(got, passed(70))
			}
			if diff := cmp.Diff([]int{c.burst, 0, 1, 10, c.burst}, got); diff != "" {
				t.Errorf("calls that passed (-want +got):\n%s", diff)
			}
			if last := w.Calls()[len(w.Calls())-1]; last.Code != "Throttling" || last.Applied {
				t.Errorf("the call log says %+v", last)
			}
		})
	}
	t.Run("each service has its own", func(t *testing.T) {
		w := newWorld(t, aws.Options{Now: newClock().now, RateLimits: map[aws.Service]aws.RateLimit{aws.Route53: {PerSecond: 1, Burst: 1}, aws.ELB: {PerSecond: 1, Burst: 1}}})
		w.zone(t, "example.com")
		_, first := w.elb.DescribeTargetGroups(t.Context(), &elbv2.DescribeTargetGroupsInput{})
		_, second := w.elb.DescribeTargetGroups(t.Context(), &elbv2.DescribeTargetGroupsInput{})
		if code(t, first) != "" || code(t, second) != "Throttling" {
			t.Errorf("ELB's one call and the next: %v, %v", first, second)
		}
	})
}
