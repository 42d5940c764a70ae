package eks_test

import (
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/internal/eks"
)

// session reaches a server that stands for AWS.
func session(url string) aws.Config {
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "session"),
		Retryer: awsapi.Once,
	}
}

func authority() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("not looked at here")})
}

// described is DescribeCluster's answer for a cluster of a status.
func described(status, endpoint string, ca []byte) string {
	return fmt.Sprintf(`{"cluster": {"name": "shop-v137", "status": %q, "endpoint": %q, "certificateAuthority": {"data": %q}}}`,
		status, endpoint, base64.StdEncoding.EncodeToString(ca))
}

func TestAClusterIsFoundByItsName(t *testing.T) {
	t.Parallel()
	const url = "https://ABCDEF.gr7.eu-west-1.eks.amazonaws.com"
	cases := map[string]struct {
		status int
		body   string
		want   string        // in the error; empty: the cluster is found
		class  *awsapi.Class // of the error, if AWS refused
	}{
		"active":           {http.StatusOK, described("ACTIVE", url, authority()), "", nil},
		"being updated":    {http.StatusOK, described("UPDATING", url, authority()), "", nil},
		"being made":       {http.StatusOK, described("CREATING", "", nil), "EKS cluster shop-v137 in eu-west-1 as arn:aws:iam::1:role/eks is still being made (its status is CREATING); wait", nil},
		"waiting":          {http.StatusOK, described("PENDING", "", nil), "is still being made (its status is PENDING)", nil},
		"being deleted":    {http.StatusOK, described("DELETING", url, authority()), "is being deleted (its status is DELETING)", nil},
		"broken":           {http.StatusOK, described("FAILED", url, authority()), "could not be made (its status is FAILED)", nil},
		"no endpoint":      {http.StatusOK, described("ACTIVE", "", authority()), "has no endpoint", nil},
		"no certificate":   {http.StatusOK, `{"cluster": {"status": "ACTIVE", "endpoint": "https://x"}}`, "has no certificate authority", nil},
		"a broken one":     {http.StatusOK, described("ACTIVE", url, []byte("-----")), "is not PEM", nil},
		"no cluster in it": {http.StatusOK, `{}`, "holds no cluster", nil},
		"not there": {
			http.StatusNotFound, `{"__type": "ResourceNotFoundException", "message": "No cluster found for name: shop-v137."}`,
			"not found (ResourceNotFoundException: No cluster found for name: shop-v137.): check eks.name, eks.region", new(awsapi.NotFound),
		},
		"no right":  {http.StatusForbidden, `{"__type": "AccessDeniedException", "message": "no"}`, "grant eks:DescribeCluster", new(awsapi.Denied)},
		"no server": {http.StatusServiceUnavailable, `{"__type": "ServiceUnavailableException", "message": "later"}`, "no answer", new(awsapi.Unreachable)},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet || r.URL.Path != "/clusters/shop-v137" {
					t.Errorf("asked for %s %s", r.Method, r.URL.Path)
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			t.Cleanup(aws.Close)
			got, err := eks.New(eks.Options{Name: "shop-v137", Session: session(aws.URL), RoleARN: "arn:aws:iam::1:role/eks"}).Describe(t.Context())
			if c.want == "" {
				if diff := cmp.Diff(eks.Endpoint{URL: url, CA: authority()}, got); err != nil || diff != "" {
					t.Errorf("%v (-want +got):\n%s", err, diff)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q in it", err, c.want)
			}
			if refused, ok := errors.AsType[*awsapi.Error](err); ok != (c.class != nil) || ok && refused.Class != *c.class {
				t.Errorf("got %#v", err)
			}
		})
	}
}
