package awsapi

import (
	"context"
	"fmt"
	"time"
)

// heldBy is what keeps an ordinary call from going out.
type heldBy int

const (
	byRate       heldBy = iota // no token above the reserve
	byThrottling               // AWS throttled this bucket's calls
	byRollback                 // AWS throttles a rollback
)

// heldError tells that the daemon itself held a call back: AWS was not asked.
type heldError struct {
	service string
	rate    Rate
	by      heldBy
	wait    time.Duration // at least so long it would have had to wait
	cause   error         // of the context's end; nil: it failed at once
}

func (e *heldError) Error() string {
	wait := max(e.wait, 0).Round(time.Millisecond)
	switch e.by {
	case byThrottling:
		return fmt.Sprintf("held back by the daemon's own budget for %s: AWS throttled its calls, and the next may go in %s", e.service, wait)
	case byRollback:
		return fmt.Sprintf("held back by the daemon's own budget: AWS throttles a rollback's calls, and all others wait for up to %s", wait)
	case byRate:
	}
	return fmt.Sprintf("held back by the daemon's own budget of %d calls a second to %s (burst %d, %d of them kept for rollbacks): its turn would come in %s",
		e.rate.PerSecond, e.service, e.rate.Burst, e.rate.Reserve, wait)
}

// Unwrap gives the end of the context, if that ended the wait.
func (e *heldError) Unwrap() error { return e.cause }

// RetryableError keeps the SDK from trying again: there is no time left.
func (e *heldError) RetryableError() bool { return false }

func (b *budgets) refuse(ctx context.Context, k bucketKey, own *bucket) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	own.refill(now)
	return b.refusal(ctx, k, own, 0, now)
}

// refusal says what holds the call back; mu must be held and the bucket filled.
func (b *budgets) refusal(ctx context.Context, k bucketKey, own *bucket, ahead int, now time.Time) error {
	wait, by := b.ready(own, ahead, now)
	return &heldError{service: k.service, rate: own.rate, by: by, wait: wait, cause: context.Cause(ctx)}
}
