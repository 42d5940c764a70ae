package app

import (
	"context"
	"errors"
	"time"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/measure"
	"github.com/clusterswitch/clusterswitch/internal/prometheus"
	"github.com/clusterswitch/clusterswitch/internal/promql"
	"github.com/clusterswitch/clusterswitch/switcher/evidence"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// counterServer is a Prometheus that counts.
type counterServer interface {
	Counters(ctx context.Context, q prometheus.CounterQuery) ([]prometheus.Counted, error)
	Histogram(ctx context.Context, buckets string, over time.Duration, at time.Time) (upper []time.Duration, within []float64, all float64, err error)
}

// prometheusCounter counts by counters in Prometheus.
type prometheusCounter struct{ blue, green countedSide }

// countedSide is what one side is counted by. err keeps it from being counted.
type countedSide struct {
	server  counterServer
	queries prometheus.Queries
	err     error
}

func prometheusCounterOf(r config.RequestsPrometheus) prometheusCounter {
	return prometheusCounter{blue: countedSideOf(r, r.Blue), green: countedSideOf(r, r.Green)}
}

func countedSideOf(r config.RequestsPrometheus, server config.Prometheus) countedSide {
	queries, err := countedBy(r)
	if err != nil {
		return countedSide{err: err}
	}
	for _, expression := range []*string{&queries.Requests, &queries.Errors, &queries.Buckets} {
		if *expression == "" {
			continue
		}
		if *expression, err = promql.Narrow(*expression, labelsOf(server)...); err != nil {
			return countedSide{err: err}
		}
	}
	client, err := prometheusOf(server)
	return countedSide{server: client, queries: queries, err: err}
}

// countedBy gives the queries of a gate: those of its template, or its own in their
// place.
func countedBy(r config.RequestsPrometheus) (prometheus.Queries, error) {
	own := prometheus.Queries{Requests: r.Requests, Errors: r.Errors, Buckets: r.Buckets, ErrorsMayBeAbsent: r.ErrorsMayBeAbsent}
	if r.Template == "" {
		return own, nil
	}
	return prometheus.Template(r.Template, r.Select)
}

func (c prometheusCounter) edges(ctx context.Context, over time.Duration, at time.Time) ([]time.Duration, error) {
	if c.blue.err != nil || c.blue.queries.Buckets == "" {
		return nil, c.blue.err
	}
	upper, within, all, err := c.blue.server.Histogram(ctx, c.blue.queries.Buckets, over, at)
	if err != nil {
		return nil, err
	}
	return evidence.Edges(upper, within, all), nil
}

func (c prometheusCounter) count(ctx context.Context, s countSpan, blueOnly bool) ([]evidence.Interval, error) {
	if blueOnly {
		blue, err := c.blue.count(ctx, s)
		return blueAlone(blue), err
	}
	blue, green, err := bothSides(func(side shift.Side) ([]sided, error) {
		if side == shift.Blue {
			return c.blue.count(ctx, s)
		}
		return c.green.count(ctx, s)
	})
	return bySide(blue, green), err
}

func (c countedSide) count(ctx context.Context, s countSpan) ([]sided, error) {
	switch {
	case c.err != nil:
		return nil, c.err
	case len(s.edges) > 0 && c.queries.Buckets == "":
		return nil, errors.New("this attempt judges slow answers, and no query for buckets is configured any more")
	}
	got, err := c.server.Counters(ctx, prometheus.CounterQuery{
		Requests: c.queries.Requests, Errors: c.queries.Errors, Buckets: c.queries.Buckets, Edges: s.edges,
		ErrorsMayBeAbsent: c.queries.ErrorsMayBeAbsent, From: s.from, To: s.to, Interval: s.interval,
	})
	var counted []sided
	for _, n := range got {
		one := sided{start: n.Start.UTC(), end: n.End.UTC(), fault: n.Fault}
		if n.Fault == "" {
			one.counts = []evidence.Count{{Requests: n.Count.Requests, Bad: n.Count.Errors}}
			for _, slow := range n.Count.Slow {
				one.counts = append(one.counts, evidence.Count{Requests: n.Count.Requests, Bad: slow})
			}
		}
		counted = append(counted, one)
	}
	return counted, err
}

// cloudCounter counts by the metrics of target groups.
type cloudCounter struct {
	aws  *aws
	gate string
	at   countedAt
}

func (c cloudCounter) edges(ctx context.Context, over time.Duration, at time.Time) ([]time.Duration, error) {
	return c.aws.meterOf(c.at.place).Edges(ctx, c.at.blue, over, at)
}

func (c cloudCounter) count(ctx context.Context, s countSpan, blueOnly bool) ([]evidence.Interval, error) {
	return c.aws.meterOf(c.at.place).Requests(ctx, measure.RequestQuery{
		Gate: c.gate, Blue: c.at.blue, Green: c.at.green, Period: s.interval, Edges: s.edges,
		From: s.from, To: s.to, BlueOnly: blueOnly,
	})
}

// sided is what one side had within an interval.
type sided struct {
	start, end time.Time
	counts     []evidence.Count
	fault      string
}

// bySide puts blue's and green's intervals together. A fault of either is one of
// both: what one side had then can't be compared.
func bySide(blue, green []sided) []evidence.Interval {
	other := map[int64]sided{}
	for _, g := range green {
		other[g.start.UnixMilli()] = g
	}
	all := blueAlone(blue)
	for i, b := range blue {
		g, ok := other[b.start.UnixMilli()]
		switch {
		case b.fault != "":
			all[i].Fault = string(shift.Blue) + ": " + b.fault
		case !ok || !g.end.Equal(b.end):
			all[i].Fault = string(shift.Green) + ": nothing was counted"
		case g.fault != "":
			all[i].Fault = string(shift.Green) + ": " + g.fault
		}
		all[i].Green = g.counts
	}
	return all
}

func blueAlone(blue []sided) []evidence.Interval {
	var all []evidence.Interval
	for _, b := range blue {
		all = append(all, evidence.Interval{Start: b.start, End: b.end, Blue: b.counts, Fault: b.fault})
	}
	return all
}
