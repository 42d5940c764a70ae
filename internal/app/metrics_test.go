package app

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/preflight/check"
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/internal/preflight/gather"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/prometheus"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// ruleCRD serves PrometheusRules of any shape.
func ruleCRD() *apiextensionsv1.CustomResourceDefinition {
	anything := true
	return &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "prometheusrules.monitoring.coreos.com"},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: "monitoring.coreos.com", Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "prometheusrules", Singular: "prometheusrule", Kind: "PrometheusRule", ListKind: "PrometheusRuleList"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object", XPreserveUnknownFields: &anything}},
			}},
		},
	}
}

// exporter exposes metrics, and gives its address.
func exporter(t *testing.T, metrics string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, metrics) }))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// scraping starts a real Prometheus, and waits until it has what is named.
func scraping(t *testing.T, o prometheus.Options, has ...string) string {
	t.Helper()
	var err error
	if o.Binary, err = prometheus.Build(t.Context(), "../.."); err != nil {
		t.Fatal(err)
	}
	o.Dir = t.TempDir()
	s, err := prometheus.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Await(t.Context(), has...); err != nil {
		t.Fatal(err)
	}
	return s.URL
}

// of is a Prometheus with one job and no rules.
func of(t *testing.T, job, metrics string) prometheus.Options {
	t.Helper()
	return prometheus.Options{Jobs: []prometheus.Job{{Name: job, Targets: []string{exporter(t, metrics)}}}}
}

// judged gathers the metrics in use and gives what the check says of them.
func judged(ctx context.Context, blue facts.Cluster, m config.PreflightMetrics) []string {
	p := config.Pair{Preflight: config.Preflight{Metrics: m}}
	f := facts.Facts{
		Scope: facts.Full, At: time.Now(), Blue: blue,
		Settings: facts.Settings{Metrics: metricSettings(m), Queries: namedQueries(p)},
	}
	gather.Metrics(ctx, &f, metricServers(m), time.Minute)
	var told []string
	findings, _ := check.Evaluate(&f)
	for _, x := range findings {
		if x.Severity != finding.Note && strings.Contains(x.ID, "Metric/") || strings.HasSuffix(x.ID, "/Prometheus") {
			told = append(told, string(x.Severity)+" "+x.ID)
		}
	}
	return told
}

const (
	blueMetrics = "shop_orders_total{code=\"500\"} 1\nshop_orders_total{code=\"200\"} 5\nshop_carts 2\nshop_stock 3\nshop_old 1\n"
	// green lacks shop_carts, and the orders that failed.
	greenMetrics = "shop_orders_total{code=\"200\"} 5\nshop_stock 3\n"
)

