package prometheus

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// CounterQuery says what to count. Requests, Errors and Buckets are expressions
// whose values are cumulative counters themselves, not rates of them. Series that
// have the same labels, besides their name and le, are of one source, such as a
// pod, and are set back together.
type CounterQuery struct {
	// Requests gives the counters of all requests, Errors those of failed ones.
	Requests, Errors string
	// Buckets gives the buckets of a histogram, with le; empty: nothing is slow. It
	// counts seconds, unless its name says otherwise: see Histogram.
	Buckets string
	// Edges are bounds of buckets beyond which an answer is slow.
	Edges []time.Duration
	// ErrorsMayBeAbsent: that Errors gives no series means that there are none.
	// Otherwise it does only if it gave one within 24 h.
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

// What is asked for at once, and how far back.
const (
	// mostPoints is how many points of one series Prometheus gives at once.
	// https://github.com/prometheus/prometheus/blob/main/web/api/v1/api.go
	mostPoints = 11_000
	// leastPoints is how few are asked for at once where answers are too large.
	leastPoints = 40
	// remembered is how long a series may be away and still go on where it was. It is
	// also how far before From is looked, so that an interval counts the same
	// whichever interval was the first that was asked for.
	remembered = 5 * time.Minute
	// errorsWithin is how long ago there may have been an error for none to be none.
	errorsWithin = 24 * time.Hour
)

// Counters counts requests by intervals, the oldest first and without holes.
//
// It reads the counters at each end of an interval and takes the differences
// series by series. A counter that is lower than before was set back, and has
// counted from 0 since. The first sample of a series tells of times before and
// counts nothing; but where the requests of a source were there before, its errors
// and buckets begin at 0. A series that was away for up to 5 min goes on from
// where it was.
//
// An interval has a Fault when there is nothing to count; when more than half of
// the sources went away, came back or were set back within it; when a sample is
// not a number or below zero; when there are more errors than requests; and when
// errors are absent, which nobody said that they may be.
//
// An error is what keeps from counting at all: no answer, one that is not whole, or
// a query that gives what can't be counted.
func (c *Client) Counters(ctx context.Context, q CounterQuery) ([]Counted, error) {
	intervals := int(q.To.Sub(q.From) / max(q.Interval, time.Millisecond))
	if intervals < 1 || q.Interval < time.Millisecond {
		return nil, nil
	}
	before := max(int((remembered+q.Interval-1)/q.Interval), 2)
	t := &tally{
		sources: map[string]*source{}, edges: len(q.Edges), timed: q.Buckets != "" && len(q.Edges) > 0, remembered: before,
	}
	start := q.From.Add(-time.Duration(before) * q.Interval)
	t.earlier = func() (map[string]float64, error) { return c.earlier(ctx, q.Errors, start) }
	if err := c.tally(ctx, q, t, start, before+intervals+1); err != nil {
		return nil, fmt.Errorf("counting at %s: %w", c.base.Host, err)
	}
	absent, err := t.absent(q.ErrorsMayBeAbsent)
	if err != nil {
		return nil, fmt.Errorf("counting at %s: %w", c.base.Host, err)
	}
	counted := make([]Counted, intervals)
	for i := range counted {
		at := q.From.Add(time.Duration(i) * q.Interval)
		one := Counted{Start: at, End: at.Add(q.Interval), Count: t.counts[before+1+i], Fault: t.faults[before+1+i]}
		if one.Fault == "" || !t.requests {
			one.Fault = absent
		}
		if one.Fault != "" {
			one.Count = Count{Slow: make([]float64, len(q.Edges))}
		}
		counted[i] = one
	}
	return counted, nil
}

// tally reads all moments, some at a time: as many as Prometheus gives, and fewer
// where they are too much for one answer.
func (c *Client) tally(ctx context.Context, q CounterQuery, t *tally, start time.Time, moments int) error {
	size := mostPoints
	for done := 0; done < moments; {
		span := timeline{start: start.Add(time.Duration(done) * q.Interval), step: q.Interval, points: min(size, moments-done)}
		part, err := c.part(ctx, q, span)
		var much oversize
		if errors.As(err, &much) && span.points > leastPoints {
			size = max(span.points/2, leastPoints)
			continue
		}
		if err != nil {
			return err
		}
		if err := t.take(part, span.points); err != nil {
			return err
		}
		done += span.points
	}
	return nil
}

// part is what the queries gave for some moments.
type part struct {
	requests, errors map[string]*line
	// buckets are those of the edges in their order, and at the end the one of all.
	buckets []map[string]*line
}

func (c *Client) part(ctx context.Context, q CounterQuery, span timeline) (part, error) {
	var p part
	series, err := c.series(ctx, q.Requests, span)
	if err == nil {
		p.requests, err = bySource(series, span)
	}
	if err != nil {
		return part{}, fmt.Errorf("requests: %w", err)
	}
	series, err = c.series(ctx, q.Errors, span)
	if err == nil {
		p.errors, err = bySource(series, span)
	}
	if err != nil {
		return part{}, fmt.Errorf("errors: %w", err)
	}
	if q.Buckets == "" || len(q.Edges) == 0 {
		return p, nil
	}
	series, err = c.series(ctx, q.Buckets, span)
	if err == nil {
		p.buckets, err = bucketsBySource(series, span, q.Edges, unitOf(q.Buckets))
	}
	if err != nil {
		return part{}, fmt.Errorf("buckets: %w", err)
	}
	return p, nil
}
