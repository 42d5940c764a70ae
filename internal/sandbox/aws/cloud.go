// Package aws is an embedded AWS that speaks the real wire protocols over HTTP
// and keeps AWS's rules: Route 53 (REST-XML), Elastic Load Balancing v2 and STS
// (Query), IAM GetRole (Query), EKS (REST-JSON), and CloudWatch GetMetricData (Smithy RPC v2 CBOR and
// AWS JSON). Where public emulators accept what AWS refuses, it refuses.
//
// One http.Handler answers for every service. A request's service and access key
// are read from its SigV4 credential; the signature itself is not verified, but
// for tokens of EKS (see VerifyToken). What is made belongs to the account that
// the access key belongs to.
//
// Some rules are not in AWS's documents, and the sandbox chose the stricter: a
// CREATE before a DELETE of the same record set in one batch is refused here, and
// so is an alias that leads back to itself, or the end of a record set that an
// alias leads to; the changes of a zone are INSYNC in their order. Six target
// groups in a forward action (ValidationError), a group twice in one action, and
// an Action order left out where there are several are refused, too. Weights that
// are all zero are accepted on rules as on record sets. Weighted record sets may
// have several values. The end of a batch decides on TTLs, but each change by
// itself on what may stand beside it and whether an alias has its target. Target
// stickiness demands group stickiness behind network load balancers as it does
// behind application ones. A load balancer's resources of another account aren't
// found; a zone of another account is AccessDenied.
//
// Record sets of every routing policy but geoproximity and CIDR are kept and
// listed. Answers follow weights, failover, multivalue, aliases, health checks and
// the health of load balancers; to latency and geolocation all users are in one
// place. Aliases lead to record sets of their zone and to load balancers of this
// cloud. Health checks check nothing: SetHealthCheck says what they find. Private
// zones are kept, but not published.
//
// What AWS has and this package hasn't is refused in a message that names it:
// traffic policies, calculated health checks, record types such as MX; gateway load
// balancers, targets other than IPv4 addresses, QUIC, gRPC, health checks of
// another port, lists of codes, regular expressions in conditions, JWT validation,
// anomaly mitigation's and zonal shift's effects; metric math, statistics of trimmed
// means, percentiles of other metrics than response times, and the metrics of
// network load balancers; session policies, tags and external ids of
// AssumeRole, and trust policies: everybody may assume a declared role. ELB's
// ModifyTargetGroup, SetRulePriorities and what is about certificates aren't there.
//
// Attributes are stored and checked, and of those only the deregistration delay
// has an effect. The edge doesn't follow slow start, target stickiness, cross-zone,
// authentication, nor the group stickiness of network load balancers.
//
// What the stored records, listeners and targets mean for traffic is handed out
// as routing values, so that a DNS server and a reverse proxy can follow them.
package aws

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// Options configures a Cloud. The zero value is a usable, instant AWS with one
// minute metrics.
type Options struct {
	// Propagation is how long a Route 53 change stays PENDING. Listings show the
	// newest state at once; published answers follow when it is INSYNC.
	// Default 0: INSYNC at once.
	Propagation time.Duration
	// MetricResolution is the width of a CloudWatch data point, and what every
	// Period must be a multiple of. Whole seconds, default 60 s as AWS/ApplicationELB.
	MetricResolution time.Duration
	// AccountID is the 12-digit account that access keys belong to unless they are
	// known as another's, see AddAccessKey and AddRole. Default 123456789012.
	AccountID string
	// Region is the region of every ARN. Default ap-northeast-1.
	Region string
	// LoadBalancerAddress gives the virtual address (without port) of the load
	// balancer of that name. Default 127.0.0.1 for all.
	LoadBalancerAddress func(name string) string
	// LoadBalancerIPv6 gives the IPv6 address of the load balancer of that name, or
	// "" for one that has none: only DNS knows it, the edge listens on the other.
	// Default "" for all.
	LoadBalancerIPv6 func(name string) string
	// ChangeProcessing is how long a hosted zone works on an accepted batch. It
	// refuses the next one, and its deletion, with PriorRequestNotComplete meanwhile.
	// Default 0: a zone is never busy.
	ChangeProcessing time.Duration
	// RateLimits are the limits on calls by service, as AWSRateLimits returns them.
	// Default none.
	RateLimits map[Service]RateLimit
	// HealthCheckInterval, when positive, replaces the interval that the edge is
	// told (and caps the timeout), because AWS's shortest, 5 s, is long for a
	// demo. The API goes on answering the stored settings.
	HealthCheckInterval time.Duration
	// DeregistrationDelay is how long a deregistered target stays draining while
	// its group's attribute isn't set. Default 300 s, as the attribute's.
	DeregistrationDelay time.Duration
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Applied, where it is set, is told of each write that was carried out, before it
	// is answered and before another one is carried out. ctx is the request's. It may
	// look at everything through Aside, and must not write.
	Applied func(ctx context.Context, c Call)
}

