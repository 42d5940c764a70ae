package promql_test

import (
	"strings"
	"testing"

	"github.com/clusterswitch/clusterswitch/internal/promql"
)

func TestCountersAreTakenAndRatesAreNot(t *testing.T) {
	for expression, want := range map[string]string{
		`http_requests_total`: "",
		`sum by (pod) (http_requests_total{job="shop",code=~"5.."})`:      "",
		`sum by (pod) (a_total or b_total)`:                               "",
		`sum by (pod) (all_total) - sum by (pod) (good_total)`:            "",
		`max by (pod) (a_total)`:                                          "",
		`a_total * on (pod) group_left (app) kube_pod_labels{app="shop"}`: "",
		`label_replace(a_total, "pod", "$1", "instance", "(.*)")`:         "",
		`histogram_count(request_duration)`:                               "",
		`job:http_requests_total:sum`:                                     "",
		`sum(rate(a_total[5m]))`:                                          "it gives rate() and no counters; write the counters themselves, such as sum by (pod) (http_requests_total)",
		`irate(a_total[5m])`:                                              "it gives irate() and",
		`sum by (pod) (increase(a_total[1m]))`:                            "it gives increase() and",
		`delta(a[1m])`:                                                    "it gives delta() and",
		`max_over_time(a_total[5m])`:                                      "it gives max_over_time() and",
		`sum_over_time(rate(a_total[1m])[5m:1m])`:                         "it gives sum_over_time() and",
		`job:http_requests:rate5m`:                                        "it gives recorded rates (job:http_requests:rate5m) and",
		`a_total / b_total`:                                               "it gives the result of / and",
		`a_total > 0`:                                                     "it gives the result of > and",
		`avg by (pod) (a_total)`:                                          "it gives avg() and",
		`topk(3, a_total)`:                                                "it gives topk() and",
		`-a_total`:                                                        "it gives less than nothing and",
		`a_total[5m]`:                                                     "it gives a matrix and",
		`7`:                                                               "it gives a scalar and",
		`vector(7)`:                                                       "vector()",
		`sum(a_total) or vector(0)`:                                       "set errorsMayBeAbsent",
		`a_total offset 1m`:                                               "by offset or @",
		`a_total @ 7`:                                                     "by offset or @",
		`a_total @ end()`:                                                 "by offset or @",
		`histogram_quantile(0.9, a_bucket)`:                               "it gives histogram_quantile() and",
		`sum(`:                                                            "parse error",
	} {
		t.Run(expression, func(t *testing.T) {
			err := promql.Counters(expression)
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("got error %v, want %q", err, want)
			}
		})
	}
}

func TestMatchersOfAlertsAreReadAsAlertmanagerReadsThem(t *testing.T) {
	for text, good := range map[string]bool{
		`severity="page"`:         true,
		`severity = "page"`:       true,
		`cluster=~"shop-(a|b).*"`: true,
		`team!="web"`:             true,
		`team!~"web|app"`:         true,
		`team=""`:                 true,
		`"service.name"="shop"`:   true,
		`note="say \"no\""`:       true,
		`severity=page`:           false,
		`severity='page'`:         false,
		"severity=`page`":         false,
		`severity`:                false,
		`="page"`:                 false,
		``:                        false,
		`severity=="page"`:        false,
		`severity="page`:          false,
		`severity=~"("`:           false,
		`a="b",c="d"`:             false,
		`a="b"} or x{c="d"`:       false,
		`a="b" # no more`:         false,
		`__name__="b"`:            false,
	} {
		t.Run(text, func(t *testing.T) {
			err := promql.Matcher(text)
			if (err == nil) != good {
				t.Errorf("got error %v, want one: %t", err, !good)
			}
		})
	}
}
