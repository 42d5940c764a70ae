package awsapi

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// Rate is how fast calls to one service may go out: for each account, and for
// each region where the service has regions. AWS counts the same way.
type Rate struct {
	// PerSecond is how many tokens come back each second; each try of a call
	// takes one.
	PerSecond int
	// Burst is how many tokens there are at most, and at the start.
	Burst int
	// Reserve is how many of the tokens only urgent calls may take; less than Burst.
	Reserve int
}

// Budgets are the rates of the services that have one. A zero Rate stands for
// the service's default.
type Budgets struct {
	Route53 Rate
	ELB     Rate
}

// DefaultBudgets are AWS's own limits for an account, with a reserve for
// rollbacks: Route 53 by its developer guide ("Throttling of API requests"), ELB
// by the ELB user guide ("API throttling", calls that read).
func DefaultBudgets() Budgets {
	return Budgets{
		Route53: Rate{PerSecond: 10, Burst: 50, Reserve: 10},
		ELB:     Rate{PerSecond: 10, Burst: 40, Reserve: 10},
	}
}

// The services' IDs in the SDK that have a rate of their own.
const (
	serviceRoute53 = "Route 53"
	serviceELB     = "Elastic Load Balancing v2"
)

const (
	// heldFor is how long everything else waits after AWS throttled an urgent call.
	heldFor = 10 * time.Second
	// easedFor is the same where an urgent call has succeeded since.
	easedFor = time.Second
)

// bucketKey is what AWS counts calls by. Region is empty for services without
// regions.
type bucketKey struct{ account, service, region string }

// bucket is what is left of one rate. budgets.mu guards all but turn.
type bucket struct {
	rate   Rate // zero: the service has none, and only pauses apply
	tokens float64
	filled time.Time // when tokens was right
	// turn is held by the one ordinary call that is next; the others stand in line
	// for it.
	turn    chan struct{}
	waiting int // ordinary calls in line, the one with the turn included
	// pauses counts how often in a row AWS throttled ordinary calls.
	pauses                int
	pausedAt, pausedUntil time.Time
	// urgentAt is when AWS last throttled an urgent call; eased: one has
	// succeeded since.
	urgentAt time.Time
	eased    bool
}

// budgets are all buckets of the daemon.
type budgets struct {
	limits Budgets

	mu      sync.Mutex // guards all below
	buckets map[bucketKey]*bucket
	// eased is closed and made anew when an urgent call succeeded after a throttled
	// one: what is held may go earlier.
	eased chan struct{}
}

func newBudgets(limits Budgets) *budgets {
	defaults := DefaultBudgets()
	if limits.Route53 == (Rate{}) {
		limits.Route53 = defaults.Route53
	}
	if limits.ELB == (Rate{}) {
		limits.ELB = defaults.ELB
	}
	return &budgets{limits: limits, buckets: map[bucketKey]*bucket{}, eased: make(chan struct{})}
}

// of gives the bucket of a key; mu must be held.
func (b *budgets) of(k bucketKey, now time.Time) *bucket {
	if had, ok := b.buckets[k]; ok {
		return had
	}
	fresh := &bucket{turn: make(chan struct{}, 1), filled: now}
	switch k.service {
	case serviceRoute53:
		fresh.rate = b.limits.Route53
	case serviceELB:
		fresh.rate = b.limits.ELB
	}
	fresh.tokens = float64(fresh.rate.Burst)
	b.buckets[k] = fresh
	return fresh
}

// admit lets a try of a call go out and tells how long it waited. An urgent one
// goes at once; another waits for a token above the reserve, for a pause of its
// bucket to end, and while AWS throttles urgent calls of whatever bucket. One
// that can't be served before its context's deadline fails at once, with a
// heldError.
func (b *budgets) admit(ctx context.Context, k bucketKey) (waited time.Duration, err error) {
	began := time.Now()
	if IsUrgent(ctx) {
		b.spend(k, began)
		return 0, nil
	}
	own, err := b.join(ctx, k, began)
	if err != nil {
		return 0, err
	}
	defer b.leave(own)
	select {
	case own.turn <- struct{}{}:
		defer func() { <-own.turn }()
	case <-ctx.Done():
		return time.Since(began), b.refuse(ctx, k, own)
	}
	for {
		wait, eased := b.take(own)
		if wait <= 0 {
			return time.Since(began), nil
		}
		if late(ctx, wait) {
			return time.Since(began), b.refuse(ctx, k, own)
		}
		if !sleep(ctx, wait, eased) {
			return time.Since(began), b.refuse(ctx, k, own)
		}
	}
}

