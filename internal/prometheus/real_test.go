package prometheus_test

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/prometheus"
	sandbox "github.com/clusterswitch/clusterswitch/internal/sandbox/prometheus"
)

// scrapes is how many scrapes of an exporter add something: the last of them is
// the state for good.
const scrapes = 10

// exporter shows a page that depends on how often it was asked since it was told
// to begin; an empty page is a failure.
type exporter struct {
	pod  string
	page func(n int) string

	mu    sync.Mutex
	begun bool // guarded by mu
	n     int  // guarded by mu
}

func (e *exporter) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.begun {
		e.n = min(e.n+1, scrapes)
	}
	page := e.page(e.n)
	if page == "" {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	fmt.Fprint(w, page)
}

func (e *exporter) begin() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.begun = true
}

// shop is the page of a service of one's own with a histogram: of ten requests one
// fails and three are slower than 300 ms.
func shop(metric string, tens int) string {
	return fmt.Sprintf(`%[1]s{code="200"} %[2]d
%[1]s{code="503"} %[3]d
%[1]s_seconds_bucket{le="0.3"} %[4]d
%[1]s_seconds_bucket{le="1"} %[2]d
%[1]s_seconds_bucket{le="+Inf"} %[5]d
`, metric, 9*tens, tens, 7*tens, 10*tens)
}

// meshes are pages of the meshes that there are templates for: of ten requests
// three are slower than 100 ms, and two fail; where it is told, one of them by gRPC.
// Beside it another service fails always.
func meshes() map[string]func(tens int) string {
	return map[string]func(int) string{
		"istio": func(tens int) string {
			const shop = `reporter="source",destination_service_name="shop"`
			return fmt.Sprintf(`istio_requests_total{%[1]s,response_code="200",grpc_response_status=""} %[2]d
istio_requests_total{%[1]s,response_code="200",grpc_response_status="0"} %[3]d
istio_requests_total{%[1]s,response_code="200",grpc_response_status="14"} %[3]d
istio_requests_total{%[1]s,response_code="503",grpc_response_status="14"} %[3]d
istio_requests_total{reporter="destination",destination_service_name="shop",response_code="500"} %[2]d
istio_requests_total{reporter="source",destination_service_name="other",response_code="500"} %[2]d
istio_request_duration_milliseconds_bucket{%[1]s,response_code="200",le="100"} %[2]d
istio_request_duration_milliseconds_bucket{%[1]s,response_code="200",le="+Inf"} %[4]d
`, shop, 7*tens, tens, 10*tens)
		},
		"linkerd": func(tens int) string {
			const shop = `direction="inbound",namespace="shop",deployment="web"`
			return fmt.Sprintf(`response_total{%[1]s,classification="success",status_code="200"} %[2]d
response_total{%[1]s,classification="failure",status_code="500"} %[3]d
response_total{%[1]s,classification="failure",status_code="200",grpc_status_code="14"} %[3]d
response_total{direction="outbound",namespace="shop",deployment="web",classification="failure"} %[2]d
response_latency_ms_bucket{%[1]s,status_code="200",le="100"} %[4]d
response_latency_ms_bucket{%[1]s,status_code="200",le="+Inf"} %[5]d
`, shop, 8*tens, tens, 7*tens, 10*tens)
		},
		"ingress-nginx": func(tens int) string {
			const shop = `controller_pod="ingress-nginx-a",exported_namespace="shop",ingress="shop"`
			return fmt.Sprintf(`nginx_ingress_controller_requests{%[1]s,status="200",method="GET"} %[2]d
nginx_ingress_controller_requests{%[1]s,status="404",method="GET"} %[3]d
nginx_ingress_controller_requests{%[1]s,status="502",method="GET"} %[3]d
nginx_ingress_controller_requests{%[1]s,status="5xx",method="GET"} %[3]d
nginx_ingress_controller_requests{exported_namespace="shop",ingress="other",status="500"} %[2]d
nginx_ingress_controller_request_duration_seconds_bucket{%[1]s,status="200",le="0.1"} %[2]d
nginx_ingress_controller_request_duration_seconds_bucket{%[1]s,status="200",le="+Inf"} %[4]d
`, shop, 7*tens, tens, 10*tens)
		},
		"envoy-gateway": func(tens int) string {
			const shop = `envoy_cluster_name="httproute/shop/shop/rule/0"`
			return fmt.Sprintf(`envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",%[1]s} %[2]d
envoy_cluster_upstream_rq_xx{envoy_response_code_class="4",%[1]s} %[3]d
envoy_cluster_upstream_rq_xx{envoy_response_code_class="5",%[1]s} %[4]d
envoy_cluster_upstream_rq_xx{envoy_response_code_class="5",envoy_cluster_name="httproute/shop/other/rule/0"} %[2]d
envoy_cluster_upstream_rq_time_bucket{%[1]s,le="100"} %[2]d
envoy_cluster_upstream_rq_time_bucket{%[1]s,le="+Inf"} %[5]d
`, shop, 7*tens, tens, 2*tens, 10*tens)
		},
	}
}

