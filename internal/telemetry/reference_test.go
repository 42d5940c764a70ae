package telemetry

import (
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

var update = flag.Bool("update", false, "write the generated documents anew")

const reference = "../../docs/metrics.md"

// fullTurn makes every metric speak once.
func fullTurn() switcher.Turn {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return switcher.Turn{
		Now: now, Plan: shift.Plan{Pair: "shop", StaleAfter: time.Minute, Gates: shift.Gates{Requests: []shift.RequestGate{{Name: "users"}}}}, JournalErr: switcher.ErrConflict,
		Observation: shift.Observation{
			Entrances: []shift.EntranceReading{{Name: "alb-0", At: now, Weights: shift.Weights{Blue: 75, Green: 25}}},
			Blue:      shift.ClusterReading{At: now, Workloads: []shift.Workload{{Ready: 3, Wanted: 3}}},
			Loads:     []shift.LoadReading{{Name: "web", At: now, From: now.Add(-time.Minute), To: now, FreshFor: time.Minute, Blue: 75, Green: 25}},
			Limits:    []shift.LimitReading{{Gate: "p99", At: now, FreshFor: time.Minute, Value: 0.2}, {Gate: "alerts", At: now, FreshFor: time.Minute, Err: "no route"}},
			Floors:    shift.FloorsReading{At: now, Blue: []shift.Autoscaler{{Held: 3}, {}}},
		},
		Decision: shift.Decision{
			Next: shift.State{
				Attempt: 1, Phase: shift.RollingBack, Share: 25, Rollback: &shift.RollbackRecord{Automatic: true},
				Entrances: []shift.EntranceState{{Entrance: shift.Entrance{Name: "dns-0", Route53: &shift.Route53Entrance{}}, LoweredAt: now}},
				Baseline:  shift.Baseline{At: now, Ready: 4, Workloads: []shift.WorkloadBaseline{{Workload: " /", Ready: 4}}},
				Evidence:  []shift.GateEvidence{{Gate: "users", UnknownSince: now.Add(-time.Minute), Unknown: 3}},
				Baton:     []shift.BatonState{{Key: "CronJob shop/mail", Side: shift.Blue, Stage: shift.BatonGiving, OffSince: now.Add(-5 * time.Second)}},
			},
			Changes: []shift.Change{{Priority: shift.Rollback}}, Reason: shift.UsersSuffer,
			Verdicts: []shift.Verdict{{Gate: "errors", Judgement: shift.Fail}},
		},
		Results: []shift.Result{{Entrance: "alb-0", Outcome: shift.Applied}},
	}
}

func TestEveryMetricIsSetAndDocumented(t *testing.T) {
	m := New("v0.0.0-test")
	m.Report(fullTurn())
	completed := fullTurn()
	completed.Decision.Next.Phase = shift.Completed
	m.Report(completed)
	m.Leads(true)
	m.Reloaded(nil)
	m.Notified("oncall", "sent")
	m.Called("route53", "GetChange", "ok")
	m.Waited("route53", time.Second)
	m.Preflight("shop", time.Now(), time.Second)
	m.PreflightFindings("shop", "block", 3)
	families, err := m.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("# Metrics\n\nServed at `/metrics` of the address in `listen`. Made from the code by `make gen`; the Go runtime's and the process's own metrics are there too.\n\n")
	b.WriteString("| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n")
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), namespace+"_") {
			continue
		}
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, "`"+l.GetName()+"`")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.GetName(), strings.ToLower(f.GetType().String()), strings.Join(labels, ", "), f.GetHelp())
	}
	if got := strings.Count(b.String(), "\n| `clusterswitch_"); got != 45 {
		t.Errorf("%d metrics speak after a full turn, 45 are registered: one is never set, or this number is old", got)
	}
	if *update {
		if err := os.WriteFile(reference, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	had, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(had), b.String()); diff != "" {
		t.Errorf("docs/metrics.md is old; run `make gen` (-had +want):\n%s", diff)
	}
}

// Every rollback counts once, also one of an attempt that was going back as
// planned, or of a pair that was rolled back before.
func TestRollbacksAreCounted(t *testing.T) {
	back := shift.State{Phase: shift.RollingBack, Rollback: &shift.RollbackRecord{}}
	cases := map[string]struct {
		before, next shift.State
		want         float64
	}{
		"a person's, out of a shift":        {shift.State{Phase: shift.Shifting}, back, 1},
		"out of the planned way back":       {shift.State{Phase: shift.Returning, Rollback: &shift.RollbackRecord{}}, back, 1},
		"a second one, of the next edit":    {shift.State{Phase: shift.RolledBack, Rollback: &shift.RollbackRecord{}}, back, 1},
		"one that goes on":                  {back, back, 0},
		"the planned way back, which isn't": {shift.State{Phase: shift.Completed}, shift.State{Phase: shift.Returning, Rollback: &shift.RollbackRecord{}}, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			m := New("v0.0.0-test")
			m.Report(switcher.Turn{Plan: shift.Plan{Pair: "shop"}, Before: c.before, Decision: shift.Decision{Next: c.next}})
			if got := value(t, m, "clusterswitch_rollbacks_total"); got != c.want {
				t.Errorf("it is counted %g times, want %g", got, c.want)
			}
		})
	}
}

func TestAnUnknownEntranceHasNoShare(t *testing.T) {
	m, turn := New("v0.0.0-test"), fullTurn()
	m.Report(turn)
	if got := value(t, m, "clusterswitch_entrance_share_percent"); got != 25 {
		t.Errorf("known, it has the share %g", got)
	}
	turn.Observation.Entrances[0].Err = "access denied"
	m.Report(turn)
	if got := value(t, m, "clusterswitch_entrance_share_percent"); got != 0 {
		t.Errorf("unknown, it still has the share %g", got)
	}
}

