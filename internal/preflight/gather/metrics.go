package gather

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/promql"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const (
	// maxRequests is how many requests one Prometheus gets in one preflight.
	maxRequests = 100
	// maxQuery is how long the selectors of one request may be, in bytes as they are
	// sent: proxies refuse a URL of more than 8 KiB.
	maxQuery = 6000
)

// SeriesNames tells which metrics have series. An answer that is not whole is an
// error.
type SeriesNames interface {
	// Names gives the names of the metrics that have series between from and to,
	// chosen by at least one of the selectors.
	Names(ctx context.Context, from, to time.Time, selectors []string) ([]string, error)
}

// Server is the Prometheus of one cluster.
type Server struct {
	// API asks it; nil: Fault says why it can't be asked.
	API   SeriesNames
	Fault string
	// Match are the labels that choose the cluster's series.
	Match map[string]string
}

// Servers are the Prometheus servers of a pair.
type Servers struct{ Blue, Green Server }

// Metrics asks both servers for the metrics that blue's rules and dashboards and
// the configured queries use. It is called once, after both clusters were read.
// Timeout bounds it. What can't be asked is a gap of the cluster.
func Metrics(ctx context.Context, f *facts.Facts, servers Servers, timeout time.Duration) {
	if !f.Settings.Metrics.On || f.Scope == facts.Brief {
		return
	}
	ctx, done := context.WithTimeout(ctx, max(timeout, time.Second))
	defer done()
	f.Settings.Queries = parsedQueries(f.Settings)
	metrics, selectors := inUse(f)
	a := asker(f, shift.Blue, servers.Blue)
	b := asker(f, shift.Green, servers.Green)
	var asking sync.WaitGroup
	for s, into := range map[*seriesAsker]*facts.Series{a: &f.Metrics.Blue, b: &f.Metrics.Green} {
		asking.Go(func() { into.Metrics, s.err = s.names(ctx, metrics) })
	}
	asking.Wait()
	if a.err == nil && b.err == nil {
		f.Metrics.LeftOut = lookUp(ctx, f, a, b, inBoth(f, selectors))
	}
	for _, s := range []*seriesAsker{a, b} {
		if s.err != nil {
			f.Side(s.side).Note(facts.Gap{
				What: "Prometheus", Why: why(s.err),
				// What rules and dashboards use only warns.
				Optional: len(f.Settings.Queries) == 0,
				Do:       "Mend the way to the server or the keys below preflight.metrics; which metrics it has is not known.",
			})
		}
	}
}

// parsedQueries reads the configured queries.
func parsedQueries(s facts.Settings) []facts.Query {
	queries := slices.Clone(s.Queries)
	for i := range queries {
		queries[i].Use, queries[i].Selectors, queries[i].Open, queries[i].Faults = facts.UseQuery, nil, 0, nil
		querier(s.Metrics).read(&queries[i], expression{text: queries[i].Expression})
	}
	return queries
}

