package controlplane_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/fleet"
)

// connectProxy is an HTTP CONNECT proxy that knows a few addresses which exist
// nowhere else.
type connectProxy struct {
	routes map[string]string // asked address → real address

	mu    sync.Mutex
	asked []string
}

func (p *connectProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r.Method+" "+r.URL.Host)
	p.mu.Unlock()
	back, err := net.Dial("tcp", p.routes[r.URL.Host])
	if err != nil {
		http.Error(w, "no route", http.StatusBadGateway)
		return
	}
	defer back.Close()
	front, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer front.Close()
	_, _ = io.WriteString(front, "HTTP/1.1 200 Connection established\r\n\r\n")
	var upstream sync.WaitGroup
	upstream.Go(func() {
		_, _ = io.Copy(back, front)
		back.Close()
	})
	_, _ = io.Copy(front, back)
	front.Close()
	upstream.Wait()
}

func (p *connectProxy) all() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

// listen serves the proxy on a unix socket with a path short enough for one.
func (p *connectProxy) listen(t *testing.T) (socket string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "egress")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(p)
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	return socket
}

func TestServiceProxyReachesPodsThroughTheEgressProxy(t *testing.T) {
	pod := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "the pod was asked for "+r.URL.Path)
	}))
	t.Cleanup(pod.Close)
	proxy := &connectProxy{routes: map[string]string{"10.20.0.5:8080": pod.Listener.Addr().String()}}
	cp := cptest.Start(t, cptest.Options{Name: "egress", EgressSocket: proxy.listen(t)})
	client := cptest.Client(t, cp)
	shop, err := fleet.Apply(t.Context(), client, fleet.Spec{Nodes: 1, Workloads: []fleet.Workload{{
		Kind: fleet.Deployment, Namespace: "shop", Name: "admin", Replicas: 1, Ready: 1,
		PodAddresses: []string{"10.20.0.5"}, Port: 8080,
	}}})
	if err != nil {
		t.Fatal(err)
	}

	// The API server's proxy learns of the endpoints from a watch, a moment later.
	var body string
	eventually(t, func() bool { body, err = throughProxy(t, client); return err == nil })
	if want := "the pod was asked for /healthz"; body != want {
		t.Errorf("answer %q, want %q", body, want)
	}
	if asked := proxy.all(); !slices.Contains(asked, "CONNECT 10.20.0.5:8080") {
		t.Errorf("the egress proxy was asked for %v, not for the pod", asked)
	}

	if err := shop.SetReady(t.Context(), "shop", "admin", 0); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { _, err = throughProxy(t, client); return apierrors.IsServiceUnavailable(err) })
}

func throughProxy(t *testing.T, client kubernetes.Interface) (string, error) {
	t.Helper()
	raw, err := client.CoreV1().Services("shop").ProxyGet("http", "admin", "8080", "/healthz", nil).DoRaw(t.Context())
	return string(raw), err
}
