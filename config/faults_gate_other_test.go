package config_test

import (
	"strings"
	"testing"

	"github.com/clusterswitch/clusterswitch/config"
)

func TestFaultsOfLimitGates(t *testing.T) {
	const server = "server: {url: https://prometheus.example.com}"
	value := func(more, path, message string) breach {
		return gate("prometheus: {"+server+", "+more+"} #!", strings.TrimSuffix("prometheus."+path, "."), message)
	}
	alerts := func(more, path, message string) breach {
		return gate("alertmanager: {onFail: rollback, "+more+"} #!", "alertmanager."+path, message)
	}
	asks := func(more, path, message string) breach {
		return gate("webhook: {onFail: rollback, "+more+"} #!", "webhook."+path, message)
	}
	const url = "url: \"https://gate.example.com/?x=1\""
	breakEach(t, map[string]breach{
		"a value without a limit":                         value("query: a", "", "has no limit; set max, min or both"),
		"a limit that is none":                            value("query: a, max: .inf", "max", ".inf is not a number"),
		"a limit that is text":                            value("query: a, max: low", "max", "low is not a number"),
		"limits the wrong way round":                      value("query: a, max: 1, min: 2", "min", "2 is more than the max of 1, so that no value is good"),
		"a value without a query":                         value("max: 1", "query", "is missing"),
		"a query of many moments":                         value("query: \"a[5m]\", max: 1", "query", "gives no number"),
		"a query that looks back further than its window": value("query: \"rate(a[10m])\", max: 1", "window", "5m0s is shorter than the 10m0s that the query looks back"),
		"a query that looks back for days":                value("query: \"rate(a[7d])\", max: 1", "query", "looks back 168h0m0s, so that nothing would rise for so long after each change"),
		"a query that is none":                            value("query: \"rate(a)\", max: 1", "query", "is not PromQL"),
		"a value that does something":                     value("query: a, max: 1, onFail: abort", "onFail", "abort is not known here; use rollback or hold"),
		"a value by the server's API":                     gate("prometheus: {server: {url: https://a.example.com/api/v1}, query: a, max: 1} #!", "prometheus.server.url", "ends in /api/v1"),
		"alerts without a matcher":                        alerts(server, "matchers", "is missing"),
		"alerts of no matcher":                            alerts(server+", matchers: []", "matchers", "is an empty list"),
		"a matcher without quotes":                        alerts(server+", matchers: [severity=page]", "matchers[0]", `"severity=page" is no matcher; write a label, one of = != =~ !~, and a value in double quotes`),
		"a matcher of a broken regexp":                    alerts(server+", matchers: ['a=~\"(\"']", "matchers[0]", "is no matcher"),
		"two matchers in one":                             alerts(server+", matchers: ['a=\"b\",c=\"d\"']", "matchers[0]", "is no matcher"),
		"a matcher twice":                                 alerts(server+", matchers: ['a=\"b\"', 'a=\"b\"']", "matchers[1]", "is listed twice"),
		"alerts by the server's API":                      alerts("server: {url: https://a.example.com/api/v2/}, matchers: ['a=\"b\"']", "server.url", "ends in /api/v2, which is appended"),
		"alerts with a match":                             alerts("server: {url: https://a.example.com, match: {a: b}}, matchers: ['a=\"b\"']", "server.match", "write the labels into matchers"),
		"a service without an address":                    asks("timeout: 1s", "url", "is missing"),
		"a service with a password":                       asks("url: \"https://a:b@gate.example.com\"", "url", "holds a user name or password"),
		"certificates for http":                           asks("url: http://gate.example.com, caFile: /ca.pem", "caFile", "has no effect on an http URL"),
		"a secret in a header":                            asks(url+", headers: {authorization: x}", "headers.authorization", "is a secret; use secretFile"),
		"a signature of one's own":                        asks(url+", headers: {Clusterswitch-Signature: x}", "headers.Clusterswitch-Signature", "is set by the daemon"),
		"a header with a space":                           asks(url+", headers: {\"a b\": x}", "headers[\"a b\"]", "is not a header name"),
		"an answer slower than asked":                     asks(url+", timeout: 2m", "timeout", "2m0s is longer than the interval of 1m0s"),
		"gates that only hold": {
			ownGates, "    gates: #!\n      - {name: a, webhook: {" + url + "}}\n      - {name: b, prometheus: {" + server + ", query: a, max: 1, onFail: hold}}\n",
			"pairs[0].gates", "has no gate on users' traffic, for all of them only hold; add a requests gate",
		},
		"users' traffic beside soakOnly": {
			ownGates, "    soakOnly: true #!\n    gates:\n      - {name: a, webhook: {" + url + "}}\n      - {name: b, prometheus: {" + server + ", query: a, max: 1}}\n",
			"pairs[0].soakOnly", "is true although there are gates on users' traffic, such as b; remove it, or these gates",
		},
		"a share that nothing measures": {
			"    traffic:\n" + small[strings.Index(small, "      - alb:"):strings.Index(small, "      - route53:")],
			"    observedShare: {required: true} #!\n    traffic:\n", "pairs[0].observedShare.required", "nothing measures the load of both sides",
		},
		"a share that is wanted and not looked at": {
			"serve: green", "serve: green\n    observedShare: {required: true, onBreach: \"off\"} #!", "pairs[0].observedShare.required", "has no effect beside onBreach: off",
		},
	})
}

func TestGatesThatAreGood(t *testing.T) {
	for name, gates := range map[string]string{
		"gates that hold beside soakOnly": `    soakOnly: true
    gates:
      - {name: release, webhook: {url: "https://gate.example.com"}}
      - {name: alerts, alertmanager: {server: {url: "http://alertmanager:9093"}, matchers: ['severity="page"', 'cluster=~"shop-.*"']}}
`,
		"a value alone, that rolls back": `    gates:
      - {name: slow, prometheus: {server: {url: "http://prometheus:9090"}, query: "histogram_quantile(0.99, sum by (le) (rate(a_bucket[2m])))", max: 0.5}}
`,
		"a value between limits, zero among them": `    gates:
      - {name: slow, prometheus: {server: {url: "http://prometheus:9090"}, query: a, max: 0, min: -1}}
`,
		"each kind at once": `    gates:
      - {name: users, requests: {cloudwatch: {}}}
      - {name: errors, cloudwatch: {loadBalancer: app/shop/50dc6c495c0c9188, targetGroup: targetgroup/green/84f3e7cd35e9b178, maxErrorRatio: 1%}}
      - {name: slow, prometheus: {server: {url: "http://prometheus:9090"}, query: a, min: 1, onFail: hold}}
      - {name: alerts, alertmanager: {server: {url: "http://alertmanager:9093"}, matchers: ['a!="b"']}}
      - {name: release, webhook: {url: "https://gate.example.com", caFile: /ca.pem, secretFile: /secret}}
`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := config.Parse("c.yaml", []byte(strings.Replace(small, ownGates, gates, 1)), nil); err != nil {
				t.Error(err)
			}
		})
	}
}
