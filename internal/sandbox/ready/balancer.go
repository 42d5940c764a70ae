package ready

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"k8s.io/client-go/tools/cache"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/world"
)

const (
	// balancerAgain is how often everything is looked at although nothing was heard.
	balancerAgain = 250 * time.Millisecond
	// farewell is how long a pod that goes serves on after it was deregistered, as a
	// preStop hook of real pods lets it.
	farewell = time.Second
)

// balancer plays the AWS Load Balancer Controller for one side of a scene, and the
// containers of its pods: it keeps a server at the address of each ready pod that
// carries users, and registers exactly these in a target group.
type balancer struct {
	cluster   *cluster
	namespace string
	elb       *elasticloadbalancingv2.Client
	groupARN  string

	mu         sync.Mutex
	registered map[string]string // pod names by IP address
	failed     error             // why it is not as it shall be; nil: it is

	cancel  context.CancelFunc
	running sync.WaitGroup
}

// startBalancer begins to follow the pods; the caller must call close.
func startBalancer(ctx context.Context, c *cluster, namespace string, region *world.Region) (*balancer, error) {
	b := &balancer{
		cluster: c, namespace: namespace, elb: region.ELB, groupARN: region.Groups["api-"+c.name], registered: map[string]string{},
	}
	heard := make(chan struct{}, 1)
	hear := func() {
		select {
		case heard <- struct{}{}:
		default:
		}
	}
	registration, err := c.pods.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { hear() }, UpdateFunc: func(any, any) { hear() }, DeleteFunc: func(any) { hear() },
	})
	if err != nil {
		return nil, fmt.Errorf("watching the pods of %s: %w", c.name, err)
	}
	ctx, b.cancel = context.WithCancel(context.WithoutCancel(ctx))
	b.running.Go(func() {
		// The handler goes with the cluster where it can't be removed.
		defer func() { _ = c.pods.RemoveEventHandler(registration) }()
		b.run(ctx, heard)
	})
	return b, nil
}

// close stops following, and ends the servers of its pods.
func (b *balancer) close(ctx context.Context) error {
	b.cancel()
	b.running.Wait()
	var errs []error
	for ip := range b.registered {
		errs = append(errs, b.cluster.answering.Remove(ctx, at(ip)))
	}
	return errors.Join(errs...)
}

// trouble says why it is not as it shall be; nil: it is.
func (b *balancer) trouble() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failed
}

func (b *balancer) run(ctx context.Context, heard <-chan struct{}) {
	again := time.NewTicker(balancerAgain)
	defer again.Stop()
	for {
		err := b.reconcile(ctx)
		b.mu.Lock()
		b.failed = err
		b.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-heard:
		case <-again.C:
		}
	}
}

// reconcile brings servers and targets to what the ready pods are.
func (b *balancer) reconcile(ctx context.Context) error {
	pods, err := b.cluster.carrying(b.namespace)
	if err != nil {
		return err
	}
	wanted := map[string]string{}
	for _, p := range pods {
		wanted[p.Status.PodIP] = p.Name
	}
	b.mu.Lock()
	known := maps.Clone(b.registered)
	b.mu.Unlock()
	var errs []error
	for _, ip := range slices.Sorted(maps.Keys(known)) {
		if wanted[ip] != known[ip] {
			errs = append(errs, b.leave(ctx, ip))
		}
	}
	for _, ip := range slices.Sorted(maps.Keys(wanted)) {
		if known[ip] == "" {
			errs = append(errs, b.enter(ctx, ip, wanted[ip]))
		}
	}
	return errors.Join(errs...)
}

// enter opens a pod's port and registers it. An address that another pod has just
// left is taken later.
func (b *balancer) enter(ctx context.Context, ip, pod string) error {
	if err := b.cluster.answering.Add(pod, at(ip)); err != nil {
		return err
	}
	if _, err := b.elb.RegisterTargets(ctx, &elasticloadbalancingv2.RegisterTargetsInput{TargetGroupArn: &b.groupARN, Targets: target(ip)}); err != nil {
		return errors.Join(fmt.Errorf("registering pod %s: %w", pod, err), b.cluster.answering.Remove(ctx, at(ip)))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.registered[ip] = pod
	return nil
}

// leave deregisters a pod at once, and closes its port a while later.
func (b *balancer) leave(ctx context.Context, ip string) error {
	if _, err := b.elb.DeregisterTargets(ctx, &elasticloadbalancingv2.DeregisterTargetsInput{TargetGroupArn: &b.groupARN, Targets: target(ip)}); err != nil {
		return fmt.Errorf("deregistering %s: %w", ip, err)
	}
	b.mu.Lock()
	delete(b.registered, ip)
	b.mu.Unlock()
	b.running.Go(func() {
		select {
		case <-ctx.Done():
		case <-time.After(farewell):
		}
		// Requests that last longer are broken with the scene's end.
		_ = b.cluster.answering.Remove(context.WithoutCancel(ctx), at(ip))
	})
	return nil
}

func at(ip string) string { return net.JoinHostPort(ip, strconv.Itoa(port)) }

func target(ip string) []elbtypes.TargetDescription {
	return []elbtypes.TargetDescription{{Id: &ip, Port: new(int32(port))}}
}
