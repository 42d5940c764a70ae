package edge_test

import (
	"context"
	"errors"
	"math"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/backend"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/edge"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

func TestRequestsFollowTheWeightsOfTheRule(t *testing.T) {
	const requests = 1000
	tests := map[string]struct {
		blue, green int
		want        float64
	}{
		"all to blue":                        {100, 0, 0},
		"one in ten to green":                {90, 10, 0.1},
		"half and half":                      {50, 50, 0.5},
		"the sum of weights need not be 100": {300, 100, 0.25},
		"all to green":                       {0, 999, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.rule(forward(test.blue, test.green))
			// Five standard deviations of the draw: a wrong bound of this
			// kind shows once in a million seeds, and the seed is fixed.
			bound := 5 * math.Sqrt(test.want*(1-test.want)/requests)
			if got := w.share(requests); math.Abs(got-test.want) > bound {
				t.Errorf("green got %v, want %v ± %v", got, test.want, bound)
			}
		})
	}
}

func TestALoadBalancerAnswersItselfWhenNoTargetCan(t *testing.T) {
	tests := map[string]struct {
		arrange func(*world)
		want    int
		group   string
	}{
		"503 without a registered target": {
			func(w *world) { w.control.SetGroups(group(blueGroup, routing.Healthy)) },
			http.StatusServiceUnavailable, blueGroup,
		},
		"503 when all targets drain": {
			func(w *world) { w.control.SetGroups(group(blueGroup, routing.Draining, bluePod)) },
			http.StatusServiceUnavailable, blueGroup,
		},
		"503 for a group that isn't there": {
			func(w *world) { w.control.SetGroups() },
			http.StatusServiceUnavailable, blueGroup,
		},
		"503 when all weights are zero": {
			func(w *world) { w.rule(forward(0, 0)) },
			http.StatusServiceUnavailable, "",
		},
		"503 when no rule matches": {
			func(w *world) { w.rule() },
			http.StatusServiceUnavailable, "",
		},
		"502 when the target refuses": {
			func(w *world) { w.setFaults(w.blue, backend.Faults{Refuse: true}) },
			http.StatusBadGateway, blueGroup,
		},
		"502 behind a partition": {
			func(w *world) { w.network.Cut(netip.MustParsePrefix("10.20.0.0/16")) },
			http.StatusBadGateway, blueGroup,
		},
		"504 when the target is slow": {
			func(w *world) { w.setFaults(w.blue, backend.Faults{Latency: time.Hour}) },
			http.StatusGatewayTimeout, blueGroup,
		},
		"the status of a fixed response": {
			func(w *world) { w.rule(routing.Rule{FixedStatus: 418}) },
			418, "",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(o *edge.Options) { o.TargetTimeout = 100 * time.Millisecond })
			test.arrange(w)
			w.sync()
			cluster, response := w.get("http://" + front + "/")
			if cluster != "" || response.StatusCode != test.want {
				t.Fatalf("got %d from %q, want %d from the load balancer", response.StatusCode, cluster, test.want)
			}
			got := w.request(1)
			if unreached := test.want == http.StatusBadGateway; got.Unreached != unreached {
				t.Errorf("reported unreached %t, want %t", got.Unreached, unreached)
			}
			if got.Status != test.want || got.FromTarget || got.TargetGroupARN != test.group || got.LoadBalancerARN != balancer {
				t.Errorf("reported %+v", got)
			}
		})
	}
}

func TestAnswersOfTargetsAreReportedAsTheirs(t *testing.T) {
	w := newWorld(t, nil)
	w.setFaults(w.blue, backend.Faults{ErrorRatio: 1, Latency: 5 * time.Millisecond})
	if cluster, response := w.get("http://" + front + "/"); cluster != "blue" || response.StatusCode != 500 {
		t.Fatalf("got %d from %q", response.StatusCode, cluster)
	}
	got := w.request(1)
	if got.Status != 500 || !got.FromTarget || got.TargetGroupARN != blueGroup || got.Duration < 5*time.Millisecond || got.At.IsZero() {
		t.Errorf("reported %+v", got)
	}
}

