// Package web serves the daemon's own pages: health, readiness, metrics, and the
// web page on which people see the pairs.
package web

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher"
)

// Health knows which pairs are turning. It is a switcher.Reporter.
type Health struct {
	now func() time.Time

	mu       sync.Mutex // guards all below
	stopping bool
	pairs    map[string]turning
}

// turning is what is known of one pair's loop.
type turning struct {
	since time.Time // when it was started
	last  time.Time // its last turn; zero: none yet
	bound time.Duration
	// superseded: a newer daemon took charge of the pair.
	superseded bool
}

// NewHealth makes a Health that knows no pair yet.
func NewHealth(now func() time.Time) *Health {
	return &Health{now: now, pairs: map[string]turning{}}
}

// Expect announces a pair, or gives one that is known another bound. Its loop
// counts as stuck when no turn ends within the bound.
func (h *Health) Expect(pair string, bound time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, known := h.pairs[pair]
	if !known {
		p.since = h.now()
	}
	p.bound = bound
	h.pairs[pair] = p
}

// Forget is for a pair that is gone.
func (h *Health) Forget(pair string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.pairs, pair)
}

// Report notes a turn.
func (h *Health) Report(t switcher.Turn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p, ok := h.pairs[t.Plan.Pair]; ok {
		p.last, p.superseded = h.now(), t.Superseded
		h.pairs[t.Plan.Pair] = p
	}
}

// Stopping takes readiness away; the daemon is about to stop.
func (h *Health) Stopping() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopping = true
}

// stuck names the pairs whose loop has not turned within its bound.
func (h *Health) stuck() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var names []string
	for name, p := range h.pairs {
		last := p.last
		if last.IsZero() {
			last = p.since
		}
		if h.now().Sub(last) > p.bound {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// unready says why the daemon is not ready; empty: it is.
func (h *Health) unready() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopping {
		return "stopping"
	}
	var waiting, lost []string
	for name, p := range h.pairs {
		switch {
		case p.last.IsZero():
			waiting = append(waiting, name)
		case p.superseded:
			lost = append(lost, name)
		}
	}
	slices.Sort(waiting)
	slices.Sort(lost)
	switch {
	case len(waiting) > 0:
		return "no turn yet of " + strings.Join(waiting, ", ")
	case len(lost) > 0:
		return "a newer daemon took charge of " + strings.Join(lost, ", ")
	}
	return ""
}
