// Package backend plays the pods of a cluster: HTTP servers at addresses of
// the demo's network that say who answered, and whose faults are switched on
// and off while they serve.
package backend

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Headers by which a pod says who answered.
const (
	ClusterHeader = "X-Cluster"
	PodHeader     = "X-Pod"
)

// Listener opens the listener of a pod.
type Listener interface {
	Listen(address string) (net.Listener, error)
}

// Faults is what goes wrong in a pod. The zero value is a sound pod.
type Faults struct {
	// ErrorRatio is the part of requests, 0 to 1, that are answered by 500.
	// They are spread evenly and not by chance: of 10 requests at 0.3, 3 fail.
	// Health checks are not among them.
	ErrorRatio float64
	// Latency is added before every answer, of health checks too.
	Latency time.Duration
	// Unhealthy lets the health checks fail with 503, and only them.
	Unhealthy bool
	// Refuse closes the pod's port: new connections are refused, idle ones
	// are closed, and requests under way are still answered.
	Refuse bool
	// ByChance spreads the failing requests as chance does, each pod's otherwise.
	ByChance bool
	// SlowRatio is the part of requests, 0 to 1, whose answers take Slow longer. They
	// are spread by chance.
	SlowRatio float64
	Slow      time.Duration
	// Metrics is what goes wrong with what the pod tells of itself at /metrics.
	Metrics MetricsFaults
}

// Options says which pod to play. Cluster, Address and Network are required.
type Options struct {
	Cluster string // blue or green
	Name    string // of the pod; default its address
	Address string // virtual, IP and port
	Network Listener
	// HealthPath is what health checks ask for; default /healthz.
	HealthPath string
	// Capacity is how much it can do; the zero value is no limit.
	Capacity Capacity
}

// Pod is one running pod.
type Pod struct {
	options  Options
	faults   atomic.Pointer[Faults]
	turns    turns
	counters counters
	requests atomic.Int64 // health checks not counted
	shed     atomic.Int64 // of the requests: those that met a full queue

	mu     sync.Mutex // guards the port
	port   *port      // nil while the pod refuses connections
	closed bool
}

// Start opens the pod's port and serves.
func Start(o Options) (*Pod, error) {
	if o.Cluster == "" || o.Address == "" || o.Network == nil {
		return nil, errors.New("starting a pod: cluster, address and network are all required")
	}
	o.Name = cmp.Or(o.Name, o.Address)
	o.HealthPath = cmp.Or(o.HealthPath, "/healthz")
	p := &Pod{options: o, turns: turns{capacity: o.Capacity}}
	p.faults.Store(&Faults{})
	port, err := openPort(o.Network, o.Address, p)
	if err != nil {
		return nil, fmt.Errorf("starting pod %s: %w", o.Name, err)
	}
	p.port = port
	return p, nil
}

// Address is the pod's virtual address, IP and port.
func (p *Pod) Address() string { return p.options.Address }

// Requests is how many requests came in so far, health checks not counted.
func (p *Pod) Requests() int64 { return p.requests.Load() }

// Shed is how many of them were answered 503 because the queue was full.
func (p *Pod) Shed() int64 { return p.shed.Load() }

// SetFaults replaces the faults. It fails if the port cannot be opened again
// after Refuse, and waits for the requests under way when Refuse begins.
func (p *Pod) SetFaults(f Faults) error {
	if f.ErrorRatio < 0 || f.ErrorRatio > 1 || f.SlowRatio < 0 || f.SlowRatio > 1 {
		return fmt.Errorf("setting faults of pod %s: error ratio %v or slow ratio %v is not within 0 and 1", p.options.Name, f.ErrorRatio, f.SlowRatio)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return fmt.Errorf("setting faults of pod %s: it is closed", p.options.Name)
	}
	p.faults.Store(&f)
	switch {
	case f.Refuse && p.port != nil:
		closing := p.port
		p.port = nil
		return closing.close(context.Background())
	case !f.Refuse && p.port == nil:
		port, err := openPort(p.options.Network, p.options.Address, p)
		if err != nil {
			return fmt.Errorf("opening pod %s again: %w", p.options.Name, err)
		}
		p.port = port
	}
	return nil
}

// Close stops accepting and waits for the requests under way; what is left
// when ctx ends is broken off, which is an error. Closing twice is allowed.
func (p *Pod) Close(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.port == nil {
		return nil
	}
	closing := p.port
	p.port = nil
	return closing.close(ctx)
}

// ServeHTTP answers one request as the pod.
func (p *Pod) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	faults, began := p.faults.Load(), time.Now()
	if r.URL.Path == metricsPath {
		p.serveMetrics(w, r, faults.Metrics)
		return
	}
	if !pause(r.Context(), faults.Latency) {
		return
	}
	w.Header().Set(ClusterHeader, p.options.Cluster)
	w.Header().Set(PodHeader, p.options.Name)
	w.Header().Set("Content-Type", "application/json")
	status := http.StatusOK
	if r.URL.Path == p.options.HealthPath {
		if faults.Unhealthy {
			status = http.StatusServiceUnavailable
		}
	} else {
		if status = p.work(r.Context(), faults); status == 0 {
			return
		}
		p.counters.add(status, time.Since(began))
	}
	w.WriteHeader(status)
	// A client that went away is the only one who could be told.
	_ = json.NewEncoder(w).Encode(answer{
		Cluster: p.options.Cluster,
		Pod:     p.options.Name,
		Host:    r.Host,
		Path:    r.URL.Path,
		Status:  status,
	})
}

// work does what a user's request asks for and gives the answer's status; 0: the
// client went away.
func (p *Pod) work(ctx context.Context, faults *Faults) int {
	number := p.requests.Add(1)
	wait, ok := p.turns.take(time.Now())
	if chance(p.options.Cluster+p.options.Name+"slow", number) < faults.SlowRatio {
		wait += faults.Slow
	}
	failing := fails(number, faults.ErrorRatio)
	if faults.ByChance {
		failing = chance(p.options.Cluster+p.options.Name+"fails", number) < faults.ErrorRatio
	}
	switch {
	case !ok:
		p.shed.Add(1)
		return http.StatusServiceUnavailable
	case !pause(ctx, wait):
		return 0
	case failing:
		return http.StatusInternalServerError
	}
	return http.StatusOK
}

// answer is the body of every answer.
type answer struct {
	Cluster string `json:"cluster"`
	Pod     string `json:"pod"`
	Host    string `json:"host"`
	Path    string `json:"path"`
	Status  int    `json:"status"`
}

// fails tells whether the nth request is among the failing ones: it is when
// the number of failures due, n times ratio, passes a whole number.
func fails(n int64, ratio float64) bool {
	return int64(float64(n)*ratio) > int64(float64(n-1)*ratio)
}

// chance is a number from 0 up to, but without, 1, that looks like one of chance and
// is the same in each run.
func chance(of string, n int64) float64 {
	hash := fnv.New64a()
	_, _ = hash.Write(strconv.AppendInt([]byte(of), n, 36)) // a hash takes anything
	return rand.New(rand.NewPCG(hash.Sum64(), uint64(n))).Float64()
}

// pause waits, and tells whether the client waited too.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
