package app

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Somebody who looks for blue at the wrong place, and mends that, doesn't wait long.
func TestAPastWithoutRequestsIsSoonMeasuredAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &scriptedCounter{out: [2]time.Time{{}, time.Now().Add(24 * time.Hour)}}
		s := newGateScene(t, map[string]gauge{"users": counting(c)})
		seen := s.during(2*time.Minute, wanted).Requests[0]
		s.expect("its rate", 0.0, seen.Profile.Rate)
		s.expect("looks at the past", 3, strings.Count(strings.Join(c.calls, " "), "blue"))
	})
}
