package app

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/internal/kube"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// A cluster without a usable kubeconfig is unknown, and is watched as soon as
// the file is there.
func TestLinkRecoversWhenTheKubeconfigAppears(t *testing.T) {
	asked := make(chan string, 100)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case asked <- r.URL.Path:
		default: // the test has seen enough
		}
		http.Error(w, "not today", http.StatusServiceUnavailable)
	}))
	defer api.Close()
	path := filepath.Join(t.TempDir(), "green.yaml")
	link := &clusterLink{
		side: shift.Green, access: kube.Access{Kubeconfig: path}, pingEvery: time.Second, relink: time.Millisecond,
		log: zap.NewNop(), err: errNotLinked,
	}
	if got := link.Snapshot(); got.Err != "not connected yet" {
		t.Errorf("before the first try the cluster is %+v", got)
	}
	if err := link.watch(t.Context()); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("the error doesn't name the file: %v", err)
	}
	ask := func() (*http.Response, error) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link.baseURL()+"/api/v1/proxied", nil)
		if err != nil {
			t.Fatal(err)
		}
		return link.RoundTrip(request)
	}
	if response, err := ask(); err == nil || !strings.Contains(err.Error(), "green's API server: not connected yet") {
		t.Errorf("a request through a link that doesn't stand: %v, %v", response, err)
	}

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- link.run(ctx) }()
	kubeconfigAt(t, path, api.URL+"/prefix")
	<-asked
	if got := link.Snapshot(); got.Err == "" || strings.Contains(got.Err, "kubeconfig") {
		t.Errorf("a cluster whose API refuses is %+v", got)
	}
	response, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if got := response.Request.URL.String(); got != api.URL+"/prefix/api/v1/proxied" {
		t.Errorf("the request went to %s", got)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("stopped with %v", err)
	}
}
