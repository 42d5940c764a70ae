package facts

import (
	"strconv"
	"strings"
	"time"
)

// MetricsSettings say which metrics are compared.
type MetricsSettings struct {
	// On: both clusters have a Prometheus that is asked. Otherwise nothing is
	// gathered.
	On bool
	// Window is how far back a series counts as being there.
	Window time.Duration
	// Dashboards says where Grafana dashboards are.
	Dashboards Dashboards
	// ClusterLabels are labels that tell the clusters apart, besides the usual ones.
	ClusterLabels []string
}

// Dashboards says which ConfigMaps hold Grafana dashboards.
type Dashboards struct {
	// Label marks them; empty: none is looked at. Value is its value; empty: any.
	Label string
	Value string
}

// Metrics is which metrics the Prometheus servers of both clusters have.
type Metrics struct {
	// Blue and Green are what the servers answered.
	Blue, Green Series
	// LeftOut are how many selectors were not looked up, because that would have
	// taken more requests than one preflight may send.
	LeftOut int
}

// Series is which of the metrics in use one server has series of, within the
// window. Its maps are nil where the server gave no whole answer.
type Series struct {
	// Metrics are the names of those that have series.
	Metrics map[string]struct{}
	// Selectors tells, by Selector.String, of those that were looked up whether they
	// choose series. One that is missing was not looked up.
	Selectors map[string]bool
}

// Use says who relies on an expression.
type Use string

// The uses, the most important first.
const (
	UseQuery     Use = "query"     // a person named it in the configuration
	UseAlert     Use = "alert"     // an alerting rule
	UseRecord    Use = "record"    // a recording rule
	UseDashboard Use = "dashboard" // a Grafana dashboard
)

// Query is one PromQL expression that somebody relies on; for a dashboard all
// its expressions together.
type Query struct {
	Use Use
	// Name is the query's, the alert's or the dashboard's, or the metric's that the
	// rule records.
	Name string
	// Object holds it; zero for a query of the configuration.
	Object Object
	// Expression is the text of a query of the configuration. Others are read once
	// and not kept.
	Expression string
	// Selectors are the series that it chooses. Those that choose no metric by its
	// name are left out; Open counts them.
	Selectors []Selector
	Open      int
	// Faults say which of its expressions can't be read.
	Faults []QueryFault
	// Broken says why nothing of a dashboard can be read; empty: it can.
	Broken string
	// Elsewhere counts a dashboard's panels that are kept in Grafana's own database.
	Elsewhere int
}

// QueryFault is an expression that can't be read.
type QueryFault struct {
	// Where is the place within the object: an alert, a panel. It may be empty.
	Where string
	// Why is the parser's sentence.
	Why string
	// Guessed says that variables were replaced in it, or that it may be of another
	// language, so that the fault may be ours.
	Guessed bool
}

// Selector is one choice of series.
type Selector struct {
	Metric string
	// Equal are the labels that must have one value, sorted. Labels that differ from
	// cluster to cluster are left out.
	Equal []Label
	// Fallible: the expression does without, as one side of an "or".
	Fallible bool
}

// Label is a label with its value.
type Label struct{ Name, Value string }

// String writes the selector as PromQL, for people and as a key.
func (s Selector) String() string {
	if len(s.Equal) == 0 {
		return s.Metric
	}
	parts := make([]string, len(s.Equal))
	for i, l := range s.Equal {
		parts[i] = l.Name + "=" + strconv.Quote(l.Value)
	}
	return s.Metric + "{" + strings.Join(parts, ",") + "}"
}
