package app

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/measure"
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func TestEveryKindOfGateReachesTheCore(t *testing.T) {
	ratio, most := 0.01, 0.5
	pair := config.Pair{
		SoakOnly: true,
		Gates: []config.Gate{
			{Name: "old", CloudWatch: &config.CloudWatch{MaxErrorRatio: 0.02, MinRequests: 50, Breaches: 2}},
			{Name: "users", Requests: &config.Requests{
				MaxErrorRatio: &ratio, Compare: config.Compare{Tolerate: 1.25, MinExcess: 0.0005, FalseAlarms: 0.01},
				SkipFirst: 30 * time.Second, Settle: 2 * time.Minute, Interval: time.Minute,
			}},
			{Name: "limit", Requests: &config.Requests{Compare: config.Compare{Off: true}}},
			{Name: "p99", Prometheus: &config.PrometheusGate{Max: &most, OnFail: "rollback", Breaches: 3}},
			{Name: "alerts", Alertmanager: &config.Alertmanager{OnFail: "hold", Breaches: 4}},
			{Name: "hook", Webhook: &config.Webhook{OnFail: "rollback", Breaches: 5}},
		},
		ObservedShare: config.ObservedShare{OnBreach: "warn", Tolerance: 10, Required: true},
	}
	want := shift.Gates{
		SoakOnly: true,
		Traffic:  []shift.TrafficGate{{Name: "old", MaxErrorRatio: 0.02, MinRequests: 50, Breaches: 2}},
		Requests: []shift.RequestGate{
			{
				Name: "users", Compare: true, Tolerate: 1.25, MinExcess: 0.0005, FalseAlarms: 0.01, MaxErrorRatio: 0.01, HasLimit: true,
				SkipFirst: 30 * time.Second, Interval: time.Minute, Settle: 2 * time.Minute,
			},
			{Name: "limit"},
		},
		Limits: []shift.LimitGate{
			{Name: "p99", Max: &most, UsersTraffic: true, Breaches: 3},
			{Name: "alerts", Max: new(float64), Breaches: 4},
			{Name: "hook", Max: new(float64), UsersTraffic: true, Breaches: 5, PerStep: true},
		},
		ObservedShare: shift.ObservedShare{Warn: true, Tolerance: 10, Required: true},
	}
	if diff := cmp.Diff(want, planOf(&config.Config{}, pair).Gates); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWindowsAndFreezesAreInTheirTimeZone(t *testing.T) {
	gates := gatesOf(config.Pair{
		Windows: []config.Window{
			{Days: []string{"Mon", "Fri"}, From: "09:30", To: "16:00", Timezone: "Asia/Tokyo"},
			{From: "22:00", To: "24:00", Timezone: "UTC"},
		},
		Freezes: []config.Freeze{{From: "2026-03-28", To: "2026-03-29", Timezone: "Europe/Berlin", Why: "the sale"}},
	})
	var zones []string
	for i := range gates.Windows {
		zones = append(zones, gates.Windows[i].Zone.String())
		gates.Windows[i].Zone = nil
	}
	want := []shift.Window{
		{Days: []time.Weekday{time.Monday, time.Friday}, From: 9*time.Hour + 30*time.Minute, To: 16 * time.Hour},
		{From: 22 * time.Hour, To: 24 * time.Hour},
	}
	if diff := cmp.Diff(want, gates.Windows); diff != "" {
		t.Errorf("windows (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Asia/Tokyo", "UTC"}, zones); diff != "" {
		t.Errorf("zones (-want +got):\n%s", diff)
	}
	f := gates.Freezes[0]
	// The last day is frozen too, and it is an hour short there.
	from, to := time.Date(2026, 3, 27, 23, 0, 0, 0, time.UTC), time.Date(2026, 3, 29, 22, 0, 0, 0, time.UTC)
	if !f.From.Equal(from) || !f.To.Equal(to) || f.Why != "the sale" {
		t.Errorf("the freeze is from %s to %s, for %q", f.From.UTC(), f.To.UTC(), f.Why)
	}
}

func TestRequestsAreCountedAtThePairsEntrance(t *testing.T) {
	const (
		rule  = "arn:aws:elasticloadbalancing:eu-west-1:1:listener-rule/app/shop/50dc/f2f7/9683"
		group = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/"
	)
	entrance := func(name, groups string) config.Entrance {
		return config.Entrance{Name: name, ALB: &config.ALB{
			RuleARN: rule, RoleARN: "role/balancers", BlueTargetGroupARN: group + "blue/" + groups, GreenTargetGroupARN: group + "green/" + groups,
		}}
	}
	at := func(where place, groups string) countedAt {
		return countedAt{
			where,
			measure.Group{LoadBalancer: "app/shop/50dc", TargetGroup: "targetgroup/blue/" + groups},
			measure.Group{LoadBalancer: "app/shop/50dc", TargetGroup: "targetgroup/green/" + groups},
		}
	}
	for name, test := range map[string]struct {
		region string
		query  config.RequestsCloudWatch
		want   countedAt
	}{
		"the named one, by its role in its region":    {"", config.RequestsCloudWatch{Entrance: "api"}, at(place{"role/balancers", "eu-west-1"}, "2")},
		"the daemon's own region goes without saying": {"eu-west-1", config.RequestsCloudWatch{Entrance: "web"}, at(place{"role/balancers", ""}, "1")},
		"a role and a region of the gate's own": {
			"", config.RequestsCloudWatch{Entrance: "web", RoleARN: "role/metrics", Region: "eu-south-1"}, at(place{"role/metrics", "eu-south-1"}, "1"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, p := &config.Config{AWS: config.AWS{Region: test.region}}, config.Pair{
				Traffic: []config.Entrance{{Name: "dns", Route53: &config.Route53{}}, entrance("web", "1"), entrance("api", "2")},
				Gates:   []config.Gate{{Name: "users", Requests: &config.Requests{CloudWatch: &test.query}}},
			}
			if diff := cmp.Diff(test.want, specsOfGates(c, p)[0].counted, cmp.AllowUnexported(countedAt{}, place{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestQueriesOfGatesMustWorkOnGreen(t *testing.T) {
	p := config.Pair{Gates: []config.Gate{
		{Name: "p99", Prometheus: &config.PrometheusGate{Query: "latency"}},
		{Name: "users", Requests: &config.Requests{Prometheus: &config.RequestsPrometheus{Requests: "all", Errors: "bad"}}},
		{Name: "rare", Requests: &config.Requests{Prometheus: &config.RequestsPrometheus{Requests: "all", Errors: "bad", Buckets: "b", ErrorsMayBeAbsent: true}}},
	}}
	p.Preflight.Metrics.Queries = append(p.Preflight.Metrics.Queries, config.MetricQuery{Name: "orders", Query: "orders"})
	query := func(name, expression string) facts.Query {
		return facts.Query{Use: facts.UseQuery, Name: name, Expression: expression}
	}
	want := []facts.Query{
		query("orders", "orders"), query("gate p99", "latency"),
		query("gate users, requests", "all"), query("gate users, errors", "bad"),
		query("gate rare, requests", "all"), query("gate rare, buckets", "b"),
	}
	if diff := cmp.Diff(want, namedQueries(p)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
