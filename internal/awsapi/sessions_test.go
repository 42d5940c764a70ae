package awsapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/google/go-cmp/cmp"
)

const (
	dnsRole   = "arn:aws:iam::210987654321:role/dns"
	dnsEditor = "arn:aws:iam::210987654321:role/dns-editor"
)

// cloud answers every call with what the test says, and keeps what was asked.
type cloud struct {
	*httptest.Server

	mu      sync.Mutex // guards all below
	asked   []string   // "sts AssumeRole", else the signing service and key
	answers func(w http.ResponseWriter, signedBy string)
	sts     func(w http.ResponseWriter)
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	hermetic(t)
	c := &cloud{}
	c.answers = func(w http.ResponseWriter, _ string) {
		_, _ = w.Write([]byte(`<R xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ChangeInfo><Id>C1</Id><Status>INSYNC</Status><SubmittedAt>2026-01-02T03:04:05Z</SubmittedAt></ChangeInfo></R>`))
	}
	c.sts = func(w http.ResponseWriter) { giveRole(w, "ASIAROLE", time.Now().Add(time.Hour)) }
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		_ = r.ParseForm()
		credential := strings.Split(strings.TrimPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential="), "/")
		if len(credential) < 4 {
			credential = []string{"nobody", "", "", "?"}
		}
		if r.Form.Get("Action") == "AssumeRole" {
			c.asked = append(c.asked, "AssumeRole "+r.Form.Get("RoleArn")+" as "+r.Form.Get("RoleSessionName"))
			c.sts(w)
			return
		}
		c.asked = append(c.asked, credential[3]+" in "+credential[2]+" by "+credential[0])
		c.answers(w, credential[0])
	}))
	t.Cleanup(c.Close)
	return c
}

