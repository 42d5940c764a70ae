package backend

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// port is one opening of a pod's port. A pod that refused connections and
// takes them again has a new one.
type port struct {
	server *http.Server
	served chan struct{}

	mu    sync.Mutex
	fresh map[net.Conn]struct{} // accepted, no request seen yet
}

func openPort(network Listener, address string, handler http.Handler) (*port, error) {
	l, err := network.Listen(address)
	if err != nil {
		return nil, err
	}
	p := &port{served: make(chan struct{}), fresh: map[net.Conn]struct{}{}}
	// No IdleTimeout: a pod must keep idle connections longer than the load
	// balancer does, or requests race with its closing them.
	p.server = &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ConnState: p.note}
	go func() {
		defer close(p.served)
		// It ends by being closed; a listener that fails for another reason
		// shows as refused connections.
		_ = p.server.Serve(l)
	}()
	return p, nil
}

// note keeps track of connections that have not sent a request yet.
func (p *port) note(c net.Conn, state http.ConnState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if state == http.StateNew {
		p.fresh[c] = struct{}{}
	} else {
		delete(p.fresh, c)
	}
}

// close finishes the requests under way, and breaks them when ctx ends. It
// closes connections without a request itself: Shutdown would wait seconds for
// a request to come (net/http gives new connections five).
func (p *port) close(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- p.server.Shutdown(ctx) }()
	<-p.served // no more connections are accepted from here on
	p.mu.Lock()
	for c := range p.fresh {
		_ = c.Close()
	}
	p.mu.Unlock()
	if err := <-ended; err != nil {
		return errors.Join(err, p.server.Close())
	}
	return nil
}
