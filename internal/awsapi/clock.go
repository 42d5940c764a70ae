package awsapi

import (
	"sync/atomic"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// clock compares this process's clock with AWS's, by the Date of each answer.
type clock struct {
	off atomic.Int64 // nanoseconds
}

// heard takes over what an answer tells.
func (c *clock) heard(answer middleware.Metadata, sent, received time.Time) {
	if date, ok := awsmiddleware.GetServerTime(answer); ok && !date.IsZero() {
		c.off.Store(int64(offBy(date, sent, received)))
	}
}

// offBy is by how much the clock that told sent and received is ahead at least. A
// Date has whole seconds and was set at some time while the call lasted: what that
// leaves open doesn't count.
func offBy(date, sent, received time.Time) time.Duration {
	switch sent, received = sent.Round(0), received.Round(0); {
	case sent.After(date.Add(time.Second)):
		return sent.Sub(date.Add(time.Second))
	case received.Before(date):
		return received.Sub(date)
	}
	return 0
}

// ClockOff is by how much this process's clock is ahead of AWS's at least, as the
// newest answer of any call tells; negative: behind. 0: it isn't known to be off.
func (s *Sessions) ClockOff() time.Duration { return time.Duration(s.clock.off.Load()) }
