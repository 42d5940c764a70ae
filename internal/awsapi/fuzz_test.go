package awsapi

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/smithy-go"
)

// onWire answers each request with one status and body.
type onWire struct {
	status int
	kind   string
	body   []byte
}

func (w onWire) Do(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: w.status, Header: http.Header{"Content-Type": {w.kind}, "Smithy-Protocol": {"rpc-v2-cbor"}}, Body: io.NopCloser(strings.NewReader(string(w.body)))}, nil
}

// FuzzAnswer: whatever bytes come back for a call, the SDK as we use it doesn't
// panic, and what isn't a clear refusal by AWS is no refusal: what became of a
// write must then be read.
func FuzzAnswer(f *testing.F) {
	refusal := `<ErrorResponse><Error><Type>Sender</Type><Code>InvalidChangeBatch</Code><Message>no</Message></Error></ErrorResponse>`
	f.Add(uint16(400), []byte(refusal))
	f.Add(uint16(500), []byte(strings.Replace(refusal, "InvalidChangeBatch", "Boom", 1)))
	f.Add(uint16(400), []byte(`<?xml version="1.0"?><InvalidChangeBatch><Messages><Message>no</Message></Messages></InvalidChangeBatch>`))
	f.Add(uint16(200), []byte(`<ChangeResourceRecordSetsResponse><ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status><SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt></ChangeInfo></ChangeResourceRecordSetsResponse>`))
	f.Add(uint16(200), []byte(`<html>`))
	f.Add(uint16(503), []byte(``))
	f.Add(uint16(400), []byte("\xbf\x66__type\x78\x1fcom.amazonaws#ThrottlingException\xff"))
	f.Add(uint16(200), []byte("\xbf\x71MetricDataResults\x80\xff"))
	f.Fuzz(func(t *testing.T, code uint16, body []byte) {
		if code < 200 || code > 599 {
			code = 200 + code%400
		}
		session := aws.Config{
			Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""), Retryer: Once,
		}
		speak := func(kind string) aws.Config {
			c := session.Copy()
			c.HTTPClient = onWire{int(code), kind, body}
			return c
		}
		_, err := route53.NewFromConfig(speak("text/xml")).ChangeResourceRecordSets(t.Context(), &route53.ChangeResourceRecordSetsInput{
			HostedZoneId: aws.String("Z1"), ChangeBatch: &types.ChangeBatch{Changes: []types.Change{{Action: types.ChangeActionCreate, ResourceRecordSet: &types.ResourceRecordSet{
				Name: aws.String("a."), Type: types.RRTypeA, TTL: aws.Int64(1), ResourceRecords: []types.ResourceRecord{{Value: aws.String("192.0.2.1")}},
			}}}},
		})
		unclear(t, int(code), body, err)
		_, err = elbv2.NewFromConfig(speak("text/xml")).DescribeRules(t.Context(), &elbv2.DescribeRulesInput{RuleArns: []string{"arn"}})
		unclear(t, int(code), body, err)
		_, err = cloudwatch.NewFromConfig(speak("application/cbor")).ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
		unclear(t, int(code), body, err)
	})
}

// unclear checks that only an answer of AWS refuses.
func unclear(t *testing.T, code int, body []byte, err error) {
	t.Helper()
	if err == nil {
		if code >= 300 {
			t.Errorf("%d %q was taken for a success", code, body)
		}
		return
	}
	failure := Classify(err)
	if failure.String() == "" {
		t.Errorf("nothing is said of %v", err)
	}
	refused := failure.Class != Unreachable && failure.Class != Throttled
	_, spoke := errors.AsType[smithy.APIError](err)
	switch {
	case refused && (!spoke || code < 300):
		t.Errorf("%d %q was taken for a refusal: %s", code, body, failure)
	case refused && failure.Class == Other && code >= 500:
		t.Errorf("the server's error %d %q was taken for a refusal: %s", code, body, failure)
	}
}
