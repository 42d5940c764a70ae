package elb

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
)

const (
	// laneWidth is how many writes of rollbacks are under way at most.
	laneWidth = 20
	// firstRest and longestRest bound how long they all rest when AWS throttles one.
	firstRest   = 100 * time.Millisecond
	longestRest = 800 * time.Millisecond
)

// lane puts the writes of all pairs in order: the weights of rollbacks first,
// whatever else there is to write after them. Where AWS throttles, fewer go out
// at a time, but it never stops.
type lane struct {
	mu      sync.Mutex
	weights int // rollbacks whose weights don't stand yet
	flying  int
	width   int
	rests   int // in a row
	restAt  time.Time
	until   time.Time
	changed chan struct{} // closed and made anew at each change
}

func newLane() *lane { return &lane{width: laneWidth, changed: make(chan struct{})} }

// change wakes all who wait; mu must be held.
func (l *lane) change() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// enter announces a rollback whose weights are to be written; leave ends that,
// whatever became of it.
func (l *lane) enter() (leave func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.weights++
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.weights--
		l.change()
	})
}

// idle waits until no rollback waits for its weights; false: the context ended
// first.
func (l *lane) idle(ctx context.Context) bool {
	for {
		l.mu.Lock()
		free, changed := l.weights == 0, l.changed
		l.mu.Unlock()
		if free {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// slot waits until a write may go out; false: the context ended first. done
// must be told what became of the write: the failure's class, none if it was
// carried out.
func (l *lane) slot(ctx context.Context) (done func(throttled bool), ok bool) {
	for {
		l.mu.Lock()
		now := time.Now()
		wait, changed := l.until.Sub(now), l.changed
		if l.flying < l.width && wait <= 0 {
			l.flying++
			l.mu.Unlock()
			return func(throttled bool) { l.landed(now, throttled) }, true
		}
		l.mu.Unlock()
		timer := time.NewTimer(max(wait, longestRest))
		if wait > 0 {
			timer.Reset(wait)
		}
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
			timer.Stop()
			return nil, false
		}
		timer.Stop()
	}
}

// landed learns from a write's answer. Writes that were throttled together
// count as one.
func (l *lane) landed(sent time.Time, throttled bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.change()
	l.flying--
	switch {
	case !throttled:
		l.width, l.rests = min(laneWidth, l.width+1), 0
	case l.rests == 0 || sent.After(l.restAt):
		rest := min(longestRest, firstRest<<min(l.rests, 3))
		l.rests++
		l.width = max(1, l.width/2)
		l.restAt = time.Now()
		l.until = l.restAt.Add(rest/2 + rand.N(rest/2))
	}
}

// throttled is what a slot is told of a failure.
func throttled(f awsapi.Failure, ok bool) bool { return !ok && f.Class == awsapi.Throttled }

// debt is what a rollback left to be written.
type debt struct {
	// unstuck is the stickiness that was switched off while the tag that tells of
	// it is still to be written; zero: none was.
	unstuck time.Duration
}

// debts are the rollbacks whose stickiness or mark are still to be written, by
// ARN. They don't survive the process.
type debts struct {
	mu sync.Mutex
	of map[string]debt
}

func (d *debts) owe(arn string, what debt) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.of[arn] = what
}

func (d *debts) owes(arn string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.of[arn]
	return ok
}

// settle gives what was owed and forgets it.
func (d *debts) settle(arn string) debt {
	d.mu.Lock()
	defer d.mu.Unlock()
	what := d.of[arn]
	delete(d.of, arn)
	return what
}
