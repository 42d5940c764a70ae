package aws

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Rules of a token of EKS. They are those of aws-iam-authenticator, which EKS
// uses: the token is a presigned GetCallerIdentity with the cluster's name in a
// signed header, and good for 15 minutes whatever its X-Amz-Expires says.
// https://github.com/kubernetes-sigs/aws-iam-authenticator
const (
	tokenPrefix    = "k8s-aws-v1."
	clusterHeader  = "x-k8s-aws-id"
	maxTokenBytes  = 4096
	tokenLife      = 15 * time.Minute
	maxTokenExpiry = 900 // seconds
	amzDate        = "20060102T150405Z"
)

// VerifyToken takes a bearer token of EKS apart as a cluster's API server has it
// done, and tells who made it: the account, the ARN of the role (or of the user)
// and the declared cluster that it was made for. The token's signature must fit
// the secret of a known access key, see AddAccessKey, and the name of a declared
// cluster of any account, see SetCluster. The error says which rule is broken.
func (c *Cloud) VerifyToken(token string) (accountID, roleARN, clusterName string, err error) {
	signed, err := openToken(token, c.opts.Region)
	if err != nil {
		return "", "", "", err
	}
	at, err := checkTokenQuery(signed, c.opts.Now())
	if err != nil {
		return "", "", "", err
	}
	by, err := c.identities.signer(signed)
	if err != nil {
		return "", "", "", err
	}
	for _, name := range c.eks.allNames() {
		if hmac.Equal([]byte(signed.Query().Get("X-Amz-Signature")), []byte(presignature(signed, by.secret, name, at))) {
			return by.account, by.iam, name, nil
		}
	}
	return "", "", "", errors.New("verifying a token: its signature fits no declared cluster")
}

// openToken finds the presigned URL in a token.
func openToken(token, region string) (*url.URL, error) {
	if len(token) > maxTokenBytes {
		return nil, fmt.Errorf("verifying a token: it has %d bytes, and %d are allowed", len(token), maxTokenBytes)
	}
	coded, ok := strings.CutPrefix(token, tokenPrefix)
	if !ok {
		return nil, fmt.Errorf("verifying a token: it doesn't begin with %s", tokenPrefix)
	}
	plainURL, err := base64.RawURLEncoding.DecodeString(coded)
	if err != nil {
		return nil, fmt.Errorf("verifying a token: %w", err)
	}
	signed, err := url.Parse(string(plainURL))
	if err != nil {
		return nil, fmt.Errorf("verifying a token: %w", err)
	}
	if signed.Scheme != "https" || (signed.Host != "sts."+region+".amazonaws.com" && signed.Host != "sts.amazonaws.com") {
		return nil, fmt.Errorf("verifying a token: %s://%s isn't an endpoint of STS in %s", signed.Scheme, signed.Host, region)
	}
	if signed.Path != "/" {
		return nil, fmt.Errorf("verifying a token: unexpected path %q", signed.Path)
	}
	return signed, nil
}

// checkTokenQuery keeps the rules about the query, and answers when it was signed.
func checkTokenQuery(signed *url.URL, now time.Time) (time.Time, error) {
	query, err := url.ParseQuery(signed.RawQuery)
	if err != nil {
		return time.Time{}, fmt.Errorf("verifying a token: %w", err)
	}
	allowed := oneOf("Action", "Version", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires",
		"X-Amz-Security-Token", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-User-Agent")
	for name, values := range query {
		if !allowed(name) || len(values) != 1 {
			return time.Time{}, fmt.Errorf("verifying a token: the parameter %q isn't allowed, or not that often", name)
		}
	}
	if action := query.Get("Action"); action != "GetCallerIdentity" {
		return time.Time{}, fmt.Errorf("verifying a token: the action is %q, not GetCallerIdentity", action)
	}
	if headers := strings.Split(query.Get("X-Amz-SignedHeaders"), ";"); !slices.Contains(headers, clusterHeader) || !slices.Contains(headers, "host") {
		return time.Time{}, fmt.Errorf("verifying a token: the signed headers %q lack host or %s", headers, clusterHeader)
	}
	if n, err := strconv.Atoi(query.Get("X-Amz-Expires")); err != nil || n < 0 || n > maxTokenExpiry {
		return time.Time{}, fmt.Errorf("verifying a token: X-Amz-Expires %q isn't from 0 to %d", query.Get("X-Amz-Expires"), maxTokenExpiry)
	}
	at, err := time.Parse(amzDate, query.Get("X-Amz-Date"))
	if err != nil {
		return time.Time{}, fmt.Errorf("verifying a token: %w", err)
	}
	// STS bears a clock that is up to five minutes ahead.
	if age := now.Sub(at); age >= tokenLife || age < -5*time.Minute {
		return time.Time{}, fmt.Errorf("verifying a token: it was made at %s, which is %s ago", at.Format(time.RFC3339), age)
	}
	return at, nil
}

// signer finds the credentials that a presigned URL names.
func (i *identities) signer(signed *url.URL) (credential, error) {
	query := signed.Query()
	key, _, _ := strings.Cut(query.Get("X-Amz-Credential"), "/")
	i.mu.Lock()
	defer i.mu.Unlock()
	known := i.keys[key]
	switch {
	case known == nil:
		return credential{}, fmt.Errorf("verifying a token: the access key %q isn't known", key)
	case known.token != query.Get("X-Amz-Security-Token"):
		return credential{}, fmt.Errorf("verifying a token: the session token isn't that of access key %q", key)
	case !known.expires.IsZero() && !i.opts.Now().Before(known.expires):
		return credential{}, fmt.Errorf("verifying a token: the credentials %q expired at %s", key, known.expires.Format(time.RFC3339))
	}
	return *known, nil
}

func (s *eksStore) allNames() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, clusters := range s.clusters {
		all = append(all, slices.Collect(maps.Keys(clusters))...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// presignature is the signature that a presigned GET has when it is made with
// that secret for that cluster. Only host and the cluster's header can be signed.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func presignature(signed *url.URL, secret, cluster string, at time.Time) string {
	query := signed.Query()
	query.Del("X-Amz-Signature")
	var headers strings.Builder
	for name := range strings.SplitSeq(query.Get("X-Amz-SignedHeaders"), ";") {
		switch name {
		case "host":
			headers.WriteString("host:" + signed.Host + "\n")
		case clusterHeader:
			headers.WriteString(clusterHeader + ":" + cluster + "\n")
		}
	}
	empty := sha256.Sum256(nil)
	canonical := "GET\n/\n" + strings.ReplaceAll(query.Encode(), "+", "%20") + "\n" + headers.String() + "\n" +
		query.Get("X-Amz-SignedHeaders") + "\n" + hex.EncodeToString(empty[:])
	digest := sha256.Sum256([]byte(canonical))
	_, scope, _ := strings.Cut(query.Get("X-Amz-Credential"), "/")
	text := "AWS4-HMAC-SHA256\n" + at.Format(amzDate) + "\n" + scope + "\n" + hex.EncodeToString(digest[:])
	key := []byte("AWS4" + secret)
	for part := range strings.SplitSeq(scope, "/") {
		key = keyed(key, part)
	}
	return hex.EncodeToString(keyed(key, text))
}

func keyed(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
