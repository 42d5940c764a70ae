package app

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/kube"
	"github.com/clusterswitch/clusterswitch/internal/reach"
	"github.com/clusterswitch/clusterswitch/probes"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func TestOnlyProbesWithAnAddressOfBlueRunThere(t *testing.T) {
	t.Parallel()
	configured := []config.Probe{
		{Name: "web", HTTP: &config.HTTPProbe{URL: "https://green/", BlueURL: "https://blue/", Host: "shop.example.com", ServerName: "shop.example.com"}},
		{Name: "web-of-green", HTTP: &config.HTTPProbe{URL: "https://green/"}},
		{Name: "db", TCP: &config.TCPProbe{Address: "green:1", BlueAddress: "blue:1"}},
		{Name: "db-of-green", TCP: &config.TCPProbe{Address: "green:1"}},
		{Name: "admin", Service: &config.ServiceProbe{Namespace: "shop", Name: "admin", Port: 80}},
		{Name: "cert", TLS: &config.TLSProbe{Address: "green:1", BlueAddress: "blue:1", ServerName: "shop"}},
		{Name: "cert-of-green", TLS: &config.TLSProbe{Address: "green:1"}},
		{Name: "call", GRPC: &config.GRPCProbe{Address: "green:1", BlueAddress: "blue:1", TLS: &config.ProbeTLS{ServerName: "shop"}}},
		{Name: "call-of-green", GRPC: &config.GRPCProbe{Address: "green:1"}},
		{Name: "names", DNS: &config.DNSProbe{Server: "green:1", BlueServer: "blue:1", Name: "shop"}},
		{Name: "names-of-green", DNS: &config.DNSProbe{Server: "green:1", Name: "shop"}},
		{Name: "live", WebSocket: &config.WebSocketProbe{URL: "ws://green", BlueURL: "ws://blue", Host: "shop"}},
		{Name: "live-of-green", WebSocket: &config.WebSocketProbe{URL: "ws://green"}},
	}
	want := []config.Probe{
		{Name: "web", HTTP: &config.HTTPProbe{URL: "https://blue/", BlueURL: "https://blue/", Host: "shop.example.com", ServerName: "shop.example.com"}},
		{Name: "db", TCP: &config.TCPProbe{Address: "blue:1"}},
		configured[4],
		{Name: "cert", TLS: &config.TLSProbe{Address: "blue:1", BlueAddress: "blue:1", ServerName: "shop"}},
		{Name: "call", GRPC: &config.GRPCProbe{Address: "blue:1", BlueAddress: "blue:1", TLS: &config.ProbeTLS{ServerName: "shop"}}},
		{Name: "names", DNS: &config.DNSProbe{Server: "blue:1", BlueServer: "blue:1", Name: "shop"}},
		{Name: "live", WebSocket: &config.WebSocketProbe{URL: "ws://blue", BlueURL: "ws://blue", Host: "shop"}},
	}
	if diff := cmp.Diff(want, onBlue(configured)); diff != "" {
		t.Errorf("blue's probes (-want +got):\n%s", diff)
	}
	if configured[0].HTTP.URL != "https://green/" || configured[5].TLS.Address != "green:1" {
		t.Error("green's probe was changed with it")
	}
	plan := planOf(&config.Config{}, config.Pair{Probes: configured})
	if diff := cmp.Diff([]string{"web", "db", "admin", "cert", "call", "names", "live"}, plan.Gates.BlueProbes); diff != "" {
		t.Errorf("blue's probes of the plan (-want +got):\n%s", diff)
	}
	if len(plan.Gates.Probes) != len(configured) {
		t.Errorf("green's probes of the plan are %q", plan.Gates.Probes)
	}
}

