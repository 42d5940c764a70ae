package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/config"
)

// loaded is the small document's pair with loads of blue and green.
func loaded(loads ...string) string {
	doc := "serve: green\n    standby:\n      capacity:\n        loads:\n"
	for _, l := range loads {
		doc += "        - {" + l + "}\n"
	}
	return strings.TrimSuffix(doc, "\n")
}

// many are n loads of different names.
func many(n int) string {
	loads := make([]string, n)
	for i := range loads {
		loads[i] = fmt.Sprintf("name: web-%d, cloudwatch: {blueLoadBalancer: app/a/1, blueTargetGroup: targetgroup/a/1, greenTargetGroup: targetgroup/b/%d}", i, i)
	}
	return "serve: green\n    standby: {capacity: {loads: [{" + strings.Join(loads, "}, {") + "}]}}"
}

func TestFaultsOfLoads(t *testing.T) {
	const (
		at     = "pairs[0].standby.capacity.loads[0]"
		groups = "blueLoadBalancer: app/shop/50dc6c495c0c9188, blueTargetGroup: targetgroup/blue/1a, greenTargetGroup: targetgroup/green/2b"
		watch  = "name: web, cloudwatch: {" + groups + "}"
		blue   = "blue: {server: {url: https://blue.example.com}, query: \"sum(rate(x[5m]))\"}"
		green  = "green: {server: {url: https://green.example.com}, query: \"sum(rate(x[5m]))\"}"
	)
	one := func(load string) string { return loaded(load) + " #!" }
	breakEach(t, map[string]breach{
		"a load without a source":    {"serve: green", one("name: web"), at, "has no kind; give it one of cloudwatch or prometheus"},
		"a load with two sources":    {"serve: green", one(watch + ", prometheus: {" + blue + ", " + green + "}"), at, "has 2 kinds"},
		"a name that is no label":    {"serve: green", one(strings.Replace(watch, "web", "Web", 1)), at + ".name", `"Web" is not a DNS label`},
		"two loads of one name":      {"serve: green", loaded(watch, watch) + " #!", "pairs[0].standby.capacity.loads[1].name", "web is the name of another load of this pair"},
		"a workload without a kind":  {"serve: green", one(watch + ", workloads: [shop/web]"), at + ".workloads[0]", "use kind/namespace/name, such as Deployment/shop/web"},
		"a kind that has no load":    {"serve: green", one(watch + ", workloads: [CronJob/shop/mail]"), at + ".workloads[0]", "is not a workload"},
		"a workload listed twice":    {"serve: green", one(watch + ", workloads: [Deployment/shop/web, Deployment/shop/web]"), at + ".workloads[1]", "is listed twice"},
		"a replica of no workload":   {"serve: green", one(watch + ", perReplica: 10"), at + ".perReplica", "but not of which workloads; name them in workloads"},
		"a replica that carries < 0": {"serve: green", one(watch + ", perReplica: -1, workloads: [Deployment/shop/web]"), at + ".perReplica", "-1 is out of range; use a number from 0 to 1000000"},
		"a replica without end":      {"serve: green", one(watch + ", perReplica: .inf, workloads: [Deployment/shop/web]"), at + ".perReplica", ".inf is not a number"},
		"a workload in no namespace that counts": {
			"serve: green", one(watch+", workloads: [Deployment/web/web]") + "\n    workloads: {namespaces: [shop]}", at + ".workloads[0]",
			"is in none of workloads.namespaces",
		},
		"a workload that is left out": {
			"serve: green", one(watch+", workloads: [Deployment/shop/web]") + "\n    workloads: {ignore: [shop/*]}", at + ".workloads[0]",
			"is left out by workloads.ignore",
		},
		"a load balancer's whole ARN": {
			"serve: green", one(strings.Replace(watch, "app/shop", "arn:x:loadbalancer/app/shop", 1)), at + ".cloudwatch.blueLoadBalancer", "use app/NAME/ID",
		},
		"another load balancer of green that is none": {
			"serve: green", one(strings.Replace(watch, "}", ", greenLoadBalancer: net/shop/1}", 1)), at + ".cloudwatch.greenLoadBalancer", "use app/NAME/ID",
		},
		"a target group's whole ARN": {
			"serve: green", one(strings.Replace(watch, "targetgroup/green", "arn:x:targetgroup/green", 1)), at + ".cloudwatch.greenTargetGroup", "use targetgroup/NAME/ID",
		},
		"one target group of both": {
			"serve: green", one(strings.Replace(watch, "targetgroup/green/2b", "targetgroup/blue/1a", 1)), at + ".cloudwatch.greenTargetGroup", "would count twice",
		},
		"a period that CloudWatch hasn't": {
			"serve: green", one(strings.Replace(watch, "}", ", period: 7s}", 1)), at + ".cloudwatch.period", "7s is not a period of CloudWatch",
		},
		"a window of one period and a half": {"serve: green", one(watch + ", window: 90s"), at + ".window", "1m30s is not a multiple of the period of 1m0s"},
		"a window of no length":             {"serve: green", one(watch + ", window: 0s"), at + ".window", "out of range"},
		"a role that is none":               {"serve: green", one(strings.Replace(watch, "}", ", roleARN: me}", 1)), at + ".cloudwatch.roleARN", "role"},
		"a side that is not asked":          {"serve: green", one("name: web, prometheus: {" + blue + "}"), at + ".prometheus.green", "is missing"},
		"a query that is none": {
			"serve: green", one("name: web, prometheus: {" + blue + ", " + strings.Replace(green, "sum(rate(x[5m]))", "rate(x)", 1) + "}"),
			at + ".prometheus.green.query", "is not PromQL: 1:6: parse error: expected type range vector",
		},
		"a query that gives a range": {
			"serve: green", one("name: web, prometheus: {" + blue + ", " + strings.Replace(green, "sum(rate(x[5m]))", "x[5m]", 1) + "}"),
			at + ".prometheus.green.query", "gives no number",
		},
		"the same series twice": {
			"serve: green", one("name: web, prometheus: {" + blue + ", " + strings.Replace(green, "green.example", "blue.example", 1) + "}"),
			at + ".prometheus.green", "would count twice",
		},
		"a server's address with a query": {
			"serve: green", one("name: web, prometheus: {" + strings.Replace(blue, "https://blue.example.com", "\"https://blue.example.com/?a=b\"", 1) + ", " + green + "}"),
			at + ".prometheus.blue.server.url", "has a query",
		},
		"a replica that carries a share": {
			"serve: green", one(watch + ", perReplica: 90%, workloads: [Deployment/shop/web]"), at + ".perReplica", "90% is not a number",
		},
		"more loads than a journal takes": {
			"serve: green", many(21) + " #!", "pairs[0].standby.capacity.loads", "has 21 entries; name up to 20",
		},
	})
}

