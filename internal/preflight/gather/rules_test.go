package gather

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// use hands one object to the topic, as the reader does.
func use(t *testing.T, c *facts.Cluster, k facts.GroupKind, o runtime.Object, s facts.MetricsSettings) {
	t.Helper()
	s.On = true
	take := metricsInUse(Options{Scope: facts.Full, Settings: facts.Settings{Metrics: s}}).whole[k]
	if take == nil {
		t.Fatalf("nobody wants %s", k)
	}
	take(c, o)
}

func ruleObject(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	content, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var u unstructured.Unstructured
	if err := json.Unmarshal(content, &u.Object); err != nil {
		t.Fatal(err)
	}
	return &u
}

const ruleYAML = `
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {namespace: monitoring, name: shop}
spec:
  groups:
  - name: shop
    rules:
    - record: job:errors:rate5m
      expr: sum by (job) (rate(errors_total{job="shop", instance="10.0.0.1:80", tenant="eu"}[5m]))
    - alert: Errors
      expr: job:errors:rate5m{job="shop"} > 0.1 or vector(0)
    - alert: Broken
      expr: rate(errors_total)
    - alert: Always
      expr: 1
    - alert: Pattern
      expr: '{__name__=~"a.*"} == absent(up{job="x"}) unless ALERTS{alertname="Always"}'
  - name: empty
`

func TestRulesAreReadOfBlue(t *testing.T) {
	of := facts.Object{
		GroupKind: facts.GroupKind{Group: "monitoring.coreos.com", Kind: "PrometheusRule"},
		Name:      facts.Name{Namespace: "monitoring", Name: "shop"},
	}
	c := facts.Cluster{Side: shift.Blue}
	use(t, &c, of.GroupKind, ruleObject(t, ruleYAML), facts.MetricsSettings{ClusterLabels: []string{"tenant"}})
	job := func(value string) []facts.Label { return []facts.Label{{Name: "job", Value: value}} }
	want := []facts.Query{
		{Use: facts.UseRecord, Name: "job:errors:rate5m", Object: of, Selectors: []facts.Selector{{Metric: "errors_total", Equal: job("shop")}}},
		{Use: facts.UseAlert, Name: "Errors", Object: of, Selectors: []facts.Selector{{Metric: "job:errors:rate5m", Equal: job("shop"), Fallible: true}}},
		{Use: facts.UseAlert, Name: "Broken", Object: of, Faults: []facts.QueryFault{{Where: "Broken", Why: "1:6: parse error: expected type range vector in call to function \"rate\", got instant vector"}}},
		{Use: facts.UseAlert, Name: "Always", Object: of},
		{Use: facts.UseAlert, Name: "Pattern", Object: of, Selectors: []facts.Selector{{Metric: "up", Equal: job("x")}}, Open: 1},
	}
	if diff := cmp.Diff(want, c.Queries); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	green := facts.Cluster{Side: shift.Green}
	use(t, &green, of.GroupKind, ruleObject(t, ruleYAML), facts.MetricsSettings{})
	if green.Queries != nil {
		t.Errorf("green's rules were kept: %v", green.Queries)
	}
}