func TestOnlyHealthyTargetsServeUnlessThereIsNone(t *testing.T) {
	tests := map[string]struct {
		sick, other routing.State
		want        []string // pods that may answer
	}{
		"the healthy one alone":               {routing.Unhealthy, routing.Healthy, []string{"10.20.0.6:8080"}},
		"an initial target waits":             {routing.Initial, routing.Healthy, []string{"10.20.0.6:8080"}},
		"all sick: fail open to all":          {routing.Unhealthy, routing.Unhealthy, []string{bluePod, "10.20.0.6:8080"}},
		"fail open leaves draining ones out":  {routing.Unhealthy, routing.Draining, []string{bluePod}},
		"healthy targets take turns":          {routing.Healthy, routing.Healthy, []string{bluePod, "10.20.0.6:8080"}},
		"fail open takes initial targets too": {routing.Initial, routing.Unhealthy, []string{bluePod, "10.20.0.6:8080"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.pod("blue", "10.20.0.6:8080")
			both := group(blueGroup, test.sick, bluePod, "10.20.0.6:8080")
			both.Targets[1].State = test.other
			// Not attached, so that no health check changes the states.
			both.Attached = false
			w.control.SetGroups(both)
			w.sync()
			got := map[string]int{}
			for range 10 {
				_, response := w.get("http://" + front + "/")
				got[response.Header.Get(backend.PodHeader)]++
			}
			for _, pod := range test.want {
				if got[pod] != 10/len(test.want) {
					t.Errorf("turns %v, want %d for each of %v", got, 10/len(test.want), test.want)
				}
			}
		})
	}
}

func TestStickinessBeatsWeight(t *testing.T) {
	w := newWorld(t, nil)
	sticky := forward(0, 100)
	sticky.Stickiness = time.Hour
	w.rule(sticky)
	_, response := w.get("http://" + front + "/")
	var cookie *http.Cookie
	for _, c := range response.Cookies() {
		if c.Name == "AWSALBTG" {
			cookie = c
		}
	}
	if cookie == nil {
		t.Fatal("no AWSALBTG cookie")
	}

	back := forward(100, 0)
	back.Stickiness = time.Hour
	w.rule(back)
	if cluster, _ := w.get("http://"+front+"/", cookie); cluster != "green" {
		t.Errorf("a sticky client went to %q", cluster)
	}
	if cluster, _ := w.get("http://" + front + "/"); cluster != "blue" {
		t.Errorf("a new client went to %q", cluster)
	}
	forged := &http.Cookie{Name: "AWSALBTG", Value: "bm90IG91cnM"}
	if cluster, _ := w.get("http://"+front+"/", forged); cluster != "blue" {
		t.Errorf("a client with a foreign cookie went to %q", cluster)
	}
	w.rule(forward(100, 0)) // stickiness off
	if cluster, _ := w.get("http://"+front+"/", cookie); cluster != "blue" {
		t.Errorf("with stickiness off the client went to %q", cluster)
	}
}

func TestRulesMatchHostAndPath(t *testing.T) {
	w := newWorld(t, nil)
	green := forward(0, 1)
	green.Hosts, green.Paths = []string{"Shop.example.com", "*.shop.example.com"}, []string{"/new/*"}
	w.rule(green, forward(1, 0))
	tests := map[string]struct{ host, path, want string }{
		"both conditions met":         {"shop.example.com", "/new/a", "green"},
		"by a wildcard":               {"www.shop.example.com:80", "/new/", "green"},
		"only the host":               {"shop.example.com", "/old", "blue"},
		"only the path":               {"api.example.com", "/new/a", "blue"},
		"paths are case-sensitive":    {"shop.example.com", "/NEW/a", "blue"},
		"the query isn't of the path": {"shop.example.com", "/old?x=/new/", "blue"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+front+test.path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			request.Host = test.host
			response, err := w.client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if got := response.Header.Get(backend.ClusterHeader); got != test.want {
				t.Errorf("%s answered, want %s", got, test.want)
			}
		})
	}
}

func TestARequestUnderWayEndsByTheRuleItCameInBy(t *testing.T) {
	w := newWorld(t, nil)
	// The target answers when the test lets it.
	arrived, answer := make(chan struct{}), make(chan struct{})
	serve(t, w, "10.20.0.7:8080", func(rw http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-answer
		rw.Header().Set(backend.ClusterHeader, "held")
	})
	w.control.SetGroups(group(blueGroup, routing.Initial, "10.20.0.7:8080"), group(greenGroup, routing.Healthy, greenPod))
	w.sync()

	got := make(chan string, 1)
	go func() {
		cluster, _ := w.get("http://" + front + "/")
		got <- cluster
	}()
	<-arrived
	w.rule(forward(0, 100))
	if cluster, _ := w.get("http://" + front + "/"); cluster != "green" {
		t.Errorf("the next request went to %q", cluster)
	}
	// Even the removal of the whole listener lets it finish.
	w.control.SetListeners()
	w.sync()
	close(answer)
	if cluster := <-got; cluster != "held" {
		t.Errorf("the request under way was answered by %q", cluster)
	}
}

