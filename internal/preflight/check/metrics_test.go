package check

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// toldOfMetrics are findings as a reader sees them.
func toldOfMetrics(f *facts.Facts) []string {
	var lines []string
	for _, x := range metrics(f) {
		lines = append(lines, fmt.Sprintf("%s %s: %s", x.Severity, x.ID, x.Message))
	}
	return lines
}

// comparedMetrics are facts of two servers that have the metrics.
func comparedMetrics(blue, green []string, selectors map[string][2]bool) *facts.Facts {
	f := &facts.Facts{Scope: facts.Full, Settings: facts.Settings{Metrics: facts.MetricsSettings{On: true}}}
	series := func(metrics []string, side int) facts.Series {
		s := facts.Series{Metrics: map[string]struct{}{}, Selectors: map[string]bool{}}
		for _, m := range metrics {
			s.Metrics[m] = struct{}{}
		}
		for key, there := range selectors {
			s.Selectors[key] = there[side]
		}
		return s
	}
	f.Metrics.Blue, f.Metrics.Green = series(blue, 0), series(green, 1)
	return f
}

func namedQuery(name string, selectors ...facts.Selector) facts.Query {
	return facts.Query{Use: facts.UseQuery, Name: name, Selectors: selectors}
}

func usedBy(use facts.Use, name, object string, selectors ...facts.Selector) facts.Query {
	q := facts.Query{Use: use, Name: name, Selectors: selectors}
	q.Object = facts.Object{GroupKind: facts.GroupKind{Kind: "ConfigMap"}, Name: facts.Name{Namespace: "m", Name: object}}
	if use != facts.UseDashboard {
		q.Object.GroupKind = facts.GroupKind{Group: "monitoring.coreos.com", Kind: "PrometheusRule"}
	}
	return q
}

func ofMetric(name string, equal ...facts.Label) facts.Selector {
	return facts.Selector{Metric: name, Equal: equal}
}

