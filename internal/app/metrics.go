package app

import (
	"maps"
	"slices"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/gather"
	"github.com/clusterswitch/clusterswitch/internal/prometheus"
)

// prometheusOf makes the client of a configured Prometheus.
func prometheusOf(p config.Prometheus) (*prometheus.Client, error) {
	o := prometheus.Options{
		URL: p.URL, BearerTokenFile: p.BearerTokenFile, CAFile: p.CAFile, ServerName: p.ServerName,
		InsecureSkipVerify: p.InsecureSkipVerify, Headers: p.Headers,
		Timeout: p.Timeout, MaxBytes: int64(p.MaxResponseMiB) << 20,
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

// namedQueries are the expressions that must work on green. Those of gates on
// Prometheus belong here too, once there are some.
func namedQueries(p config.Pair) []facts.Query {
	var queries []facts.Query
	for _, q := range p.Preflight.Metrics.Queries {
		queries = append(queries, facts.Query{Use: facts.UseQuery, Name: q.Name, Expression: q.Query})
	}
	return queries
}
