package awsapi

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestPausesGrowToABound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limits := map[int]time.Duration{0: firstPause, 1: firstPause, 2: 2 * firstPause, 3: 4 * firstPause, 4: 8 * firstPause, 9: longestPause, 1000: longestPause}
		for try, limit := range limits {
			start := time.Now()
			if !Pause(t.Context(), try) {
				t.Errorf("try %d: the context didn't end", try)
			}
			if took := time.Since(start); took < limit/2 || took > limit {
				t.Errorf("try %d: paused for %s, want %s to %s", try, took, limit/2, limit)
			}
		}
	})
}

func TestAPauseEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		start := time.Now()
		if Pause(ctx, 4) || time.Since(start) != time.Millisecond {
			t.Errorf("it paused on for %s", time.Since(start))
		}
	})
}
