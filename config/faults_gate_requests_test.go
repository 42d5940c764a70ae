package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/config"
)

// ownGates is all that the small document says of gates.
var ownGates = small[strings.Index(small, "    gates:"):]

// gate breaks the small document by another gate instead of its own.
func gate(text, path, message string) breach {
	return breach{ownGates, "    gates:\n      - name: users\n        " + text + "\n", "pairs[0].gates[0]." + path, message}
}

const (
	twoServers = "blue: {url: https://blue.example.com}, green: {url: https://green.example.com}"
	ownQueries = "requests: a_total, errors: \"b_total{code=~\\\"5..\\\"}\""
)

func TestFaultsOfRequestsGates(t *testing.T) {
	counted := func(more, path, message string) breach {
		return gate("requests: {prometheus: {"+twoServers+", "+more+"}} #!", "requests."+path, message)
	}
	breakEach(t, map[string]breach{
		"no source":   gate("requests: {} #!", "requests", "has no kind; give it one of prometheus or cloudwatch"),
		"two sources": gate("requests: {cloudwatch: {}, prometheus: {"+twoServers+", template: istio}} #!", "requests", "has 2 kinds; give it exactly one of prometheus or cloudwatch"),
		"one server for both sides": gate("requests: {prometheus: {blue: {url: https://a.example.com}, green: {url: https://a.example.com}, template: istio}} #!",
			"requests.prometheus.green", "is the same server as blue, and has no match"),
		"a server with a password": gate("requests: {prometheus: {blue: {url: \"https://a:b@a.example.com\"}, green: {url: https://b.example.com}, template: istio}} #!",
			"requests.prometheus.blue.url", "holds a user name or password"),
		"a template nobody wrote":          counted("template: traefik", "prometheus.template", "traefik is not known here; use istio, linkerd, ingress-nginx or envoy-gateway"),
		"a template beside a query":        counted("template: istio, errors: a_total", "prometheus.errors", "is given beside a template"),
		"a template with a doubt":          counted("template: istio, errorsMayBeAbsent: true", "prometheus.errorsMayBeAbsent", "is given beside a template"),
		"a service without a template":     counted(ownQueries+", select: {a: b}", "prometheus.select", "has no effect without a template"),
		"a service by no label":            counted("template: istio, select: {a-b: c}", "prometheus.select.a-b", "is not the name of a label"),
		"a service by its metric":          counted("template: istio, select: {__name__: c}", "prometheus.select.__name__", "selects a metric"),
		"a service of no name":             counted("template: istio, select: {app: \"\"}", "prometheus.select.app", "is empty"),
		"requests alone":                   counted("requests: a_total", "prometheus.errors", "is missing; set it to a query for counters, or name a template"),
		"errors alone":                     counted("errors: a_total", "prometheus.requests", "is missing; set it to a query for counters, or name a template"),
		"a query that is none":             counted("requests: \"sum(\", errors: b_total", "prometheus.requests", "is not PromQL: 1:5: parse error"),
		"a rate for a counter":             counted("requests: a_total, errors: \"sum(rate(b_total[1m]))\"", "prometheus.errors", "gives rate() and no counters; write the counters themselves"),
		"a rate for buckets":               counted(ownQueries+", buckets: \"sum by (le) (rate(c_bucket[1m]))\"", "prometheus.buckets", "gives rate() and no counters"),
		"counters of yesterday":            counted("requests: a_total offset 1d, errors: b_total", "prometheus.requests", "asks for another moment by offset or @"),
		"buckets that are one":             counted(ownQueries+", buckets: sum by (pod) (c_bucket)", "prometheus.buckets", "leaves out the label le"),
		"every request an error":           counted("requests: a_total, errors: a_total", "prometheus.errors", "is the query of all requests"),
		"edges without a histogram":        gate("requests: {latency: {edges: [1s]}, prometheus: {"+twoServers+", "+ownQueries+"}} #!", "requests.latency.edges", "have no effect without prometheus.buckets"),
		"edges without latency":            gate("requests: {latency: {off: true, edges: [1s]}, cloudwatch: {}} #!", "requests.latency.edges", "have no effect beside off"),
		"edges that fall":                  gate("requests: {latency: {edges: [1s, 500ms]}, cloudwatch: {}} #!", "requests.latency.edges[1]", "500ms is not more than the 1s before it"),
		"the same edge twice":              gate("requests: {latency: {edges: [1s, 1s]}, cloudwatch: {}} #!", "requests.latency.edges[1]", "1s is not more than the 1s before it"),
		"four edges":                       gate("requests: {latency: {edges: [1s, 2s, 3s, 4s]}, cloudwatch: {}} #!", "requests.latency.edges", "has 4 entries; use up to 3"),
		"an interval CloudWatch lacks":     gate("requests: {interval: 90s, cloudwatch: {}} #!", "requests.interval", "1m30s is not a period of CloudWatch"),
		"an interval that never settles":   gate("requests: {settle: 0s, cloudwatch: {}} #!", "requests.settle", "0s is out of range"),
		"an entrance of another pair":      gate("requests: {cloudwatch: {entrance: web}} #!", "requests.cloudwatch.entrance", "web is not an alb entrance of this pair; use alb-0"),
		"an entrance that counts nothing":  gate("requests: {cloudwatch: {entrance: route53-1}} #!", "requests.cloudwatch.entrance", "route53-1 is not an alb entrance of this pair; use alb-0"),
		"a role that is a name":            gate("requests: {cloudwatch: {roleARN: metrics}} #!", "requests.cloudwatch.roleARN", "is not the ARN of an IAM role"),
		"a region that is a zone":          gate("requests: {cloudwatch: {region: eu-west-1a}} #!", "requests.cloudwatch.region", "is not an AWS region"),
		"a limit of nothing":               gate("requests: {maxErrorRatio: 0, cloudwatch: {}} #!", "requests.maxErrorRatio", "0 is not a fraction; use a fraction from 0.00001 to 0.9"),
		"a false alarm at every shift":     gate("requests: {compare: {falseAlarms: 100%}, cloudwatch: {}} #!", "requests.compare.falseAlarms", "100% is not a fraction"),
		"a green that must be better":      gate("requests: {compare: {tolerate: 0.5}, cloudwatch: {}} #!", "requests.compare.tolerate", "0.5 is out of range"),
		"a service by a label of its side": gate("requests: {prometheus: {blue: {url: https://a.example.com, match: {cluster: a}}, green: {url: https://a.example.com, match: {cluster: b}}, template: istio, select: {cluster: a}}} #!", "requests.prometheus.select.cluster", "is a label of match too"),
		"more gates than the journal holds": {
			ownGates, "    gates:\n" + requestGates(8) + "      - {name: more, requests: {cloudwatch: {}}} #!\n      - {name: most, requests: {cloudwatch: {}}}\n",
			"pairs[0].gates[8].requests", "is one requests gate too many; a pair takes up to 8",
		},
		"a pair without an alb": {
			small[strings.Index(small, "      - alb:"):strings.Index(small, "      - route53:")] + small[strings.Index(small, "      - route53:"):],
			small[strings.Index(small, "      - route53:"):strings.Index(small, "    gates:")] + "    gates:\n      - {name: users, requests: {cloudwatch: {}}} #!\n",
			"pairs[0].gates[0].requests.cloudwatch", "has nothing to count, for the pair has no alb entrance; use prometheus",
		},
	})
}

