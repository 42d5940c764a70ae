package planted

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/prometheus"
)

// both are the series that both clusters have.
const both = `
shop_requests_total{app="web",code="200"} 100
shop_requests_total{app="web",code="500"} 1
shop_orders_total 7
shop_request_seconds_bucket{le="0.1"} 90
shop_request_seconds_bucket{le="+Inf"} 100
cart_lost_total 0
`

// onlyBlue are those that blue alone has. Nobody uses them until a row does.
const onlyBlue = `
shop_payments_total 5
shop_refunds_total 1
shop_search_seconds_bucket{le="+Inf"} 4
shop_stock_level 12
shop_requests_total{app="checkout",code="200"} 9
`

// metrics is one side's Prometheus with what it scrapes.
type metrics struct {
	prometheus *prometheus.Server
	exporter   *http.Server
	served     chan error
}

// startMetrics starts a side's exporter, and a real Prometheus that scrapes it.
func startMetrics(ctx context.Context, s side, binary, dir string) (*metrics, error) {
	text := both
	if s == blue {
		text += onlyBlue
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for metrics: %w", err)
	}
	m := &metrics{served: make(chan error, 1), exporter: &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; version=0.0.4")
			_, _ = w.Write([]byte(text))
		})}}
	go func() { m.served <- m.exporter.Serve(l) }()
	// Prometheus wants a folder without series of before.
	dir = filepath.Join(dir, "prometheus-"+string(s))
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		return nil, errors.Join(fmt.Errorf("making a folder for Prometheus: %w", err), m.close())
	}
	m.prometheus, err = prometheus.Start(ctx, prometheus.Options{
		Binary: binary, Dir: dir, Interval: time.Second, Jobs: []prometheus.Job{{Name: "shop", Targets: []string{l.Addr().String()}}},
	})
	if err != nil {
		return nil, errors.Join(err, m.close())
	}
	return m, nil
}

func (m *metrics) close() error {
	var err error
	if m.prometheus != nil {
		err = m.prometheus.Stop()
	}
	err = errors.Join(err, m.exporter.Close())
	if served := <-m.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
