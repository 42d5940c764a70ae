package app

import (
	"maps"
	"slices"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/gather"
	"github.com/clusterswitch/clusterswitch/internal/prometheus"
	"github.com/clusterswitch/clusterswitch/internal/promql"
)

// prometheusOf makes the client of a configured Prometheus.
func prometheusOf(p config.Prometheus) (*prometheus.Client, error) {
	o := prometheus.Options{
		URL: p.URL, BearerTokenFile: p.BearerTokenFile, CAFile: p.CAFile, ServerName: p.ServerName,
		InsecureSkipVerify: p.InsecureSkipVerify, Headers: p.Headers,
		Reach: p.Reach, Timeout: p.Timeout, MaxBytes: int64(p.MaxResponseMiB) << 20,
	}
	if p.BasicAuth != nil {
		o.BasicAuth = &prometheus.BasicAuth{Username: p.BasicAuth.Username, PasswordFile: p.BasicAuth.PasswordFile}
	}
	return prometheus.New(o)
}

// metricServers makes the clients of both sides. One that can't be made says why
// in its place, so that the report tells it.
func metricServers(m config.PreflightMetrics) gather.Servers {
	of := func(p *config.Prometheus) gather.Server {
		if p == nil {
			return gather.Server{Fault: "no Prometheus is configured"}
		}
		client, err := prometheusOf(*p)
		if err != nil {
			return gather.Server{Fault: err.Error()}
		}
		return gather.Server{API: client, Match: p.Match}
	}
	return gather.Servers{Blue: of(m.Blue), Green: of(m.Green)}
}

// metricSettings says which metrics a preflight compares.
func metricSettings(m config.PreflightMetrics) facts.MetricsSettings {
	s := facts.MetricsSettings{
		On: m.Blue != nil && m.Green != nil, Window: m.Window,
		Dashboards: facts.Dashboards{Label: m.Dashboards.Label, Value: m.Dashboards.Value},
	}
	labels := map[string]struct{}{}
	for _, p := range []*config.Prometheus{m.Blue, m.Green} {
		if p != nil {
			for label := range p.Match {
				labels[label] = struct{}{}
			}
		}
	}
	s.ClusterLabels = slices.Sorted(maps.Keys(labels))
	return s
}

// labelsOf are the labels that tell a server's cluster from others that it holds.
func labelsOf(server config.Prometheus) []promql.Label {
	var labels []promql.Label
	for name, value := range server.Match {
		labels = append(labels, promql.Label{Name: name, Value: value})
	}
	return labels
}

// namedQueries are the expressions that must work on green: those that a preflight
// is told of, and those of gates on Prometheus. A template that is unknown is said
// where it is asked by.
func namedQueries(p config.Pair) []facts.Query {
	var queries []facts.Query
	add := func(name, expression string) {
		if expression != "" {
			queries = append(queries, facts.Query{Use: facts.UseQuery, Name: name, Expression: expression})
		}
	}
	for _, q := range p.Preflight.Metrics.Queries {
		add(q.Name, q.Query)
	}
	for _, g := range p.Gates {
		switch {
		case g.Prometheus != nil:
			add("gate "+g.Name, g.Prometheus.Query)
		case g.Requests != nil && g.Requests.Prometheus != nil:
			counted, err := countedBy(*g.Requests.Prometheus)
			if err != nil {
				continue
			}
			add("gate "+g.Name+", requests", counted.Requests)
			if !counted.ErrorsMayBeAbsent {
				add("gate "+g.Name+", errors", counted.Errors)
			}
			add("gate "+g.Name+", buckets", counted.Buckets)
		}
	}
	return queries
}