func giveRole(w http.ResponseWriter, key string, until time.Time) {
	_, _ = fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>%s</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration>
</Credentials></AssumeRoleResult></AssumeRoleResponse>`, key, until.UTC().Format(time.RFC3339))
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `<ErrorResponse xmlns="https://x/"><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>`, code, message)
}

func (c *cloud) takeAsked() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := c.asked
	c.asked = nil
	return asked
}

func (c *cloud) sessions(t *testing.T, o SessionsOptions) *Sessions {
	t.Helper()
	o.Region, o.EndpointURL = "eu-west-1", c.URL
	s, err := NewSessions(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	s.base.Retryer = func() aws.Retryer { // as many tries as ever, but no long waits between them
		return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = readAttempts, time.Millisecond })
	}
	return s
}

// getChange makes one small call.
func getChange(ctx context.Context, cfg aws.Config, options ...func(*route53.Options)) error {
	_, err := route53.NewFromConfig(cfg).GetChange(ctx, &route53.GetChangeInput{Id: new("C1")}, options...)
	return err
}

// counter is a Meter that keeps what it is told.
type counter struct {
	mu     sync.Mutex // guards all below
	calls  map[string]int
	waited map[string]time.Duration
}

func newCounter() *counter {
	return &counter{calls: map[string]int{}, waited: map[string]time.Duration{}}
}

func (c *counter) Called(service, operation, outcome string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[service+" "+operation+" "+outcome]++
}

func (c *counter) Waited(service string, waited time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waited[service] += waited
}

func TestSessionsNeedARegion(t *testing.T) {
	hermetic(t)
	if _, err := NewSessions(t.Context(), SessionsOptions{}); err == nil || !strings.Contains(err.Error(), "AWS_REGION") {
		t.Errorf("got %v", err)
	}
}

func TestEveryTryOfACallCounts(t *testing.T) {
	c := newCloud(t)
	c.answers = func(w http.ResponseWriter, _ string) { http.Error(w, "no", http.StatusInternalServerError) }
	meter := newCounter()
	s := c.sessions(t, SessionsOptions{Meter: meter, Budgets: Budgets{Route53: Rate{PerSecond: 1, Burst: 4, Reserve: 1}}})
	if err := getChange(t.Context(), s.For("", "")); Classify(err).Class != Unreachable {
		t.Errorf("got %v", err)
	}
	if tries := len(c.takeAsked()); tries != readAttempts {
		t.Errorf("the SDK tried %d times, want %d", tries, readAttempts)
	}
	// The three tries took the three tokens above the reserve, whatever session is used.
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	err := getChange(ctx, s.For("", "us-east-1"))
	if f := Classify(err); f.Class != Throttled || !strings.Contains(f.Message, "the daemon's own budget of 1 calls a second to Route 53") {
		t.Errorf("got %v, which means %s", err, f)
	}
	if asked := c.takeAsked(); len(asked) != 0 {
		t.Errorf("AWS was asked: %v", asked)
	}
	if err := getChange(Urgent(ctx), s.For("", ""), func(o *route53.Options) { o.Retryer = Once() }); Classify(err).Class != Unreachable || len(c.takeAsked()) != 1 {
		t.Errorf("an urgent call: %v", err)
	}
	want := map[string]int{"route53 GetChange no_answer": 4, "route53 GetChange held": 1}
	if diff := cmp.Diff(want, meter.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestWaitingForTheBudgetIsMeasured(t *testing.T) {
	c, meter := newCloud(t), newCounter()
	s := c.sessions(t, SessionsOptions{Meter: meter, Budgets: Budgets{Route53: Rate{PerSecond: 20, Burst: 1}}})
	for range 2 {
		if err := getChange(t.Context(), s.For("", "")); err != nil {
			t.Fatal(err)
		}
	}
	if waited := meter.waited["route53"]; waited <= 0 || waited > time.Second {
		t.Errorf("a wait of at most 50ms was measured as %s", waited)
	}
}

// The hold of rule S14 reaches over sessions and services, and through the SDK.
func TestAThrottledRollbackHoldsCallsOfAllServices(t *testing.T) {
	c := newCloud(t)
	c.answers = func(w http.ResponseWriter, _ string) { refuse(w, http.StatusBadRequest, codePriorRequest, "later") }
	s := c.sessions(t, SessionsOptions{})
	err := getChange(Urgent(t.Context()), s.For(dnsRole, ""), func(o *route53.Options) { o.Retryer = Once() })
	if f := Classify(err); f.Class != Throttled || f.Code != codePriorRequest {
		t.Fatalf("got %v", err)
	}
	c.takeAsked()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, balancers := elbv2.NewFromConfig(s.For("", "us-east-1")).DescribeRules(ctx, &elbv2.DescribeRulesInput{})
	_, metrics := cloudwatch.NewFromConfig(s.For("", "")).ListMetrics(ctx, &cloudwatch.ListMetricsInput{})
	for name, err := range map[string]error{"ELB": balancers, "CloudWatch": metrics, "Route 53": getChange(ctx, s.For("", ""))} {
		if f := Classify(err); f.Class != Throttled || !strings.Contains(f.Message, "AWS throttles a rollback's calls") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if asked := c.takeAsked(); len(asked) != 0 {
		t.Errorf("AWS was asked: %v", asked)
	}
}

func TestARoleIsAssumedOnceForAllRegions(t *testing.T) {
	c, meter := newCloud(t), newCounter()
	s := c.sessions(t, SessionsOptions{Meter: meter})
	var calls sync.WaitGroup
	for range 5 {
		calls.Go(func() {
			if err := getChange(t.Context(), s.For(dnsRole, "")); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	_, _ = elbv2.NewFromConfig(s.For(dnsRole, "us-east-1")).DescribeRules(t.Context(), &elbv2.DescribeRulesInput{})
	if err := getChange(t.Context(), s.For("", "")); err != nil {
		t.Error(err)
	}
	asked := c.takeAsked()
	want := map[string]int{
		"AssumeRole " + dnsRole + " as clusterswitch":   1,
		"route53 in eu-west-1 by ASIAROLE":              5,
		"elasticloadbalancing in us-east-1 by ASIAROLE": 1,
		"route53 in eu-west-1 by AKIDEXAMPLE":           1,
	}
	got := map[string]int{}
	for _, a := range asked {
		got[a]++
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if n := meter.calls["sts AssumeRole ok"]; n != 1 {
		t.Errorf("the meter knows of %d AssumeRole", n)
	}
}

func TestRolesOfOneAccountShareItsBudget(t *testing.T) {
	c := newCloud(t)
	s := c.sessions(t, SessionsOptions{Budgets: Budgets{Route53: Rate{PerSecond: 1, Burst: 1}}})
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	for _, step := range []struct {
		role string
		want Class
		ok   bool
	}{{role: dnsRole, ok: true}, {role: dnsEditor, want: Throttled}, {role: "", ok: true}, {role: "arn:aws:iam::1:role/x", ok: true}} {
		err := getChange(ctx, s.For(step.role, ""))
		if (err == nil) != step.ok || err != nil && Classify(err).Class != step.want {
			t.Errorf("as %q: %v", step.role, err)
		}
	}
}

func TestCredentialsThatCantBeHad(t *testing.T) {
	cases := map[string]struct {
		harm  func(t *testing.T, c *cloud)
		role  string
		class Class
		says  string
	}{
		"a role that may not be assumed": {
			func(_ *testing.T, c *cloud) {
				c.sts = func(w http.ResponseWriter) {
					refuse(w, http.StatusForbidden, "AccessDenied", "not authorized to perform sts:AssumeRole")
				}
			},
			dnsRole, Denied, "AWS doesn't let the daemon assume the role " + dnsRole + ": not authorized to perform sts:AssumeRole",
		},
		"an STS that is broken": {
			func(_ *testing.T, c *cloud) {
				c.sts = func(w http.ResponseWriter) { refuse(w, http.StatusInternalServerError, "InternalFailure", "boom") }
			},
			dnsRole, Unreachable, "AWS couldn't be asked for the role " + dnsRole,
		},
		"an STS that throttles": {
			func(_ *testing.T, c *cloud) {
				c.sts = func(w http.ResponseWriter) { refuse(w, http.StatusBadRequest, "Throttling", "Rate exceeded") }
			},
			dnsRole, Throttled, "AWS couldn't be asked for the role " + dnsRole,
		},
		"nobody at the other end": {func(_ *testing.T, c *cloud) { c.Close() }, dnsRole, Unreachable, "AWS couldn't be asked for the role " + dnsRole},
		"no credentials at all": {
			func(t *testing.T, _ *cloud) {
				t.Setenv("AWS_ACCESS_KEY_ID", "")
				t.Setenv("AWS_SECRET_ACCESS_KEY", "")
			},
			"", Denied, "there are no AWS credentials; log in",
		},
		"no credentials to assume a role with": {
			func(t *testing.T, _ *cloud) {
				t.Setenv("AWS_ACCESS_KEY_ID", "")
				t.Setenv("AWS_SECRET_ACCESS_KEY", "")
			},
			dnsRole, Denied, "there are no AWS credentials; log in",
		},
		"a server of credentials that is away": {
			func(t *testing.T, _ *cloud) {
				t.Setenv("AWS_ACCESS_KEY_ID", "")
				t.Setenv("AWS_SECRET_ACCESS_KEY", "")
				t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/")
			},
			"", Unreachable, "nobody could be asked for AWS credentials",
		},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			test.harm(t, c)
			s := c.sessions(t, SessionsOptions{})
			err := getChange(t.Context(), s.For(test.role, ""))
			if f := Classify(err); f.Class != test.class || !strings.Contains(f.Message, test.says) {
				t.Errorf("got %v\nwhich means %s\nwant %s with %q", err, f, test.class, test.says)
			}
		})
	}
}

// A role's credentials are renewed before they end. While STS can't be asked,
// those that still count are used.
func TestARoleOutlivesAnSTSThatIsAway(t *testing.T) {
	c := newCloud(t)
	soon := time.Now().Add(4 * time.Minute)
	c.sts = func(w http.ResponseWriter) { giveRole(w, "ASIAFIRST", soon) }
	s := c.sessions(t, SessionsOptions{})
	for _, step := range []func(w http.ResponseWriter){
		c.sts,
		func(w http.ResponseWriter) { refuse(w, http.StatusForbidden, "AccessDenied", "no longer") },
	} {
		c.sts = step
		if err := getChange(t.Context(), s.For(dnsRole, "")); err != nil {
			t.Fatal(err)
		}
	}
	assumed := "AssumeRole " + dnsRole + " as clusterswitch"
	want := []string{assumed, "route53 in eu-west-1 by ASIAFIRST", assumed, "route53 in eu-west-1 by ASIAFIRST"}
	if diff := cmp.Diff(want, c.takeAsked()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := getChange(t.Context(), s.For(dnsRole, "")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"route53 in eu-west-1 by ASIAFIRST"}, c.takeAsked()); diff != "" {
		t.Errorf("STS was asked again at once (-want +got):\n%s", diff)
	}
	over := &source{role: dnsRole, end: time.Now().Add(refreshAgain - time.Second)}
	before := aws.Credentials{AccessKeyID: "ASIAFIRST", SecretAccessKey: "s"}
	if _, err := over.HandleFailToRefresh(t.Context(), before, errors.New("away")); err == nil {
		t.Error("credentials are used beyond their end")
	}
}
