package elb

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/awsapi"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const (
	// laneWidth is how many writes of rollbacks are under way at most.
	laneWidth = 20
	// firstRest and longestRest bound how long they all rest when AWS throttles one.
	firstRest   = 100 * time.Millisecond
	longestRest = 800 * time.Millisecond
)

// stillWaits is how long a rollback that ran out of time counts as waiting for
// its weights: its loop comes again.
const stillWaits = 10 * time.Second

// expectedFor is how long a rollback counts as waiting that was only announced.
// It is longer than a loop pauses after a look that AWS throttled: who is between
// two tries hasn't given up.
const expectedFor = 6 * time.Second

// crowd is how many rollbacks waiting for their weights are so many that none of
// AWS's calls may go to anything else.
const crowd = 20

// lane puts the writes of all pairs in order: the weights of rollbacks first,
// whatever else there is to write after them. Where AWS throttles, fewer go out
// at a time, but it never stops.
type lane struct {
	mu      sync.Mutex
	weights map[string]time.Time // by ARN: rollbacks whose weights don't stand yet, and until when they wait
	flying  int
	width   int
	rests   int // in a row
	restAt  time.Time
	until   time.Time
	changed chan struct{} // closed and made anew at each change
}

func newLane() *lane {
	return &lane{weights: map[string]time.Time{}, width: laneWidth, changed: make(chan struct{})}
}

// change wakes all who wait; mu must be held.
func (l *lane) change() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// enter announces a rollback whose weights are to be written.
func (l *lane) enter(arn string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.weights[arn] = time.Now().Add(shift.WriteDeadline)
}

// leave ends that. again tells that it ran out of time, and will be back.
func (l *lane) leave(arn string, again bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if again {
		l.weights[arn] = time.Now().Add(stillWaits)
		return
	}
	delete(l.weights, arn)
	l.change()
}

// expect announces a rollback that is likely to be entered, unless it was.
func (l *lane) expect(arn string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.weights[arn]; !ok {
		l.weights[arn] = time.Now().Add(expectedFor)
	}
}

// unexpect takes expect back: there is nothing to write.
func (l *lane) unexpect(arn string) { l.leave(arn, false) }

// waiting counts the rollbacks that wait for their weights, and tells until when
// one of them may; mu must be held.
func (l *lane) waiting() (n int, until time.Time) {
	now := time.Now()
	for arn, end := range l.weights {
		if !end.After(now) {
			delete(l.weights, arn)
			continue
		}
		n++
		if until.IsZero() || end.Before(until) {
			until = end
		}
	}
	return n, until
}

// crowded tells whether many rollbacks wait for their weights.
func (l *lane) crowded() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, _ := l.waiting()
	return n > crowd
}

// idle waits until no rollback waits for its weights; false: the context ended
// first.
func (l *lane) idle(ctx context.Context) bool {
	for {
		l.mu.Lock()
		n, until := l.waiting()
		changed := l.changed
		l.mu.Unlock()
		if n == 0 {
			return true
		}
		timer := time.NewTimer(time.Until(until))
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return false
		}
		timer.Stop()
	}
}

// slot waits until a write may go out; false: the context ended first. done must
// be told whether AWS throttled it.
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
		if !restFor(ctx, wait, changed) {
			return nil, false
		}
	}
}

// restFor waits for a time, or for a change if there is none to wait; false: the
// context ended first.
func restFor(ctx context.Context, wait time.Duration, changed <-chan struct{}) bool {
	var rested <-chan time.Time
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		rested, changed = timer.C, nil
	}
	select {
	case <-rested:
	case <-changed:
	case <-ctx.Done():
		return false
	}
	return true
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
	// lost counts the tries to switch it off whose answer was lost, in a row.
	lost int
}

// lostTries is how often that is tried. What AWS never answers must not keep a
// rollback from its end: its weights stand.
const lostTries = 3

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
