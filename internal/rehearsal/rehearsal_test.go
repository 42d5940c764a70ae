package rehearsal_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/rehearsal"
	"github.com/clusterswitch/clusterswitch/switcher/evidence"
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

// blue is what was measured of a shop with 1,000 requests a second, of which one in
// a thousand fails.
func blue(start time.Time) evidence.Profile {
	return evidence.Profile{
		Metrics: []evidence.Metric{{Name: "errors", Ratio: 0.001, Dispersion: 1}, {Name: "slower than 250ms", Edge: 250 * time.Millisecond, Ratio: 0.1, Dispersion: 1}},
		Rate:    1000, From: start.Add(-6 * time.Hour), To: start,
	}
}

// counting is a shop whose gate counts users' requests.
func counting(start time.Time) rehearsal.Options {
	plan := shop()
	plan.Gates.Traffic = nil
	plan.Gates.Requests = []shift.RequestGate{{
		Name: "users", Compare: true, Tolerate: 1.25, MinExcess: 0.0005, FalseAlarms: 0.01, SkipFirst: 30 * time.Second,
		Interval: 15 * time.Second, Settle: 30 * time.Second,
	}}
	return rehearsal.Options{Plan: plan, Start: start, Profiles: map[string]evidence.Profile{"users": blue(start)}}
}

func TestAGateNeedsItsEvidence(t *testing.T) {
	start := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	r := rehearsal.Rehearse(counting(start))
	if !r.Standby || r.Stuck != "" {
		t.Errorf("it ends %+v", r)
	}
	if diff := cmp.Diff([]string{
		"0s 0 % ShiftStarted",
		"10s 1 % Rising api: blue 99, green 1",
		"20s 1 % Rising www: blue 99, green 1",
		"30s 1 % Settling",
		"1m30s 1 % Holding",
		"11m30s 1 % GateWaits", // ten requests a second tell little
		"22m20s 1 % ApprovalNeeded",
		"22m30s 50 % Rising api: blue 50, green 50",
		"22m40s 50 % Rising www: blue 50, green 50",
		"22m50s 50 % Settling",
		"23m50s 50 % Holding",
		"43m50s 100 % Rising api: blue 0, green 100",
		"44m0s 100 % Rising www: blue 0, green 100",
		"44m10s 100 % Settling",
		"45m10s 100 % Holding",
		"1h15m10s 100 % StandingBy",
	}, told(r, start)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAWindowIsWaitedFor(t *testing.T) {
	start := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC) // a Saturday
	o := counting(start)
	o.Plan.Gates.Windows = []shift.Window{{Days: []time.Weekday{time.Monday}, From: 10 * time.Hour, To: 16 * time.Hour, Zone: time.UTC}}
	r := rehearsal.Rehearse(o)
	i := slices.IndexFunc(r.Scenes, func(s rehearsal.Scene) bool { return s.Reason == shift.Rising })
	if i < 0 || r.Scenes[i].At.Before(time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("it rises %v", told(r, start))
	}
}

func TestWithoutAProfileNothingRises(t *testing.T) {
	start := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	o := counting(start)
	o.Profiles = nil
	if r := rehearsal.Rehearse(o); r.Standby || !strings.Contains(r.Stuck, "users") {
		t.Errorf("got %+v", r)
	}
}

func TestWhatAReportWarnsOf(t *testing.T) {
	start := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	o := counting(start)
	o.Entrances = []shift.EntranceReading{{Name: "api", Err: "AccessDenied"}, {Name: "www", TTL: time.Minute, Weights: shift.Share(10).Weights()}}
	r := rehearsal.Reckon(rehearsal.Asked{Options: o})
	if diff := cmp.Diff([]string{
		"entrance api can't be read: AccessDenied",
		"entrance www gives green 10 % now; a shift starts only while blue has all",
		"step 1: gate users needs about 19m45s to pass at 1 %, longer than the hold of 10m0s, so the step takes that long",
		"step 3: five times blue's errors are not found within the 30m0s that 100 % is held; only what is worse goes back by itself there",
	}, r.Warnings); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
