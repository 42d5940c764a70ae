package telemetry

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/switcher/evidence"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// values gives the series of a metric by the values of its labels but the pair's,
// joined by commas.
func values(t *testing.T, m *Metrics, name string) map[string]float64 {
	t.Helper()
	families, err := m.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, metric := range f.GetMetric() {
			if f.GetName() != "clusterswitch_"+name {
				continue
			}
			key := ""
			for _, l := range metric.GetLabel() {
				if l.GetName() != "pair" {
					key += "," + l.GetValue()
				}
			}
			got[key] = metric.GetGauge().GetValue()
		}
	}
	return got
}

func expect(t *testing.T, m *Metrics, want map[string]map[string]float64) {
	t.Helper()
	for name, series := range want {
		if diff := cmp.Diff(series, values(t, m, name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestReadinessIsMeasuredWhileItIsKnown(t *testing.T) {
	m, turn := New("v0.0.0-test"), fullTurn()
	m.Report(turn)
	expect(t, m, map[string]map[string]float64{
		"capacity_percent":         {",blue": 75},
		"capacity_ready_replicas":  {",blue": 3},
		"capacity_needed_replicas": {",blue": 4},
		"load_requests_per_second": {",web,blue": 75, ",web,green": 25},
		"floors_held":              {",blue": 1, ",green": 0},
		"singletons":               {",blue,giving": 1},
		"singleton_gap_seconds":    {",CronJob shop/mail": 5},
	})
	turn.Observation.Blue.Err = "no route to host"
	turn.Observation.Loads[0].FreshFor = -time.Second
	turn.Decision.Next.Baton[0].Stage = shift.BatonTaking
	m.Report(turn)
	expect(t, m, map[string]map[string]float64{
		"capacity_percent":         {},
		"load_requests_per_second": {},
		"floors_held":              {",blue": 1, ",green": 0},
		"singletons":               {",blue,taking": 1},
	})
	m.Forget("shop")
	expect(t, m, map[string]map[string]float64{"floors_held": {}, "singletons": {}, "singleton_gap_seconds": {}})
}

func TestTailsAreMeasuredByKind(t *testing.T) {
	m, say := New("v0.0.0-test"), told{}
	say.answer(m.readiness, "shop", shift.Readiness{Takes: 90 * time.Second, Tails: []shift.Tail{
		{Entrance: "dns", Side: shift.Green, Kind: shift.TailDNS, For: 90 * time.Second},
		{Entrance: "tcp", Side: shift.Green, Kind: shift.TailConnection, For: shift.Endless},
	}})
	m.readiness.tell("shop", say)
	expect(t, m, map[string]map[string]float64{
		"way_back_seconds": {"": 90},
		"tail_seconds":     {",dns,dns,green": 90, ",tcp,connection,green": math.Inf(1)},
	})
}

func TestWhatGatesCountedIsTold(t *testing.T) {
	m, turn := New("v0.0.0-test"), fullTurn()
	turn.Decision.Next.Evidence[0].Profile.Metrics = []evidence.Metric{{Name: "errors", Dispersion: 1}}
	settings := shift.EvidenceSettings(turn.Plan, nil, turn.Plan.Gates.Requests[0])
	for i := range 3 {
		at := turn.Now.Add(time.Duration(i) * time.Minute)
		turn.Decision.Next.Evidence[0].Book = turn.Decision.Next.Evidence[0].Book.Add(settings, turn.Decision.Next.Evidence[0].Profile, evidence.Interval{
			Start: at, End: at.Add(time.Minute), Green: []evidence.Count{{Requests: 1000, Bad: 900}}, Blue: []evidence.Count{{Requests: 1000}},
		}, true)
	}
	m.Report(turn)
	if odds := values(t, m, "gate_odds")[",users"]; odds <= 1 {
		t.Errorf("the odds against a green that fails are %g", odds)
	}
	expect(t, m, map[string]map[string]float64{
		"gate_proven_ratio":       {",users": 0},
		"gate_unmeasured_seconds": {",users": 60},
		"gate_faulty_intervals":   {",users": 3},
		"gate_value":              {",p99": 0.2},
	})
	turn.Decision.Next.Evidence, turn.Observation.Limits = nil, nil
	m.Report(turn)
	expect(t, m, map[string]map[string]float64{"gate_odds": {}, "gate_unmeasured_seconds": {}, "gate_value": {}})
}
