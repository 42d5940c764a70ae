package eks

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

const (
	// byToken is the action by which pods become a role with the cluster's token.
	byToken = "sts:AssumeRoleWithWebIdentity"
	// providerMark stands before the issuer in the ARN of an OIDC provider.
	providerMark = ":oidc-provider/"
)

// Trust tells which OIDC issuers the trust policy of a role names, for pods that
// become it with a token of their cluster. The role must be of the session's
// account: IAM knows roles by their names alone. An error says what to do; it is
// of type *awsapi.Error when AWS didn't answer, or refused.
func (c *Cluster) Trust(ctx context.Context, roleARN string) (facts.Trust, error) {
	name := roleARN[strings.LastIndexByte(roleARN, '/')+1:]
	out, err := c.roles.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if err != nil {
		return facts.Trust{}, c.refused("reading the trust policy of "+roleARN+" for pods", err, "iam:GetRole")
	}
	if out.Role == nil || aws.ToString(out.Role.Arn) != roleARN {
		return facts.Trust{}, fmt.Errorf("the trust policy of %s can't be read: the role isn't of the account that %s is asked in", roleARN, c)
	}
	document, err := url.PathUnescape(aws.ToString(out.Role.AssumeRolePolicyDocument))
	if err != nil {
		return facts.Trust{}, fmt.Errorf("reading the trust policy of %s: %w", roleARN, err)
	}
	issuers, err := issuersIn([]byte(document))
	if err != nil {
		return facts.Trust{}, fmt.Errorf("reading the trust policy of %s: %w", roleARN, err)
	}
	return facts.Trust{Issuers: issuers}, nil
}

// issuersIn lists the OIDC issuers that a trust policy lets in, sorted.
func issuersIn(policy []byte) ([]string, error) {
	var p struct {
		Statement oneOrMore[struct {
			Effect    string
			Action    oneOrMore[string]
			Principal principal
		}]
	}
	if err := json.Unmarshal(policy, &p); err != nil {
		return nil, err
	}
	var issuers []string
	for _, s := range p.Statement {
		allows := slices.ContainsFunc(s.Action, func(a string) bool {
			return strings.EqualFold(a, byToken) || strings.EqualFold(a, "sts:*") || a == "*" || strings.EqualFold(a, "sts:AssumeRole*")
		})
		if s.Effect != "Allow" || !allows {
			continue
		}
		for _, provider := range s.Principal.Federated {
			if _, issuer, ok := strings.Cut(provider, providerMark); ok && !slices.Contains(issuers, issuer) {
				issuers = append(issuers, issuer)
			}
		}
	}
	slices.Sort(issuers)
	return issuers, nil
}

// oneOrMore is what IAM writes as a list, or alone.
type oneOrMore[T any] []T

// UnmarshalJSON reads a list, or a value alone.
func (o *oneOrMore[T]) UnmarshalJSON(text []byte) error {
	if strings.HasPrefix(strings.TrimSpace(string(text)), "[") {
		return json.Unmarshal(text, (*[]T)(o))
	}
	var one T
	if err := json.Unmarshal(text, &one); err != nil {
		return err
	}
	*o = []T{one}
	return nil
}

// principal is who a statement is about; "*" names no issuer.
type principal struct{ Federated oneOrMore[string] }

// UnmarshalJSON reads an object, and nothing of a string.
func (p *principal) UnmarshalJSON(text []byte) error {
	if strings.HasPrefix(string(text), `"`) {
		return nil
	}
	var o struct{ Federated oneOrMore[string] }
	if err := json.Unmarshal(text, &o); err != nil {
		return err
	}
	p.Federated = o.Federated
	return nil
}
