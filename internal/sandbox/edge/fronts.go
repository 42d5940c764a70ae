package edge

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// front serves one listener: an *http.Server, or a *flows for TCP.
type front interface {
	Serve(net.Listener) error
	Shutdown(context.Context) error
	Close() error
}

// fronts owns the open listeners of the load balancers, one server each.
type fronts struct {
	network  Network
	balancer *balancer
	errors   *log.Logger
	open     map[frontKey]front
	running  sync.WaitGroup
	// hurry ends the patience with the requests of removed listeners.
	hurry  context.Context
	cancel context.CancelFunc
}

// frontKey tells servers apart: a listener that goes on with another protocol
// gets another server.
type frontKey struct {
	address string // with the port
	tcp     bool
}

func newFronts(network Network, balancer *balancer) *fronts {
	hurry, cancel := context.WithCancel(context.Background())
	return &fronts{
		network:  network,
		balancer: balancer,
		errors:   balancer.errors,
		open:     map[frontKey]front{},
		hurry:    hurry,
		cancel:   cancel,
	}
}

// sync opens what is new and closes what is gone; requests at a listener that
// is gone are finished. It tries all of them and joins the faults.
func (f *fronts) sync(listeners []routing.Listener) error {
	wanted := make(map[frontKey]bool, len(listeners))
	for _, listener := range listeners {
		wanted[frontKey{frontAddress(listener), listener.TCP}] = true
	}
	var faults error
	for key, server := range f.open {
		if !wanted[key] {
			delete(f.open, key)
			f.running.Go(func() { _ = shutdown(f.hurry, server) })
		}
	}
	for key := range wanted {
		if f.open[key] == nil {
			faults = errors.Join(faults, f.start(key))
		}
	}
	return faults
}

func (f *fronts) start(key frontKey) error {
	l, err := f.network.Listen(key.address)
	if err != nil {
		return fmt.Errorf("opening the listener at %s: %w", key.address, err)
	}
	var server front = &http.Server{
		Handler:           f.balancer.handler(key.address),
		ErrorLog:          f.errors,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       time.Minute, // as an ALB's
	}
	if key.tcp {
		server = newFlows(f.balancer, key.address, f.network)
	}
	f.open[key] = server
	f.running.Go(func() {
		// It ends by being shut down, and a listener that fails for another
		// reason shows as refused connections.
		_ = server.Serve(l)
	})
	return nil
}

// close shuts all servers down side by side and waits for them.
func (f *fronts) close(ctx context.Context) error {
	defer f.cancel()
	defer context.AfterFunc(ctx, f.cancel)()
	ends := make(chan error, len(f.open))
	for key, server := range f.open {
		delete(f.open, key)
		f.running.Go(func() {
			err := shutdown(ctx, server)
			if err != nil {
				err = fmt.Errorf("closing the listener at %s: %w", key.address, err)
			}
			ends <- err
		})
	}
	f.running.Wait()
	close(ends)
	var faults error
	for err := range ends {
		faults = errors.Join(faults, err)
	}
	return faults
}

// shutdown finishes the requests of a server, and breaks them when ctx ends.
func shutdown(ctx context.Context, server front) error {
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(err, server.Close())
	}
	return nil
}
