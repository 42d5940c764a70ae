package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/config"
)

// compared is the small document's pair with a Prometheus for each side.
func compared(blue, green, more string) string {
	return "serve: green\n    preflight:\n      metrics:\n        blue: {" + blue + "}\n        green: {" + green + "}\n" + more
}

func TestFaultsOfMetrics(t *testing.T) {
	const good = "url: https://blue.example.com"
	const at = "pairs[0].preflight.metrics"
	one := func(server string) string {
		return compared(server+"} #!\n        #{", "url: https://green.example.com", "")
	}
	breakEach(t, map[string]breach{
		"blue alone": {
			"serve: green", "serve: green\n    preflight: {metrics: {blue: {url: https://blue.example.com}}} #!", at + ".green", "nothing to compare with blue",
		},
		"green alone": {
			"serve: green", "serve: green\n    preflight: {metrics: {green: {url: https://green.example.com}}} #!", at + ".blue", "nothing to compare with green",
		},
		"queries without servers": {
			"serve: green", "serve: green\n    preflight: {metrics: {queries: [{name: a, query: up}]}} #!", at + ".queries", "are given without blue and green",
		},
		"the same server twice": {
			"serve: green", compared(good, "url: \"HTTPS://Blue.example.com:443/\"} #!\n        #{", ""), at + ".green", "is the same server as blue, and has no match",
		},
		"the same server with a match for green alone": {
			"serve: green", compared(good+"} #!\n        #{", good+", match: {cluster: green}", ""), at + ".blue", "is the same server as green, and has no match",
		},
		"the same server with the same match": {
			"serve: green", compared(good+", match: {cluster: a}", good+", match: {cluster: a}} #!\n        #{", ""), at + ".green.match", "selects the same series as blue's match",
		},
		"the same tenant in other letters": {
			"serve: green", compared(good+", headers: {x-scope-orgid: a}", good+", headers: {X-Scope-OrgID: a}} #!\n        #{", ""), at + ".green", "is the same server as blue",
		},
		"a server without an address": {"serve: green", one(""), at + ".blue.url", "is missing; set it to text"},
		"an address without a scheme": {"serve: green", one("url: blue.example.com"), at + ".blue.url", "is not an absolute URL"},
		"a password in the address":   {"serve: green", one("url: \"https://a:b@blue.example.com\""), at + ".blue.url", "holds a user name or password"},
		"a query in the address":      {"serve: green", one("url: \"https://blue.example.com/?tenant=1\""), at + ".blue.url", "has a query"},
		"the API in the address":      {"serve: green", one("url: https://blue.example.com/api/v1/"), at + ".blue.url", "ends in /api/v1, which is appended"},
		"certificates for http":       {"serve: green", one("url: http://blue.example.com, caFile: /ca.pem"), at + ".blue.caFile", "has no effect on an http URL"},
		"certificates that don't count": {
			"serve: green", one(good + ", caFile: /ca.pem, insecureSkipVerify: true"), at + ".blue.caFile", "has no effect beside insecureSkipVerify",
		},
		"a token and a user": {
			"serve: green", one(good + ", bearerTokenFile: /t, basicAuth: {username: a, passwordFile: /p}"), at + ".blue.bearerTokenFile", "is given beside basicAuth",
		},
		"a user without a password": {"serve: green", one(good + ", basicAuth: {username: a}"), at + ".blue.basicAuth.passwordFile", "is missing"},
		"a user with a colon":       {"serve: green", one(good + ", basicAuth: {username: \"a:b\", passwordFile: /p}"), at + ".blue.basicAuth.username", "holds a colon"},
		"a password in the file": {
			"serve: green", one(good + ", basicAuth: {username: a, passwordFile: /p, password: b}"), at + ".blue.basicAuth.password", "use username or passwordFile",
		},
		"a secret as a header":    {"serve: green", one(good + ", headers: {authorization: Bearer x}"), at + ".blue.headers.authorization", "is a secret"},
		"a header with a space":   {"serve: green", one(good + ", headers: {\"a b\": x}"), at + ".blue.headers[\"a b\"]", "is not a header name"},
		"a match of a metric":     {"serve: green", one(good + ", match: {__name__: up}"), at + ".blue.match.__name__", "selects a metric and not a cluster"},
		"a match of no label":     {"serve: green", one(good + ", match: {a-b: c}"), at + ".blue.match.a-b", "is not the name of a label"},
		"a match of nothing":      {"serve: green", one(good + ", match: {cluster: \"\"}"), at + ".blue.match.cluster", "is empty"},
		"answers without a bound": {"serve: green", one(good + ", maxResponseMiB: 0"), at + ".blue.maxResponseMiB", "out of range"},
		"no time for an answer":   {"serve: green", one(good + ", timeout: 0s"), at + ".blue.timeout", "out of range"},
		"what other releases sign": {
			"serve: green", one(good + ", sigv4: {region: eu-west-1}"), at + ".blue.sigv4", "is not supported yet",
		},
		"a value without a label": {
			"serve: green", "serve: green\n    preflight: {metrics: {dashboards: {label: \"\", value: \"1\"}}} #!", at + ".dashboards.value", "has no effect without a label",
		},
		"a query that isn't one": {
			"serve: green", compared(good, "url: https://green.example.com", "        queries: [{name: a, query: \"rate(x)\"}] #!"), at + ".queries[0].query",
			"is not PromQL: 1:6: parse error: expected type range vector",
		},
		"two queries of one name": {
			"serve: green", compared(good, "url: https://green.example.com", "        queries: [{name: a, query: x}, {name: a, query: y}] #!"), at + ".queries[1].name",
			"is the name of another query",
		},
		"a window of no length": {"serve: green", "serve: green\n    preflight: {metrics: {window: 0s}} #!", at + ".window", "out of range"},
	})
}

