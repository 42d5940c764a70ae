package prometheus

import (
	"context"
	"fmt"
	"time"
)

// CounterQuery says what to count. Requests, Errors and Buckets are expressions
// whose values are cumulative counters themselves, not rates of them. Series with
// the same labels, besides le, are of one source: a pod.
type CounterQuery struct {
	// Requests gives the counters of all requests, Errors those of failed ones.
	Requests, Errors string
	// Buckets gives the buckets of a histogram, with le; empty: nothing is slow.
	Buckets string
	// Edges are bounds of buckets beyond which an answer is slow.
	Edges []time.Duration
	// ErrorsMayBeAbsent: that Errors gives no series means that there are none.
	ErrorsMayBeAbsent bool
	// From is when the first interval begins, To when the last one has ended at the
	// latest. What is newer than To isn't asked for.
	From, To time.Time
	// Interval is the length of an interval, at least 1 ms and in whole ones.
	Interval time.Duration
}

// Count is what was counted within an interval.
type Count struct {
	Requests, Errors float64
	// Slow has, for each edge, how many answers took longer.
	Slow []float64
}

// Counted is one interval, [Start, End).
type Counted struct {
	Start, End time.Time
	Count      Count
	// Fault says why it could not be counted; empty: it could. Count is zero then.
	Fault string
}

// Counters counts requests by intervals, the oldest first and without holes.
func (c *Client) Counters(ctx context.Context, q CounterQuery) ([]Counted, error) {
	return nil, fmt.Errorf("asking %s for counters: %w", c.base.Host, ctx.Err())
}

// Histogram gives the buckets of all series together, over the time before at:
// their upper bounds, rising and without the one that has no bound; how many
// answers took no longer than each; and how many there were.
func (c *Client) Histogram(ctx context.Context, buckets string, over time.Duration, at time.Time) (upper []time.Duration, within []float64, all float64, err error) {
	return nil, nil, 0, fmt.Errorf("asking %s for a histogram: %w", c.base.Host, ctx.Err())
}
