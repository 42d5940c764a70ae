// Package edge is the data plane of the demo world: a name server that answers
// by weighted records as Route 53 does, and load balancers that forward by
// weighted rules, stickiness and target health as an ALB does, or send each new
// connection to a group by weight as an NLB does. It follows what the control side
// stores and reports back what it did with requests; flows aren't counted.
package edge

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// Records is what the name server reads, afresh for every query. Names are
// lower case with a final dot.
type Records interface {
	// RecordSets returns the published members of one name and type.
	RecordSets(name, typ string) []routing.RecordSet
	// HasName tells whether any record stands at the name, or below it.
	HasName(name string) bool
	// Zone returns the origin of the hosted zone that the name belongs to;
	// false means that none is served here.
	Zone(name string) (origin string, ok bool)
}

// LoadBalancers is what the load balancers follow, read every Refresh.
type LoadBalancers interface {
	Listeners() []routing.Listener
	TargetGroups() []routing.TargetGroup
}

// Reports receives what the data plane saw. Both methods are called often and
// from many goroutines, and must not block.
type Reports interface {
	// SetTargetHealth reports the result of a health check. The reason is an
	// ELBv2 TargetHealthReasonEnum value, empty for a healthy target. A target
	// that was deregistered meanwhile is to be ignored.
	SetTargetHealth(groupARN, address string, port int, s routing.State, reason string)
	// RecordRequest reports one answered request.
	RecordRequest(routing.Request)
}

// Network carries the load balancers' listeners and connections to targets.
type Network interface {
	Listen(address string) (net.Listener, error)
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Options says what an Edge is built from. The first five are required.
type Options struct {
	Records       Records
	LoadBalancers LoadBalancers
	Reports       Reports
	Network       Network
	// Rand decides every weighted choice; a seeded one makes runs repeatable.
	// The Edge takes it over: nobody else may use it meanwhile.
	Rand *rand.Rand

	// Log defaults to none.
	Log *zap.Logger
	// DNSAddress is the loopback address of the name server, UDP and TCP;
	// default 127.0.0.1:0.
	DNSAddress string
	// Refresh is how long a changed rule may take to show; default 20 ms.
	Refresh time.Duration
	// TargetTimeout is how long a target may take to begin its answer before
	// the client gets a 504; default 60 s, the idle timeout of an ALB.
	TargetTimeout time.Duration
}

// Edge is a running data plane.
type Edge struct {
	options  Options
	balancer *balancer
	fronts   *fronts
	checks   *checks
	dns      *nameServer
	cancel   context.CancelFunc // ends the loop and the health checks
	loop     sync.WaitGroup

	mu     sync.Mutex // one Sync at a time
	closed bool
}

// Start opens the name server and follows the load balancers until Close. It
// returns after the first Sync, whose fault is Start's fault.
func Start(o Options) (*Edge, error) {
	if o.Records == nil || o.LoadBalancers == nil || o.Reports == nil || o.Network == nil || o.Rand == nil {
		return nil, errors.New("starting the edge: records, load balancers, reports, network and rand are all required")
	}
	o = o.withDefaults()
	dice := &dice{rand: o.Rand}
	ctx, cancel := context.WithCancel(context.Background())
	balancer := newBalancer(o, dice)
	e := &Edge{
		options:  o,
		balancer: balancer,
		fronts:   newFronts(o.Network, balancer),
		checks:   newChecks(ctx, o.Network, o.Reports),
		cancel:   cancel,
	}
	err := e.Sync()
	if err == nil {
		e.dns, err = startNameServer(o.DNSAddress, &resolver{records: o.Records, dice: dice})
	}
	if err != nil {
		cancel()
		return nil, errors.Join(fmt.Errorf("starting the edge: %w", err), e.closeParts(context.Background()))
	}
	e.loop.Go(func() { e.follow(ctx) })
	return e, nil
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.DNSAddress == "" {
		o.DNSAddress = "127.0.0.1:0"
	}
	if o.Refresh <= 0 {
		o.Refresh = 20 * time.Millisecond
	}
	if o.TargetTimeout <= 0 {
		o.TargetTimeout = time.Minute
	}
	return o
}

// DNSAddress is where the name server listens, UDP and TCP.
func (e *Edge) DNSAddress() string { return e.dns.address }

// Sync reads listeners and target groups at once instead of at the next
// Refresh. Requests under way go on by the rules they came in by. The error
// names the listeners that could not be opened; all else is in effect.
func (e *Edge) Sync() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return errors.New("the edge is closed")
	}
	listeners, groups := e.options.LoadBalancers.Listeners(), e.options.LoadBalancers.TargetGroups()
	e.balancer.load(listeners, groups)
	e.checks.sync(groups)
	return e.fronts.sync(listeners)
}

// follow syncs every Refresh until ctx ends. A fault that lasts is logged once.
func (e *Edge) follow(ctx context.Context) {
	ticker := time.NewTicker(e.options.Refresh)
	defer ticker.Stop()
	said := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := e.Sync()
		if err == nil {
			said = ""
		} else if err.Error() != said {
			said = err.Error()
			e.options.Log.Warn("edge cannot serve every listener", zap.Error(err))
		}
	}
}

// Close stops accepting, waits for the requests under way until ctx ends, and
// then for everything the Edge started. What ctx cut short is an error. Closing
// twice is allowed.
func (e *Edge) Close(ctx context.Context) error {
	e.cancel()
	e.loop.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil
	}
	e.closed = true
	return errors.Join(e.closeParts(ctx), e.dns.close())
}

// closeParts stops the listeners first: their requests still need the
// connections to the targets.
func (e *Edge) closeParts(ctx context.Context) error {
	err := e.fronts.close(ctx)
	e.checks.wait()
	e.balancer.transport.CloseIdleConnections()
	return err
}
