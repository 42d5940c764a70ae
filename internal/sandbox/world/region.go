package world

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/route53"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/edge"
)

// The users' names. The first is split by weighted records in front of two
// load balancers, the second by a rule of one load balancer.
const (
	Zone    = "shop.example"
	WebName = "www." + Zone
	APIName = "api." + Zone
)

// TTL of the weighted records.
const TTL = time.Second

// address is where a load balancer of the demo stands: an address that is kept
// for documentation, so that it can be nobody's (RFC 5737).
func address(loadBalancer string) string {
	switch loadBalancer {
	case "web-blue":
		return "192.0.2.10"
	case "web-green":
		return "192.0.2.20"
	default:
		return "192.0.2.30"
	}
}

// Region is one AWS region with everything that a shift needs, and the edge
// that routes users by it.
type Region struct {
	Cloud    *aws.Cloud
	Endpoint string // base URL of the AWS APIs
	Edge     *edge.Edge

	HostedZoneID string
	RuleARN      string
	// Groups are target group ARNs by name: api-blue, api-green, web-blue, web-green.
	Groups map[string]string
	// LoadBalancerARNs by name: api, web-blue, web-green.
	LoadBalancers map[string]string

	Route53 *route53.Client
	ELB     *elasticloadbalancingv2.Client

	apiListener string

	server *http.Server
	served chan error
}

// RegionOptions say what is special about a region.
type RegionOptions struct {
	// Seed decides every weighted choice of the edge.
	Seed uint64
	// Applied is told of each write that was carried out, as aws.Options has it;
	// also of those that make the region.
	Applied func(ctx context.Context, c aws.Call)
}

// NewRegion makes a region and its resources by the usual Create calls, and
// waits until all targets are healthy.
func (w *World) NewRegion(ctx context.Context, seed uint64) (*Region, error) {
	return w.NewRegionWith(ctx, RegionOptions{Seed: seed})
}

// NewRegionWith is NewRegion for those who want more of it.
func (w *World) NewRegionWith(ctx context.Context, o RegionOptions) (*Region, error) {
	r := &Region{Groups: map[string]string{}, LoadBalancers: map[string]string{}, served: make(chan error, 1)}
	r.Cloud = aws.New(aws.Options{
		// A tenth of what Route 53 usually takes would already double the demo.
		Propagation: 200 * time.Millisecond,
		// CloudWatch has one point a minute; the demo has one a second.
		MetricResolution:    time.Second,
		HealthCheckInterval: cmp.Or(w.HealthChecks, 200*time.Millisecond),
		LoadBalancerAddress: address,
		Applied:             o.Applied,
	})
	if err := r.serve(ctx, w.host); err != nil {
		return nil, err
	}
	if err := r.start(ctx, w, o.Seed); err != nil {
		return nil, errors.Join(err, r.Close(context.WithoutCancel(ctx)))
	}
	return r, nil
}

func (r *Region) serve(ctx context.Context, host string) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return fmt.Errorf("listening for the AWS APIs: %w", err)
	}
	r.Endpoint = "http://" + l.Addr().String()
	r.server = &http.Server{Handler: r.Cloud, ReadHeaderTimeout: 5 * time.Second}
	go func() { r.served <- r.server.Serve(l) }()
	return nil
}

func (r *Region) start(ctx context.Context, w *World, seed uint64) error {
	if err := r.connect(ctx); err != nil {
		return err
	}
	if err := r.createLoadBalancers(ctx, w); err != nil {
		return err
	}
	if err := r.createZone(ctx); err != nil {
		return err
	}
	var err error
	r.Edge, err = edge.Start(edge.Options{
		Records: r.Cloud, LoadBalancers: r.Cloud, Reports: r.Cloud, Network: w.Network,
		Rand: rand.New(rand.NewPCG(seed, seed)),
	})
	if err != nil {
		return err
	}
	return r.awaitHealth(ctx)
}

// GreenShare is green's part of the weights of the API's rule, in percent.
func (r *Region) GreenShare() float64 {
	for _, listener := range r.Cloud.Listeners() {
		for _, rule := range listener.Rules {
			if rule.ARN != r.RuleARN {
				continue
			}
			var all, green int
			for _, group := range rule.Forward {
				all += group.Weight
				if group.TargetGroupARN == r.Groups["api-green"] {
					green = group.Weight
				}
			}
			return 100 * float64(green) / float64(max(all, 1))
		}
	}
	return 0
}

// Close stops the edge and the API server.
func (r *Region) Close(ctx context.Context) error {
	var errs []error
	if r.Edge != nil {
		errs = append(errs, r.Edge.Close(ctx))
	}
	errs = append(errs, r.server.Shutdown(ctx))
	if err := <-r.served; !errors.Is(err, http.ErrServerClosed) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// SetsWeight tells whether AWS carried out a call that may set a weight.
func SetsWeight(c aws.Call) bool {
	return c.Applied && (c.Operation == "ChangeResourceRecordSets" || c.Operation == "ModifyRule")
}

// LastWeight is when AWS acknowledged the last such call after a time; zero: there was
// none.
func (r *Region) LastWeight(after time.Time) (last time.Time) {
	for _, c := range r.Cloud.Calls() {
		if SetsWeight(c) && c.Done.After(after) && c.Done.After(last) {
			last = c.Done
		}
	}
	return last
}
