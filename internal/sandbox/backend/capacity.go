package backend

import (
	"sync"
	"time"
)

// Capacity is how much one pod can do. The zero value is a pod without limit.
//
// A pod with a limit answers one request after the other, each in 1/PerSecond.
// Queue requests may wait; one that comes to a full queue is answered 503 at
// once, as a server does that sheds load to stay alive. Nobody waits longer than
// Queue/PerSecond. Health checks take no time and never meet the queue: a pod that
// sheds load stays in its target group, and its users feel it.
type Capacity struct {
	// PerSecond is how many requests are answered in a second; 0: any number.
	PerSecond float64
	// Queue is how many may wait for their turn.
	Queue int
}

// turns hands out the times at which requests are answered.
type turns struct {
	capacity Capacity

	mu   sync.Mutex
	free time.Time // when the last accepted request is done
}

// take gives how long the request that came now has to wait for its answer, and
// false where the queue is full.
func (t *turns) take(now time.Time) (wait time.Duration, ok bool) {
	if t.capacity.PerSecond <= 0 {
		return 0, true
	}
	each := time.Duration(float64(time.Second) / t.capacity.PerSecond)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.free.Before(now) {
		t.free = now
	}
	if t.free.Sub(now) > time.Duration(t.capacity.Queue)*each {
		return 0, false
	}
	t.free = t.free.Add(each)
	return t.free.Sub(now), true
}
