package prometheus_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/prometheus"
	"github.com/clusterswitch/clusterswitch/internal/promql"
)

func TestTemplatesAreNarrowedToAServiceOfACluster(t *testing.T) {
	for name, test := range map[string]struct {
		template string
		match    map[string]string
		want     prometheus.Queries
	}{
		"istio": {
			"istio",
			map[string]string{"destination_service_name": "shop", "cluster": "blue"},
			prometheus.Queries{
				Requests: `sum by (pod, instance) (istio_requests_total{cluster="blue",destination_service_name="shop",reporter="source",response_code!=""})`,
				Errors: `sum by (pod, instance) (istio_requests_total{cluster="blue",destination_service_name="shop",reporter="source",response_code=~"5.."} or ` +
					`istio_requests_total{cluster="blue",destination_service_name="shop",grpc_response_status=~"2|4|12|13|14|15",reporter="source",response_code!=""})`,
				Buckets: `sum by (pod, instance, le) (istio_request_duration_milliseconds_bucket{cluster="blue",destination_service_name="shop",reporter="source",response_code!=""})`,
			},
		},
		"istio at the other end": {
			"istio",
			map[string]string{"reporter": "destination"},
			prometheus.Queries{
				Requests: `sum by (pod, instance) (istio_requests_total{reporter="destination",response_code!=""})`,
				Errors: `sum by (pod, instance) (istio_requests_total{reporter="destination",response_code=~"5.."} or ` +
					`istio_requests_total{grpc_response_status=~"2|4|12|13|14|15",reporter="destination",response_code!=""})`,
				Buckets: `sum by (pod, instance, le) (istio_request_duration_milliseconds_bucket{reporter="destination",response_code!=""})`,
			},
		},
		"linkerd": {
			"linkerd",
			map[string]string{"namespace": "shop", "deployment": "web"},
			prometheus.Queries{
				Requests: `sum by (pod, instance) (response_total{classification!="",deployment="web",direction="inbound",namespace="shop"})`,
				Errors:   `sum by (pod, instance) (response_total{classification="failure",deployment="web",direction="inbound",namespace="shop"})`,
				Buckets:  `sum by (pod, instance, le) (response_latency_ms_bucket{deployment="web",direction="inbound",namespace="shop"})`,
			},
		},
		"ingress-nginx without labels": {
			"ingress-nginx", nil,
			prometheus.Queries{
				Requests: `sum by (controller_pod, instance) (nginx_ingress_controller_requests{status!=""})`,
				Errors:   `sum by (controller_pod, instance) (nginx_ingress_controller_requests{status=~"5.."})`,
				Buckets:  `sum by (controller_pod, instance, le) (nginx_ingress_controller_request_duration_seconds_bucket)`,
			},
		},
		"envoy-gateway": {
			"envoy-gateway",
			map[string]string{"envoy_cluster_name": "httproute/shop/shop/rule/0"},
			prometheus.Queries{
				Requests: `sum by (pod, instance) (envoy_cluster_upstream_rq_xx{envoy_cluster_name="httproute/shop/shop/rule/0",envoy_response_code_class!=""})`,
				Errors:   `sum by (pod, instance) (envoy_cluster_upstream_rq_xx{envoy_cluster_name="httproute/shop/shop/rule/0",envoy_response_code_class="5"})`,
				Buckets:  `sum by (pod, instance, le) (envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="httproute/shop/shop/rule/0"})`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.want.ErrorsMayBeAbsent = true
			got, err := prometheus.Template(test.template, test.match)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("queries (-want +got):\n%s", diff)
			}
			for _, expression := range []string{got.Requests, got.Errors, got.Buckets} {
				if err := promql.Counters(expression); err != nil {
					t.Errorf("%s: %v", expression, err)
				}
			}
		})
	}
}

func TestQueriesOfOnesOwnAreNarrowedToo(t *testing.T) {
	got, err := prometheus.Queries{Requests: "sum(a)", Errors: "sum(b)"}.Narrow(map[string]string{"cluster": "blue"})
	if want := (prometheus.Queries{Requests: `sum(a{cluster="blue"})`, Errors: `sum(b{cluster="blue"})`}); err != nil || got != want {
		t.Errorf("got %+v (%v), want %+v", got, err, want)
	}
	if _, err := (prometheus.Queries{Requests: "sum("}).Narrow(map[string]string{"cluster": "blue"}); err == nil || !strings.Contains(err.Error(), "narrowing sum(") {
		t.Errorf("got error %v for what is no expression", err)
	}
	if _, err := prometheus.Template("traefik", nil); err == nil || !strings.Contains(err.Error(), "there are envoy-gateway, ingress-nginx, istio, linkerd") {
		t.Errorf("got error %v for a template that isn't there", err)
	}
}