// inUse gives all metrics in use, and the selectors with labels.
func inUse(f *facts.Facts) (metrics []string, selectors []facts.Selector) {
	names, chosen := map[string]struct{}{}, map[string]facts.Selector{}
	for _, list := range [][]facts.Query{f.Settings.Queries, f.Blue.Queries} {
		for _, q := range list {
			for _, s := range q.Selectors {
				names[s.Metric] = struct{}{}
				if len(s.Equal) > 0 {
					chosen[s.String()] = s
				}
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(chosen)) {
		selectors = append(selectors, chosen[key])
	}
	return slices.Sorted(maps.Keys(names)), selectors
}

// inBoth leaves out the selectors of metrics that are lacking anyway.
func inBoth(f *facts.Facts, selectors []facts.Selector) []facts.Selector {
	return slices.DeleteFunc(selectors, func(s facts.Selector) bool {
		_, blue := f.Metrics.Blue.Metrics[s.Metric]
		_, green := f.Metrics.Green.Metrics[s.Metric]
		return !blue || !green
	})
}

// lookUp asks which selectors choose series in green, and asks blue for those
// that don't. It tells how many there was no request left for.
func lookUp(ctx context.Context, f *facts.Facts, blue, green *seriesAsker, selectors []facts.Selector) (leftOut int) {
	f.Metrics.Green.Selectors, leftOut, green.err = green.choose(ctx, selectors)
	var lacking []facts.Selector
	for _, s := range selectors {
		if there, known := f.Metrics.Green.Selectors[s.String()]; known && !there {
			lacking = append(lacking, s)
		}
	}
	var more int
	f.Metrics.Blue.Selectors, more, blue.err = blue.choose(ctx, lacking)
	return leftOut + more
}

// seriesAsker asks one server, as often as it may.
type seriesAsker struct {
	Server

	side     shift.Side
	from, to time.Time
	left     int // requests
	err      error
}

func asker(f *facts.Facts, side shift.Side, s Server) *seriesAsker {
	return &seriesAsker{Server: s, side: side, from: f.At.Add(-f.Settings.Metrics.Window), to: f.At, left: maxRequests}
}

// noneLeft is returned by ask when it may not ask again.
type noneLeft struct{}

func (noneLeft) Error() string { return "more requests would be needed than one preflight may send" }

func (s *seriesAsker) ask(ctx context.Context, selectors []string) ([]string, error) {
	switch {
	case s.API == nil:
		return nil, errors.New(s.Fault)
	case s.left == 0:
		return nil, noneLeft{}
	}
	s.left--
	return s.API.Names(ctx, s.from, s.to, selectors)
}

func (s *seriesAsker) match() []promql.Label {
	var labels []promql.Label
	for _, name := range slices.Sorted(maps.Keys(s.Match)) {
		labels = append(labels, promql.Label{Name: name, Value: s.Match[name]})
	}
	return labels
}

// names tells which metrics have series. Only those in use are asked for: a
// server's whole list may be huge.
func (s *seriesAsker) names(ctx context.Context, metrics []string) (map[string]struct{}, error) {
	found := map[string]struct{}{}
	if len(metrics) == 0 {
		// Whether it can be asked at all is told all the same.
		metrics = []string{"up"}
	}
	for _, batch := range batched(metrics, func(m string) (string, int) { return "", len(url.QueryEscape(m)) + 3 }) {
		names, err := s.ask(ctx, []string{promql.AnyOf(batch, s.match()...)})
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			found[name] = struct{}{}
		}
	}
	return found, nil
}

// choose tells which selectors choose series. One request asks for many, each of
// another metric: the answer has the names of the metrics.
func (s *seriesAsker) choose(ctx context.Context, selectors []facts.Selector) (found map[string]bool, leftOut int, err error) {
	found = map[string]bool{}
	text := func(sel facts.Selector) string {
		q := promql.Selector{Metric: sel.Metric}
		for _, l := range sel.Equal {
			q.Equal = append(q.Equal, promql.Label(l))
		}
		return q.Query(s.match()...)
	}
	batches := batched(selectors, func(sel facts.Selector) (string, int) {
		return sel.Metric, len("&match[]=") + len(url.QueryEscape(text(sel)))
	})
	for _, batch := range batches {
		texts := make([]string, len(batch))
		for i, sel := range batch {
			texts[i] = text(sel)
		}
		names, err := s.ask(ctx, texts)
		if _, none := errors.AsType[noneLeft](err); none {
			leftOut += len(batch)
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		for _, sel := range batch {
			found[sel.String()] = slices.Contains(names, sel.Metric)
		}
	}
	return found, leftOut, nil
}

// batched splits things so that what one request sends isn't too long and holds
// each key, but the empty one, only once.
func batched[T any](things []T, cost func(T) (key string, bytes int)) [][]T {
	type batch struct {
		things []T
		keys   map[string]bool
		bytes  int
	}
	var open []*batch
	for _, thing := range things {
		key, bytes := cost(thing)
		at := slices.IndexFunc(open, func(b *batch) bool { return b.bytes+bytes <= maxQuery && !b.keys[key] })
		if at < 0 {
			at = len(open)
			open = append(open, &batch{keys: map[string]bool{}})
		}
		b := open[at]
		b.things, b.bytes = append(b.things, thing), b.bytes+bytes
		if key != "" {
			b.keys[key] = true
		}
	}
	batches := make([][]T, len(open))
	for i, b := range open {
		batches[i] = b.things
	}
	return batches
}
