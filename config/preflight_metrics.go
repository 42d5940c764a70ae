package config

import "time"

// PreflightMetrics says how the metrics that are in use are compared: those of PrometheusRules and Grafana dashboards in blue,
// and those of the queries below. Without blue and green nothing is compared, and the report says so.
type PreflightMetrics struct {
	// Blue is the Prometheus that has blue's series.
	Blue *Prometheus `yaml:"blue"`

	// Green is the Prometheus that has green's series. It may be blue's own where match tells the clusters apart.
	Green *Prometheus `yaml:"green"`

	// Window is how far back a series counts as being there.
	Window time.Duration `yaml:"window" default:"1h" range:"1m..168h"`

	// Dashboards says which ConfigMaps hold Grafana dashboards.
	Dashboards PreflightDashboards `yaml:"dashboards"`

	// Queries are PromQL expressions that must work on green as on blue: a metric of theirs that green lacks blocks. What
	// rules and dashboards alone use only warns. The queries of gates on Prometheus count as named here.
	Queries []MetricQuery `yaml:"queries"`
}

// PreflightDashboards says which ConfigMaps of blue hold Grafana dashboards, in keys that end in .json.
type PreflightDashboards struct {
	// Label is the label that marks them. Empty looks at none.
	Label string `yaml:"label" default:"grafana_dashboard"`

	// Value is the label's value. Empty takes any.
	Value string `yaml:"value"`
}

// MetricQuery is a PromQL expression that matters.
type MetricQuery struct {
	// Name tells the query apart in the report. It is a DNS label.
	Name string `yaml:"name" required:"true"`

	// Query is the expression.
	Query string `yaml:"query" required:"true"`
}
