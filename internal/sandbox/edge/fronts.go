package edge

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// fronts owns the open listeners of the load balancers, one HTTP server each.
type fronts struct {
	network Network
	handler func(address string) http.Handler
	errors  *log.Logger
	open    map[string]*http.Server // by address and port
	running sync.WaitGroup
	// hurry ends the patience with the requests of removed listeners.
	hurry  context.Context
	cancel context.CancelFunc
}

func newFronts(network Network, handler func(string) http.Handler, errors *log.Logger) *fronts {
	hurry, cancel := context.WithCancel(context.Background())
	return &fronts{
		network: network,
		handler: handler,
		errors:  errors,
		open:    map[string]*http.Server{},
		hurry:   hurry,
		cancel:  cancel,
	}
}

// sync opens what is new and closes what is gone; requests at a listener that
// is gone are finished. It tries all of them and joins the faults.
func (f *fronts) sync(listeners []routing.Listener) error {
	wanted := make(map[string]bool, len(listeners))
	var faults error
	for _, listener := range listeners {
		address := frontAddress(listener)
		wanted[address] = true
		if f.open[address] == nil {
			faults = errors.Join(faults, f.start(address))
		}
	}
	for address, server := range f.open {
		if !wanted[address] {
			delete(f.open, address)
			f.running.Go(func() { _ = shutdown(f.hurry, server) })
		}
	}
	return faults
}

func (f *fronts) start(address string) error {
	l, err := f.network.Listen(address)
	if err != nil {
		return fmt.Errorf("opening the listener at %s: %w", address, err)
	}
	server := &http.Server{
		Handler:           f.handler(address),
		ErrorLog:          f.errors,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       time.Minute, // as an ALB's
	}
	f.open[address] = server
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
	for address, server := range f.open {
		delete(f.open, address)
		f.running.Go(func() {
			err := shutdown(ctx, server)
			if err != nil {
				err = fmt.Errorf("closing the listener at %s: %w", address, err)
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
func shutdown(ctx context.Context, server *http.Server) error {
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(err, server.Close())
	}
	return nil
}
