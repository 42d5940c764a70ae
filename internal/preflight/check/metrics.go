package check

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The codes of the metrics in use.
const (
	MetricMissing       finding.Code = "MetricMissing"
	SeriesMissing       finding.Code = "SeriesMissing"
	MetricNowhere       finding.Code = "MetricNowhere"
	QueryUnreadable     finding.Code = "QueryUnreadable"
	DashboardUnreadable finding.Code = "DashboardUnreadable"
	QueriesLeftOut      finding.Code = "QueriesLeftOut"
	PrometheusUnnamed   finding.Code = "PrometheusUnnamed"
)

func metricsCheck() Check {
	return Check{
		Name: "metrics", Answers: "Does green have the metrics that are in use?", Run: metrics,
		Codes: []finding.Doc{
			{
				Code:    MetricMissing,
				Meaning: "A metric in use has series in blue's Prometheus and none in green's. It blocks where a configured query can't do without it; for rules and dashboards it warns, because a counter appears only with its first event.",
				Do:      "Let green's Prometheus scrape what exposes it, or evaluate the rule that records it.",
			},
			{
				Code:    SeriesMissing,
				Meaning: "Green has the metric, but no series with the labels that an expression asks for, and blue has. It blocks where a configured query asks for labels of the target alone, such as job; otherwise it warns.",
				Do:      "Give green's series the same labels, or change the expression for both clusters.",
			},
			{
				Code:    MetricNowhere,
				Meaning: "A metric in use has series in neither Prometheus. It warns for a configured query; the others are named together in a note.",
				Do:      "Correct the name, or remove what uses it.",
			},
			{
				Code:    QueryUnreadable,
				Meaning: "An expression is not PromQL, so that it is not known which metrics it uses. Where variables of Grafana were replaced in it, it is a note.",
				Do:      "Correct the expression.",
			},
			{Code: DashboardUnreadable, Meaning: "A ConfigMap that is marked as a Grafana dashboard holds none.", Do: "Correct the dashboard, or remove the ConfigMap's label."},
			{Code: QueriesLeftOut, Meaning: "Some of what uses metrics can't be checked by a name, or was not.", Do: "Nothing, or name what matters in preflight.metrics.queries."},
			{Code: PrometheusUnnamed, Meaning: "No Prometheus is configured, so that no metric was compared.", Do: "Name blue's and green's Prometheus in preflight.metrics."},
		},
	}
}

// metrics compares which of the metrics in use have series in both clusters.
func metrics(f *facts.Facts) []finding.Finding {
	if !f.Settings.Metrics.On {
		x := finding.New(PrometheusUnnamed, finding.Note, finding.Object{Kind: "Prometheus"}, "")
		x.Message = "the metrics in use were not checked, because no Prometheus is configured"
		x.Do = "Name blue's and green's Prometheus in preflight.metrics."
		return []finding.Finding{x}
	}
	all := append(slices.Clone(f.Settings.Queries), f.Blue.Queries...)
	found := append(unreadable(all), leftOut(f, all)...)
	if f.Metrics.Blue.Metrics == nil || f.Metrics.Green.Metrics == nil {
		return found // the gap says so
	}
	found = append(found, missingMetrics(f, all)...)
	return append(found, missingSeries(f, all)...)
}

// reliance is those who rely on one thing.
type reliance struct {
	// needed: a configured query can't do without it.
	needed bool
	who    map[string]facts.Use
}

func (u *reliance) add(q facts.Query, s facts.Selector) {
	if u.who == nil {
		u.who = map[string]facts.Use{}
	}
	u.who[userOf(q)] = q.Use
	u.needed = u.needed || q.Use == facts.UseQuery && !s.Fallible
}

// userOf names who relies on a metric.
func userOf(q facts.Query) string {
	switch q.Use {
	case facts.UseQuery:
		return "the query " + q.Name
	case facts.UseAlert:
		return fmt.Sprintf("the alert %s (%s)", q.Name, finding.Of(q.Object.GroupKind, q.Object.Name))
	case facts.UseRecord:
		return fmt.Sprintf("the rule that records %s (%s)", q.Name, finding.Of(q.Object.GroupKind, q.Object.Name))
	default:
		return fmt.Sprintf("the dashboard %q (%s)", q.Name, finding.Of(q.Object.GroupKind, q.Object.Name))
	}
}

// String names them, the most important first, and counts the rest.
func (u *reliance) String() string {
	rank := []facts.Use{facts.UseQuery, facts.UseAlert, facts.UseRecord, facts.UseDashboard}
	return firstOf(slices.SortedFunc(maps.Keys(u.who), func(a, b string) int {
		return cmp.Or(cmp.Compare(slices.Index(rank, u.who[a]), slices.Index(rank, u.who[b])), cmp.Compare(a, b))
	}), 5)
}