func TestLoadsAreReadWithTheirDefaults(t *testing.T) {
	doc := strings.Replace(small, "serve: green", loaded(
		"name: web, perReplica: 12.5, workloads: [Deployment/shop/web], cloudwatch: {blueLoadBalancer: app/shop/1a, blueTargetGroup: targetgroup/blue/1a, greenTargetGroup: targetgroup/green/2b}",
		"name: api, window: 1m, prometheus: {blue: {server: {url: https://a.example.com, match: {cluster: blue}}, query: sum(x)}, green: {server: {url: https://a.example.com, match: {cluster: green}}, query: sum(x)}}",
	), 1)
	c, err := config.Parse("c.yaml", []byte(doc), nil)
	if err != nil {
		t.Fatal(err)
	}
	server := func(cluster string) config.Prometheus {
		return config.Prometheus{URL: "https://a.example.com", Timeout: 30 * time.Second, MaxResponseMiB: 16, Match: map[string]string{"cluster": cluster}}
	}
	want := config.Capacity{
		AtLeast: 90, OnBreach: "hold",
		Loads: []config.LoadSource{
			{
				Name: "web", PerReplica: 12.5, Workloads: []string{"Deployment/shop/web"}, Window: 5 * time.Minute,
				CloudWatch: &config.LoadCloudWatch{
					BlueLoadBalancer: "app/shop/1a", GreenLoadBalancer: "app/shop/1a", BlueTargetGroup: "targetgroup/blue/1a", GreenTargetGroup: "targetgroup/green/2b",
					Period: time.Minute, Settle: 2 * time.Minute,
				},
			},
			{Name: "api", Window: time.Minute, Prometheus: &config.LoadPrometheus{
				Blue: config.LoadQuery{Server: server("blue"), Query: "sum(x)"}, Green: config.LoadQuery{Server: server("green"), Query: "sum(x)"},
			}},
		},
	}
	if diff := cmp.Diff(want, c.Pairs[0].Standby.Capacity); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
