// Package edgetest has the control side for tests of the data plane: what the
// embedded AWS is to the edge, without its API.
package edgetest

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// Control stores what a test says and keeps what the edge reports.
type Control struct {
	mu        sync.Mutex
	changed   chan struct{} // closed and replaced at every change
	records   []routing.RecordSet
	listeners []routing.Listener
	groups    []routing.TargetGroup
	reasons   map[string]string // by group and target
	reports   map[string]int    // of health, by group
	requests  []routing.Request
	queries   int
}

// NewControl returns an empty control side.
func NewControl() *Control {
	return &Control{changed: make(chan struct{}), reasons: map[string]string{}, reports: map[string]int{}}
}

// RecordSets returns the members of one name and type.
func (c *Control) RecordSets(name, typ string) []routing.RecordSet {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queries++
	c.changedLocked()
	var found []routing.RecordSet
	for _, r := range c.records {
		if r.Name == name && r.Type == typ {
			found = append(found, r)
		}
	}
	return found
}

// HasName tells whether records stand at the name or below it.
func (c *Control) HasName(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.records, func(r routing.RecordSet) bool {
		return r.Name == name || strings.HasSuffix(r.Name, "."+name)
	})
}

// Zone returns the origin of the zone, the name of its SOA record.
func (c *Control) Zone(name string) (origin string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.records {
		inside := r.Name == name || strings.HasSuffix(name, "."+r.Name)
		if r.Type == "SOA" && inside && len(r.Name) > len(origin) {
			origin, ok = r.Name, true
		}
	}
	return origin, ok
}

// Listeners returns a copy of the listeners.
func (c *Control) Listeners() []routing.Listener {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.listeners)
}

// TargetGroups returns a copy of the target groups.
func (c *Control) TargetGroups() []routing.TargetGroup {
	c.mu.Lock()
	defer c.mu.Unlock()
	groups := slices.Clone(c.groups)
	for i := range groups {
		groups[i].Targets = slices.Clone(groups[i].Targets)
	}
	return groups
}

// SetTargetHealth stores the health of a registered target that doesn't drain.
func (c *Control) SetTargetHealth(groupARN, address string, port int, s routing.State, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reports[groupARN]++
	for _, group := range c.groups {
		for i, target := range group.Targets {
			if group.ARN == groupARN && target.Address == address && target.Port == port && target.State != routing.Draining {
				group.Targets[i].State = s
				c.reasons[groupARN+targetKey(address, port)] = reason
			}
		}
	}
	c.changedLocked()
}

// RecordRequest keeps a request.
func (c *Control) RecordRequest(r routing.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, r)
	c.changedLocked()
}

// SetRecords replaces all records.
func (c *Control) SetRecords(records ...routing.RecordSet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.records = records
}

// SetListeners replaces all listeners.
func (c *Control) SetListeners(listeners ...routing.Listener) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listeners = listeners
}

// SetGroups replaces all target groups.
func (c *Control) SetGroups(groups ...routing.TargetGroup) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.groups = groups
}

// Requests returns what was recorded so far.
func (c *Control) Requests() []routing.Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.requests)
}

// AwaitHealth waits until a target has the state and the reason.
func (c *Control) AwaitHealth(ctx context.Context, groupARN, target string, s routing.State, reason string) error {
	var last string
	err := c.await(ctx, func() bool {
		for _, group := range c.groups {
			for _, t := range group.Targets {
				if key := targetKey(t.Address, t.Port); group.ARN == groupARN && key == target {
					last = fmt.Sprintf("%s %s", t.State, c.reasons[groupARN+key])
					return t.State == s && c.reasons[groupARN+key] == reason
				}
			}
		}
		return false
	})
	if err != nil {
		return fmt.Errorf("waiting for %s to be %s %s, last %q: %w", target, s, reason, last, err)
	}
	return nil
}

// Reports is how many reports of health a group got so far.
func (c *Control) Reports(groupARN string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reports[groupARN]
}

// AwaitReports waits until a group got n reports of health more than now.
func (c *Control) AwaitReports(ctx context.Context, groupARN string, n int) error {
	n += c.Reports(groupARN)
	return c.await(ctx, func() bool { return c.reports[groupARN] >= n })
}

// AwaitRequests waits until the recorded requests please.
func (c *Control) AwaitRequests(ctx context.Context, please func([]routing.Request) bool) error {
	return c.await(ctx, func() bool { return please(c.requests) })
}

// AwaitQueries waits until records were looked up n times more than now.
func (c *Control) AwaitQueries(ctx context.Context, n int) error {
	c.mu.Lock()
	n += c.queries
	c.mu.Unlock()
	return c.await(ctx, func() bool { return c.queries >= n })
}

// await looks at every change until the condition holds; it is asked with the
// lock held.
func (c *Control) await(ctx context.Context, holds func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		c.mu.Lock()
		held, changed := holds(), c.changed
		c.mu.Unlock()
		if held {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *Control) changedLocked() {
	close(c.changed)
	c.changed = make(chan struct{})
}

func targetKey(address string, port int) string {
	return net.JoinHostPort(address, strconv.Itoa(port))
}
