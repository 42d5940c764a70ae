package awsapi

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	firstPause    = 200 * time.Millisecond
	longestPause  = 3 * time.Second
	pauseDoubling = 4 // beyond it the pause grows no more
)

// Pause waits before try number n (from 1) of something that AWS throttled or
// didn't answer: between half and all of a time that doubles with each try, up
// to 3 s. The jitter keeps writers that met once from meeting again. It reports
// false when the context ended first.
func Pause(ctx context.Context, n int) bool {
	limit := pauseLimit(n)
	timer := time.NewTimer(limit/2 + rand.N(limit/2))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// pauseLimit is the longest that the pause before try number n lasts.
func pauseLimit(n int) time.Duration {
	return min(longestPause, firstPause<<min(max(0, n-1), pauseDoubling))
}