func (o Options) withDefaults() Options {
	if o.MetricResolution < time.Second {
		o.MetricResolution = time.Minute
	}
	o.MetricResolution = o.MetricResolution.Truncate(time.Second)
	if o.AccountID == "" {
		o.AccountID = "123456789012"
	}
	if o.Region == "" {
		o.Region = "ap-northeast-1"
	}
	if o.LoadBalancerAddress == nil {
		o.LoadBalancerAddress = func(string) string { return "127.0.0.1" }
	}
	if o.LoadBalancerIPv6 == nil {
		o.LoadBalancerIPv6 = func(string) string { return "" }
	}
	if o.DeregistrationDelay <= 0 {
		o.DeregistrationDelay = 300 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Cloud is one region of AWS with all its accounts. It starts empty and is safe for
// concurrent use. It starts no goroutines.
type Cloud struct {
	opts       Options
	requests   *idSource
	dns        *dnsStore
	elb        *elbStore
	metrics    *metricStore
	faults     *faultBoard
	limits     *rateLimiter
	calls      *callLog
	identities *identities
	eks        *eksStore
	operations map[Service]map[string]operation

	writing sync.Mutex // held while a write is carried out and somebody is told of it
}

var _ http.Handler = (*Cloud)(nil)

// New returns an empty Cloud.
func New(opts Options) *Cloud {
	opts = opts.withDefaults()
	ids := &idSource{seed: opts.AccountID}
	metrics := newMetricStore(opts)
	balancing := newELBStore(opts, ids, metrics)
	c := &Cloud{
		opts:     opts,
		requests: &idSource{seed: "requests of " + opts.AccountID},
		dns:      newDNSStore(opts, ids, balancing),
		elb:      balancing,
		metrics:  metrics,
		faults:   &faultBoard{},
		limits:   newRateLimiter(opts.RateLimits, opts.Now),
		calls:    &callLog{},

		identities: newIdentities(opts),
		eks:        newEKSStore(opts),
	}
	c.operations = map[Service]map[string]operation{
		Route53:    c.dns.operations(),
		ELB:        c.elb.operations(),
		CloudWatch: c.metrics.operations(),
		STS:        {"GetCallerIdentity": {run: c.getCallerIdentity}, "AssumeRole": {run: c.assumeRole}},
		EKS:        c.eks.operations(),
		IAM:        {"GetRole": {run: c.getRole}},
	}
	return c
}

// RecordSets returns the published record sets of a name and type, in the order
// of their set identifiers; for a name that doesn't exist, those of the wildcard
// that covers it (RFC 4592). A CNAME is not followed; an alias comes with the
// record sets that it leads to. Whether a set is unhealthy is as of now. Names of
// load balancers have their addresses. TXT values are quoted and escaped as in a
// zone file. The result must not be changed.
func (c *Cloud) RecordSets(name, typ string) []routing.RecordSet {
	return c.dns.lookup(name, typ)
}

// HasName reports whether a published name exists, whatever its types: false
// inside a zone means NXDOMAIN, true without record sets of the type NODATA. An
// empty name above an existing one exists (RFC 8020), and so does a name that a
// wildcard covers.
func (c *Cloud) HasName(name string) bool { return c.dns.hasName(name) }

// Zone returns the origin (with final dot) of the hosted zone that a name
// belongs to, the longest match; false means that no zone is served here: REFUSED.
func (c *Cloud) Zone(name string) (origin string, ok bool) { return c.dns.zoneOf(name) }

// SetHealthCheck sets what a health check of Route 53 finds from now on, since
// the sandbox's checkers check nothing; a new one is healthy, or unhealthy if it
// is inverted. An unknown id, or that of a disabled check, is an error.
func (c *Cloud) SetHealthCheck(id string, healthy bool) error {
	return c.dns.setHealthCheck(id, healthy)
}

// Listeners returns all listeners of all accounts with their rules, in the order
// of creation within an account. Listeners of UDP aren't among them.
// The result is a shared snapshot and must not be changed.
func (c *Cloud) Listeners() []routing.Listener { return c.elb.snapshot().listeners }

// TargetGroups returns all target groups of all accounts, in the order of creation
// within an account. The result is a shared snapshot and must not be changed.
func (c *Cloud) TargetGroups() []routing.TargetGroup { return c.elb.snapshot().groups }

// SetTargetHealth records what a health check found. The reason is one of
// ELBv2's TargetHealthReasonEnum, or empty for the usual one of the state.
// Targets that are unknown, draining or in an unattached group keep their state;
// the states draining and unused come of the API's calls and can't be set.
func (c *Cloud) SetTargetHealth(groupARN, address string, port int, s routing.State, reason string) {
	c.elb.setTargetHealth(groupARN, address, port, s, reason)
}

// RecordRequest counts one request that a load balancer answered.
func (c *Cloud) RecordRequest(r routing.Request) { c.metrics.record(r) }

// Calls returns the record of API calls so far, oldest first (the newest 100,000).
func (c *Cloud) Calls() []Call { return c.calls.list() }

// Inject switches a fault on and returns the function that switches it off. It
// refuses faults that AWS can't answer for that operation.
func (c *Cloud) Inject(f Fault) (clearFault func(), err error) {
	if f.Operation != "" {
		if _, ok := c.operations[f.Service][f.Operation]; !ok {
			return nil, unknownFaultError(f)
		}
	}
	if f.Kind == StaleReads {
		if err := f.validateStale(c.operations[ELB]); err != nil {
			return nil, err
		}
		return c.elb.injectStale(f), nil
	}
	return c.faults.add(f)
}

// ClearFaults switches all faults off.
func (c *Cloud) ClearFaults() {
	c.faults.clear()
	c.elb.clearStale()
}