// Each side is asked at its own address, a Service through its own API server.
func TestProbesAskTheirOwnSide(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	asked := map[string]int{}
	serve := func(as string) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			host := r.Host
			if as == "blue's API" {
				host = ""
			}
			asked[as+" "+host+r.URL.Path]++
		}))
		t.Cleanup(s.Close)
		return s
	}
	blue, green := serve("blue"), serve("green")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	configured := []config.Probe{
		{Name: "web", HTTP: &config.HTTPProbe{URL: green.URL + "/up", BlueURL: blue.URL + "/up", Host: "shop"}},
		{Name: "db", TCP: &config.TCPProbe{Address: "127.0.0.1:1", BlueAddress: listener.Addr().String()}},
		{Name: "admin", Service: &config.ServiceProbe{Namespace: "shop", Name: "admin", Port: 80, Path: "/"}},
	}
	for i := range configured {
		configured[i].Interval, configured[i].Timeout, configured[i].Successes, configured[i].Failures = 10*time.Millisecond, 5*time.Second, 1, 1
	}
	api := serve("blue's API")
	runner := probes.New(probes.Options{})
	path := filepath.Join(t.TempDir(), "blue.yaml")
	kubeconfigAt(t, path, api.URL)
	link := &clusterLink{
		name: "blue", way: byFile(kube.Access{Kubeconfig: path}), pingEvery: time.Second, relink: time.Second, log: zap.NewNop(), err: errNotLinked,
	}
	runs(t, link)
	if err := runner.Set(specsOf(onBlue(configured), link)); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	ended := make(chan struct{})
	go func() { defer close(ended); runner.Run(ctx) }()
	failing := func(r probes.Reading) bool { return r.State != probes.Passing }
	for look := time.NewTicker(10 * time.Millisecond); slices.ContainsFunc(runner.Snapshot(), failing); {
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("the probes don't pass: %+v", runner.Snapshot())
		}
	}
	stop()
	<-ended
	mu.Lock()
	defer mu.Unlock()
	if asked["blue shop/up"] == 0 || asked["blue's API /api/v1/namespaces/shop/services/admin:80/proxy/"] == 0 || asked["green shop/up"] > 0 {
		t.Errorf("asked were %v", asked)
	}
}

func TestConnectionsComeFromTheConfiguration(t *testing.T) {
	t.Parallel()
	o := &observer{}
	o.configureConnections(connectionsOf(config.Pair{Traffic: []config.Entrance{
		{Name: "records", Route53: &config.Route53{Connections: time.Hour}}, {Name: "closing", Route53: &config.Route53{}}, {Name: "nlb", NLB: &config.NLB{}},
	}}))
	got := []shift.EntranceReading{{Name: "records"}, {Name: "closing"}, {Name: "nlb", Connection: shift.Endless}, {Name: "former"}}
	o.addConnections(got)
	want := []shift.EntranceReading{{Name: "records", Connection: time.Hour}, {Name: "closing"}, {Name: "nlb", Connection: shift.Endless}, {Name: "former"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("readings (-want +got):\n%s", diff)
	}
}

func TestHTTPProbesAreTakenOverWhole(t *testing.T) {
	t.Parallel()
	headers := map[string]string{"X-Probe": "1"}
	got := httpOptions(config.HTTPProbe{
		URL: "https://green", BlueURL: "https://blue", Host: "shop", ServerName: "name", Method: "POST", Headers: headers, Body: "body",
		CAFile: "ca", CertFile: "cert", KeyFile: "key", InsecureSkipVerify: true, SecretFiles: map[string]string{"pin": "/pin"},
		Expect: config.Expect{Status: []int{201}, Body: "ok"},
		Steps: []config.HTTPStep{{
			Name: "login", Path: "/login", Method: "POST", Headers: headers, Body: "in", Expect: config.Expect{Status: []int{302}, Body: "in"},
			Extract: []config.ProbeExtract{{Name: "id", JSON: "a.b", Header: "X", Regexp: "(x)"}},
		}},
	}, reach.Policy{Allow: []string{"169.254.20.10"}})
	want := probes.HTTPOptions{
		URL: "https://green", Host: "shop", ServerName: "name", Method: "POST", Headers: headers, Body: "body", InsecureSkipVerify: true,
		TLSFiles: probes.TLSFiles{CAFile: "ca", CertFile: "cert", KeyFile: "key"}, SecretFiles: map[string]string{"pin": "/pin"},
		Reach:  reach.Policy{Allow: []string{"169.254.20.10"}},
		Expect: probes.Expect{Status: []int{201}, Body: "ok"},
		Steps: []probes.HTTPStep{{
			Name: "login", Path: "/login", Method: "POST", Headers: headers, Body: "in", Expect: probes.Expect{Status: []int{302}, Body: "in"},
			Extract: []probes.Extract{{Name: "id", JSON: "a.b", Header: "X", Regexp: "(x)"}},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	call := grpcOptions(config.GRPCProbe{
		Address: "green:1", BlueAddress: "blue:1", Host: "shop", Service: "s",
		TLS: &config.ProbeTLS{ServerName: "name", CAFile: "ca", CertFile: "cert", KeyFile: "key", InsecureSkipVerify: true},
	}, reach.Policy{Allow: []string{"fe80::1"}})
	wantCall := probes.GRPCOptions{Address: "green:1", Host: "shop", Service: "s", Reach: reach.Policy{Allow: []string{"fe80::1"}}, TLS: &probes.GRPCTLS{
		ServerName: "name", InsecureSkipVerify: true, TLSFiles: probes.TLSFiles{CAFile: "ca", CertFile: "cert", KeyFile: "key"},
	}}
	if diff := cmp.Diff(wantCall, call); diff != "" {
		t.Errorf("gRPC (-want +got):\n%s", diff)
	}
}
