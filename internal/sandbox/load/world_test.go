package load_test

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/backend"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/edge"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/edge/edgetest"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/load"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/vnet"
)

const (
	shopFront  = "192.0.2.10:80" // forwards by weights
	blueFront  = "192.0.2.20:80" // forwards to blue alone
	greenFront = "192.0.2.30:80" // forwards to green alone
	bluePod    = "10.20.0.5:8080"
	greenPod   = "10.30.0.5:8080"
)

// world is a whole data plane: shop.example.com is switched by the rule of one
// load balancer, api.example.com by weighted records of two.
type world struct {
	*testing.T
	network *vnet.Network
	control *edgetest.Control
	edge    *edge.Edge
	blue    *backend.Pod
	green   *backend.Pod
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, network: vnet.New(), control: edgetest.NewControl()}
	w.blue, w.green = w.pod("blue", bluePod), w.pod("green", greenPod)
	w.control.SetGroups(group("blue", bluePod), group("green", greenPod))
	w.shares(0, 0)
	e, err := edge.Start(edge.Options{
		Records:       w.control,
		LoadBalancers: w.control,
		Reports:       w.control,
		Network:       w.network,
		Rand:          rand.New(rand.NewPCG(1, 2)),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.edge = e
	t.Cleanup(func() {
		if err := e.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("closing the edge: %v", err)
		}
	})
	return w
}

func (w *world) pod(cluster, address string) *backend.Pod {
	w.Helper()
	pod, err := backend.Start(backend.Options{Cluster: cluster, Address: address, Network: w.network})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		if err := pod.Close(context.WithoutCancel(w.Context())); err != nil {
			w.Errorf("closing the pod: %v", err)
		}
	})
	return pod
}

// shares sets green's percent at the rule and at the records.
func (w *world) shares(rule, records int) {
	w.control.SetListeners(
		listener(shopFront, 0, 100-rule, rule),
		listener(blueFront, 0, 1, 0),
		listener(greenFront, 0, 0, 1))
	w.records(
		record("shop.example.com.", "only", 1, "192.0.2.10"),
		record("api.example.com.", "blue", int64(100-records), "192.0.2.20"),
		record("api.example.com.", "green", int64(records), "192.0.2.30"))
	if w.edge != nil {
		if err := w.edge.Sync(); err != nil {
			w.Fatal(err)
		}
	}
}

// records replaces the records of the zone.
func (w *world) records(members ...routing.RecordSet) {
	w.control.SetRecords(append(members, routing.RecordSet{
		Name: "example.com.", Type: "SOA", TTL: time.Minute,
		Values: []string{"ns-1.example.net. hostmaster.example.com. 1 7200 900 1209600 60"},
	})...)
}

// start begins a load and sees to its end.
func (w *world) start(change func(*load.Options), targets ...string) *load.Generator {
	w.Helper()
	options := load.Options{
		Targets: targets, DNSAddress: w.edge.DNSAddress(), Network: w.network,
		Rate: 500, Workers: 10, Timeout: 10 * time.Second,
	}
	if change != nil {
		change(&options)
	}
	g, err := load.Start(options)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { g.Stop() })
	return g
}

// awaitMore waits until n more requests that please have been answered.
func (w *world) awaitMore(n int, please func(routing.Request) bool) {
	w.Helper()
	before := len(w.control.Requests())
	err := w.control.AwaitRequests(w.Context(), func(all []routing.Request) bool {
		found := 0
		for _, r := range all[before:] {
			if please(r) {
				found++
			}
		}
		return found >= n
	})
	if err != nil {
		w.Fatalf("waiting for %d requests: %v", n, err)
	}
}

func (w *world) setFaults(pod *backend.Pod, f backend.Faults) {
	w.Helper()
	if err := pod.SetFaults(f); err != nil {
		w.Fatal(err)
	}
}

func anyRequest(routing.Request) bool { return true }

func by(front string) func(routing.Request) bool {
	return func(r routing.Request) bool { return r.LoadBalancerARN == front }
}

func group(name, target string) routing.TargetGroup {
	at := netip.MustParseAddrPort(target)
	return routing.TargetGroup{
		ARN:         name,
		Attached:    true,
		HealthCheck: routing.HealthCheck{Interval: time.Hour, Path: "/healthz"},
		Targets:     []routing.Target{{Address: at.Addr().String(), Port: int(at.Port()), State: routing.Healthy}},
	}
}

// listener is named by its address; so is its load balancer.
func listener(address string, stickiness time.Duration, blue, green int) routing.Listener {
	at := netip.MustParseAddrPort(address)
	return routing.Listener{
		ARN: address, LoadBalancerARN: address, Address: at.Addr().String(), Port: int(at.Port()),
		Rules: []routing.Rule{{
			Stickiness: stickiness,
			Forward: []routing.WeightedGroup{
				{TargetGroupARN: "blue", Weight: blue},
				{TargetGroupARN: "green", Weight: green},
			},
		}},
	}
}

func record(name, identifier string, weight int64, address string) routing.RecordSet {
	return routing.RecordSet{
		Name: name, Type: "A", SetIdentifier: identifier, Weighted: true, Weight: weight,
		TTL: time.Second, Values: []string{address},
	}
}

// serve opens a server of the test's own making at a virtual address.
func (w *world) serve(address string, handler http.HandlerFunc) {
	w.Helper()
	l, err := w.network.Listen(address)
	if err != nil {
		w.Fatal(err)
	}
	server := &http.Server{Handler: handler}
	var served sync.WaitGroup
	served.Go(func() { _ = server.Serve(l) })
	w.Cleanup(func() {
		server.Close()
		served.Wait()
	})
}

// dialer tells of every dial.
type dialer struct {
	load.Dialer
	dialled chan struct{}
}

func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := d.Dialer.DialContext(ctx, network, address)
	select {
	case d.dialled <- struct{}{}:
	default:
	}
	return c, err
}
