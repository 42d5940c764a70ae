package edge_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/backend"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/edge"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/edge/edgetest"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/vnet"
)

const (
	blueGroup  = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/blue/1"
	greenGroup = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/green/2"
	balancer   = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:loadbalancer/app/shop/3"
	front      = "192.0.2.10:80"
	bluePod    = "10.20.0.5:8080"
	greenPod   = "10.30.0.5:8080"
)

// world is a data plane with a blue and a green pod behind one load balancer.
type world struct {
	*testing.T
	network *vnet.Network
	control *edgetest.Control
	edge    *edge.Edge
	blue    *backend.Pod
	green   *backend.Pod
	client  *http.Client
}

func newWorld(t *testing.T, change func(*edge.Options)) *world {
	t.Helper()
	w := &world{T: t, network: vnet.New(), control: edgetest.NewControl()}
	w.client = w.newClient()
	w.blue, w.green = w.pod("blue", bluePod), w.pod("green", greenPod)
	w.control.SetGroups(
		group(blueGroup, routing.Healthy, bluePod),
		group(greenGroup, routing.Healthy, greenPod))
	w.control.SetListeners(listener(front, forward(100, 0)))
	options := edge.Options{
		Records:       w.control,
		LoadBalancers: w.control,
		Reports:       w.control,
		Network:       w.network,
		Rand:          rand.New(rand.NewPCG(1, 2)),
		Refresh:       time.Hour, // tests sync when they mean to
	}
	if change != nil {
		change(&options)
	}
	e, err := edge.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	w.edge = e
	t.Cleanup(func() {
		w.client.CloseIdleConnections()
		if err := e.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("closing the edge: %v", err)
		}
	})
	return w
}

// newClient returns a client with connections of its own.
func (w *world) newClient() *http.Client {
	transport := &http.Transport{DialContext: w.network.DialContext}
	w.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
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

// rule puts other rules into effect.
func (w *world) rule(rules ...routing.Rule) {
	w.Helper()
	w.control.SetListeners(listener(front, rules...))
	w.sync()
}

func (w *world) sync() {
	w.Helper()
	if err := w.edge.Sync(); err != nil {
		w.Fatal(err)
	}
}

// get asks the load balancer once; cluster is empty for its own answers.
func (w *world) get(url string, cookies ...*http.Cookie) (cluster string, response *http.Response) {
	w.Helper()
	request, err := http.NewRequestWithContext(w.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		w.Fatal(err)
	}
	for _, cookie := range cookies {
		request.AddCookie(cookie)
	}
	response, err = w.client.Do(request)
	if err != nil {
		w.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		w.Fatal(err)
	}
	return response.Header.Get(backend.ClusterHeader), response
}

// share asks n times and returns the part that green answered.
func (w *world) share(n int) float64 {
	w.Helper()
	greens := 0
	for range n {
		if cluster, _ := w.get("http://" + front + "/"); cluster == "green" {
			greens++
		}
	}
	return float64(greens) / float64(n)
}

func (w *world) awaitHealth(groupARN, target string, state routing.State, reason string) {
	w.Helper()
	if err := w.control.AwaitHealth(w.Context(), groupARN, target, state, reason); err != nil {
		w.Fatal(err)
	}
}

// request waits for the report of the nth request, since a report follows
// its answer.
func (w *world) request(n int) routing.Request {
	w.Helper()
	err := w.control.AwaitRequests(w.Context(), func(all []routing.Request) bool { return len(all) >= n })
	if err != nil {
		w.Fatal(err)
	}
	return w.control.Requests()[n-1]
}

func (w *world) setFaults(pod *backend.Pod, f backend.Faults) {
	w.Helper()
	if err := pod.SetFaults(f); err != nil {
		w.Fatal(err)
	}
}

func group(arn string, state routing.State, targets ...string) routing.TargetGroup {
	g := routing.TargetGroup{
		ARN:         arn,
		Attached:    true,
		HealthCheck: routing.HealthCheck{Interval: time.Hour, Timeout: time.Second, Path: "/healthz", Healthy: 2, Unhealthy: 2},
	}
	for _, target := range targets {
		at := netip.MustParseAddrPort(target)
		g.Targets = append(g.Targets, routing.Target{Address: at.Addr().String(), Port: int(at.Port()), State: state})
	}
	return g
}

func listener(address string, rules ...routing.Rule) routing.Listener {
	at := netip.MustParseAddrPort(address)
	return routing.Listener{
		ARN:             balancer + "/listener/" + address,
		LoadBalancerARN: balancer,
		Address:         at.Addr().String(),
		Port:            int(at.Port()),
		Rules:           rules,
	}
}

func forward(blue, green int) routing.Rule {
	return routing.Rule{Forward: []routing.WeightedGroup{
		{TargetGroupARN: blueGroup, Weight: blue},
		{TargetGroupARN: greenGroup, Weight: green},
	}}
}