// firstOf joins the first words of a list and counts the others.
func firstOf(list []string, most int) string {
	if len(list) > most {
		return fmt.Sprintf("%s, and %d more", strings.Join(list[:most], ", "), len(list)-most)
	}
	return strings.Join(list, ", ")
}

// missingMetrics finds the metrics that blue has and green has not, and those
// that nobody has.
func missingMetrics(f *facts.Facts, all []facts.Query) []finding.Finding {
	uses := map[string]*reliance{}
	recorded := map[string]string{}
	for _, q := range all {
		if q.Use == facts.UseRecord {
			recorded[q.Name] = finding.Of(q.Object.GroupKind, q.Object.Name).String()
		}
		for _, s := range q.Selectors {
			if uses[s.Metric] == nil {
				uses[s.Metric] = &reliance{}
			}
			uses[s.Metric].add(q, s)
		}
	}
	var found []finding.Finding
	var dead []string
	for _, metric := range slices.Sorted(maps.Keys(uses)) {
		_, blue := f.Metrics.Blue.Metrics[metric]
		_, green := f.Metrics.Green.Metrics[metric]
		switch {
		case green:
		case blue:
			found = append(found, missingMetric(metric, uses[metric], recorded[metric]))
		case uses[metric].needed:
			found = append(found, deadQuery(metric, uses[metric]))
		default:
			dead = append(dead, metric)
		}
	}
	if len(dead) > 0 {
		x := finding.New(MetricNowhere, finding.Note, finding.Object{Kind: "Metric"}, "")
		x.Message = fmt.Sprintf("rules, dashboards or queries use metrics that have series in neither Prometheus: %s", firstOf(dead, 12))
		x.Do = "Remove what uses them, or leave them: they are the same in both clusters."
		found = append(found, x)
	}
	return found
}

func missingMetric(metric string, u *reliance, recordedBy string) finding.Finding {
	severity := finding.Warn
	if u.needed {
		severity = finding.Block
	}
	x := finding.New(MetricMissing, severity, finding.Object{Kind: "Metric", Name: metric}, "")
	x.Side = shift.Green
	x.Message = fmt.Sprintf("blue's Prometheus has series of %s and green's has none; used by %s", metric, u)
	x.Do = "Let green's Prometheus scrape what exposes it, as blue's does. A counter may appear only with its first event: send green such a request by hand, or waive this finding."
	if recordedBy != "" {
		x.Do = fmt.Sprintf("Let green's Prometheus evaluate the rule that records it, %s in blue, and have the metrics that the rule uses.", recordedBy)
	}
	return x
}

func deadQuery(metric string, u *reliance) finding.Finding {
	x := finding.New(MetricNowhere, finding.Warn, finding.Object{Kind: "Metric", Name: metric}, "")
	x.Message = fmt.Sprintf("%s has series in neither Prometheus; used by %s", metric, u)
	x.Do = "Correct the name of the metric in the query, or the labels below match."
	return x
}

// missingSeries finds the selectors with labels that choose series in blue and
// none in green, although green has the metric.
func missingSeries(f *facts.Facts, all []facts.Query) []finding.Finding {
	uses, chosen := map[string]*reliance{}, map[string]facts.Selector{}
	for _, q := range all {
		for _, s := range q.Selectors {
			key := s.String()
			if there, known := f.Metrics.Green.Selectors[key]; there || !known || !f.Metrics.Blue.Selectors[key] {
				continue
			}
			if uses[key] == nil {
				uses[key] = &reliance{}
			}
			uses[key].add(q, s)
			chosen[key] = s
		}
	}
	var found []finding.Finding
	for _, key := range slices.Sorted(maps.Keys(uses)) {
		severity := finding.Warn
		if uses[key].needed && !slices.ContainsFunc(chosen[key].Equal, ofEvent) {
			severity = finding.Block
		}
		metric, labels := chosen[key].Metric, strings.TrimPrefix(key, chosen[key].Metric)
		x := finding.New(SeriesMissing, severity, finding.Object{Kind: "Metric", Name: metric}, labels)
		x.Side = shift.Green
		x.Message = fmt.Sprintf("blue's Prometheus has series of %s with %s and green's has none, although it has the metric; used by %s", metric, labels, uses[key])
		x.Do = "Give green's series the same labels as blue's, or write the expression so that it chooses both."
		found = append(found, x)
	}
	return found
}

// ofEvent tells of a label that a series doesn't have from the target it was
// scraped from. Its value may be one that only an event brings, such as a code of
// an error that green has not had yet.
func ofEvent(l facts.Label) bool {
	switch l.Name {
	case "job", "namespace", "service", "endpoint", "container", "app", "component", "metrics_path", "env", "environment", "region":
		return false
	}
	return true
}