// services are the exporters of this test, by job: what each does at which scrape.
func services() map[string][]*exporter {
	grows := func(n int) string { return shop("shop_requests", 100+n) }
	all := map[string][]*exporter{
		// All of it is in sight.
		"steady": {{page: grows}},
		// One of three rests, restarts and begins at nothing; one can't be asked for a while.
		"churn": {
			{pod: "a", page: grows},
			{pod: "b", page: func(n int) string {
				if n < 7 {
					return shop("shop_requests", 100+min(n, 3))
				}
				return shop("shop_requests", n-6)
			}},
			{pod: "c", page: func(n int) string {
				if n >= 4 && n < 7 {
					return ""
				}
				return grows(n)
			}},
		},
		// The only one can't be asked for a while.
		"gap": {{page: func(n int) string {
			if n >= 4 && n < 7 {
				return ""
			}
			return grows(n)
		}}},
		// The only one rests and restarts.
		"reset": {{page: func(n int) string {
			if n < 7 {
				return shop("shop_requests", 100+min(n, 3))
			}
			return shop("shop_requests", n-6)
		}}},
		"renamed": {{page: func(n int) string {
			if n >= 6 {
				return shop("store_requests", 100+n)
			}
			return grows(n)
		}}},
		// No error was counted before the sixth scrape.
		"first-errors": {{page: func(n int) string {
			page := fmt.Sprintf("shop_requests{code=\"200\"} %d\n", 1000+10*n)
			if n >= 6 {
				page += fmt.Sprintf("shop_requests{code=\"503\"} %d\n", n-5)
			}
			return page
		}}},
	}
	for name, page := range meshes() {
		all[name] = []*exporter{{pod: "a", page: func(n int) string { return page(100 + n) }}}
	}
	return all
}

