package awsapi

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// SessionsOptions makes Sessions.
type SessionsOptions struct {
	// Region is the region of calls that name none; empty: that of the environment.
	Region string
	// Fallback is as in Options.
	Fallback string
	// EndpointURL is as in Options.
	EndpointURL string
	// Timeout is as in Options.
	Timeout time.Duration
	// Budgets bound the calls of each account. Zero: DefaultBudgets.
	Budgets Budgets
	// Meter is told of every call; nil: nobody is.
	Meter Meter
}

// Sessions are the daemon's ways to AWS: one for each role and region, all of
// them below one call budget. It is safe for concurrent use.
type Sessions struct {
	base    aws.Config // the daemon's own identity, without a gate
	budgets *budgets
	meter   Meter
	clock   clock

	mu    sync.Mutex // guards all below
	made  map[sessionKey]aws.Config
	roles map[string]aws.CredentialsProvider
}

type sessionKey struct{ role, region string }

// NewSessions reads configuration and credentials as Load does, and asks AWS
// nothing yet. An error says that no region is set, or what of the environment
// can't be read.
func NewSessions(ctx context.Context, o SessionsOptions) (*Sessions, error) {
	base, err := Load(ctx, Options{Region: o.Region, Fallback: o.Fallback, EndpointURL: o.EndpointURL, Timeout: o.Timeout})
	if err != nil {
		return nil, err
	}
	base.Credentials = &source{from: base.Credentials}
	s := &Sessions{
		base: base, budgets: newBudgets(o.Budgets), meter: o.Meter,
		made: map[sessionKey]aws.Config{}, roles: map[string]aws.CredentialsProvider{},
	}
	if s.meter == nil {
		s.meter = silent{}
	}
	return s, nil
}

// For gives the session of a role in a region. The empty role is the daemon's
// own identity, the empty region that of the options. The role is assumed when
// the first call is made, and renewed by itself; that it can't be is an error of
// the call, which Classify knows.
func (s *Sessions) For(roleARN, region string) aws.Config {
	if region == "" {
		region = s.base.Region
	}
	k := sessionKey{role: roleARN, region: region}
	s.mu.Lock()
	defer s.mu.Unlock()
	if had, ok := s.made[k]; ok {
		return had
	}
	fresh := s.base.Copy()
	fresh.Region = region
	if roleARN != "" {
		fresh.Credentials = s.assumed(roleARN)
	}
	s.gate(&fresh, gate{account: accountOf(roleARN)})
	s.made[k] = fresh
	return fresh
}

// assumed gives a role's credentials, which all regions share; mu must be held.
func (s *Sessions) assumed(roleARN string) aws.CredentialsProvider {
	had, ok := s.roles[roleARN]
	if !ok {
		self := s.base.Copy()
		s.gate(&self, gate{free: true})
		had = assume(self, roleARN)
		s.roles[roleARN] = had
	}
	return had
}

func (s *Sessions) gate(c *aws.Config, g gate) {
	g.budgets, g.meter, g.clock = s.budgets, s.meter, &s.clock
	c.APIOptions = append(slices.Clip(c.APIOptions), g.install)
}

// accountOf is what the calls of a role are counted for. AWS counts by account,
// so the roles of one account share its budget; the daemon's own account isn't
// known without asking, and has a budget of its own.
func accountOf(roleARN string) string {
	const account = 4 // arn:partition:iam::ACCOUNT:role/NAME
	if parts := strings.Split(roleARN, ":"); len(parts) > account {
		return parts[account]
	}
	return roleARN
}
