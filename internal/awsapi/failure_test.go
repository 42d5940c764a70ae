package awsapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

func TestErrorsAreClassified(t *testing.T) {
	t.Parallel()
	code := func(c string) error {
		return fmt.Errorf("operation error: %w", &smithy.GenericAPIError{Code: c, Message: "as told"})
	}
	cases := map[string]struct {
		err  error
		want Class
		code string
	}{
		"throttling by Route 53":                  {code("Throttling"), Throttled, "Throttling"},
		"throttling by ELB":                       {code("ThrottlingException"), Throttled, "ThrottlingException"},
		"an earlier change under way":             {code("PriorRequestNotComplete"), Throttled, "PriorRequestNotComplete"},
		"a missing right":                         {code("AccessDenied"), Denied, "AccessDenied"},
		"throttling by everybody else":            {code("RequestLimitExceeded"), Throttled, "RequestLimitExceeded"},
		"throttling by its status alone":          {answered(http.StatusTooManyRequests, code("Surprise")), Throttled, "Surprise"},
		"expired credentials":                     {code("ExpiredToken"), Denied, "ExpiredToken"},
		"expired credentials, in other words":     {code("ExpiredTokenException"), Denied, "ExpiredTokenException"},
		"a request that took too long to arrive":  {code("RequestExpired"), Denied, "RequestExpired"},
		"a cluster that is gone":                  {code("ResourceNotFoundException"), NotFound, "ResourceNotFoundException"},
		"a service that is away":                  {code("ServiceUnavailable"), Unreachable, "ServiceUnavailable"},
		"a service that broke":                    {code("InternalFailure"), Unreachable, "InternalFailure"},
		"a refused connection":                    {&net.OpError{Op: "dial", Err: errors.New("connection refused")}, Unreachable, ""},
		"a zone that is gone":                     {code("NoSuchHostedZone"), NotFound, "NoSuchHostedZone"},
		"a rule that is gone":                     {code("RuleNotFound"), NotFound, "RuleNotFound"},
		"a refused swap":                          {&types.InvalidChangeBatch{}, Conflict, "InvalidChangeBatch"},
		"a bad value":                             {code("InvalidInput"), Invalid, "InvalidInput"},
		"stickiness that a target group demands":  {code("InvalidConfigurationRequest"), Invalid, "InvalidConfigurationRequest"},
		"a code that nobody knows":                {code("Surprise"), Other, "Surprise"},
		"a field that the SDK misses":             {smithy.InvalidParamsError{Context: "x"}, Invalid, ""},
		"a cut connection":                        {errors.New("EOF"), Unreachable, ""},
		"a passed deadline":                       {context.DeadlineExceeded, Unreachable, ""},
		"a server error":                          {answered(http.StatusServiceUnavailable, &smithy.GenericAPIError{Code: "InternalFailure"}), Unreachable, "InternalFailure"},
		"a server error without a status":         {&smithy.GenericAPIError{Code: "Boom", Fault: smithy.FaultServer}, Unreachable, "Boom"},
		"throttling that comes as a server error": {answered(http.StatusServiceUnavailable, &smithy.GenericAPIError{Code: "SlowDown"}), Throttled, "SlowDown"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Classify(c.err)
			if got.Class != c.want || got.Code != c.code {
				t.Errorf("got %s with code %q, want %s with %q", got.Class, got.Code, c.want, c.code)
			}
			if text := got.String(); !strings.Contains(text, c.want.String()) || !strings.Contains(text, c.code) {
				t.Errorf("it reads %q", text)
			}
		})
	}
}

func answered(status int, err error) error {
	return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: err}
}

// hermetic keeps the machine's own AWS configuration out of a test.
func hermetic(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_ENDPOINT_URL": "", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_MAX_ATTEMPTS": "", "AWS_RETRY_MODE": "",
	} {
		t.Setenv(name, value)
	}
}