func TestMetricsThatGreenLacks(t *testing.T) {
	for name, test := range map[string]struct {
		facts   *facts.Facts
		queries []facts.Query
		uses    []facts.Query
		want    []string
	}{
		"nothing is lacking": {
			facts: comparedMetrics([]string{"a"}, []string{"a", "b"}, nil), queries: []facts.Query{namedQuery("q", ofMetric("a"), ofMetric("b"))},
		},
		"a named query's metric blocks, whoever else uses it": {
			facts: comparedMetrics([]string{"a"}, nil, nil), queries: []facts.Query{namedQuery("errors", ofMetric("a"))},
			uses: []facts.Query{usedBy(facts.UseDashboard, "Shop", "d", ofMetric("a")), usedBy(facts.UseAlert, "Errors", "r", ofMetric("a"))},
			want: []string{
				`block MetricMissing/Metric/a: blue's Prometheus has series of a and green's has none; used by the query errors, ` +
					`the alert Errors (PrometheusRule.monitoring.coreos.com m/r), the dashboard "Shop" (ConfigMap m/d)`,
			},
		},
		"what a named query can do without warns": {
			facts: comparedMetrics([]string{"a"}, nil, nil), queries: []facts.Query{namedQuery("errors", facts.Selector{Metric: "a", Fallible: true})},
			want: []string{`warn MetricMissing/Metric/a: blue's Prometheus has series of a and green's has none; used by the query errors`},
		},
		"a rule's or dashboard's metric warns": {
			facts: comparedMetrics([]string{"a", "b"}, nil, nil),
			uses: []facts.Query{
				usedBy(facts.UseRecord, "b", "r", ofMetric("a")), usedBy(facts.UseDashboard, "Shop", "d", ofMetric("b")),
			},
			want: []string{
				`warn MetricMissing/Metric/a: blue's Prometheus has series of a and green's has none; used by the rule that records b (PrometheusRule.monitoring.coreos.com m/r)`,
				`warn MetricMissing/Metric/b: blue's Prometheus has series of b and green's has none; used by the dashboard "Shop" (ConfigMap m/d)`,
			},
		},
		"many users are counted": {
			facts: comparedMetrics([]string{"a"}, nil, nil),
			uses: []facts.Query{
				usedBy(facts.UseAlert, "A1", "r", ofMetric("a")), usedBy(facts.UseAlert, "A2", "r", ofMetric("a")), usedBy(facts.UseAlert, "A2", "r", ofMetric("a")),
				usedBy(facts.UseDashboard, "D1", "d", ofMetric("a")), usedBy(facts.UseDashboard, "D2", "d", ofMetric("a")),
				usedBy(facts.UseDashboard, "D3", "d", ofMetric("a")), usedBy(facts.UseDashboard, "D4", "d", ofMetric("a")),
			},
			want: []string{
				`warn MetricMissing/Metric/a: blue's Prometheus has series of a and green's has none; used by the alert A1 (PrometheusRule.monitoring.coreos.com m/r), ` +
					`the alert A2 (PrometheusRule.monitoring.coreos.com m/r), the dashboard "D1" (ConfigMap m/d), the dashboard "D2" (ConfigMap m/d), the dashboard "D3" (ConfigMap m/d), and 1 more`,
			},
		},
		"what nobody has is named once, but for named queries": {
			facts: comparedMetrics(nil, nil, nil), queries: []facts.Query{namedQuery("typo", ofMetric("erors"))},
			uses: []facts.Query{usedBy(facts.UseAlert, "A", "r", ofMetric("dead1"), ofMetric("dead2"))},
			want: []string{
				"warn MetricNowhere/Metric/erors: erors has series in neither Prometheus; used by the query typo",
				"note MetricNowhere/Metric: rules, dashboards or queries use metrics that have series in neither Prometheus: dead1, dead2",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.facts.Settings.Queries, test.facts.Blue.Queries = test.queries, test.uses
			if diff := cmp.Diff(test.want, toldOfMetrics(test.facts)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestARecordedMetricIsToldByItsRule(t *testing.T) {
	f := comparedMetrics([]string{"job:a"}, nil, nil)
	f.Blue.Queries = []facts.Query{usedBy(facts.UseRecord, "job:a", "r"), usedBy(facts.UseAlert, "A", "r", ofMetric("job:a"))}
	want := "Let green's Prometheus evaluate the rule that records it, PrometheusRule.monitoring.coreos.com m/r in blue, and have the metrics that the rule uses."
	if got := metrics(f); len(got) != 1 || got[0].Do != want {
		t.Errorf("got %+v, want %q", got, want)
	}
}

func TestSeriesThatGreenLacks(t *testing.T) {
	job, code := facts.Label{Name: "job", Value: "shop"}, facts.Label{Name: "code", Value: "500"}
	both := []string{"a"}
	for name, test := range map[string]struct {
		selectors map[string][2]bool
		queries   []facts.Query
		uses      []facts.Query
		want      []string
	}{
		"a renamed job blocks a named query": {
			selectors: map[string][2]bool{`a{job="shop"}`: {true, false}}, queries: []facts.Query{namedQuery("q", ofMetric("a", job))},
			want: []string{`block SeriesMissing/Metric/a/{job="shop"}: blue's Prometheus has series of a with {job="shop"} and green's has none, although it has the metric; used by the query q`},
		},
		"a code that green had no request for warns": {
			selectors: map[string][2]bool{`a{code="500",job="shop"}`: {true, false}}, queries: []facts.Query{namedQuery("q", ofMetric("a", code, job))},
			want: []string{`warn SeriesMissing/Metric/a/{code="500",job="shop"}: blue's Prometheus has series of a with {code="500",job="shop"} and green's has none, although it has the metric; used by the query q`},
		},
		"a rule warns": {
			selectors: map[string][2]bool{`a{job="shop"}`: {true, false}}, uses: []facts.Query{usedBy(facts.UseAlert, "A", "r", ofMetric("a", job))},
			want: []string{`warn SeriesMissing/Metric/a/{job="shop"}: blue's Prometheus has series of a with {job="shop"} and green's has none, although it has the metric; used by the alert A (PrometheusRule.monitoring.coreos.com m/r)`},
		},
		"both have them":     {selectors: map[string][2]bool{`a{job="shop"}`: {true, true}}, queries: []facts.Query{namedQuery("q", ofMetric("a", job))}},
		"neither has them":   {selectors: map[string][2]bool{`a{job="shop"}`: {false, false}}, queries: []facts.Query{namedQuery("q", ofMetric("a", job))}},
		"nobody looked":      {queries: []facts.Query{namedQuery("q", ofMetric("a", job))}},
		"nobody asks by job": {selectors: map[string][2]bool{`a{job="shop"}`: {true, false}}, queries: []facts.Query{namedQuery("q", ofMetric("a"))}},
	} {
		t.Run(name, func(t *testing.T) {
			f := comparedMetrics(both, both, test.selectors)
			f.Settings.Queries, f.Blue.Queries = test.queries, test.uses
			if diff := cmp.Diff(test.want, toldOfMetrics(f)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatCouldNotBeReadOfMetrics(t *testing.T) {
	broken := usedBy(facts.UseDashboard, "b.json", "d")
	broken.Broken = "it is not JSON: unexpected end of JSON input"
	alert := usedBy(facts.UseAlert, "A", "r")
	alert.Faults = []facts.QueryFault{{Where: "A", Why: "1:1: parse error"}}
	again := usedBy(facts.UseAlert, "A", "r")
	again.Faults = alert.Faults
	dashboard := usedBy(facts.UseDashboard, "D", "d")
	dashboard.Faults, dashboard.Open, dashboard.Elsewhere = []facts.QueryFault{{Where: "P", Why: "1:2: parse error", Guessed: true}}, 2, 1

	f := comparedMetrics(nil, nil, nil)
	f.Metrics.LeftOut = 1
	f.Blue.Queries = []facts.Query{broken, alert, again, dashboard}
	want := []string{
		"warn QueryUnreadable/PrometheusRule.monitoring.coreos.com/m/r: an expression of PrometheusRule.monitoring.coreos.com m/r can't be read as PromQL: A: 1:1: parse error",
		"note DashboardUnreadable/ConfigMap/m/d/b.json: the dashboard b.json of ConfigMap m/d can't be read: it is not JSON: unexpected end of JSON input",
		"note QueryUnreadable/ConfigMap/m/d/variables: an expression of ConfigMap m/d can't be read as PromQL, perhaps only for a variable of Grafana or a dialect: P: 1:2: parse error",
		"note QueriesLeftOut/Metric: some uses of metrics were not checked: 2 that choose metrics by a pattern, a variable or labels alone, " +
			"1 in a library panel that Grafana keeps for itself, 1 whose labels would take more requests than one preflight may send",
	}
	if diff := cmp.Diff(want, toldOfMetrics(f)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNothingIsLackingWhereOneSideIsNotKnown(t *testing.T) {
	for name, forget := range map[string]func(*facts.Facts){
		"blue":  func(f *facts.Facts) { f.Metrics.Blue = facts.Series{} },
		"green": func(f *facts.Facts) { f.Metrics.Green = facts.Series{} },
	} {
		t.Run(name, func(t *testing.T) {
			f := comparedMetrics([]string{"a"}, nil, nil)
			f.Settings.Queries = []facts.Query{namedQuery("q", ofMetric("a"))}
			forget(f)
			if got := toldOfMetrics(f); got != nil {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestNoPrometheusIsANote(t *testing.T) {
	want := []string{"note PrometheusUnnamed/Prometheus: the metrics in use were not checked, because no Prometheus is configured"}
	if diff := cmp.Diff(want, toldOfMetrics(&facts.Facts{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFindingsOfMetricsHaveDocumentedCodesAndDifferentIDs(t *testing.T) {
	f := comparedMetrics([]string{"a", "b"}, []string{"b"}, map[string][2]bool{`b{x="1"}`: {true, false}, `b{x="2"}`: {true, false}})
	f.Settings.Queries = []facts.Query{namedQuery("q", ofMetric("a"), ofMetric("b", facts.Label{Name: "x", Value: "1"}), ofMetric("b", facts.Label{Name: "x", Value: "2"}), ofMetric("c"))}
	documented, seen := map[string]bool{}, map[string]bool{}
	for _, d := range metricsCheck().Codes {
		documented[string(d.Code)] = true
	}
	for _, x := range metrics(f) {
		if !documented[string(x.Code)] || seen[x.ID] || x.Do == "" {
			t.Errorf("%+v", x)
		}
		seen[x.ID] = true
	}
	if len(seen) != 4 {
		t.Errorf("%d findings, want 4: %v", len(seen), seen)
	}
}
