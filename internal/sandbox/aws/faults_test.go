package aws_test

import (
	"context"
	"errors"
	"testing"
	"time"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

func TestFaults(t *testing.T) {
	for name, c := range map[string]struct {
		fault   aws.Fault
		code    string // "cut" for a connection without an answer
		applied bool
	}{
		"throttled":          {fault: aws.Fault{Kind: aws.Throttle}, code: "Throttling"},
		"a server error":     {fault: aws.Fault{Kind: aws.ServerError}, code: "InternalFailure"},
		"a prior request":    {fault: aws.Fault{Kind: aws.PriorRequestNotComplete}, code: "PriorRequestNotComplete"},
		"access denied":      {fault: aws.Fault{Kind: aws.AccessDenied}, code: "AccessDenied"},
		"unavailable":        {fault: aws.Fault{Kind: aws.ServiceUnavailable}, code: "ServiceUnavailable"},
		"expired":            {fault: aws.Fault{Kind: aws.ExpiredCredentials}, code: "ExpiredToken"},
		"a slow change":      {fault: aws.Fault{Kind: aws.SlowSync, Delay: time.Nanosecond}, applied: true},
		"no right to A":      {fault: aws.Fault{Kind: aws.AccessDenied, RecordType: "A"}, code: "AccessDenied"},
		"a lost request":     {fault: aws.Fault{Kind: aws.LostRequest}, code: "cut"},
		"a lost reply":       {fault: aws.Fault{Kind: aws.LostReply}, code: "cut", applied: true},
		"a delay":            {fault: aws.Fault{Kind: aws.Delay, Delay: time.Millisecond}, applied: true},
		"of another call":    {fault: aws.Fault{Kind: aws.Throttle, Operation: "GetChange"}, applied: true},
		"of another service": {fault: aws.Fault{Kind: aws.Throttle, Service: aws.ELB, Operation: "ModifyRule"}, applied: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, aws.Options{})
			zone := seedZone(t, w)
			if c.fault.Service == "" {
				c.fault.Service = aws.Route53
			}
			if c.fault.Operation == "" {
				c.fault.Operation = "ChangeResourceRecordSets"
			}
			c.fault.Times = 1
			if _, err := w.Inject(c.fault); err != nil {
				t.Fatal(err)
			}
			err := w.change(t, zone, create(simple("new.example.com", "A", "192.0.2.1")))
			got := "cut"
			var api smithy.APIError
			if err == nil || errors.As(err, &api) {
				got = code(t, err)
			}
			if got != c.code {
				t.Errorf("answer %q, want %q (%v)", got, c.code, err)
			}
			if applied := w.HasName("new.example.com"); applied != c.applied {
				t.Errorf("applied: %t, want %t", applied, c.applied)
			}
			last := w.Calls()[len(w.Calls())-1]
			if last.Applied != c.applied || last.Lost != (c.code == "cut") || !last.Write {
				t.Errorf("the call log says %+v", last)
			}
			if err := w.change(t, zone, create(simple("next.example.com", "A", "192.0.2.1"))); err != nil {
				t.Errorf("the fault hit a second call: %v", err)
			}
		})
	}
}

// TestFaultsOfLoadBalancing: the codes and statuses are those of the Query
// protocol; DescribeRules throttled by AWS answers Throttling with HTTP 400.
func TestFaultsOfLoadBalancing(t *testing.T) {
	for name, c := range map[string]struct {
		kind    aws.FaultKind
		code    string // "cut" for a connection without an answer
		status  int
		applied bool
	}{
		"throttled":      {kind: aws.Throttle, code: "Throttling", status: 400},
		"a server error": {kind: aws.ServerError, code: "InternalFailure", status: 500},
		"access denied":  {kind: aws.AccessDenied, code: "AccessDenied", status: 403},
		"unavailable":    {kind: aws.ServiceUnavailable, code: "ServiceUnavailable", status: 503},
		"expired":        {kind: aws.ExpiredCredentials, code: "ExpiredToken", status: 403},
		"a lost request": {kind: aws.LostRequest, code: "cut"},
		"a lost reply":   {kind: aws.LostReply, code: "cut", applied: true},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEntrance(t, newWorld(t, aws.Options{}))
			must[func()](t)(e.Inject(aws.Fault{Kind: c.kind, Service: aws.ELB, Operation: "ModifyRule", Times: 1}))
			err := e.modify(t, forward(share{e.blue, 50}, share{e.green, 50}))
			var api smithy.APIError
			if got := errors.As(err, &api); err == nil || got == (c.code == "cut") || (got && api.ErrorCode() != c.code) {
				t.Errorf("answer %v, want the code %s", err, c.code)
			}
			var answer *smithyhttp.ResponseError
			if c.status > 0 && (!errors.As(err, &answer) || answer.HTTPStatusCode() != c.status) {
				t.Errorf("answer %v, want the status %d", err, c.status)
			}
			if applied := e.seen(t) == 50; applied != c.applied {
				t.Errorf("applied: %t, want %t", applied, c.applied)
			}
		})
	}
}