// serve opens a target of the test's own making. Health checks are not passed
// on to its handler.
func serve(t *testing.T, w *world, address string, handler http.HandlerFunc) *atomic.Int64 {
	t.Helper()
	l, err := w.network.Listen(address)
	if err != nil {
		t.Fatal(err)
	}
	connections := new(atomic.Int64)
	server := &http.Server{
		Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/healthz" {
				handler(rw, r)
			}
		}),
		ConnState: func(_ net.Conn, s http.ConnState) {
			if s == http.StateNew {
				connections.Add(1)
			}
		},
	}
	var served sync.WaitGroup
	served.Go(func() { _ = server.Serve(l) })
	t.Cleanup(func() {
		server.Close()
		served.Wait()
	})
	return connections
}

func TestTargetsSeeTheClientsRequest(t *testing.T) {
	w := newWorld(t, nil)
	var seen *http.Request
	connections := serve(t, w, "10.20.0.7:8080", func(_ http.ResponseWriter, r *http.Request) { seen = r })
	idle := group(blueGroup, routing.Healthy, "10.20.0.7:8080")
	idle.Attached = false // no health checks, whose connections would count
	w.control.SetGroups(idle)
	w.sync()

	for range 5 {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+front+"/a%2Fb?x=1;y=2", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = "shop.example.com"
		request.Header.Set("X-Forwarded-For", "198.51.100.7")
		response, err := w.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
	}
	if seen.Host != "shop.example.com" || seen.RequestURI != "/a%2Fb?x=1;y=2" {
		t.Errorf("the target saw %s %s", seen.Host, seen.RequestURI)
	}
	if got := seen.Header.Get("X-Forwarded-For"); got != "198.51.100.7, 127.0.0.1" {
		t.Errorf("X-Forwarded-For: %s", got)
	}
	if got := connections.Load(); got != 1 {
		t.Errorf("%d connections for 5 requests in a row", got)
	}
}

func TestAClientThatGivesUpIsNoFaultOfTheTarget(t *testing.T) {
	w := newWorld(t, nil)
	arrived := make(chan struct{})
	serve(t, w, "10.20.0.7:8080", func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	})
	w.control.SetGroups(group(blueGroup, routing.Initial, "10.20.0.7:8080"))
	w.sync()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+front+"/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := w.client.Do(request); !errors.Is(err, context.Canceled) {
		response.Body.Close()
		t.Fatalf("the request ended with %v", err)
	}
	if got := w.request(1); got.Status != 460 || got.FromTarget {
		t.Errorf("reported %+v", got)
	}
}

func TestListenersComeAndGo(t *testing.T) {
	w := newWorld(t, nil)
	second := "192.0.2.10:8443"
	w.control.SetListeners(listener(front, forward(1, 0)), listener(second, forward(0, 1)))
	w.sync()
	if cluster, _ := w.get("http://" + second + "/"); cluster != "green" {
		t.Errorf("%q answered at the second listener", cluster)
	}
	w.control.SetListeners(listener(second, forward(0, 1)))
	w.sync()
	w.client.CloseIdleConnections()
	// The port closes beside the sync: the last word of the first listener is
	// either a refusal or, on a connection it still took, its own 503.
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+front+"/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := w.client.Do(request); err == nil {
		defer response.Body.Close()
		if response.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("a removed listener answered %d", response.StatusCode)
		}
	}
	if cluster, _ := w.get("http://" + second + "/"); cluster != "green" {
		t.Errorf("%q answered at the second listener", cluster)
	}
}

func TestAnAddressThatIsTakenIsSaidAndTheRestServes(t *testing.T) {
	w := newWorld(t, nil)
	w.control.SetListeners(listener(front, forward(1, 0)), listener(bluePod, forward(1, 0)))
	err := w.edge.Sync()
	if err == nil || !strings.Contains(err.Error(), bluePod) {
		t.Errorf("Sync = %v, want it to name %s", err, bluePod)
	}
	if cluster, _ := w.get("http://" + front + "/"); cluster != "blue" {
		t.Errorf("%q answered", cluster)
	}
}
