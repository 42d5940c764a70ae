package gather

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/promql"
)

// store is a Prometheus that has the series written in PromQL.
type store struct {
	series []string
	err    error

	mu    sync.Mutex
	has   []promql.Selector // of series
	asked [][]string
	from  time.Time
	to    time.Time
}

func (s *store) Names(_ context.Context, from, to time.Time, selectors []string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked, s.from, s.to = append(s.asked, selectors), from, to
	for _, series := range s.series[len(s.has):] {
		s.has = append(s.has, read(series))
	}
	var names []string
	for _, selector := range selectors {
		want := read(selector)
		alternatives, _, _ := strings.Cut(strings.TrimPrefix(selector, `{__name__=~"`), `"`)
		metrics := strings.Split(alternatives, "|")
		if want.Metric != "" {
			metrics = []string{want.Metric}
		}
		for _, series := range s.has {
			if slices.Contains(metrics, series.Metric) && !slices.ContainsFunc(want.Equal, func(l promql.Label) bool { return !slices.Contains(series.Equal, l) }) {
				names = append(names, series.Metric)
			}
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(names))), s.err
}

// read gives the only selector of an expression.
func read(expression string) promql.Selector {
	selectors, err := promql.Parse(expression)
	if err != nil || len(selectors) != 1 {
		panic(expression)
	}
	return selectors[0]
}

func asking(queries ...string) facts.Facts {
	f := facts.Facts{Scope: facts.Full, At: time.Unix(1_800_000_000, 0), Settings: facts.Settings{Metrics: facts.MetricsSettings{On: true, Window: time.Hour}}}
	for i, q := range queries {
		f.Settings.Queries = append(f.Settings.Queries, facts.Query{Name: fmt.Sprintf("q%d", i), Expression: q})
	}
	return f
}

func having(names ...string) map[string]struct{} {
	out := map[string]struct{}{}
	for _, n := range names {
		out[n] = struct{}{}
	}
	return out
}

