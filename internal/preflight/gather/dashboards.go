package gather

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// dashboards keeps the metrics of the Grafana dashboards in one ConfigMap.
func (q querier) dashboards(c *facts.Cluster, o runtime.Object) {
	if c.Side != shift.Blue || q.Dashboards.Label == "" {
		return
	}
	m, is := as[*corev1.ConfigMap](c, facts.GroupKind{Kind: "ConfigMap"}, o)
	if !is {
		return
	}
	value, marked := m.Labels[q.Dashboards.Label]
	if !marked || (q.Dashboards.Value != "" && value != q.Dashboards.Value) {
		return
	}
	of := facts.Object{GroupKind: facts.GroupKind{Kind: "ConfigMap"}, Name: facts.Name{Namespace: m.Namespace, Name: m.Name}}
	for _, key := range slices.Sorted(maps.Keys(m.Data)) {
		if strings.HasSuffix(key, ".json") {
			c.Queries = append(c.Queries, q.dashboard(of, key, m.Data[key]))
		}
	}
}

// dashboard keeps the metrics of one dashboard.
func (q querier) dashboard(of facts.Object, key, content string) facts.Query {
	d := facts.Query{Use: facts.UseDashboard, Name: key, Object: of}
	var root map[string]any
	if err := json.Unmarshal([]byte(content), &root); err != nil {
		d.Broken = "it is not JSON: " + why(err)
		return d
	}
	// Grafana's API wraps a dashboard, and so do its resources of Kubernetes' kind.
	for _, wrap := range []string{"dashboard", "spec"} {
		if inner, is := root[wrap].(map[string]any); is {
			root = inner
		}
	}
	if title := asText(root["title"]); title != "" {
		d.Name = title
	}
	w := walker{sources: dataSources(root), found: map[expression]struct{}{}}
	w.walk(root, spot{})
	d.Elsewhere = w.elsewhere
	for _, e := range slices.SortedFunc(maps.Keys(w.found), expression.compare) {
		q.dashboardExpression(&d, e)
	}
	return d
}

// dashboardExpression replaces the variables of an expression and reads it. A
// variable may stand for a name or for a number; what the parser takes is right.
func (q querier) dashboardExpression(into *facts.Query, e expression) {
	as := func(stand string) facts.Query {
		var one facts.Query
		resolved := replaceVariables(e.text, stand)
		q.read(&one, expression{text: resolved, where: e.where, guessed: resolved != e.text, namesOnly: true})
		return one
	}
	one := as(variable)
	if len(one.Faults) > 0 && one.Faults[0].Guessed {
		if other := as("1"); len(other.Faults) == 0 {
			one = other
		}
	}
	into.Open += one.Open
	into.Faults = append(into.Faults, one.Faults...)
	for _, s := range one.Selectors {
		addSelector(into, s)
	}
}

// spot is where the walk through a dashboard is.
type spot struct {
	panel string
	// source is the kind of the data source; empty: Grafana's default.
	source string
}

// walker finds the expressions of a dashboard wherever they are: in panels, in
// panels of rows, in variables and annotations, in the schemas old and new.
type walker struct {
	// sources are the kinds of the data sources that variables and inputs stand for.
	sources map[string]string
	found   map[expression]struct{}
	// elsewhere counts the panels whose contents are not in the dashboard.
	elsewhere int
}

func (w *walker) walk(at any, p spot) {
	if list, is := at.([]any); is {
		for _, item := range list {
			w.walk(item, p)
		}
		return
	}
	o, is := at.(map[string]any)
	if !is {
		return
	}
	if title := asText(o["title"]); title != "" {
		p.panel = title
	}
	if kind := w.source(o); kind != "" {
		p.source = kind
	}
	if _, is := o["libraryPanel"].(map[string]any); is && o["targets"] == nil {
		w.elsewhere++
	}
	if speaksPromQL(p.source) {
		w.add(asText(o["expr"]), p)
		w.add(ofVariable(asText(o["query"])), p)
	}
	for _, inner := range o {
		w.walk(inner, p)
	}
}

func (w *walker) add(expr string, p spot) {
	if strings.TrimSpace(expr) != "" {
		w.found[expression{text: expr, where: p.panel}] = struct{}{}
	}
}

// source gives the kind of the data source that a panel, target or variable
// names; empty: it names none.
func (w *walker) source(o map[string]any) string {
	if asText(o["kind"]) == "DataQuery" { // of the newer schema
		return w.kindOf(asText(o["group"]))
	}
	if asText(o["kind"]) == "loki" && o["spec"] != nil {
		return "loki"
	}
	switch source := o["datasource"].(type) {
	case string:
		return w.kindOf(source)
	case map[string]any:
		if kind := asText(source["type"]); kind != "" {
			return w.kindOf(kind)
		}
		return w.kindOf(asText(source["uid"]))
	}
	return ""
}

// kindOf resolves the variable that a kind or name may be.
func (w *walker) kindOf(name string) string {
	if m := variablePattern().FindStringSubmatch(name); m != nil {
		if kind := w.sources[m[1]+m[2]+m[3]]; kind != "" {
			return kind
		}
		return "prometheus"
	}
	// Of the other languages only Loki's stands in a key of the same name.
	if strings.Contains(strings.ToLower(name), "loki") {
		return "loki"
	}
	return name
}

// speaksPromQL tells of the kind of a data source. A name that people gave to one
// tells nothing, so that it counts as a Prometheus.
func speaksPromQL(kind string) bool {
	switch kind {
	case "loki", "cloudwatch", "elasticsearch", "grafana-opensearch-datasource", "graphite", "influxdb", "mysql", "postgres",
		"grafana-postgresql-datasource", "mssql", "tempo", "jaeger", "zipkin", "grafana-pyroscope-datasource", "opentsdb",
		"stackdriver", "grafana-azure-monitor-datasource", "grafana-x-ray-datasource", "grafana-athena-datasource",
		"victoriametrics-logs-datasource", "grafana-testdata-datasource", "testdata", "yesoreyeram-infinity-datasource":
		return false
	}
	return true
}

// dataSources finds which kinds of data sources variables stand for.
func dataSources(root map[string]any) map[string]string {
	found := map[string]string{}
	for _, input := range objectsOf(root["__inputs"]) {
		found[asText(input["name"])] = asText(input["pluginId"])
	}
	templating, _ := root["templating"].(map[string]any)
	for _, v := range objectsOf(templating["list"]) {
		if asText(v["type"]) == "datasource" {
			found[asText(v["name"])] = asText(v["query"])
		}
	}
	for _, v := range objectsOf(root["variables"]) {
		if spec, is := v["spec"].(map[string]any); is && asText(v["kind"]) == "DatasourceVariable" {
			found[asText(spec["name"])] = asText(spec["pluginId"])
		}
	}
	return found
}

// ofVariable gives the expression in the query of a variable: label_values(a, b)
// and query_result(a). Others name no metric.
func ofVariable(query string) string {
	query = strings.TrimSpace(query)
	if m := regexp.MustCompile(`(?s)^label_values\((.+),[^,{}()]*\)$`).FindStringSubmatch(query); m != nil {
		return m[1]
	}
	if m := regexp.MustCompile(`(?s)^query_result\((.+)\)$`).FindStringSubmatch(query); m != nil {
		return m[1]
	}
	return ""
}
