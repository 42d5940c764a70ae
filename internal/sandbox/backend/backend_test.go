package backend_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/backend"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/vnet"
)

const address = "10.30.0.5:8080"

// cluster returns a green cluster with one pod, and a client that reaches it.
func cluster(t *testing.T) (*backend.Cluster, *http.Client) {
	t.Helper()
	network := vnet.New()
	c := backend.NewCluster("green", network)
	if err := c.Add("shop-1", address); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DialContext: network.DialContext}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := c.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return c, &http.Client{Transport: transport}
}

func get(ctx context.Context, client *http.Client, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	return client.Do(request)
}

func status(t *testing.T, client *http.Client, path string) int {
	t.Helper()
	response, err := get(t.Context(), client, path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

func setFaults(t *testing.T, c *backend.Cluster, f backend.Faults) {
	t.Helper()
	if err := c.SetFaults(f); err != nil {
		t.Fatal(err)
	}
}

func TestAPodSaysWhoAnswered(t *testing.T) {
	_, client := cluster(t)
	response, err := get(t.Context(), client, "/v1/items")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := response.Header.Get("X-Cluster") + " " + response.Header.Get("X-Pod"); got != "green shop-1" {
		t.Errorf("headers say %q", got)
	}
	var body map[string]any
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"cluster": "green", "pod": "shop-1", "host": address, "path": "/v1/items", "status": 200.0}
	if diff := cmp.Diff(want, body); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

func TestFaultsAreSwitchedOnAndOff(t *testing.T) {
	tests := map[string]struct {
		faults          backend.Faults
		wantErrors      int // of 10 requests
		wantHealthCheck int
	}{
		"a sound pod":            {backend.Faults{}, 0, 200},
		"three errors of ten":    {backend.Faults{ErrorRatio: 0.3}, 3, 200},
		"nothing but errors":     {backend.Faults{ErrorRatio: 1}, 10, 200},
		"only the health page":   {backend.Faults{Unhealthy: true}, 0, 503},
		"both at once, and slow": {backend.Faults{ErrorRatio: 0.5, Unhealthy: true, Latency: time.Millisecond}, 5, 503},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c, client := cluster(t)
			setFaults(t, c, test.faults)
			failed := 0
			for range 10 {
				if status(t, client, "/") == http.StatusInternalServerError {
					failed++
				}
			}
			if got := status(t, client, "/healthz"); failed != test.wantErrors || got != test.wantHealthCheck {
				t.Errorf("%d errors of 10, health check %d", failed, got)
			}
			if got := c.Requests(); got != 10 {
				t.Errorf("%d requests counted", got)
			}
			setFaults(t, c, backend.Faults{})
			if a, b := status(t, client, "/"), status(t, client, "/healthz"); a != 200 || b != 200 {
				t.Errorf("mended: %d, health check %d", a, b)
			}
		})
	}
}

func TestAPodThatRefusesComesBack(t *testing.T) {
	c, client := cluster(t)
	if got := status(t, client, "/"); got != 200 { // leaves an idle connection
		t.Fatalf("status %d", got)
	}
	setFaults(t, c, backend.Faults{Refuse: true})
	if response, err := get(t.Context(), client, "/"); !errors.Is(err, syscall.ECONNREFUSED) {
		response.Body.Close()
		t.Errorf("got %v, want a refusal", err)
	}
	setFaults(t, c, backend.Faults{})
	if got := status(t, client, "/"); got != 200 {
		t.Errorf("status %d after it came back", got)
	}
}

func TestWhatCannotWorkIsRefused(t *testing.T) {
	c, _ := cluster(t)
	if err := c.Add("shop-2", address); err == nil {
		t.Error("two pods at one address")
	}
	if err := c.SetFaults(backend.Faults{ErrorRatio: 1.5}); err == nil {
		t.Error("an error ratio of 1.5 was taken")
	}
	if err := c.Remove(t.Context(), "10.30.0.99:8080"); err != nil {
		t.Errorf("removing nobody: %v", err)
	}
	if _, err := backend.Start(backend.Options{Cluster: "green"}); err == nil {
		t.Error("a pod without an address started")
	}
}

func TestPodsAddedLaterShareTheFaults(t *testing.T) {
	c, client := cluster(t)
	setFaults(t, c, backend.Faults{ErrorRatio: 1})
	if err := c.Remove(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	if err := c.Add("shop-2", address); err != nil {
		t.Fatal(err)
	}
	if got := status(t, client, "/"); got != 500 {
		t.Errorf("status %d", got)
	}
}