// A configuration may take an entrance away, or name it otherwise, because it can't
// be read. Whoever was called for it must not be called for ever.
func TestAnEntranceThatAPairNoLongerHasIsForgotten(t *testing.T) {
	m, turn := New("v0.0.0-test"), fullTurn()
	read := func(names ...string) {
		turn.Observation.Entrances = nil
		for _, name := range names {
			turn.Observation.Entrances = append(turn.Observation.Entrances, shift.EntranceReading{Name: name, At: turn.Now, Weights: shift.Share(25).Weights()})
		}
	}
	read("web", "old")
	turn.Observation.Entrances[1].Err = "reading rule: not found"
	m.Report(turn)
	read("web", "new")
	m.Report(turn)
	expect(t, m, map[string]map[string]float64{
		"entrance_known": {",new": 1, ",web": 1},
	})
	read("new")
	m.Report(turn)
	read()
	m.Report(turn) // a turn that looks at none
	expect(t, m, map[string]map[string]float64{
		"entrance_known":         {",new": 1},
		"entrance_share_percent": {",new": 25},
	})
}

// Only the daemon in charge makes preflights: what one that stands by saw while it
// was in charge is over.
func TestAReplicaThatStandsByTellsOfNoPreflight(t *testing.T) {
	m, turn := New("v0.0.0-test"), fullTurn()
	m.Preflight("shop", turn.Now, time.Second)
	m.PreflightFindings("shop", "block", 3)
	turn.Standby = true
	m.Report(turn)
	expect(t, m, map[string]map[string]float64{
		"preflight_findings": {}, "preflight_last_run_timestamp_seconds": {}, "preflight_duration_seconds": {},
	})
}

func TestClientsThatACookieKeepsOnGreenAreTold(t *testing.T) {
	m, turn := New("v0.0.0-test"), fullTurn()
	lowered := turn.Now.Add(-time.Minute)
	turn.Observation.Entrances[0].Sticky = time.Hour
	turn.Decision.Next.Entrances = []shift.EntranceState{{Entrance: shift.Entrance{Name: "alb-0"}, LoweredAt: lowered}}
	m.Report(turn)
	if got, want := value(t, m, "clusterswitch_sticky_until_timestamp_seconds"), float64(lowered.Add(time.Hour).Unix()); got != want {
		t.Errorf("got %g, want %g", got, want)
	}
	turn.Now = turn.Now.Add(time.Hour)
	m.Report(turn)
	if got := value(t, m, "clusterswitch_sticky_until_timestamp_seconds"); got != 0 {
		t.Errorf("when the last cookie is dead it still says %g", got)
	}
}

func TestWhoStaysBehindIsTold(t *testing.T) {
	const name = "clusterswitch_tail_until_timestamp_seconds"
	m, turn := New("v0.0.0-test"), fullTurn()
	turn.Observation.Entrances = []shift.EntranceReading{{Name: "dns-0", TTL: 30 * time.Second, InSync: true, Deregistration: time.Hour}}
	m.Report(turn)
	if got, want := value(t, m, name), float64(turn.Now.Add(90*time.Second).Unix()); got != want {
		t.Errorf("resolvers keep answers until %g, want %g", got, want)
	}
	turn.Now = turn.Now.Add(2 * time.Minute)
	m.Report(turn)
	if got := value(t, m, name); got != 0 {
		t.Errorf("later they still do until %g", got)
	}
	turn.Observation.Entrances[0].Connection = shift.Endless
	m.Report(turn)
	if got := value(t, m, name); !math.IsInf(got, 1) {
		t.Errorf("connections that nothing bounds end at %g", got)
	}
	m.Forget("shop")
	if got := value(t, m, name); got != 0 {
		t.Errorf("a pair that is gone still has %g", got)
	}
}

// value sums a metric's series; 0: it has none.
func value(t *testing.T, m *Metrics, name string) float64 {
	t.Helper()
	families, err := m.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		for _, metric := range f.GetMetric() {
			if f.GetName() == name {
				sum += metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
			}
		}
	}
	return sum
}

func TestAPairThatIsGoneLeavesNothing(t *testing.T) {
	m := New("v0.0.0-test")
	m.Report(fullTurn())
	m.Preflight("shop", time.Now(), time.Second)
	m.PreflightFindings("shop", "block", 3)
	m.Forget("shop")
	families, err := m.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, metric := range f.GetMetric() {
			for _, l := range metric.GetLabel() {
				if l.GetName() == "pair" {
					t.Errorf("%s still speaks of pair %s", f.GetName(), l.GetValue())
				}
			}
		}
	}
}

// Only a pair that is Completed says whether blue may be deleted, and what isn't
// known is not safe.
func TestSafeToRetireIsToldOfACompletedPairAlone(t *testing.T) {
	m, turn := New("v0.0.0-test"), fullTurn()
	turn.Decision.Next.Phase = shift.Completed
	turn.Observation.Retire = shift.RetireReading{At: turn.Now, Safe: true}
	m.Report(turn)
	if got := value(t, m, "clusterswitch_safe_to_retire"); got != 1 {
		t.Errorf("safe it is %g", got)
	}
	turn.Observation.Retire = shift.RetireReading{At: turn.Now, Unknown: true}
	m.Report(turn)
	if got := value(t, m, "clusterswitch_safe_to_retire"); got != 0 {
		t.Errorf("unknown it is %g", got)
	}
	turn.Observation.Retire, turn.Decision.Next.Phase = shift.RetireReading{At: turn.Now, Safe: true}, shift.Returning
	m.Report(turn)
	if got := value(t, m, "clusterswitch_safe_to_retire"); got != 0 {
		t.Errorf("on the way back it is still %g", got)
	}
}
