package aws

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"
)

// principal is who makes a call.
type principal struct {
	account string
	arn     string // as GetCallerIdentity answers it
	userID  string
	iam     string // the ARN of the role or user itself
}

// credential is an access key that this cloud has handed out or was told of.
type credential struct {
	principal
	secret  string
	token   string    // empty for the keys of users
	expires time.Time // zero for the keys of users
}

// identities knows the roles and access keys of all accounts. Keys that it
// doesn't know belong to the sandbox's own user, as long as they don't look like
// temporary ones.
type identities struct {
	opts Options
	ids  *idSource

	mu    sync.Mutex
	roles map[string]string      // guarded by mu; the unique id of each role, by ARN
	keys  map[string]*credential // guarded by mu; by access key id
	// trusts are the trust policies that were set, by ARN; guarded by mu.
	trusts map[string]string
}

func newIdentities(opts Options) *identities {
	return &identities{
		opts: opts, ids: &idSource{seed: "identities of " + opts.AccountID},
		roles: map[string]string{}, keys: map[string]*credential{}, trusts: map[string]string{},
	}
}

// AddRole declares an IAM role of any account, such as
// arn:aws:iam::222222222222:role/path/name. Everybody may assume it, for up to an
// hour. The error says what is wrong with the ARN.
func (c *Cloud) AddRole(arn string) error { return c.identities.addRole(arn) }

// AddAccessKey declares an access key of an IAM user, such as
// arn:aws:iam::222222222222:user/name. Other access keys, but for those that
// AssumeRole hands out, are taken too, as the user "sandbox" of
// Options.AccountID; only VerifyToken, which needs the secret, refuses them.
func (c *Cloud) AddAccessKey(accessKeyID, secret, userARN string) error {
	parts := regexp.MustCompile(`^arn:aws:iam::(\d{12}):user/[\w+=,.@/-]+$`).FindStringSubmatch(userARN)
	if parts == nil || accessKeyID == "" || secret == "" {
		return fmt.Errorf("declaring access key %q: it needs a secret and the ARN of a user, and %q is none", accessKeyID, userARN)
	}
	i := c.identities
	i.mu.Lock()
	defer i.mu.Unlock()
	user := principal{account: parts[1], arn: userARN, userID: "AIDA" + i.ids.upper("")[:17], iam: userARN}
	i.keys[accessKeyID] = &credential{principal: user, secret: secret}
	return nil
}

func (i *identities) addRole(arn string) error {
	if !regexp.MustCompile(`^arn:aws:iam::\d{12}:role/([\w+=,.@-]+/)*[\w+=,.@-]{1,64}$`).MatchString(arn) {
		return fmt.Errorf("declaring role %q: it isn't the ARN of an IAM role", arn)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.roles[arn] == "" {
		i.roles[arn] = "AROA" + i.ids.upper("")[:17]
	}
	return nil
}

// presented reads the access key and the session token out of a request, signed
// in its header or in its query.
func presented(r *http.Request) (accessKeyID, token string) {
	query := r.URL.Query()
	credential, token := query.Get("X-Amz-Credential"), query.Get("X-Amz-Security-Token")
	if auth := r.Header.Get("Authorization"); auth != "" {
		_, rest, _ := strings.Cut(auth, "Credential=")
		credential, _, _ = strings.Cut(rest, ",")
		token = r.Header.Get("X-Amz-Security-Token")
	}
	accessKeyID, _, _ = strings.Cut(credential, "/")
	return accessKeyID, token
}

// caller tells whose credentials a request presents; the service decides how a
// refusal is called.
func (i *identities) caller(r *http.Request, service Service) (principal, error) {
	key, token := presented(r)
	i.mu.Lock()
	defer i.mu.Unlock()
	known := i.keys[key]
	switch {
	case known == nil && strings.HasPrefix(key, "ASIA"), known != nil && known.token != token:
		return principal{}, refusal(http.StatusForbidden, invalidTokenCode(service), "The security token included in the request is invalid.")
	case known == nil:
		return principal{
			account: i.opts.AccountID, arn: "arn:aws:iam::" + i.opts.AccountID + ":user/sandbox",
			userID: "AIDASANDBOXSANDBOXSB", iam: "arn:aws:iam::" + i.opts.AccountID + ":user/sandbox",
		}, nil
	case !known.expires.IsZero() && !i.opts.Now().Before(known.expires):
		return principal{}, expiredToken(service)
	}
	return known.principal, nil
}

// invalidTokenCode: the protocols in JSON and CBOR have another name for the same
// refusal than those in XML.
func invalidTokenCode(s Service) string {
	if s == EKS || s == CloudWatch {
		return "UnrecognizedClientException"
	}
	return "InvalidClientTokenId"
}

// expiredToken is how a service refuses credentials whose time is over.
func expiredToken(s Service) error {
	code := "ExpiredToken"
	if s == EKS || s == CloudWatch {
		code = "ExpiredTokenException"
	}
	return refusal(http.StatusForbidden, code, "The security token included in the request is expired")
}

// authenticate finds out who calls, and refuses what the caller may not touch
// and what isn't signed as it says.
func (c *Cloud) authenticate(r *http.Request, req *request) error {
	caller, err := c.identities.caller(r, req.service)
	if err != nil {
		return err
	}
	req.caller = caller
	for name := range strings.SplitSeq(r.URL.Query().Get("X-Amz-SignedHeaders"), ";") {
		if name != "" && name != "host" && name != "content-length" && r.Header.Get(name) == "" {
			return refusal(http.StatusForbidden, "SignatureDoesNotMatch",
				"The request signature we calculated does not match the signature you provided. The signed header '%s' is missing.", name)
		}
	}
	if req.service == Route53 && len(req.segments) > 1 && req.segments[0] == "hostedzone" {
		return c.dns.admit(req.segments[1], caller)
	}
	return nil
}
