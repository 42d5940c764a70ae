package planted

import (
	"context"
	"fmt"
)

// metricRows make somebody use what only blue's Prometheus has.
func metricRows() []row {
	const check = "metrics"
	rule := func(name, rule string) string {
		return fmt.Sprintf(`
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: %s, namespace: monitoring}
spec: {groups: [{name: %s, rules: [%s]}]}
`, name, name, rule)
	}
	query := func(what, want, query string) row {
		return row{name: what, check: check, want: want, plant: func(_ context.Context, s *stage) error {
			s.settings.Queries = append(s.settings.Queries, query)
			return nil
		}}
	}
	return []row{
		created("an alert whose metric green lacks", check, "MetricMissing/Metric/shop_payments_total", "",
			rule("payments", `{alert: NoPayments, expr: "rate(shop_payments_total[5m]) == 0"}`)),
		created("a recording rule whose metric green lacks", check, "MetricMissing/Metric/shop_stock_level", "",
			rule("stock", `{record: "shop:stock:min", expr: "min(shop_stock_level)"}`)),
		created("a dashboard whose metric green lacks", check, "MetricMissing/Metric/shop_search_seconds_bucket", "", `
apiVersion: v1
kind: ConfigMap
metadata: {name: dashboard-search, namespace: monitoring, labels: {grafana_dashboard: "1"}}
data:
  search.json: |
    {"title": "Search", "panels": [{"id": 1, "type": "timeseries", "title": "Latency",
      "targets": [{"refId": "A", "expr": "histogram_quantile(0.9, sum by (le) (rate(shop_search_seconds_bucket[5m])))"}]}]}
`),
		query("a query whose metric green lacks", "MetricMissing/Metric/shop_refunds_total", "sum(rate(shop_refunds_total[5m]))"),
		query("a query for labels that green's series lack", `SeriesMissing/Metric/shop_requests_total/{app="checkout"}`, `sum(rate(shop_requests_total{app="checkout"}[5m]))`),
		query("a query for a metric that nobody has", "MetricNowhere/Metric/shop_requets_total", "shop_requets_total"),
		created("a rule that is not PromQL", check, "QueryUnreadable/PrometheusRule.monitoring.coreos.com/monitoring/typo", "",
			rule("typo", `{alert: Typo, expr: "sum(rate(shop_orders_total[5m])"}`)),
		alone(row{
			name: "green's Prometheus doesn't answer", check: check, want: "NotChecked/Cluster/green/Prometheus",
			plant: func(_ context.Context, s *stage) error {
				s.settings.GreenPrometheus = "http://127.0.0.1:9"
				return nil
			},
		}),
	}
}