// scraped runs a real Prometheus until each exporter has shown its last state, and
// gives a client and the whole seconds between which all of it happened.
func scraped(t *testing.T, all map[string][]*exporter) (c *prometheus.Client, from, to time.Time) {
	t.Helper()
	binary, err := sandbox.Build(t.Context(), "../..")
	if err != nil {
		t.Fatal(err)
	}
	o := sandbox.Options{Binary: binary, Dir: t.TempDir(), Interval: 400 * time.Millisecond}
	there := []string{}
	for job, exporters := range all {
		for i, e := range exporters {
			server := httptest.NewServer(e)
			t.Cleanup(server.Close)
			name := fmt.Sprintf("%s-%d", job, i)
			o.Jobs = append(o.Jobs, sandbox.Job{
				Name: name, Targets: []string{server.Listener.Addr().String()}, Labels: map[string]string{"service": job, "pod": e.pod},
			})
			there = append(there, fmt.Sprintf("up{job=%q} == 1", name))
		}
	}
	s, err := sandbox.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	await := func(expressions ...string) {
		t.Helper()
		if err := s.Await(t.Context(), expressions...); err != nil {
			t.Fatal(err)
		}
	}
	passed := func() time.Time { // the next whole second has
		at := time.Now().Truncate(time.Second).Add(time.Second)
		await(fmt.Sprintf("vector(time()) > %d", at.Unix()))
		return at
	}
	await(there...)
	from = passed()
	for _, exporters := range all {
		for _, e := range exporters {
			e.begin()
		}
	}
	for _, exporters := range all {
		for _, e := range exporters {
			for {
				e.mu.Lock()
				over := e.n == scrapes
				e.mu.Unlock()
				if over {
					break
				}
				passed()
			}
		}
	}
	passed() // what was shown last is stored
	c, err = prometheus.New(prometheus.Options{URL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	return c, from, passed()
}

// total adds up what could be counted, and tells the faults.
func total(counted []prometheus.Counted) (sum prometheus.Count, faults []string) {
	for _, one := range counted {
		sum.Requests += one.Count.Requests
		sum.Errors += one.Count.Errors
		for i, slow := range one.Count.Slow {
			if sum.Slow == nil {
				sum.Slow = make([]float64, len(one.Count.Slow))
			}
			sum.Slow[i] += slow
		}
		if one.Fault != "" {
			faults = append(faults, one.Fault)
		}
	}
	return sum, faults
}

func TestARealPrometheusIsCountedExactly(t *testing.T) {
	t.Parallel()
	c, from, to := scraped(t, services())
	count := func(t *testing.T, q prometheus.Queries, edges ...time.Duration) (prometheus.Count, []string) {
		t.Helper()
		counted, err := c.Counters(t.Context(), prometheus.CounterQuery{
			Requests: q.Requests, Errors: q.Errors, Buckets: q.Buckets, ErrorsMayBeAbsent: q.ErrorsMayBeAbsent,
			Edges: edges, From: from, To: to, Interval: 500 * time.Millisecond,
		})
		if err != nil {
			t.Fatal(err)
		}
		return total(counted)
	}
	own := func(t *testing.T, service string) prometheus.Queries {
		t.Helper()
		q, err := prometheus.Queries{
			Requests: `sum by (pod) (shop_requests)`, Errors: `sum by (pod) (shop_requests{code=~"5.."})`,
			Buckets: `sum by (pod, le) (shop_requests_seconds_bucket)`,
		}.Narrow(map[string]string{"service": service})
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	slow := 300 * time.Millisecond
	for service, want := range map[string]prometheus.Count{
		"steady": {Requests: 10 * scrapes, Errors: scrapes, Slow: []float64{3 * scrapes}},
		"churn":  {Requests: 10 * (2*scrapes + 3 + scrapes - 6), Errors: 2*scrapes + 3 + scrapes - 6, Slow: []float64{3 * (2*scrapes + 3 + scrapes - 6)}},
	} {
		t.Run(service, func(t *testing.T) {
			got, faults := count(t, own(t, service), slow)
			if diff := cmp.Diff(want, got); diff != "" || faults != nil {
				t.Errorf("counted with faults %q (-want +got):\n%s", faults, diff)
			}
		})
	}
	for service, want := range map[string]string{
		"gap": "a gap: there are no samples", "renamed": "a gap: there are no samples", "reset": "1 of 1 sources were set back",
	} {
		t.Run(service, func(t *testing.T) {
			got, faults := count(t, own(t, service), slow)
			if len(faults) == 0 || !strings.Contains(strings.Join(faults, "; "), want) {
				t.Errorf("the faults are %q, want %q", faults, want)
			}
			if got.Requests == 0 || got.Requests >= 10*scrapes || got.Errors != got.Requests/10 || got.Slow[0] != 3*got.Errors {
				t.Errorf("counted %+v, want only a part of it, and as many of each", got)
			}
		})
	}
	t.Run("first errors", func(t *testing.T) {
		q := own(t, "first-errors")
		q.Buckets = ""
		got, faults := count(t, q)
		if want := (prometheus.Count{Requests: 10*scrapes + scrapes - 5, Errors: scrapes - 5}); !cmp.Equal(want, got) || faults != nil {
			t.Errorf("counted %+v with faults %q, want %+v", got, faults, want)
		}
	})
	t.Run("errors that never were", func(t *testing.T) {
		q := own(t, "steady")
		q.Errors = "no_errors_total # of any kind"
		if _, faults := count(t, q); len(faults) == 0 || !strings.Contains(faults[0], "errors has no series, and had none within a day") {
			t.Errorf("the faults are %q", faults)
		}
	})
	t.Run("a histogram", func(t *testing.T) {
		upper, within, all, err := c.Histogram(t.Context(), own(t, "steady").Buckets, to.Sub(from), to)
		if err != nil {
			t.Fatal(err)
		}
		if !cmp.Equal(upper, []time.Duration{slow, time.Second}) || len(within) != 2 || all < 5*scrapes || all > 20*scrapes ||
			math.Abs(within[0]/all-0.7) > 0.001 || math.Abs(within[1]/all-0.9) > 0.001 {
			t.Errorf("got %v, %v of %v", upper, within, all)
		}
	})
	templates(t, c, to.Sub(from), to, count)
}

// templates tries each template at what its mesh shows.
func templates(t *testing.T, c *prometheus.Client, over time.Duration, at time.Time, count func(*testing.T, prometheus.Queries, ...time.Duration) (prometheus.Count, []string)) {
	t.Helper()
	for name, match := range map[string]map[string]string{
		"istio":         {"destination_service_name": "shop"},
		"linkerd":       {"namespace": "shop", "deployment": "web"},
		"ingress-nginx": {"exported_namespace": "shop", "ingress": "shop"},
		"envoy-gateway": {"envoy_cluster_name": "httproute/shop/shop/rule/0"},
	} {
		t.Run(name, func(t *testing.T) {
			q, err := prometheus.Template(name, match)
			if err != nil {
				t.Fatal(err)
			}
			got, faults := count(t, q, 100*time.Millisecond)
			want := prometheus.Count{Requests: 10 * scrapes, Errors: 2 * scrapes, Slow: []float64{3 * scrapes}}
			if diff := cmp.Diff(want, got); diff != "" || faults != nil {
				t.Errorf("counted with faults %q (-want +got):\n%s", faults, diff)
			}
			upper, _, all, err := c.Histogram(t.Context(), q.Buckets, over, at)
			if err != nil || all == 0 || !cmp.Equal(upper, []time.Duration{100 * time.Millisecond}) {
				t.Errorf("the histogram has the bounds %v and %v answers (%v)", upper, all, err)
			}
			match["service"] = "another"
			if q, err = prometheus.Template(name, match); err != nil {
				t.Fatal(err)
			}
			if got, faults := count(t, q); got.Requests != 0 || len(faults) == 0 || !strings.Contains(faults[0], "requests has no series") {
				t.Errorf("of what isn't there it counted %+v with faults %q", got, faults)
			}
		})
	}
}