func TestASessionNeedsARegion(t *testing.T) {
	hermetic(t)
	if _, err := Load(t.Context(), Options{}); err == nil || !strings.Contains(err.Error(), "AWS_REGION") {
		t.Errorf("got %v", err)
	}
	t.Setenv("AWS_REGION", "eu-west-1")
	if cfg, err := Load(t.Context(), Options{}); err != nil || cfg.Region != "eu-west-1" {
		t.Errorf("got %q, %v", cfg.Region, err)
	}
	if cfg, err := Load(t.Context(), Options{Region: "ap-northeast-1"}); err != nil || cfg.Region != "ap-northeast-1" {
		t.Errorf("got %q, %v", cfg.Region, err)
	}
}

// TestTheSDKWritesNothingPastTheLog: its own logger writes lines to standard error that no reader of JSON takes.
func TestTheSDKWritesNothingPastTheLog(t *testing.T) {
	hermetic(t)
	cfg, err := Load(t.Context(), Options{Region: "eu-west-1"})
	if _, silent := cfg.Logger.(logging.Nop); err != nil || !silent {
		t.Errorf("it logs to %T, %v", cfg.Logger, err)
	}
}

func TestReadsAreRepeatedAndWritesAreNot(t *testing.T) {
	hermetic(t)
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		http.Error(w, "no", http.StatusInternalServerError)
	}))
	defer server.Close()
	cfg, err := Load(t.Context(), Options{Region: "eu-west-1", EndpointURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	client := route53.NewFromConfig(cfg)
	if _, err := client.GetChange(t.Context(), &route53.GetChangeInput{Id: new("C1")}); Classify(err).Class != Unreachable {
		t.Errorf("got %v", err)
	}
	if n := calls.Swap(0); n != readAttempts {
		t.Errorf("a read was tried %d times, want %d", n, readAttempts)
	}
	in := &route53.ChangeResourceRecordSetsInput{HostedZoneId: new("Z1"), ChangeBatch: &types.ChangeBatch{Changes: []types.Change{}}}
	if _, err := client.ChangeResourceRecordSets(t.Context(), in, func(o *route53.Options) { o.Retryer = Once() }); err == nil {
		t.Error("a server error is no error")
	}
	if n := calls.Load(); n != 1 {
		t.Errorf("a write was tried %d times", n)
	}
}

func TestACallEndsWithTheTimeout(t *testing.T) {
	hermetic(t)
	stop := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(stop)
	cfg, err := Load(t.Context(), Options{Region: "eu-west-1", EndpointURL: server.URL, Timeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	client := route53.NewFromConfig(cfg, func(o *route53.Options) { o.Retryer = Once() })
	_, err = client.GetChange(t.Context(), &route53.GetChangeInput{Id: new("C1")})
	if err == nil || Classify(err).Class != Unreachable {
		t.Errorf("got %v", err)
	}
}

func TestADenialSaysWhatToDo(t *testing.T) {
	t.Parallel()
	code := func(c string) error { return &smithy.GenericAPIError{Code: c, Message: "as told"} }
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"a missing right is granted":                   {code("AccessDenied"), ": grant elasticloadbalancing:DescribeRules"},
		"expired credentials are renewed, not granted": {code("ExpiredToken"), ": renew the credentials, for example by: aws sso login"},
		"a wrong clock is set":                         {code("RequestTimeTooSkewed"), ": set this machine's clock"},
		"keys that AWS doesn't know are looked for":    {code("InvalidClientTokenId"), ": these are no credentials that AWS knows; look at AWS_PROFILE and AWS_ACCESS_KEY_ID"},
		"a region that is switched off is switched on": {code("RegionDisabledException"), ": switch the service or the region on for the account"},
		"where there are none the message tells it":    {&credentialsError{err: errors.New("no EC2 IMDS role found")}, ""},
		"a role that may not be assumed":               {&credentialsError{role: "arn:x", err: code("AccessDenied")}, ""},
		"what isn't denied needs no right":             {code("Throttling"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Classify(c.err).Remedy("elasticloadbalancing:DescribeRules"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
