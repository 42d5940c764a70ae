package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"
)

// What one client may take of the server. The pages answer anyone who reaches the
// address, and a daemon that is kept busy by them must still turn its loops and tell
// the kubelet that it lives.
const (
	// maxConnections bounds the connections, maxFromOne those of one address: one
	// client can't shut the others out.
	maxConnections, maxFromOne = 512, 64
	// maxHeader and maxBody bound a request, in bytes. No page reads a body.
	maxHeader, maxBody = 16 << 10, 4 << 10
	// scrapesAtOnce bounds how many requests for metrics are answered at a time.
	scrapesAtOnce = 4
	// profileSeconds bounds how long a profile is taken. pprof itself puts off the
	// server's deadline for as long as it was asked to.
	profileSeconds = 120
)

// Server serves the pages.
type Server struct {
	listener net.Listener
	server   *http.Server
}

// Options are what a Server is made of.
type Options struct {
	Listen string // host:port; port 0 takes a free one
	// Health and Metrics are served; nil: they aren't.
	Health  *Health
	Metrics prometheus.Gatherer
	// Page is the web page and its API; nil: neither is served.
	Page *PageOptions
	// Profiles serves Go's profiles at /debug/pprof/.
	Profiles bool
	// Logger takes what net/http has to say of broken requests; nil: nobody does.
	Logger *zap.Logger
}

// Listen opens the address. Nothing is answered before Run.
func Listen(ctx context.Context, o Options) (*Server, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", o.Listen, err)
	}
	s, err := newServer(l, o)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return s, nil
}

func newServer(l net.Listener, o Options) (*Server, error) {
	mux := o.pages()
	log := o.Logger
	if log == nil {
		log = zap.NewNop()
	}
	// net/http's own lines are each a client's doing, and not for standard error.
	quiet, err := zap.NewStdLogAt(log, zap.DebugLevel)
	if err != nil {
		return nil, fmt.Errorf("making the log of the server: %w", err)
	}
	server := &http.Server{
		Handler:     guarded(mux),
		ReadTimeout: 10 * time.Second, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: maxHeader, ErrorLog: quiet,
	}
	if o.Page != nil {
		p := newPage(*o.Page)
		if err := p.handle(mux); err != nil {
			return nil, err
		}
		server.RegisterOnShutdown(func() { close(p.closing) })
	}
	return &Server{listener: newGate(l, maxConnections, maxFromOne), server: server}, nil
}

func (o Options) pages() *http.ServeMux {
	mux := http.NewServeMux()
	if o.Metrics != nil {
		mux.Handle("GET /metrics", promhttp.HandlerFor(o.Metrics, promhttp.HandlerOpts{MaxRequestsInFlight: scrapesAtOnce, Timeout: 20 * time.Second}))
	}
	if o.Health != nil {
		o.Health.pages(mux)
	}
	if o.Profiles {
		// Not pprof's own registration, which is for a mux that the whole process shares.
		mux.HandleFunc("GET /debug/pprof/", brief(pprof.Index))
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", brief(pprof.Profile))
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", brief(pprof.Trace))
	}
	return mux
}

func (h *Health) pages(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if stuck := h.stuck(); len(stuck) > 0 {
			answer(w, http.StatusInternalServerError, "no turn for too long: "+strings.Join(stuck, ", "))
			return
		}
		answer(w, http.StatusOK, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if why := h.unready(); why != "" {
			answer(w, http.StatusServiceUnavailable, why)
			return
		}
		answer(w, http.StatusOK, "ok")
	})
}

// brief refuses to take a profile for longer than profileSeconds.
func brief(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if text := r.FormValue("seconds"); text != "" {
			if asked, err := strconv.ParseFloat(text, 64); err != nil || !(asked <= profileSeconds) {
				answer(w, http.StatusBadRequest, fmt.Sprintf("seconds=%q: use a number up to %d", text, profileSeconds))
				return
			}
		}
		next(w, r)
	}
}

// guarded bounds bodies, and tells browsers and caches to keep their hands off.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
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