func TestBothServersAreAskedForWhatIsInUse(t *testing.T) {
	blue := &store{series: []string{`up{job="shop"}`, `up{job="web",cluster="b"}`, `a_total{job="shop"}`, `unused`}}
	green := &store{series: []string{`up{job="shop"}`, `unused`}}
	f := asking(`up{job="shop"}`, `up{job="web",instance="10.0.0.1:80"} or sum by (x) (rate(a_total{job="shop"}[5m]))`, `b`)
	f.Blue.Queries = []facts.Query{{Use: facts.UseDashboard, Selectors: []facts.Selector{{Metric: "a.total"}}}}

	Metrics(t.Context(), &f, Servers{Blue: Server{API: blue}, Green: Server{API: green}}, time.Minute)

	want := facts.Metrics{
		Blue:  facts.Series{Metrics: having("up", "a_total"), Selectors: map[string]bool{`up{job="web"}`: true}},
		Green: facts.Series{Metrics: having("up"), Selectors: map[string]bool{`up{job="shop"}`: true, `up{job="web"}`: false}},
	}
	if diff := cmp.Diff(want, f.Metrics); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	names := []string{`{__name__=~"a\\.total|a_total|b|up"}`}
	if diff := cmp.Diff([][]string{names, {`{__name__="up",job="web"}`}}, blue.asked); diff != "" {
		t.Errorf("blue was asked (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][]string{names, {`{__name__="up",job="shop"}`}, {`{__name__="up",job="web"}`}}, green.asked); diff != "" {
		t.Errorf("green was asked (-want +got):\n%s", diff)
	}
	if !blue.to.Equal(f.At) || !blue.from.Equal(f.At.Add(-time.Hour)) {
		t.Errorf("asked from %s to %s, want the hour before %s", blue.from, blue.to, f.At)
	}
}

func TestOneServerIsAskedForEachClustersSeries(t *testing.T) {
	both := &store{series: []string{`up{job="shop",cluster="b"}`, `up{job="shop",cluster="g"}`, `a{cluster="b"}`}}
	f := asking(`up{job="shop"} / a`)
	Metrics(t.Context(), &f, Servers{
		Blue:  Server{API: both, Match: map[string]string{"cluster": "b"}},
		Green: Server{API: both, Match: map[string]string{"cluster": "g"}},
	}, time.Minute)
	want := facts.Metrics{
		Blue:  facts.Series{Metrics: having("up", "a"), Selectors: map[string]bool{}},
		Green: facts.Series{Metrics: having("up"), Selectors: map[string]bool{`up{job="shop"}`: true}},
	}
	if diff := cmp.Diff(want, f.Metrics); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAServerThatCannotBeAskedIsAGapAndNeverEmpty(t *testing.T) {
	good := Server{API: &store{series: []string{"a"}}}
	bad := Server{API: &store{err: errors.New("401 Unauthorized")}}
	for name, test := range map[string]struct {
		servers     Servers
		queries     []string
		blue, green []string // the gaps
	}{
		"green refuses":            {Servers{Blue: good, Green: bad}, []string{"a"}, nil, []string{"401 Unauthorized, blocks"}},
		"blue refuses":             {Servers{Blue: bad, Green: good}, []string{"a"}, []string{"401 Unauthorized, blocks"}, nil},
		"no client could be made":  {Servers{Blue: good, Green: Server{Fault: "no CA"}}, []string{"a"}, nil, []string{"no CA, blocks"}},
		"nothing named could lack": {Servers{Blue: good, Green: bad}, nil, nil, []string{"401 Unauthorized, warns"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := asking(test.queries...)
			Metrics(t.Context(), &f, test.servers, time.Minute)
			told := func(c facts.Cluster) (gaps []string) {
				for _, g := range c.Gaps {
					if g.What != "Prometheus" || g.Do == "" {
						t.Errorf("gap %+v", g)
					}
					gaps = append(gaps, g.Why+map[bool]string{true: ", warns", false: ", blocks"}[g.Optional])
				}
				return gaps
			}
			if diff := cmp.Diff([][]string{test.blue, test.green}, [][]string{told(f.Blue), told(f.Green)}); diff != "" {
				t.Errorf("gaps (-want +got):\n%s", diff)
			}
			if f.Metrics.Blue.Metrics != nil && f.Metrics.Green.Metrics != nil {
				t.Errorf("both sides are known: %+v", f.Metrics)
			}
		})
	}
}

func TestAServerThatFailsInTheMiddleIsAGap(t *testing.T) {
	f := asking(`a{job="x"}`)
	green := &store{series: []string{`a{job="y"}`}}
	Metrics(t.Context(), &f, Servers{Blue: Server{API: &store{series: []string{`a{job="x"}`}}}, Green: Server{API: failsLater{green}}}, time.Minute)
	if len(f.Green.Gaps) != 1 || f.Metrics.Green.Selectors != nil {
		t.Errorf("gaps %+v, selectors %v; want one gap and nothing known", f.Green.Gaps, f.Metrics.Green.Selectors)
	}
}

// failsLater answers the first question only.
type failsLater struct{ *store }

func (f failsLater) Names(ctx context.Context, from, to time.Time, selectors []string) ([]string, error) {
	names, err := f.store.Names(ctx, from, to, selectors)
	if len(f.asked) > 1 {
		return nil, errors.New("partial")
	}
	return names, err
}

func TestRequestsAreShortAndFew(t *testing.T) {
	var queries, series []string
	for i := range 3000 {
		queries = append(queries, fmt.Sprintf(`some_metric_with_a_long_name_%04d_total{job="shop"}`, i))
		series = append(series, queries[i])
	}
	for i := range 120 {
		queries = append(queries, fmt.Sprintf(`some_metric_with_a_long_name_0000_total{shard="%d"}`, i))
	}
	blue, green := &store{series: series}, &store{series: series}
	f := asking(queries...)
	Metrics(t.Context(), &f, Servers{Blue: Server{API: blue}, Green: Server{API: green}}, time.Minute)
	for _, asked := range green.asked {
		sent := url.Values{"match[]": asked}.Encode()
		if len(sent) > 7000 {
			t.Errorf("a query of %d bytes", len(sent))
		}
	}
	if len(green.asked) != maxRequests || f.Metrics.LeftOut == 0 || len(f.Metrics.Green.Selectors)+f.Metrics.LeftOut < 3120 {
		t.Errorf("%d requests, %d looked up, %d left out; want %d, and all accounted for", len(green.asked), len(f.Metrics.Green.Selectors), f.Metrics.LeftOut, maxRequests)
	}
	if len(f.Metrics.Green.Metrics) != 3000 {
		t.Errorf("%d metrics are known, want 3000", len(f.Metrics.Green.Metrics))
	}
}

func TestMoreMetricsThanMayBeAskedForAreAGap(t *testing.T) {
	var queries []string
	for i := range 200 {
		queries = append(queries, fmt.Sprintf("%s_%d", strings.Repeat("a", maxQuery/2), i))
	}
	f := asking(queries...)
	Metrics(t.Context(), &f, Servers{Blue: Server{API: &store{}}, Green: Server{API: &store{}}}, time.Minute)
	if len(f.Green.Gaps) != 1 || !strings.Contains(f.Green.Gaps[0].Why, "more requests would be needed") || f.Metrics.Green.Metrics != nil {
		t.Errorf("gaps %v and metrics %v, want a gap and nothing known", f.Green.Gaps, f.Metrics.Green.Metrics)
	}
}

func TestNothingIsAskedWhenNobodyWantsIt(t *testing.T) {
	for name, change := range map[string]func(*facts.Facts){
		"no Prometheus is configured": func(f *facts.Facts) { f.Settings.Metrics.On = false },
		"a brief look":                func(f *facts.Facts) { f.Scope = facts.Brief },
	} {
		t.Run(name, func(t *testing.T) {
			f := asking("a")
			change(&f)
			s := &store{}
			Metrics(t.Context(), &f, Servers{Blue: Server{API: s}, Green: Server{API: s}}, time.Minute)
			if len(s.asked) > 0 || f.Metrics.Blue.Metrics != nil || f.Blue.Gaps != nil {
				t.Errorf("asked %v, got %+v", s.asked, f.Metrics)
			}
		})
	}
}
