package soak

import (
	"sync"
	"time"
)

// charge follows which replica is in charge. That is the one that calls AWS: who
// stands by asks it nothing.
type charge struct {
	mu       sync.Mutex // guards all below
	leader   string
	away     map[string]bool // replicas whose process is gone or stands still
	lost     time.Time       // when the leader was lost; zero: there is one
	lostWho  string
	frozen   bool // the lost one only stands still
	obstacle int  // how much is in a successor's way now
	hindered bool // something was, since the leader was lost

	takeovers, hinderedOnes []time.Duration
}

// called notes a call to AWS.
func (c *charge) called(by string, at time.Time) {
	if by == person {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away[by] {
		return // it was sent before
	}
	if !c.lost.IsZero() {
		gap := at.Sub(c.lost)
		switch {
		case by == c.lostWho && c.frozen: // it went on before another could
		case c.hindered:
			c.hinderedOnes = append(c.hinderedOnes, gap)
		default:
			c.takeovers = append(c.takeovers, gap)
		}
		c.lost = time.Time{}
	}
	c.leader = by
}

// gone notes that a process is gone, or stands still.
func (c *charge) gone(who string, frozen bool, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away == nil {
		c.away = map[string]bool{}
	}
	c.away[who] = true
	if who == c.leader && c.lost.IsZero() {
		c.lost, c.lostWho, c.frozen, c.hindered = at, who, frozen, c.obstacle > 0
	}
	if len(c.away) > 1 {
		c.hindered = true
	}
}

// here notes that a process is there again, and moves.
func (c *charge) here(who string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.away, who)
}

// hinder notes that something keeps successors away from now on; the returned
// function ends that.
func (c *charge) hinder() (end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.obstacle++
	c.hindered = true
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.obstacle--
	}
}

// who gives the names of those that a fault hits now. Before anybody called, the
// first one is the leader.
func (c *charge) who(role string, all []*replica) (hit []*replica) {
	c.mu.Lock()
	defer c.mu.Unlock()
	leads := c.leader
	if leads == "" {
		leads = all[0].name
	}
	for _, r := range all {
		if role == both || (r.name == leads) == (role == leader) {
			hit = append(hit, r)
		}
	}
	return hit
}

// figures gives what was measured, in milliseconds.
func (c *charge) figures() (takeovers, hindered []float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	takeovers, hindered = []float64{}, []float64{}
	for _, d := range c.takeovers {
		takeovers = append(takeovers, milliseconds(d))
	}
	for _, d := range c.hinderedOnes {
		hindered = append(hindered, milliseconds(d))
	}
	return takeovers, hindered
}