func TestRulesOfVictoriaMetricsMayBeOfItsDialect(t *testing.T) {
	k := facts.GroupKind{Group: "operator.victoriametrics.com", Kind: "VMRule"}
	c := facts.Cluster{Side: shift.Blue}
	use(t, &c, k, ruleObject(t, `
metadata: {namespace: a, name: b}
spec:
  groups:
  - rules: [{alert: Dialect, expr: rate(a_total)}, {alert: Good, expr: b_total}]
  - {type: graphite, rules: [{alert: Other, expr: "sumSeries(a.b)"}]}
`), facts.MetricsSettings{})
	of := facts.Object{GroupKind: k, Name: facts.Name{Namespace: "a", Name: "b"}}
	want := []facts.Query{
		{Use: facts.UseAlert, Name: "Dialect", Object: of, Faults: []facts.QueryFault{{Where: "Dialect", Why: "1:6: parse error: expected type range vector in call to function \"rate\", got instant vector", Guessed: true}}},
		{Use: facts.UseAlert, Name: "Good", Object: of, Selectors: []facts.Selector{{Metric: "b_total"}}},
	}
	if diff := cmp.Diff(want, c.Queries); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestObjectsOfAnotherShapeAreLeftAlone(t *testing.T) {
	k := facts.GroupKind{Group: "monitoring.coreos.com", Kind: "PrometheusRule"}
	for name, spec := range map[string]string{
		"no spec":            `metadata: {name: a}`,
		"groups as a word":   `spec: {groups: x}`,
		"groups of words":    `spec: {groups: [x, 1]}`,
		"rules as a mapping": `spec: {groups: [{rules: {a: b}}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			c := facts.Cluster{Side: shift.Blue}
			use(t, &c, k, ruleObject(t, spec), facts.MetricsSettings{})
			if c.Queries != nil {
				t.Errorf("got %v", c.Queries)
			}
		})
	}
}

func dashboardsOf(t *testing.T, labels, data map[string]string, d facts.Dashboards) []facts.Query {
	t.Helper()
	c := facts.Cluster{Side: shift.Blue}
	m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "monitoring", Name: "dash", Labels: labels}, Data: data}
	use(t, &c, facts.GroupKind{Kind: "ConfigMap"}, m, facts.MetricsSettings{Dashboards: d})
	return c.Queries
}

func TestDashboardsAreFoundByTheirLabel(t *testing.T) {
	data := map[string]string{"a.json": `{"title":"A"}`, "note.txt": "no dashboard", "b.json": "{"}
	all := []string{"A", "b.json: it is not JSON: unexpected end of JSON input"}
	for name, test := range map[string]struct {
		labels map[string]string
		d      facts.Dashboards
		want   []string
	}{
		"any value":            {map[string]string{"grafana_dashboard": ""}, facts.Dashboards{Label: "grafana_dashboard"}, all},
		"the value":            {map[string]string{"grafana_dashboard": "1"}, facts.Dashboards{Label: "grafana_dashboard", Value: "1"}, all},
		"another value":        {map[string]string{"grafana_dashboard": "0"}, facts.Dashboards{Label: "grafana_dashboard", Value: "1"}, nil},
		"no label":             {nil, facts.Dashboards{Label: "grafana_dashboard"}, nil},
		"nobody wants to look": {map[string]string{"": "1"}, facts.Dashboards{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, q := range dashboardsOf(t, test.labels, data, test.d) {
				said := q.Name
				if q.Broken != "" {
					said += ": " + q.Broken
				}
				got = append(got, said)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestExpressionsOfADashboardAreFoundWhereverTheyAre(t *testing.T) {
	for name, test := range map[string]struct {
		json string
		want facts.Query
	}{
		"panels, rows within rows, variables and annotations": {
			`{"title":"Shop","panels":[
				{"title":"A","type":"graph","targets":[{"expr":"a1{job=\"x\"}"},{"expr":""}]},
				{"type":"row","panels":[{"title":"B","targets":[{"expr":"b1 / b2"}]}]}],
			  "rows":[{"panels":[{"title":"C","targets":[{"expr":"c1"}]}]}],
			  "templating":{"list":[
				{"type":"query","name":"pod","query":"label_values(v1{job=~\"$job\"}, pod)"},
				{"type":"query","name":"job","query":{"query":"label_values(job)","refId":"x"}},
				{"type":"query","name":"ns","query":{"query":"query_result(count by (namespace) (v2))"}},
				{"type":"query","name":"m","query":"metrics(node_.*)"}]},
			  "annotations":{"list":[{"name":"deploys","expr":"n1 > 0"}]}}`,
			facts.Query{Name: "Shop", Selectors: named("a1", "b1", "b2", "c1", "v2", "n1", "v1")},
		},
		"what isn't for Prometheus is skipped": {
			`{"__inputs":[{"name":"DS_LOKI","pluginId":"loki"},{"name":"DS_PROM","pluginId":"prometheus"}],
			  "templating":{"list":[{"type":"datasource","name":"logs","query":"loki"},{"type":"datasource","name":"ds","query":"prometheus"}]},
			  "panels":[
				{"datasource":{"type":"loki","uid":"x"},"targets":[{"expr":"l1"}]},
				{"datasource":{"type":"loki","uid":"x"},"targets":[{"expr":"p1","datasource":{"type":"prometheus"}}]},
				{"datasource":{"type":"datasource","uid":"-- Mixed --"},"targets":[{"expr":"l2","datasource":{"type":"loki"}},{"expr":"p2"}]},
				{"datasource":"${DS_LOKI}","targets":[{"expr":"l3"}]},
				{"datasource":"${DS_PROM}","targets":[{"expr":"p3"}]},
				{"datasource":{"uid":"$logs"},"targets":[{"expr":"l4"}]},
				{"datasource":{"uid":"${ds}"},"targets":[{"expr":"p4"}]},
				{"datasource":"My Loki","targets":[{"expr":"l5"}]},
				{"datasource":null,"targets":[{"expr":"p5"}]},
				{"datasource":{"type":"cloudwatch"},"targets":[{"expr":"c1"}]}]}`,
			facts.Query{Name: "a.json", Selectors: named("p1", "p2", "p3", "p4", "p5")},
		},
		"the newer schema": {
			`{"apiVersion":"dashboard.grafana.app/v2beta1","spec":{"title":"New","elements":{
				"panel-1":{"kind":"Panel","spec":{"title":"P","data":{"kind":"QueryGroup","spec":{"queries":[
					{"kind":"PanelQuery","spec":{"query":{"kind":"DataQuery","group":"prometheus","spec":{"expr":"a1"}}}},
					{"kind":"PanelQuery","spec":{"query":{"kind":"DataQuery","group":"loki","spec":{"expr":"l1"}}}},
					{"kind":"PanelQuery","spec":{"query":{"kind":"loki","spec":{"expr":"l2"}}}}]}}}}},
			  "variables":[{"kind":"QueryVariable","spec":{"name":"x","query":{"kind":"DataQuery","group":"prometheus","spec":{"query":"label_values(v1, x)"}}}}]}}`,
			facts.Query{Name: "New", Selectors: named("v1", "a1")},
		},
		"an export of the API": {
			`{"meta":{},"dashboard":{"title":"Wrapped","panels":[{"targets":[{"expr":"a1"}]}]}}`,
			facts.Query{Name: "Wrapped", Selectors: named("a1")},
		},
		"library panels, patterns and variables as names": {
			`{"title":"Open","panels":[{"libraryPanel":{"uid":"x"}},{"title":"A","targets":[{"expr":"$metric"},{"expr":"${app}_total"},{"expr":"{__name__=~\"x.*\"}"}]}]}`,
			facts.Query{Name: "Open", Open: 3, Elsewhere: 1},
		},
		"an expression that is broken, and one that may be": {
			`{"title":"Broken","panels":[{"title":"A","targets":[{"expr":"sum("}]},{"title":"B","targets":[{"expr":"$fn(a[5m]) +"}]}]}`,
			facts.Query{Name: "Broken", Faults: []facts.QueryFault{
				{Where: "A", Why: "1:5: parse error: unclosed left parenthesis"},
				{Where: "B", Why: "1:13: parse error: unexpected end of input", Guessed: true},
			}},
		},
		"JSON of another shape": {`{"panels":{"a":[1,null,"x"]},"templating":7}`, facts.Query{Name: "a.json"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := dashboardsOf(t, map[string]string{"l": ""}, map[string]string{"a.json": test.json}, facts.Dashboards{Label: "l"})
			test.want.Use = facts.UseDashboard
			test.want.Object = facts.Object{GroupKind: facts.GroupKind{Kind: "ConfigMap"}, Name: facts.Name{Namespace: "monitoring", Name: "dash"}}
			if diff := cmp.Diff([]facts.Query{test.want}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func named(metrics ...string) []facts.Selector {
	var out []facts.Selector
	for _, m := range metrics {
		out = append(out, facts.Selector{Metric: m})
	}
	return out
}

func TestVariablesAreReplacedByWhatParses(t *testing.T) {
	for expr, want := range map[string]string{
		`rate(a{job="$job"}[$__rate_interval])`:                     "a",
		`rate(a{job=~"${job:regex}"}[${__interval}])`:               "a",
		`rate(a{job=~"[[job]]"}[[[__interval]]])`:                   "a",
		`increase(a[$__range])`:                                     "a",
		`increase(a[${__range_s}s])`:                                "a",
		`max_over_time(a[$window:$step])`:                           "a",
		`rate(a[${m}m] offset $shift)`:                              "a",
		`topk($limit, a)`:                                           "a",
		`topk(${limit}, sum by (job, $by) (a))`:                     "a",
		`histogram_quantile($q, sum by (le, [[by]]) (rate(a[5m])))`: "a",
		`$agg by (job) (a)`:                                         "a",
		`${agg:raw}(a{x="y"}) without (z)`:                          "a",
		`a{$filters}`:                                               "a",
		`a{$label="x", y=~"b.*$"}`:                                  "a",
		`a{x="it's $y", z='"$y"'} > $threshold`:                     "a",
		`label_replace(a, "x", "$1", "y", "(.*)")`:                  "a",
		`a_$suffix`:                 "",
		`sum($metric) / sum(a)`:     "a",
		`clamp_max(a, $most)`:       "a",
		`a @ $__from`:               "a",
		`a * $__interval_ms / 1000`: "a",
	} {
		t.Run(expr, func(t *testing.T) {
			q := facts.Query{}
			querier{}.dashboardExpression(&q, expression{text: expr, where: "p"})
			got := ""
			for _, s := range q.Selectors {
				got += s.String()
			}
			faulty := want == "" && q.Open == 0
			if got != want || (len(q.Faults) > 0) != faulty {
				t.Errorf("got %q, open %d and faults %v; want %q", got, q.Open, q.Faults, want)
			}
		})
	}
}
