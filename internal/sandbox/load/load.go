// Package load plays the users of the demo world: they resolve names, honour
// TTLs, keep connections and cookies, send requests at an even rate, and count
// what every one of them got.
package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"
)

// Dialer opens the users' connections.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Options says what load to make. Targets, DNSAddress and Network are required.
type Options struct {
	// Targets are http URLs with host names; users ask for them by turns.
	Targets []string
	// DNSAddress is the name server, IP and port; it is asked directly and
	// not through Network.
	DNSAddress string
	Network    Dialer
	// Rate is requests per second of all users together; default 250.
	Rate int
	// Workers is the number of users; default 25. Each has a DNS cache,
	// connections and cookies of its own.
	Workers int
	// Timeout bounds one request, resolving included; default 5 s.
	Timeout time.Duration
	// InFlight bounds the unanswered requests of one user; default 64. A user
	// who has so many sends the next one late.
	InFlight int
}

// Generator is a running load.
type Generator struct {
	options Options
	targets []*url.URL
	ledger  *ledger
	stop    chan struct{}
	pacers  sync.WaitGroup
	once    sync.Once
}

// Start begins to send requests. It goes on until Stop.
//
// The load is open-loop: the times of the requests are fixed beforehand, and a
// slow answer delays no other request. Latency counts from the time at which a
// request was due, so that a stall shows in full.
func Start(o Options) (*Generator, error) {
	if len(o.Targets) == 0 || o.DNSAddress == "" || o.Network == nil {
		return nil, errors.New("starting the load: targets, DNS address and network are all required")
	}
	o.Rate = cmp.Or(o.Rate, 250)
	o.Workers = cmp.Or(o.Workers, 25)
	o.Timeout = cmp.Or(o.Timeout, 5*time.Second)
	o.InFlight = cmp.Or(o.InFlight, 64)
	if o.Rate < 0 || o.Workers < 0 || o.InFlight < 0 {
		return nil, errors.New("starting the load: rate, workers and in flight must not be negative")
	}
	g := &Generator{options: o, stop: make(chan struct{})}
	for _, target := range o.Targets {
		parsed, err := url.Parse(target)
		if err == nil && (parsed.Scheme != "http" || parsed.Hostname() == "") {
			err = errors.New("want http://HOST/PATH")
		}
		if err != nil {
			return nil, fmt.Errorf("reading target %s: %w", target, err)
		}
		g.targets = append(g.targets, parsed)
	}
	start := time.Now()
	g.ledger = newLedger(start)
	for i := range o.Workers {
		user, err := newUser(o, g.ledger)
		if err != nil {
			g.Stop()
			return nil, err
		}
		g.pacers.Go(func() { g.pace(user, start, i) })
	}
	return g, nil
}

// Snapshot returns the counts up to now.
func (g *Generator) Snapshot() Snapshot { return g.ledger.snapshot(time.Now()) }

// Stop sends no more requests, waits for those under way, which are finished
// and counted as always, and returns the final counts. Stopping twice is
// allowed.
func (g *Generator) Stop() Snapshot {
	g.once.Do(func() { close(g.stop) })
	g.pacers.Wait()
	return g.Snapshot()
}

// pace sends the requests of one user. Of all requests, numbered by the time
// at which they are due, user i of n sends the numbers i, i+n, i+2n and so on.
func (g *Generator) pace(u *user, start time.Time, i int) {
	defer u.close()
	var requests sync.WaitGroup
	defer requests.Wait()
	slots := make(chan struct{}, g.options.InFlight)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for number := i; ; number += g.options.Workers {
		due := start.Add(time.Duration(number) * time.Second / time.Duration(g.options.Rate))
		timer.Reset(time.Until(due))
		select {
		case <-g.stop:
			return
		case <-timer.C:
		}
		select {
		case <-g.stop:
			return
		case slots <- struct{}{}:
		}
		// Users go through the targets round by round, each at its own
		// place, so that no moment has all of them at one target.
		target := g.targets[(number/g.options.Workers+i)%len(g.targets)]
		g.ledger.sent(time.Now(), due)
		requests.Go(func() {
			u.request(target, due)
			<-slots
		})
	}
}
