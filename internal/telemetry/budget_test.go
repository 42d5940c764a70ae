package telemetry

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// budgetOf gives a metric's values by the labels besides the pair.
func budgetOf(t *testing.T, m *Metrics, name, label string) map[string]float64 {
	t.Helper()
	families, err := m.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "clusterswitch_"+name {
			continue
		}
		for _, metric := range f.GetMetric() {
			key := ""
			for _, l := range metric.GetLabel() {
				if l.GetName() == label {
					key = l.GetValue()
				}
			}
			got[key] += metric.GetCounter().GetValue()
		}
	}
	return got
}

// What a decision needs is unknown for as long as turns find it so; what comes
// between turns that are far apart isn't the daemon's.
func TestTimeInWhichSomethingIsUnknownCounts(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	sees := shift.ClusterReading{At: began}
	look := shift.Observation{Entrances: []shift.EntranceReading{{Name: "dns-0", At: began}}, Blue: sees, Green: sees}
	blind, deaf := look, look
	blind.Entrances = []shift.EntranceReading{{Name: "dns-0", At: began}, {Name: "alb-0", At: began, Err: "throttled"}}
	deaf.Green = shift.ClusterReading{}
	m := New("v0.0.0-test")
	for _, turn := range []struct {
		after   time.Duration
		sees    shift.Observation
		journal error
	}{
		{0, blind, nil}, // the first knows no time
		{10 * time.Second, blind, nil},
		{10 * time.Second, look, nil},
		{20 * time.Second, deaf, nil},
		{20 * time.Second, deaf, errors.New("gone")},
		{10 * time.Second, shift.Observation{}, nil}, // stands by
		{time.Hour, blind, nil},
		{-time.Minute, blind, nil}, // the clock was set
	} {
		began = began.Add(turn.after)
		m.Report(switcher.Turn{Now: began, Plan: shift.Plan{Pair: "shop"}, Observation: turn.sees, JournalErr: turn.journal})
	}
	want := map[string]float64{"entrances": 10 + 300, "blue": 0, "green": 40, "journal": 20}
	if diff := cmp.Diff(want, budgetOf(t, m, "unknown_seconds_total", "of")); diff != "" {
		t.Errorf("unknown (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]float64{"": 10 + 10 + 20 + 20 + 300}, budgetOf(t, m, "watched_seconds_total", "")); diff != "" {
		t.Errorf("watched (-want +got):\n%s", diff)
	}
}

func TestShiftsAndFailedWritesCountOnce(t *testing.T) {
	t.Parallel()
	m := New("v0.0.0-test")
	at := func(attempt int, phase shift.Phase) shift.State { return shift.State{Attempt: attempt, Phase: phase} }
	way := []shift.State{
		at(0, shift.Idle), at(1, shift.InPreflight), at(1, shift.Shifting), at(1, shift.RolledBack), at(1, shift.RolledBack),
		at(2, shift.InPreflight), at(2, shift.Shifting), at(2, shift.Completed), at(2, shift.Completed), at(2, shift.RolledBack),
	}
	m.Report(switcher.Turn{Plan: shift.Plan{Pair: "shop"}, Before: shift.State{}, Decision: shift.Decision{Next: way[0]}})
	for i, next := range way[1:] {
		m.Report(switcher.Turn{Plan: shift.Plan{Pair: "shop"}, Before: way[i], Decision: shift.Decision{Next: next}})
	}
	// A daemon that starts finds an attempt, and begins none.
	m.Report(switcher.Turn{Plan: shift.Plan{Pair: "shop"}, Before: at(2, shift.RolledBack), Decision: shift.Decision{Next: at(2, shift.RolledBack)}})
	want := map[string]float64{"begun": 2, "completed": 1, "rolled-back": 2}
	if diff := cmp.Diff(want, budgetOf(t, m, "shifts_total", "result")); diff != "" {
		t.Errorf("shifts (-want +got):\n%s", diff)
	}

	turn := switcher.Turn{Plan: shift.Plan{Pair: "shop"}, Decision: shift.Decision{Next: at(2, shift.RolledBack)}}
	for _, outcome := range []shift.Outcome{shift.Applied, shift.Conflict, shift.Unknown, shift.Refused} {
		turn.Results = append(turn.Results, shift.Result{Entrance: "alb-0", Outcome: outcome})
		turn.Decision.Changes = append(turn.Decision.Changes, shift.Change{})
	}
	m.Report(turn)
	if diff := cmp.Diff(map[string]float64{"": 3}, budgetOf(t, m, "failed_writes_total", "")); diff != "" {
		t.Errorf("failed writes (-want +got):\n%s", diff)
	}
}