// spend takes the token of an urgent call, if there is one. AWS judges whether
// there is: its own bucket knows no debt, so ours doesn't either.
func (b *budgets) spend(k bucketKey, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	own := b.of(k, now)
	own.refill(now)
	own.tokens = max(0, own.tokens-1)
}

// join puts an ordinary call in line, unless it can't be served in time.
func (b *budgets) join(ctx context.Context, k bucketKey, now time.Time) (*bucket, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	own := b.of(k, now)
	own.refill(now)
	if wait, _ := b.ready(own, own.waiting, now); late(ctx, wait) {
		return nil, b.refusal(ctx, k, own, own.waiting, now)
	}
	own.waiting++
	return own, nil
}

func (b *budgets) leave(own *bucket) {
	b.mu.Lock()
	defer b.mu.Unlock()
	own.waiting--
}

// take takes a token for the call whose turn it is, or tells how long to wait
// before asking again, and what may end the wait earlier.
func (b *budgets) take(own *bucket) (wait time.Duration, eased <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	own.refill(now)
	if wait, _ = b.ready(own, 0, now); wait > 0 {
		return wait, b.eased
	}
	own.tokens = max(0, own.tokens-1)
	return 0, nil
}

// ready tells how long an ordinary call with so many others ahead must wait, and
// what for; mu must be held and the bucket filled.
func (b *budgets) ready(own *bucket, ahead int, now time.Time) (time.Duration, heldBy) {
	wait, by := own.short(ahead), byRate
	if pause := own.pausedUntil.Sub(now); pause > wait {
		wait, by = pause, byThrottling
	}
	for _, each := range b.buckets {
		if hold := each.heldUntil().Sub(now); hold > wait {
			wait, by = hold, byRollback
		}
	}
	return wait, by
}

// heldUntil is when this bucket no longer holds back everything else.
func (b *bucket) heldUntil() time.Time {
	switch {
	case b.urgentAt.IsZero():
		return time.Time{}
	case b.eased:
		return b.urgentAt.Add(easedFor)
	}
	return b.urgentAt.Add(heldFor)
}

func (b *bucket) refill(now time.Time) {
	b.tokens = min(float64(b.rate.Burst), b.tokens+now.Sub(b.filled).Seconds()*float64(b.rate.PerSecond))
	b.filled = now
}

// short is how long it takes until there is a token above the reserve for a call
// with so many others ahead.
func (b *bucket) short(ahead int) time.Duration {
	if b.rate.PerSecond <= 0 {
		return 0
	}
	missing := float64(b.rate.Reserve+1+ahead) - b.tokens
	if missing <= 0 {
		return 0
	}
	// Rounded up, or the call would wake a moment too early for its token.
	return time.Duration(missing/float64(b.rate.PerSecond)*float64(time.Second)) + time.Nanosecond
}

// answer is what became of a try that went out.
type answer struct {
	urgent bool
	sent   time.Time
	err    error
}

// answered learns from an answer.
func (b *budgets) answered(k bucketKey, a answer) {
	var f Failure
	if a.err != nil {
		f = Classify(a.err)
	}
	throttled := f.Class == Throttled
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	own := b.of(k, now)
	own.refill(now)
	if throttled && f.Code != codePriorRequest {
		own.tokens = 0 // AWS counts more calls than we do
	}
	switch {
	case throttled && a.urgent:
		own.urgentAt, own.eased = now, false
	case throttled:
		own.pause(a.sent, now)
	case f.Class == Unreachable: // it tells nothing of how busy AWS is
	case a.urgent:
		if !own.urgentAt.IsZero() && !own.eased {
			own.eased = true
			close(b.eased)
			b.eased = make(chan struct{})
		}
	case a.sent.After(own.pausedAt):
		own.pauses = 0
	}
}

// pause makes ordinary calls wait, longer each time. Calls that were under way
// together count as one.
func (b *bucket) pause(sent, now time.Time) {
	if b.pauses > 0 && !sent.After(b.pausedAt) {
		return
	}
	b.pauses++
	limit := pauseLimit(b.pauses)
	b.pausedAt, b.pausedUntil = now, now.Add(limit/2+rand.N(limit/2))
}

// late tells that a wait lasts beyond the context's deadline.
func late(ctx context.Context, wait time.Duration) bool {
	deadline, bounded := ctx.Deadline()
	return wait > 0 && bounded && time.Now().Add(wait).After(deadline)
}

// sleep waits for the time, or until early is closed; false: the context ended.
func sleep(ctx context.Context, wait time.Duration, early <-chan struct{}) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-early:
	case <-timer.C:
	}
	return true
}
