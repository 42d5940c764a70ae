package eks

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const (
	// tokenPrefix and clusterHeader are those of aws-iam-authenticator, which
	// checks tokens for EKS (pkg/token/token.go).
	tokenPrefix   = "k8s-aws-v1."
	clusterHeader = "x-k8s-aws-id"
	// signedSeconds must be 60 at most for the authenticator. It doesn't bound the
	// token: that ends 15 minutes after it was signed.
	signedSeconds = "60"
	// renewAfter leaves a token a minute for clocks that differ and for calls under way.
	renewAfter = 14 * time.Minute
	// longestToken is the most that the authenticator takes, in bytes.
	longestToken = 4096
	// noBody is the SHA-256 of an empty body.
	noBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// Tokens makes tokens for one cluster and keeps each for 14 minutes, or until
// the credentials that it was signed with end. It is safe for concurrent use.
type Tokens struct {
	cluster, region string
	credentials     aws.CredentialsProvider
	signer          *v4.Signer

	mu     sync.Mutex // guards all below
	token  string
	renews time.Time
}

func newTokens(cluster, region string, credentials aws.CredentialsProvider) *Tokens {
	return &Tokens{cluster: cluster, region: region, credentials: credentials, signer: v4.NewSigner()}
}

// Token gives a token that the cluster takes for at least another minute. An
// error says that the daemon has no credentials, in the words of awsapi.Classify.
func (t *Tokens) Token(ctx context.Context) (string, error) {
	now := time.Now()
	t.mu.Lock()
	token, renews := t.token, t.renews
	t.mu.Unlock()
	if token != "" && now.Before(renews) {
		return token, nil
	}
	token, renews, err := t.sign(ctx, now)
	if err != nil {
		return "", fmt.Errorf("making a token for EKS cluster %s: %w", t.cluster, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token, t.renews = token, renews
	return token, nil
}

// Refused tells that the cluster didn't take a token: the next one is made anew,
// with the credentials of then.
func (t *Tokens) Refused(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token == token {
		t.token = ""
	}
}

func (t *Tokens) sign(ctx context.Context, now time.Time) (token string, renews time.Time, err error) {
	credentials, err := t.credentials.Retrieve(ctx)
	if err != nil {
		return "", time.Time{}, err
	}
	request, err := identityRequest(ctx, t.region)
	if err != nil {
		return "", time.Time{}, err
	}
	request.Header.Set(clusterHeader, t.cluster)
	signed, _, err := t.signer.PresignHTTP(ctx, credentials, request, noBody, "sts", t.region, now)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("signing: %w", err)
	}
	token = tokenPrefix + base64.RawURLEncoding.EncodeToString([]byte(signed))
	if len(token) > longestToken {
		return "", time.Time{}, errors.New("the credentials' session token is too long for EKS, which takes tokens of 4096 bytes")
	}
	renews = now.Add(renewAfter)
	if credentials.CanExpire && credentials.Expires.Before(renews) {
		renews = credentials.Expires
	}
	return token, renews, nil
}

// identityRequest asks STS who asks. It always goes to AWS's own STS of the
// region, whatever endpoint the daemon's own calls are sent to: EKS sends a token
// to nobody else, and would refuse one that names another host.
func identityRequest(ctx context.Context, region string) (*http.Request, error) {
	endpoint, err := sts.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, sts.EndpointParameters{Region: &region})
	if err != nil {
		return nil, fmt.Errorf("finding the STS of %s: %w", region, err)
	}
	u := endpoint.URI
	u.Path = "/"
	u.RawQuery = "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=" + signedSeconds
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("asking the STS of %s: %w", region, err)
	}
	return request, nil
}