func TestFaultsLastUntilCleared(t *testing.T) {
	w := newWorld(t, aws.Options{})
	describe := func() string {
		_, err := w.elb.DescribeTargetGroups(t.Context(), &elbv2.DescribeTargetGroupsInput{})
		return code(t, err)
	}
	clearThrottle, err := w.Inject(aws.Fault{Kind: aws.Throttle, Service: aws.ELB})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Inject(aws.Fault{Kind: aws.AccessDenied, Service: aws.ELB, Operation: "DescribeTargetGroups", Times: 4}); err != nil {
		t.Fatal(err)
	}
	got := []string{describe(), describe()}
	clearThrottle()
	got = append(got, describe())
	w.ClearFaults()
	got = append(got, describe())
	if diff := cmp.Diff([]string{"Throttling", "Throttling", "AccessDenied", ""}, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

func TestFaultsThatAWSNeverAnswersAreRefused(t *testing.T) {
	for name, f := range map[string]aws.Fault{
		"no kind":                           {Service: aws.ELB},
		"no service":                        {Kind: aws.Throttle},
		"an operation of another service":   {Kind: aws.Throttle, Service: aws.ELB, Operation: "GetChange"},
		"PriorRequestNotComplete of a read": {Kind: aws.PriorRequestNotComplete, Service: aws.Route53, Operation: "ListResourceRecordSets"},
		"a delay of nothing":                {Kind: aws.Delay, Service: aws.ELB},
		"a slow change of a read":           {Kind: aws.SlowSync, Service: aws.Route53, Operation: "GetChange", Delay: time.Second},
		"a slow change without a time":      {Kind: aws.SlowSync, Service: aws.Route53, Operation: "ChangeResourceRecordSets"},
		"a record type of a read":           {Kind: aws.AccessDenied, Service: aws.Route53, Operation: "ListResourceRecordSets", RecordType: "TXT"},
		"a resource where there are none":   {Kind: aws.Throttle, Service: aws.STS, Resource: "x"},
		"a record type of any call":         {Kind: aws.AccessDenied, Service: aws.Route53, RecordType: "TXT"},
		"a negative count":                  {Kind: aws.Throttle, Service: aws.ELB, Times: -1},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := aws.New(aws.Options{}).Inject(f); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestADelayedCallIsDroppedWhenItsClientHangsUp(t *testing.T) {
	w := newWorld(t, aws.Options{})
	zone := seedZone(t, w)
	if _, err := w.Inject(aws.Fault{Kind: aws.Delay, Delay: time.Hour, Service: aws.Route53, Operation: "GetHostedZone"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := w.route53.GetHostedZone(ctx, &route53.GetHostedZoneInput{Id: &zone}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the client's deadline", err)
	}
}

func TestTheCallLogTellsWritesAndRefusals(t *testing.T) {
	clk := newClock()
	w := newWorld(t, aws.Options{Now: clk.now})
	zone := seedZone(t, w)
	clk.advance(time.Second)
	if err := w.change(t, zone, create(simple("www.example.com", "A", "192.0.2.1"))); err == nil {
		t.Fatal("the CREATE of an existing set was accepted")
	}
	w.list(t, zone)
	id := zone[len("/hostedzone/"):]
	start := clk.t.Add(-time.Second)
	want := []aws.Call{
		{Service: aws.Route53, Operation: "CreateHostedZone", At: start, Done: start, Write: true, Applied: true},
		{Service: aws.Route53, Operation: "ChangeResourceRecordSets", Resource: id, At: start, Done: start, Write: true, Applied: true},
		{Service: aws.Route53, Operation: "ChangeResourceRecordSets", Resource: id, At: clk.t, Done: clk.t, Write: true, Code: "InvalidChangeBatch"},
		{Service: aws.Route53, Operation: "ListResourceRecordSets", Resource: id, At: clk.t, Done: clk.t, Applied: true},
	}
	if diff := cmp.Diff(want, w.Calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}
