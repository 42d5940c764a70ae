// Package web serves the daemon's own pages: health, readiness, metrics, and the
// web page on which people see the pairs.
package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/clusterswitch/clusterswitch/switcher"
)

// Health knows which pairs are turning. It is a switcher.Reporter.
type Health struct {
	now func() time.Time

	mu       sync.Mutex // guards all below
	stopping bool
	pairs    map[string]turning
}

// turning is what is known of one pair's loop.
type turning struct {
	since time.Time // when it was started
	last  time.Time // its last turn; zero: none yet
	bound time.Duration
	// superseded: a newer daemon took charge of the pair.
	superseded bool
}

// NewHealth makes a Health that knows no pair yet.
func NewHealth(now func() time.Time) *Health {
	return &Health{now: now, pairs: map[string]turning{}}
}

// Expect announces a pair, or gives one that is known another bound. Its loop
// counts as stuck when no turn ends within the bound.
func (h *Health) Expect(pair string, bound time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, known := h.pairs[pair]
	if !known {
		p.since = h.now()
	}
	p.bound = bound
	h.pairs[pair] = p
}

// Forget is for a pair that is gone.
func (h *Health) Forget(pair string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.pairs, pair)
}

// Report notes a turn.
func (h *Health) Report(t switcher.Turn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p, ok := h.pairs[t.Plan.Pair]; ok {
		p.last, p.superseded = h.now(), t.Superseded
		h.pairs[t.Plan.Pair] = p
	}
}

// Stopping takes readiness away; the daemon is about to stop.
func (h *Health) Stopping() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopping = true
}

// stuck names the pairs whose loop has not turned within its bound.
func (h *Health) stuck() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var names []string
	for name, p := range h.pairs {
		last := p.last
		if last.IsZero() {
			last = p.since
		}
		if h.now().Sub(last) > p.bound {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// unready says why the daemon is not ready; empty: it is.
func (h *Health) unready() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopping {
		return "stopping"
	}
	var waiting, lost []string
	for name, p := range h.pairs {
		switch {
		case p.last.IsZero():
			waiting = append(waiting, name)
		case p.superseded:
			lost = append(lost, name)
		}
	}
	slices.Sort(waiting)
	slices.Sort(lost)
	switch {
	case len(waiting) > 0:
		return "no turn yet of " + strings.Join(waiting, ", ")
	case len(lost) > 0:
		return "a newer daemon took charge of " + strings.Join(lost, ", ")
	}
	return ""
}

// Server serves the pages.
type Server struct {
	listener net.Listener
	server   *http.Server
}

// Options are what a Server is made of.
type Options struct {
	Listen  string // host:port; port 0 takes a free one
	Health  *Health
	Metrics prometheus.Gatherer
	// Page is the web page and its API; nil: neither is served.
	Page *PageOptions
}

// Listen opens the address. Nothing is answered before Run.
func Listen(ctx context.Context, o Options) (*Server, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", o.Listen, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.Metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if stuck := o.Health.stuck(); len(stuck) > 0 {
			answer(w, http.StatusInternalServerError, "no turn for too long: "+strings.Join(stuck, ", "))
			return
		}
		answer(w, http.StatusOK, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if why := o.Health.unready(); why != "" {
			answer(w, http.StatusServiceUnavailable, why)
			return
		}
		answer(w, http.StatusOK, "ok")
	})
	server := &http.Server{
		Handler:     mux,
		ReadTimeout: 10 * time.Second, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
	}
	if o.Page != nil {
		p := newPage(*o.Page)
		if err := p.handle(mux); err != nil {
			return nil, errors.Join(err, l.Close())
		}
		server.RegisterOnShutdown(func() { close(p.closing) })
	}
	return &Server{listener: l, server: server}, nil
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, text) // the client may be gone; nobody to tell
}

// Address is where the server listens.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Run answers until ctx ends, then lets requests under way finish.
func (s *Server) Run(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- s.server.Serve(s.listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serving %s: %w", s.Address(), err)
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if served := <-served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err != nil {
		return fmt.Errorf("closing %s: %w", s.Address(), err)
	}
	return nil
}
