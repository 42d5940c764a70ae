package prometheus

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/promql"
)

// Queries are what to count by.
type Queries struct {
	Requests, Errors, Buckets string
	// ErrorsMayBeAbsent as in CounterQuery.
	ErrorsMayBeAbsent bool
}

// template are queries for what everybody's installation of something counts.
// Requests and errors are of one metric, and requests have the label that tells
// errors apart: under another name of either there are no requests, rather than no
// errors. So errors may be absent.
type template struct {
	requests, errors, buckets string
	// usual are labels that every series has, unless it is asked for others.
	usual map[string]string
}

// grpcFailures are the states of gRPC that are the server's fault: unknown,
// deadline exceeded, unimplemented, internal, unavailable, data loss.
// https://opentelemetry.io/docs/specs/semconv/rpc/grpc/
const grpcFailures = "2|4|12|13|14|15"

// templates has them by name. docs/gates-sources.md says what each counts.
func templates() map[string]template {
	return map[string]template{
		// https://istio.io/latest/docs/reference/config/metrics/
		"istio": {
			requests: `sum by (pod, instance) (istio_requests_total{response_code!=""})`,
			errors: `sum by (pod, instance) (istio_requests_total{response_code=~"5.."}` +
				` or istio_requests_total{response_code!="",grpc_response_status=~"` + grpcFailures + `"})`,
			buckets: `sum by (pod, instance, le) (istio_request_duration_milliseconds_bucket{response_code!=""})`,
			usual:   map[string]string{"reporter": "source"},
		},
		// https://linkerd.io/2/reference/proxy-metrics/
		"linkerd": {
			requests: `sum by (pod, instance) (response_total{classification!=""})`,
			errors:   `sum by (pod, instance) (response_total{classification="failure"})`,
			buckets:  `sum by (pod, instance, le) (response_latency_ms_bucket)`,
			usual:    map[string]string{"direction": "inbound"},
		},
		// https://kubernetes.github.io/ingress-nginx/user-guide/monitoring/
		"ingress-nginx": {
			requests: `sum by (controller_pod, instance) (nginx_ingress_controller_requests{status!=""})`,
			errors:   `sum by (controller_pod, instance) (nginx_ingress_controller_requests{status=~"5.."})`,
			buckets:  `sum by (controller_pod, instance, le) (nginx_ingress_controller_request_duration_seconds_bucket)`,
		},
		// https://www.envoyproxy.io/docs/envoy/latest/configuration/upstream/cluster_manager/cluster_stats
		"envoy-gateway": {
			requests: `sum by (pod, instance) (envoy_cluster_upstream_rq_xx{envoy_response_code_class!=""})`,
			errors:   `sum by (pod, instance) (envoy_cluster_upstream_rq_xx{envoy_response_code_class="5"})`,
			buckets:  `sum by (pod, instance, le) (envoy_cluster_upstream_rq_time_bucket)`,
		},
	}
}

// Template gives the queries of a template: istio, linkerd, ingress-nginx or
// envoy-gateway. match are labels that every series must have: those that choose a
// service, and those that tell a server's clusters apart. Where match has reporter
// or direction, it is taken instead of the usual one.
func Template(name string, match map[string]string) (Queries, error) {
	t, known := templates()[name]
	if !known {
		return Queries{}, fmt.Errorf("there is no template %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(templates())), ", "))
	}
	labels := map[string]string{}
	maps.Copy(labels, t.usual)
	maps.Copy(labels, match)
	q := Queries{Requests: t.requests, Errors: t.errors, Buckets: t.buckets, ErrorsMayBeAbsent: true}
	return q.Narrow(labels)
}

// Narrow gives the queries with labels that every series of them must have.
func (q Queries) Narrow(match map[string]string) (Queries, error) {
	var labels []promql.Label
	for _, name := range slices.Sorted(maps.Keys(match)) {
		labels = append(labels, promql.Label{Name: name, Value: match[name]})
	}
	for _, expression := range []*string{&q.Requests, &q.Errors, &q.Buckets} {
		if *expression == "" {
			continue
		}
		narrowed, err := promql.Narrow(*expression, labels...)
		if err != nil {
			return Queries{}, fmt.Errorf("narrowing %s: %w", brief(*expression), err)
		}
		*expression = narrowed
	}
	return q, nil
}
