package eks_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/eks"
)

// identity hands out credentials and counts how often.
type identity struct {
	asked       atomic.Int32
	credentials aws.Credentials
	err         error
}

func (i *identity) Retrieve(context.Context) (aws.Credentials, error) {
	i.asked.Add(1)
	return i.credentials, i.err
}

func tokensOf(i *identity, region string) *eks.Tokens {
	nowhere := "http://127.0.0.1:1"
	return eks.New(eks.Options{Name: "shop", Session: aws.Config{Region: region, BaseEndpoint: &nowhere, Credentials: i}}).Tokens()
}

func token(t *testing.T, tokens *eks.Tokens) string {
	t.Helper()
	got, err := tokens.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func keys() aws.Credentials {
	return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret", SessionToken: "session"}
}

// The token's form is that of aws-iam-authenticator, and its host is AWS's own
// even though the session goes elsewhere.
func TestATokenIsASignedRequestToAWSsOwnSTS(t *testing.T) {
	t.Parallel()
	for region, host := range map[string]string{
		"eu-west-1": "sts.eu-west-1.amazonaws.com", "us-east-1": "sts.us-east-1.amazonaws.com", "cn-north-1": "sts.cn-north-1.amazonaws.com.cn",
	} {
		t.Run(region, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				encoded, ok := strings.CutPrefix(token(t, tokensOf(&identity{credentials: keys()}, region)), "k8s-aws-v1.")
				if !ok || strings.ContainsAny(encoded, "=+/") {
					t.Fatalf("the token is %q", encoded)
				}
				text, err := base64.RawURLEncoding.DecodeString(encoded)
				if err != nil {
					t.Fatal(err)
				}
				u, err := url.Parse(string(text))
				if err != nil {
					t.Fatal(err)
				}
				if u.Scheme != "https" || u.Host != host || u.Path != "/" {
					t.Errorf("it goes to %s", u)
				}
				q := u.Query()
				signature := q.Get("X-Amz-Signature")
				q.Del("X-Amz-Signature")
				want := url.Values{
					"Action": {"GetCallerIdentity"}, "Version": {"2011-06-15"}, "X-Amz-Expires": {"60"}, "X-Amz-Algorithm": {"AWS4-HMAC-SHA256"},
					"X-Amz-Credential": {"AKIDEXAMPLE/20000101/" + region + "/sts/aws4_request"}, "X-Amz-Date": {"20000101T000000Z"},
					"X-Amz-Security-Token": {"session"}, "X-Amz-SignedHeaders": {"host;x-k8s-aws-id"},
				}
				if diff := cmp.Diff(want, q); diff != "" || len(signature) != 64 {
					t.Errorf("signature %q, query (-want +got):\n%s", signature, diff)
				}
			})
		})
	}
}

func TestTokensAreRenewedBeforeTheyEnd(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		lasts time.Duration // the credentials; 0: for ever
		want  time.Duration
	}{
		"of lasting credentials":            {0, 14 * time.Minute},
		"of credentials that last longer":   {time.Hour, 14 * time.Minute},
		"of credentials that end before it": {5 * time.Minute, 5 * time.Minute},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				i := &identity{credentials: keys()}
				if c.lasts > 0 {
					i.credentials.CanExpire, i.credentials.Expires = true, time.Now().Add(c.lasts)
				}
				tokens := tokensOf(i, "eu-west-1")
				first := token(t, tokens)
				time.Sleep(c.want - time.Second)
				if token(t, tokens) != first {
					t.Error("it was renewed too early")
				}
				time.Sleep(time.Second)
				if token(t, tokens) == first || i.asked.Load() != 2 {
					t.Errorf("it wasn't renewed after %s", c.want)
				}
			})
		})
	}
}

func TestARefusedTokenIsMadeAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		i := &identity{credentials: keys()}
		tokens := tokensOf(i, "eu-west-1")
		first := token(t, tokens)
		i.credentials.AccessKeyID = "AKIDOTHER"
		tokens.Refused("an older one")
		if token(t, tokens) != first {
			t.Error("the refusal of another token counted")
		}
		tokens.Refused(first)
		if token(t, tokens) == first {
			t.Error("the refused token is used on")
		}
	})
}

func TestATokenNeedsCredentials(t *testing.T) {
	t.Parallel()
	long := keys()
	long.SessionToken = strings.Repeat("x", 4096)
	for name, c := range map[string]struct {
		identity *identity
		want     string
	}{
		"that can be had":              {&identity{err: errors.New("no role")}, "making a token for EKS cluster shop: no role"},
		"with a token that isn't huge": {&identity{credentials: long}, "too long for EKS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := tokensOf(c.identity, "eu-west-1").Token(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}
