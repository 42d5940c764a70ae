// Package awsapi is what the AWS adapters share: the sessions by role and region,
// the budget that all calls of the daemon share, which calls may be repeated by
// the SDK, and what an error of AWS means.
//
// Every try of a call passes the budget, inside of the SDK's own loop of tries.
// Calls of a rollback are marked with Urgent: they never wait. Asking STS for a
// role's credentials never waits either, because a rollback may need them.
package awsapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
)

// Options says which AWS to talk to. The zero value takes everything from the
// environment, as the AWS CLI does.
type Options struct {
	// Region overrides the region of the environment; empty: keep it.
	Region string
	// Fallback is the region where neither Region nor the environment names one; empty:
	// then that is an error.
	Fallback string
	// EndpointURL sends every service's calls to this base URL; empty: AWS itself.
	EndpointURL string
	// Timeout bounds one HTTP exchange, body included; zero: 10 s. It is the
	// last resort below the deadlines that adapters set for each call.
	Timeout time.Duration
}

const (
	defaultTimeout = 10 * time.Second
	// dialTimeout is short: a rollback must not spend its seconds on an
	// unreachable address while another one may answer.
	dialTimeout = 3 * time.Second
	// readAttempts is how often the SDK tries a read, the first try included.
	readAttempts = 3
)

// Load opens a session by the SDK's default chain of credentials and
// configuration. It makes no call to the services that the adapters use.
//
// Reads made with it are repeated by the SDK. Writes must be given Once.
func Load(ctx context.Context, o Options) (aws.Config, error) {
	timeout := o.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	client := awshttp.NewBuildableClient().
		WithTimeout(timeout).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout }).
		WithTransportOptions(func(t *http.Transport) { t.TLSHandshakeTimeout = dialTimeout })
	load := []func(*config.LoadOptions) error{
		config.WithHTTPClient(client),
		config.WithRetryMaxAttempts(readAttempts),
		// It would write past our log, in lines of its own form; what matters comes as an error.
		config.WithLogger(logging.Nop{}),
	}
	if o.Region != "" {
		load = append(load, config.WithRegion(o.Region))
	}
	if o.Fallback != "" {
		load = append(load, config.WithDefaultRegion(o.Fallback))
	}
	if o.EndpointURL != "" {
		load = append(load, config.WithBaseEndpoint(o.EndpointURL))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("loading AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return aws.Config{}, errors.New("loading AWS configuration: no region is set (aws.region, AWS_REGION or the profile)")
	}
	return cfg, nil
}

// Once is the retryer of every write. The SDK would repeat a write whose answer
// was lost, and then report the refusal of the second one: a swap that was
// applied would read as a conflict. Adapters resolve a lost answer by reading.
func Once() aws.Retryer { return aws.NopRetryer{} }