func requestGates(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "      - {name: users-%d, requests: {cloudwatch: {}}}\n", i)
	}
	return b.String()
}

func TestOneOfTwoALBsIsNamed(t *testing.T) {
	second := strings.NewReplacer("9683b2d02a6cabee", "9683b2d02a6cabef", "      - alb:\n", "      - name: second\n        alb:\n").
		Replace(small[strings.Index(small, "      - alb:"):strings.Index(small, "      - route53:")])
	for name, test := range map[string]struct{ gate, want string }{
		"by its name": {"{name: users, requests: {cloudwatch: {entrance: second}}}", ""},
		"by nothing": {
			"{name: users, requests: {cloudwatch: {}}}",
			"pairs[0].gates[0].requests.cloudwatch.entrance: is missing, and the pair has 2 alb entrances; name one of alb-0, second",
		},
	} {
		t.Run(name, func(t *testing.T) {
			doc := strings.Replace(small, "      - route53:", second+"      - route53:", 1)
			doc = strings.Replace(doc, ownGates, "    gates:\n      - "+test.gate+"\n", 1)
			_, err := config.Parse("c.yaml", []byte(doc), nil)
			if (err == nil) != (test.want == "") || err != nil && !strings.HasSuffix(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestARequestsGateIsReadWithItsDefaults(t *testing.T) {
	compare := config.Compare{Tolerate: 1.25, MinExcess: 0.0005, FalseAlarms: 0.01}
	server := config.Prometheus{Timeout: 30 * time.Second, MaxResponseMiB: 16}
	blue, green := server, server
	blue.URL, green.URL = "https://blue.example.com", "https://green.example.com"
	limit := 0.02
	for name, test := range map[string]struct {
		text string
		want config.Requests
	}{
		"of CloudWatch": {
			"cloudwatch: {}", config.Requests{
				CloudWatch: &config.RequestsCloudWatch{Entrance: "alb-0"}, Compare: compare,
				SkipFirst: 30 * time.Second, History: 6 * time.Hour, Settle: 2 * time.Minute, Interval: time.Minute,
			},
		},
		"of Prometheus by a template": {
			"prometheus: {" + twoServers + ", template: linkerd, select: {deployment: web}}", config.Requests{
				Prometheus: &config.RequestsPrometheus{Blue: blue, Green: green, Template: "linkerd", Select: map[string]string{"deployment": "web"}},
				Compare:    compare, SkipFirst: 30 * time.Second, History: 6 * time.Hour, Settle: 30 * time.Second, Interval: 15 * time.Second,
			},
		},
		"of Prometheus by queries": {
			"maxErrorRatio: 2%, interval: 30s, settle: 1s, skipFirst: 0s, compare: {off: true}, latency: {edges: [100ms, 1s]}, " +
				"prometheus: {" + twoServers + ", " + ownQueries + ", buckets: c_bucket, errorsMayBeAbsent: true}",
			config.Requests{
				Prometheus: &config.RequestsPrometheus{
					Blue: blue, Green: green, Requests: "a_total", Errors: `b_total{code=~"5.."}`, Buckets: "c_bucket", ErrorsMayBeAbsent: true,
				},
				MaxErrorRatio: &limit, Compare: config.Compare{Off: true, Tolerate: 1.25, MinExcess: 0.0005, FalseAlarms: 0.01},
				Latency: config.Latency{Edges: []time.Duration{100 * time.Millisecond, time.Second}},
				History: 6 * time.Hour, Settle: time.Second, Interval: 30 * time.Second,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			doc := strings.Replace(small, ownGates, "    gates:\n      - name: users\n        requests: {"+test.text+"}\n", 1)
			c, err := config.Parse("c.yaml", []byte(doc), nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&test.want, c.Pairs[0].Gates[0].Requests); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
