package edge

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// Reasons of a target's health, ELBv2 API, TargetHealthReasonEnum.
const (
	reasonInitial  = "Elb.InitialHealthChecking"
	reasonMismatch = "Target.ResponseCodeMismatch"
	reasonTimeout  = "Target.Timeout"
	reasonFailed   = "Target.FailedHealthChecks"
)

// checks owns the health checkers, one goroutine for each target in use.
type checks struct {
	life    context.Context
	reports Reports
	client  *http.Client
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	running sync.WaitGroup
	active  map[checkKey]activeCheck
}

type checkKey struct {
	groupARN, address string
	port              int
}

type activeCheck struct {
	check routing.HealthCheck
	stop  context.CancelFunc
}

func newChecks(life context.Context, network Network, reports Reports) *checks {
	return &checks{
		life:    life,
		reports: reports,
		active:  map[checkKey]activeCheck{},
		dial:    network.DialContext,
		client: &http.Client{
			// Every check dials afresh, so a target that takes no new
			// connections cannot hide behind an old one.
			Transport: &http.Transport{DialContext: network.DialContext, DisableKeepAlives: true},
			// A redirect is an answer like any other.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// sync starts, stops and restarts checkers so that every target of a group in
// use is checked as its group says now. The states unused and draining are the
// control side's to give.
func (c *checks) sync(groups []routing.TargetGroup) {
	wanted := map[checkKey]bool{}
	for _, group := range groups {
		check := withCheckDefaults(group.HealthCheck)
		for _, target := range group.Targets {
			if !group.Attached || target.State == routing.Draining {
				continue
			}
			key := checkKey{group.ARN, target.Address, target.Port}
			wanted[key] = true
			c.ensure(key, check, target.State)
		}
	}
	for key, active := range c.active {
		if !wanted[key] {
			active.stop()
			delete(c.active, key)
		}
	}
}

// ensure makes one checker run by the given settings.
func (c *checks) ensure(key checkKey, check routing.HealthCheck, state routing.State) {
	active, ok := c.active[key]
	if ok && active.check == check {
		return
	}
	if ok {
		active.stop()
	}
	ctx, stop := context.WithCancel(c.life)
	c.active[key] = activeCheck{check: check, stop: stop}
	c.running.Go(func() { c.watch(ctx, key, check, firstHealth(state)) })
}

// wait returns when all checkers have ended, as they do with the life given to
// newChecks.
func (c *checks) wait() { c.running.Wait() }

// watch checks one target until ctx ends. It reports after every check, not
// only on a change: the control side may have forgotten meanwhile, as when a
// target is deregistered and registered again.
func (c *checks) watch(ctx context.Context, key checkKey, check routing.HealthCheck, now health) {
	ticker := time.NewTicker(check.Interval)
	defer ticker.Stop()
	c.reports.SetTargetHealth(key.groupARN, key.address, key.port, now.state, now.reason)
	for {
		reason := c.probe(ctx, key, check)
		if ctx.Err() != nil {
			return
		}
		now = now.after(reason, check)
		c.reports.SetTargetHealth(key.groupARN, key.address, key.port, now.state, now.reason)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// probe does one check and returns the reason why it failed, empty if it passed.
func (c *checks) probe(ctx context.Context, key checkKey, check routing.HealthCheck) string {
	ctx, cancel := context.WithTimeout(ctx, check.Timeout)
	defer cancel()
	address := net.JoinHostPort(key.address, strconv.Itoa(key.port))
	if check.TCP {
		conn, err := c.dial(ctx, "tcp", address)
		if err != nil {
			return failure(err)
		}
		_ = conn.Close() // that it opened was the question
		return ""
	}
	// The path may carry a query, so it is not escaped here.
	target := "http://" + address + check.Path
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return reasonFailed
	}
	request.Header.Set("User-Agent", "ELB-HealthChecker/2.0")
	response, err := c.client.Do(request)
	if err != nil {
		return failure(err)
	}
	if response.Body.Close() != nil || response.StatusCode < check.StatusFrom || response.StatusCode > check.StatusTo {
		return reasonMismatch
	}
	return ""
}

// failure is the reason that goes with an error of a check.
func failure(err error) string {
	if fault, ok := errors.AsType[net.Error](err); ok && fault.Timeout() {
		return reasonTimeout
	}
	return reasonFailed
}

// health is what a row of checks says about one target.
type health struct {
	state            routing.State
	reason           string
	passes, failures int // in a row
}

// firstHealth goes on from a state known before, as after a change of the
// settings, and begins with initial otherwise.
func firstHealth(known routing.State) health {
	switch known {
	case routing.Healthy:
		return health{state: routing.Healthy}
	case routing.Unhealthy, routing.UnhealthyDraining:
		return health{state: routing.Unhealthy, reason: reasonFailed}
	case routing.Initial, routing.Unused, routing.Draining, routing.Unavailable:
	}
	return health{state: routing.Initial, reason: reasonInitial}
}

// after adds one result. A target in its initial state is healthy from its
// first pass on, as ELB has it; all other changes take the thresholds.
func (h health) after(reason string, check routing.HealthCheck) health {
	if reason == "" {
		h.passes, h.failures = h.passes+1, 0
		if h.state == routing.Initial || h.passes >= check.Healthy {
			h.state, h.reason = routing.Healthy, ""
		}
		return h
	}
	h.passes, h.failures = 0, h.failures+1
	if h.state == routing.Unhealthy || h.failures >= check.Unhealthy {
		h.state, h.reason = routing.Unhealthy, reason
	}
	return h
}

// withCheckDefaults fills in the defaults of an ALB's target group.
func withCheckDefaults(h routing.HealthCheck) routing.HealthCheck {
	h.Interval = cmp.Or(h.Interval, 30*time.Second)
	h.Timeout = cmp.Or(h.Timeout, 5*time.Second)
	h.Path = cmp.Or(h.Path, "/")
	h.Healthy = cmp.Or(h.Healthy, 5)
	h.Unhealthy = cmp.Or(h.Unhealthy, 2)
	h.StatusFrom = cmp.Or(h.StatusFrom, http.StatusOK)
	h.StatusTo = cmp.Or(h.StatusTo, h.StatusFrom)
	return h
}
