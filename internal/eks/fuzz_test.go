package eks

import (
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

type wire func() *http.Response

func (w wire) Do(*http.Request) (*http.Response, error) { return w(), nil }

// FuzzDescribe: whatever EKS answers, a way to a cluster that comes of it is
// encrypted, and checked by a certificate that can be read.
func FuzzDescribe(f *testing.F) {
	cluster := `{"cluster":{"name":"shop","status":"ACTIVE","endpoint":"https://x.eks.example","certificateAuthority":{"data":"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1BPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo="}}}`
	f.Add(uint16(200), []byte(cluster))
	for _, other := range [][2]string{{"https://", "http://"}, {"ACTIVE", "DELETING"}, {"LS0t", "x"}, {`"data"`, `"date"`}, {"https://x.eks.example", "https://"}, {"https://x", "https://u:p@x"}} {
		f.Add(uint16(200), []byte(strings.Replace(cluster, other[0], other[1], 1)))
	}
	f.Add(uint16(404), []byte(`{"__type":"ResourceNotFoundException","message":"no"}`))
	f.Add(uint16(500), []byte(cluster))
	f.Add(uint16(200), []byte(`{}`))
	f.Fuzz(func(t *testing.T, code uint16, body []byte) {
		status := 200 + int(code)%400
		if code == 200 {
			status = 200
		}
		c := New(Options{Name: "shop", Session: aws.Config{
			Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""), Retryer: func() aws.Retryer { return aws.NopRetryer{} },
			HTTPClient: wire(func() *http.Response {
				return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(body)))}
			}),
		}})
		got, err := c.Describe(t.Context())
		if err != nil {
			if err.Error() == "" || got.URL != "" {
				t.Errorf("%d %q gives %+v and the error %q", status, body, got, err)
			}
			return
		}
		if status >= 300 {
			t.Errorf("%d %q was taken for a cluster", status, body)
		}
		if at, err := url.Parse(got.URL); err != nil || at.Scheme != "https" || at.Hostname() == "" || at.User != nil {
			t.Errorf("the way to the cluster is %q", got.URL)
		}
		if block, _ := pem.Decode(got.CA); block == nil {
			t.Errorf("the certificate is %q", got.CA)
		}
	})
}