func TestRealPrometheusServersAreCompared(t *testing.T) {
	recording := of(t, "shop", blueMetrics)
	recording.Rules = "groups: [{name: a, rules: [{record: 'job:shop_stock:sum', expr: 'sum by (job) (shop_stock)'}]}]"
	blue := scraping(t, recording, "shop_stock", "job:shop_stock:sum")
	green := scraping(t, of(t, "shop-web", greenMetrics), "shop_stock")

	m := config.PreflightMetrics{
		Blue: &config.Prometheus{URL: blue}, Green: &config.Prometheus{URL: green}, Window: time.Hour,
		Queries: []config.MetricQuery{
			{Name: "errors", Query: `sum(rate(shop_orders_total{code="500"}[5m])) / sum(rate(shop_orders_total[5m]))`},
			{Name: "carts", Query: `shop_carts`},
			{Name: "stock", Query: `job:shop_stock:sum or vector(0)`},
			{Name: "job", Query: `up{job="shop"}`},
		},
	}
	want := []string{
		"warn MetricMissing/Metric/job:shop_stock:sum",
		"block MetricMissing/Metric/shop_carts",
		`warn SeriesMissing/Metric/shop_orders_total/{code="500"}`,
		`block SeriesMissing/Metric/up/{job="shop"}`,
	}
	if diff := cmp.Diff(want, judged(t.Context(), facts.Cluster{Side: shift.Blue}, m)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	m.Green = &config.Prometheus{URL: green + "/nowhere"}
	if diff := cmp.Diff([]string{"block NotChecked/Cluster/green/Prometheus"}, judged(t.Context(), facts.Cluster{Side: shift.Blue}, m)); diff != "" {
		t.Errorf("with a wrong address (-want +got):\n%s", diff)
	}
}

func TestOneRealPrometheusHasBothClusters(t *testing.T) {
	cluster := func(name string) map[string]string { return map[string]string{"cluster": name} }
	url := scraping(t, prometheus.Options{Jobs: []prometheus.Job{
		{Name: "blue", Targets: []string{exporter(t, blueMetrics)}, Labels: cluster("shop-blue")},
		{Name: "green", Targets: []string{exporter(t, greenMetrics)}, Labels: cluster("shop-green")},
	}}, `shop_stock{cluster="shop-blue"}`, `shop_stock{cluster="shop-green"}`)
	side := func(name string) *config.Prometheus { return &config.Prometheus{URL: url, Match: cluster(name)} }
	m := config.PreflightMetrics{
		Blue: side("shop-blue"), Green: side("shop-green"), Window: time.Hour,
		Queries: []config.MetricQuery{{Name: "all", Query: `shop_carts + shop_stock{cluster="shop-blue"} + shop_orders_total`}},
	}
	if diff := cmp.Diff([]string{"block MetricMissing/Metric/shop_carts"}, judged(t.Context(), facts.Cluster{}, m)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	m.Green.Match = cluster("shop-gren")
	want := []string{"block MetricMissing/Metric/shop_carts", "block MetricMissing/Metric/shop_orders_total", "block MetricMissing/Metric/shop_stock"}
	if diff := cmp.Diff(want, judged(t.Context(), facts.Cluster{}, m)); diff != "" {
		t.Errorf("with a match of nothing (-want +got):\n%s", diff)
	}
}

func TestRulesAndDashboardsOfARealClusterAreHeldAgainstRealServers(t *testing.T) {
	cp := plane.Start(t)
	namespace := cptest.Namespace(t, cp)
	rules, err := dynamic.NewForConfig(cp.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	rule := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": map[string]any{"name": "shop"},
		"spec": map[string]any{"groups": []any{map[string]any{"name": "shop", "rules": []any{
			map[string]any{"alert": "NoCarts", "expr": "shop_carts == 0 or absent(shop_carts)"},
			map[string]any{"alert": "NoStock", "expr": "shop_stock == 0"},
		}}}},
	}}
	at := schema.GroupVersionResource{Group: "monitoring.coreos.com", Version: "v1", Resource: "prometheusrules"}
	if _, err := rules.Resource(at).Namespace(namespace).Create(t.Context(), rule, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	dashboard := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "shop", Labels: map[string]string{"grafana_dashboard": "1"}},
		Data:       map[string]string{"shop.json": `{"title":"Shop","panels":[{"targets":[{"expr":"rate(shop_old{job=\"$job\"}[$__rate_interval])"}]}]}`},
	}
	if _, err := cptest.Client(t, cp).CoreV1().ConfigMaps(namespace).Create(t.Context(), dashboard, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	blue := scraping(t, of(t, "shop", blueMetrics), "shop_stock")
	green := scraping(t, of(t, "shop", greenMetrics), "shop_stock")

	m := config.PreflightMetrics{
		Blue: &config.Prometheus{URL: blue}, Green: &config.Prometheus{URL: green}, Window: time.Hour,
		Dashboards: config.PreflightDashboards{Label: "grafana_dashboard"},
	}
	cluster := gather.Cluster(t.Context(), shift.Blue, gather.Source{Name: "blue", Config: cp.RESTConfig()},
		gather.Options{Scope: facts.Full, Settings: facts.Settings{Metrics: metricSettings(m)}, Timeout: time.Minute})
	if diff := cmp.Diff([]string{"warn MetricMissing/Metric/shop_carts", "warn MetricMissing/Metric/shop_old"}, judged(t.Context(), cluster, m)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAClientThatCannotBeMadeIsSaidInItsPlace(t *testing.T) {
	s := metricServers(config.PreflightMetrics{Blue: &config.Prometheus{URL: "https://a.test", CAFile: "/nowhere/ca.pem"}})
	if s.Blue.API != nil || !strings.Contains(s.Blue.Fault, "reading the certificates for a.test") || s.Green.Fault == "" {
		t.Errorf("got %+v", s)
	}
}
