package gather

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/promql"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// metricsInUse keeps what blue's rules and dashboards ask Prometheus for.
func metricsInUse(o Options) topic {
	if !o.Settings.Metrics.On {
		return topic{}
	}
	q := querier(o.Settings.Metrics)
	rule := facts.GroupKind{Group: "monitoring.coreos.com", Kind: "PrometheusRule"}
	ofVictoria := facts.GroupKind{Group: "operator.victoriametrics.com", Kind: "VMRule"}
	return topic{whole: map[facts.GroupKind]func(*facts.Cluster, runtime.Object){
		rule:                func(c *facts.Cluster, o runtime.Object) { q.rules(c, o, rule) },
		ofVictoria:          func(c *facts.Cluster, o runtime.Object) { q.rules(c, o, ofVictoria) },
		{Kind: "ConfigMap"}: q.dashboards,
	}}
}

// querier reads expressions.
type querier facts.MetricsSettings

// rules keeps the rules of one object.
// https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PrometheusRule
func (q querier) rules(c *facts.Cluster, o runtime.Object, k facts.GroupKind) {
	u, is := o.(*unstructured.Unstructured)
	if !is || c.Side != shift.Blue {
		return
	}
	of := facts.Object{GroupKind: k, Name: facts.Name{Namespace: u.GetNamespace(), Name: u.GetName()}}
	groups, _, _ := unstructured.NestedFieldNoCopy(u.Object, "spec", "groups")
	for _, group := range objectsOf(groups) {
		// VictoriaMetrics has rules of other languages too.
		if kind := asText(group["type"]); kind != "" && kind != "prometheus" {
			continue
		}
		for _, r := range objectsOf(group["rules"]) {
			rule := facts.Query{Use: facts.UseAlert, Name: asText(r["alert"]), Object: of}
			if record := asText(r["record"]); record != "" {
				rule.Use, rule.Name = facts.UseRecord, record
			}
			q.read(&rule, expression{text: asText(r["expr"]), where: rule.Name, guessed: k.Kind == "VMRule"})
			c.Queries = append(c.Queries, rule)
		}
	}
}

// expression is one text to read.
type expression struct {
	text, where string
	// guessed: it isn't the text that Prometheus gets.
	guessed bool
	// namesOnly: its labels are left out.
	namesOnly bool
}

// read adds what an expression chooses to the query, or why it can't be read.
func (q querier) read(into *facts.Query, e expression) {
	selectors, err := promql.Parse(e.text)
	if err != nil {
		into.Faults = append(into.Faults, facts.QueryFault{Where: e.where, Why: err.Error(), Guessed: e.guessed})
		return
	}
	for _, s := range selectors {
		// Prometheus itself makes these, and only while an alert fires.
		if s.Metric == "ALERTS" || s.Metric == "ALERTS_FOR_STATE" {
			continue
		}
		if s.Metric == "" || strings.Contains(s.Metric, variable) {
			into.Open++
			continue
		}
		kept := facts.Selector{Metric: s.Metric, Fallible: s.Fallible}
		if !e.namesOnly {
			kept.Equal = q.shared(s.Equal)
		}
		addSelector(into, kept)
	}
}

// addSelector adds a selector once. One that the expression can't do without goes
// before the same that it can.
func addSelector(into *facts.Query, s facts.Selector) {
	key := s.String()
	at := slices.IndexFunc(into.Selectors, func(had facts.Selector) bool { return had.String() == key })
	switch {
	case at < 0:
		into.Selectors = append(into.Selectors, s)
	case !s.Fallible:
		into.Selectors[at].Fallible = false
	}
}

// shared leaves out the labels that differ from cluster to cluster.
func (q querier) shared(equal []promql.Label) []facts.Label {
	var kept []facts.Label
	for _, l := range equal {
		if !slices.Contains(q.ClusterLabels, l.Name) && !ofOneCluster(l.Name) {
			kept = append(kept, facts.Label(l))
		}
	}
	return kept
}

// ofOneCluster tells of a label whose values are born with a cluster: its name,
// and the names and addresses of its nodes and pods.
func ofOneCluster(label string) bool {
	switch label {
	case "cluster", "cluster_name", "cluster_id", "eks_cluster", "k8s_cluster", "kubernetes_cluster",
		"instance", "node", "nodename", "host", "hostname", "host_ip", "internal_ip", "provider_id",
		"pod", "pod_name", "pod_ip", "kubernetes_pod_name", "uid", "id", "container_id", "image_id",
		"prometheus", "prometheus_replica", "replica", "__replica__", "address", "ip":
		return true
	}
	return false
}
