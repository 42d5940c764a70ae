package awsapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const (
	// roleSession names the daemon in CloudTrail.
	roleSession = "clusterswitch"
	// refreshAhead is how long before their end a role's credentials are renewed.
	refreshAhead = 5 * time.Minute
	// refreshAgain is the time between two tries to renew what still counts.
	refreshAgain = 15 * time.Second
)

// credentialsError tells that a call had no credentials, and so was never sent.
type credentialsError struct {
	role string // empty: the daemon's own identity
	err  error
}

func (e *credentialsError) Error() string {
	if e.role == "" {
		return fmt.Sprintf("getting the daemon's own AWS credentials: %s", e.err)
	}
	return fmt.Sprintf("assuming the role %s: %s", e.role, e.err)
}

func (e *credentialsError) Unwrap() error { return e.err }

// RetryableError keeps the SDK from trying again: asking for the credentials
// was repeated already where that helps.
func (e *credentialsError) RetryableError() bool { return false }

// failure is what the lack of credentials means. Where nobody could be asked for
// them the next try may succeed; all else needs a person.
func (e *credentialsError) failure() Failure {
	f := Classify(e.err)
	switch {
	case f.Code == "" && f.Class == Unreachable && !unreachable(e.err):
		f.Class = Denied // the SDK's chain found none, or can't use what it found
	case f.Class != Throttled && f.Class != Unreachable:
		f.Class = Denied
	}
	what := "there are no AWS credentials; log in, choose another AWS_PROFILE, or give the pod its role"
	switch {
	case e.role != "" && f.Class == Denied:
		what = fmt.Sprintf("AWS doesn't let the daemon assume the role %s", e.role)
	case e.role != "":
		what = fmt.Sprintf("AWS couldn't be asked for the role %s", e.role)
	case f.Class != Denied:
		what = "nobody could be asked for AWS credentials"
	}
	f.Unsent, f.Message = true, what+": "+f.Message
	return f
}

// unreachable tells that an error is of the way to a server, not its answer.
func unreachable(err error) bool {
	_, network := errors.AsType[net.Error](err)
	_, send := errors.AsType[*smithyhttp.RequestSendError](err)
	return network || send || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// source gets the credentials of the daemon, or of a role, and says whose they are
// when it can't. A role's are renewed ahead of their end, and what AWS gave
// before counts until then: a rollback must not fail of STS while it needn't.
type source struct {
	role string
	from aws.CredentialsProvider

	mu  sync.Mutex // guards end
	end time.Time  // of the newest credentials
}

// Retrieve asks for fresh credentials.
func (s *source) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := s.from.Retrieve(ctx)
	if err != nil {
		if already, ok := errors.AsType[*credentialsError](err); ok {
			return aws.Credentials{}, already // the daemon's own, which assuming a role needs
		}
		return aws.Credentials{}, &credentialsError{role: s.role, err: withoutOutput(err)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end = c.Expires
	return c, nil
}

// withoutOutput leaves out what a program of credential_process said: the SDK repeats
// the whole of it where it can't be read, and keys may be in there.
func withoutOutput(err error) error {
	program, ok := errors.AsType[*processcreds.ProviderError](err)
	if !ok {
		return err
	}
	cause := program.Err
	for inner := errors.Unwrap(cause); inner != nil; inner = errors.Unwrap(cause) {
		cause = inner
	}
	return fmt.Errorf("the program that the AWS profile names (credential_process): %w", cause)
}

// HandleFailToRefresh goes on with the credentials before until they end. It is
// an aws.HandleFailRefreshCredentialsCacheStrategy.
func (s *source) HandleFailToRefresh(_ context.Context, before aws.Credentials, err error) (aws.Credentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	again := time.Now().Add(refreshAgain)
	if !before.HasKeys() || !again.Before(s.end) {
		return aws.Credentials{}, err
	}
	before.Expires = again.Add(refreshAhead) // the cache takes refreshAhead off
	return before, nil
}

// assume gives a role's credentials. Asking for them is never held back: an
// urgent call may wait for what an ordinary one asked for.
func assume(self aws.Config, role string) aws.CredentialsProvider {
	provider := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(self), role, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = roleSession
	})
	return aws.NewCredentialsCache(&source{role: role, from: provider}, func(o *aws.CredentialsCacheOptions) {
		o.ExpiryWindow = refreshAhead
	})
}
