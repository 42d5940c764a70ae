package web

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func TestPagesTellHowTheLoopsDo(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	turn := switcher.Turn{Plan: shift.Plan{Pair: "shop"}}
	superseded := turn
	superseded.Superseded = true
	tests := map[string]struct {
		story  func(h *Health)
		path   string
		status int
		body   string
	}{
		"a daemon without pairs is ready":            {func(*Health) {}, "/readyz", 200, "ok"},
		"a pair that never turned is not ready":      {func(h *Health) { h.Expect("shop", time.Minute) }, "/readyz", 503, "no turn yet of shop"},
		"a pair that turned is ready":                {func(h *Health) { h.Expect("shop", time.Minute); h.Report(turn) }, "/readyz", 200, "ok"},
		"a daemon that isn't in charge is not ready": {func(h *Health) { h.Expect("shop", time.Minute); h.Report(superseded) }, "/readyz", 503, "a newer daemon took charge of shop"},
		"nor is it ill":                              {func(h *Health) { h.Expect("shop", time.Minute); h.Report(superseded) }, "/healthz", 200, "ok"},
		"a daemon in charge again is ready":          {func(h *Health) { h.Expect("shop", time.Minute); h.Report(superseded); h.Report(turn) }, "/readyz", 200, "ok"},
		"a daemon that stops is not ready":           {func(h *Health) { h.Stopping() }, "/readyz", 503, "stopping"},
		"a stopping daemon is still healthy":         {func(h *Health) { h.Stopping() }, "/healthz", 200, "ok"},
		"a pair within its bound is healthy":         {func(h *Health) { h.Expect("shop", time.Minute); now = now.Add(time.Minute) }, "/healthz", 200, "ok"},
		"a pair that stands still is not":            {func(h *Health) { h.Expect("shop", time.Minute); now = now.Add(61 * time.Second) }, "/healthz", 500, "no turn for too long: shop"},
		"a pair that is gone doesn't count":          {func(h *Health) { h.Expect("shop", 0); h.Forget("shop"); now = now.Add(time.Hour) }, "/healthz", 200, "ok"},
		"a pair whose bound changes stays ready": {func(h *Health) {
			h.Expect("shop", time.Minute)
			h.Report(turn)
			h.Expect("shop", time.Hour)
		}, "/readyz", 200, "ok"},
		"a pair whose bound grows is not stuck": {func(h *Health) {
			h.Expect("shop", time.Minute)
			h.Report(turn)
			h.Expect("shop", time.Hour)
			now = now.Add(30 * time.Minute)
		}, "/healthz", 200, "ok"},
		"metrics are served":                         {func(*Health) {}, "/metrics", 200, "demo_total 1"},
		"anything else is not found":                 {func(*Health) {}, "/nothing", 404, "404"},
		"a late turn of a forgotten pair is ignored": {func(h *Health) { h.Report(turn) }, "/readyz", 200, "ok"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			registry := prometheus.NewRegistry()
			counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "demo_total", Help: "x"})
			counter.Inc()
			registry.MustRegister(counter)
			h := NewHealth(func() time.Time { return now })
			tt.story(h)
			s, err := Listen(t.Context(), Options{Listen: "127.0.0.1:0", Health: h, Metrics: registry})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- s.Run(ctx) }()
			status, body := get(t, "http://"+s.Address()+tt.path)
			if status != tt.status || !strings.Contains(body, tt.body) {
				t.Errorf("got %d %q, want %d and %q", status, body, tt.status, tt.body)
			}
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("stopping: %v", err)
			}
		})
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}
