package route53

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const (
	// burst is how long after a batch of rollbacks the next one waits for others
	// to share it. A lone rollback goes at once; of a thousand, the first does.
	burst = time.Second
	// longestGather bounds that wait, which goes on for as long as others come.
	longestGather = 50 * time.Millisecond
	// leastFlight is the time that must be left for a call: what has less isn't
	// sent any more.
	leastFlight = 500 * time.Millisecond
)

// queue is where changes of one zone wait for a batch. One batch is on its way
// at a time, since Route 53 refuses a second one (PriorRequestNotComplete), and
// rollbacks go first: while any of the zone isn't through, nothing else leaves.
type queue struct {
	gather time.Duration

	mu      sync.Mutex // guards what follows
	waiting []*part    // in the order they came
	busy    bool       // somebody gathers a batch, or one is on its way
	// rollbacks counts those of the zone that are not answered yet, also while
	// they are read again.
	rollbacks  int
	rolledBack time.Time     // when a batch of rollbacks last left
	changed    chan struct{} // closed and made anew when something may go that couldn't
	hurry      chan struct{} // closed and made anew when a rollback comes
	flights    int           // counts batches
}

// late tells whether a part must not be sent any more.
func (p *part) late() bool {
	deadline, ok := p.ctx.Deadline()
	return p.ctx.Err() != nil || ok && time.Until(deadline) < leastFlight
}

// announce counts rollbacks that are about to come, and no longer when they are
// through: between the two nothing else of the zone leaves.
func (q *queue) announce(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.rollbacks += n
	if q.rollbacks == 0 {
		q.wake()
	}
}

// wake lets everybody who waits look again; mu must be held.
func (q *queue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// submit lets parts wait for a batch. Those of one call leave together if they
// fit.
func (q *queue) submit(parts ...*part) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, p := range parts {
		p.flight = nil
		q.waiting = append(q.waiting, p)
		if p.priority == shift.Rollback {
			close(q.hurry)
			q.hurry = make(chan struct{})
		}
	}
}

// await waits until the part's batch was answered, and gives it; nil: the part
// wasn't sent in time and won't be. The caller's own context bounds the wait;
// should it end while the batch is on its way, the flight tells so.
func (z *zone) await(p *part) *flight {
	q := &z.queue
	for {
		q.mu.Lock()
		if f := p.flight; f != nil {
			q.mu.Unlock()
			return f.ride(p.ctx)
		}
		if p.late() {
			q.leave(p)
			q.mu.Unlock()
			return nil
		}
		if !q.busy && q.mayGo() {
			q.busy = true
			q.mu.Unlock()
			z.takeOff(p.ctx)
			continue
		}
		changed := q.changed
		q.mu.Unlock()
		z.idle(p, changed)
	}
}

// idle waits until something changed, or until it is too late to be sent.
func (z *zone) idle(p *part, changed <-chan struct{}) {
	var tooLate <-chan time.Time
	if deadline, ok := p.ctx.Deadline(); ok {
		timer := time.NewTimer(time.Until(deadline) - leastFlight + time.Millisecond)
		defer timer.Stop()
		tooLate = timer.C
	}
	select {
	case <-changed:
	case <-tooLate:
	case <-p.ctx.Done():
	}
}

// leave takes a part out of the queue; mu must be held.
func (q *queue) leave(p *part) {
	q.waiting = slices.DeleteFunc(q.waiting, func(w *part) bool { return w == p })
}

// mayGo tells whether anything in the queue may leave; mu must be held.
func (q *queue) mayGo() bool {
	return q.first() != nil
}

// takeOff gathers a batch and sends it on its way.
func (z *zone) takeOff(ctx context.Context) {
	q := &z.queue
	q.gatherMore(ctx)
	q.mu.Lock()
	defer q.mu.Unlock()
	parts := q.take()
	if len(parts) == 0 {
		q.busy = false
		q.wake()
		return
	}
	if parts[0].priority == shift.Rollback {
		q.rolledBack = time.Now()
	}
	q.flights++
	f := newFlight(ctx, parts, z.opts.CallTimeout)
	f.number = q.flights
	for _, p := range parts {
		p.flight = f
	}
	q.wake()
	go z.fly(f)
}

// gatherMore waits for others to share the batch, if that is worth it.
func (q *queue) gatherMore(ctx context.Context) {
	for waited := time.Duration(0); waited < longestGather; waited += q.gather {
		q.mu.Lock()
		came, hurry, more := len(q.waiting), q.hurry, false
		switch p := q.first(); {
		case p == nil, q.gather <= 0, q.full(p):
		case p.priority == shift.Rollback:
			more, hurry = time.Since(q.rolledBack) < burst, nil
		default:
			more = waited == 0
		}
		q.mu.Unlock()
		if !more {
			return
		}
		pause(ctx, q.gather, hurry)
		q.mu.Lock()
		came = len(q.waiting) - came
		q.mu.Unlock()
		if came == 0 || ctx.Err() != nil {
			return
		}
	}
}

// first gives the part that decides what the next batch is made of; mu must be
// held.
func (q *queue) first() *part {
	var first *part
	for _, p := range q.waiting {
		if p.priority != shift.Rollback && q.rollbacks > 0 || p.late() {
			continue
		}
		if first == nil || p.priority > first.priority {
			first = p
		}
	}
	return first
}

// full tells whether what waits is more than one batch holds; mu must be held.
func (q *queue) full(first *part) bool {
	var size BatchSize
	for _, p := range q.waiting {
		if p.priority == first.priority && p.group == first.group {
			size = size.Plus(p.size)
		}
	}
	return !size.Fits()
}

// take takes the next batch out of the queue; mu must be held. A batch has parts
// of one priority only.
func (q *queue) take() []*part {
	first := q.first()
	if first == nil {
		return nil
	}
	var batch, rest []*part
	var size BatchSize
	touched := map[string]bool{}
	for _, p := range q.waiting {
		fits := p.priority == first.priority && p.group == first.group && size.Plus(p.size).Fits() && !p.late() &&
			!slices.ContainsFunc(p.names, func(n string) bool { return touched[n] })
		if !fits {
			rest = append(rest, p)
			continue
		}
		batch, size = append(batch, p), size.Plus(p.size)
		for _, n := range p.names {
			touched[n] = true
		}
	}
	q.waiting = rest
	return batch
}

// withdraw takes a part back; false: it has left.
func (q *queue) withdraw(p *part) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if p.flight != nil {
		return false
	}
	q.leave(p)
	return true
}