func TestOneServerMayHaveBothClusters(t *testing.T) {
	const url = "url: https://prometheus.example.com"
	for name, servers := range map[string][2]string{
		"by their labels":      {url + ", match: {cluster: a}", url + ", match: {cluster: b}"},
		"by tenants in header": {url + ", headers: {X-Scope-OrgID: a}", url + ", headers: {X-Scope-OrgID: b}"},
		"by tenants' users":    {url + ", basicAuth: {username: a, passwordFile: /p}", url + ", basicAuth: {username: b, passwordFile: /p}"},
		"by tenants' tokens":   {url + ", bearerTokenFile: /a", url + ", bearerTokenFile: /b"},
		"by their paths":       {url + "/a", url + "/b"},
	} {
		t.Run(name, func(t *testing.T) {
			doc := strings.Replace(small, "serve: green", compared(servers[0], servers[1], ""), 1)
			if _, err := config.Parse("c.yaml", []byte(doc), nil); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAPrometheusIsReadWithItsDefaults(t *testing.T) {
	doc := strings.Replace(small, "serve: green", compared(
		"url: https://blue.example.com/prometheus, caFile: /ca.pem, serverName: prometheus, basicAuth: {username: a, passwordFile: /p}, match: {cluster: shop-blue}",
		"url: http://green.example.com, timeout: 5s, maxResponseMiB: 1", ""), 1)
	c, err := config.Parse("c.yaml", []byte(doc), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := config.PreflightMetrics{
		Blue: &config.Prometheus{
			URL: "https://blue.example.com/prometheus", CAFile: "/ca.pem", ServerName: "prometheus",
			BasicAuth: &config.BasicAuth{Username: "a", PasswordFile: "/p"},
			Timeout:   30 * time.Second, MaxResponseMiB: 16, Match: map[string]string{"cluster": "shop-blue"},
		},
		Green:      &config.Prometheus{URL: "http://green.example.com", Timeout: 5 * time.Second, MaxResponseMiB: 1},
		Window:     time.Hour,
		Dashboards: config.PreflightDashboards{Label: "grafana_dashboard"},
	}
	if diff := cmp.Diff(want, c.Pairs[0].Preflight.Metrics); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
