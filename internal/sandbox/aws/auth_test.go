package aws_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
)

func TestRequestsWithoutCredentialsAreRefused(t *testing.T) {
	cloud := aws.New(aws.Options{})
	for name, c := range map[string]struct {
		path, auth, code string
	}{
		"Route 53 without Authorization":        {path: "/2013-04-01/hostedzone", code: "MissingAuthenticationToken"},
		"CloudWatch without Authorization":      {path: "/service/GraniteServiceVersion20100801/operation/GetMetricData", code: "MissingAuthenticationToken"},
		"a Query call without Authorization":    {path: "/?Action=DescribeRules", code: "MissingAuthenticationToken"},
		"an Authorization without a credential": {path: "/2013-04-01/hostedzone", auth: "AWS4-HMAC-SHA256", code: "IncompleteSignature"},
		"a credential for another service": {
			path: "/2013-04-01/hostedzone", auth: "AWS4-HMAC-SHA256 Credential=AK/20261123/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0",
			code: "SignatureDoesNotMatch",
		},
		"a service that isn't there": {
			path: "/?Action=ListQueues", auth: "AWS4-HMAC-SHA256 Credential=AK/20261123/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0",
			code: "UnknownOperationException",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, c.path, nil)
			if c.auth != "" {
				r.Header.Set("Authorization", c.auth)
			}
			answer := httptest.NewRecorder()
			cloud.ServeHTTP(answer, r)
			if answer.Code < 400 || !strings.Contains(answer.Body.String(), c.code) {
				t.Errorf("status %d, body %q, want the code %s", answer.Code, answer.Body, c.code)
			}
		})
	}
}
