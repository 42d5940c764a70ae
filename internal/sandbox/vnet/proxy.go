package vnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"time"
)

// ServeProxy answers on l as an HTTP proxy for http URLs whose hosts are virtual
// addresses, until ctx ends or l fails; then it closes l and every connection. The
// cause is returned unless it is the end of ctx. CONNECT is not among what it
// knows; see ServeConnect.
//
// It lets a program that knows proxies, as Prometheus does, reach what stands in the
// network.
func (n *Network) ServeProxy(ctx context.Context, l net.Listener) error {
	transport := &http.Transport{DialContext: n.DialContext}
	defer transport.CloseIdleConnections()
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: &httputil.ReverseProxy{
		Transport: transport,
		Rewrite:   func(*httputil.ProxyRequest) {}, // the URL says already where to
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), http.StatusBadGateway)
		},
	}}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving as a proxy at %s: %w", l.Addr(), err)
	}
	return nil
}
