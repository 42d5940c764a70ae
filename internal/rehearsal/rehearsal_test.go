package rehearsal_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/rehearsal"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func shop() shift.Plan {
	return shift.Plan{
		Pair: "shop",
		Steps: []shift.Step{
			{Share: 1, Hold: 10 * time.Minute}, {Share: 50, Hold: 20 * time.Minute, Approval: true}, {Share: 100, Hold: 30 * time.Minute},
		},
		Entrances: []shift.Entrance{
			{Name: "api", Balancer: &shift.BalancerEntrance{RuleARN: "arn:rule", MinHealthyTargets: 1}},
			{Name: "www", Route53: &shift.Route53Entrance{HostedZoneID: "Z1", Names: []string{"www.example.com"}, Types: []string{"A"}}},
		},
		Gates:    shift.Gates{Traffic: []shift.TrafficGate{{Name: "errors", MaxErrorRatio: 0.01, MinRequests: 50, Breaches: 2}}, Probes: []string{"storefront"}},
		Standby:  shift.Standby{For: 72 * time.Hour},
		Interval: 10 * time.Second, StaleAfter: 30 * time.Second,
	}
}

func told(r rehearsal.Rehearsal, start time.Time) []string {
	var lines []string
	for _, s := range r.Scenes {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", s.At.Sub(start), s.Share, s.Reason, strings.Join(s.Writes, ", "))))
	}
	return lines
}

func TestAWholeShiftWhenAllGoesWell(t *testing.T) {
	start := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	r := rehearsal.Rehearse(rehearsal.Options{
		Plan: shop(), Start: start, Lags: map[string]rehearsal.Lag{"errors": {Window: 5 * time.Minute, Settle: 2 * time.Minute}},
	})
	if !r.Standby || r.Stuck != "" {
		t.Errorf("it ends %+v", r)
	}
	if diff := cmp.Diff([]string{
		"0s 0 % ShiftStarted",
		"10s 1 % Rising api: blue 99, green 1",
		"20s 1 % Rising www: blue 99, green 1",
		"30s 1 % Settling",
		"1m30s 1 % Holding", // resolvers keep the old answer for a minute
		"11m30s 1 % ApprovalNeeded",
		"11m40s 50 % Rising api: blue 50, green 50",
		"11m50s 50 % Rising www: blue 50, green 50",
		"12m0s 50 % Settling",
		"13m0s 50 % Holding",
		"33m0s 100 % Rising api: blue 0, green 100",
		"33m10s 100 % Rising www: blue 0, green 100",
		"33m20s 100 % Settling",
		"34m20s 100 % Holding",
		"1h4m20s 100 % StandingBy",
	}, told(r, start)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
