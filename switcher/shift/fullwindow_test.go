package shift

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Blue had 60 requests a second over the newest window of 5 minutes.
func TestALoadIsAMeasureWhenItsWindowIsFull(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		past LoadPast
		blue float64
		want string
	}{
		"users were there long before": {LoadPast{Windows: 4, Least: 58, Most: 61}, 60, ""},
		"the day begins":               {LoadPast{Windows: 4, Least: 40, Most: 59}, 60, ""},
		"it doubled":                   {LoadPast{Windows: 4, Least: 30, Most: 59}, 60, ""},
		"users came three minutes ago": {
			LoadPast{Windows: 4, Least: 0, Most: 45}, 60, "it rose from 0 to 60 requests a second within its window of 5m0s",
		},
		"a few were there before all came": {
			LoadPast{Windows: 4, Least: 1.04, Most: 45}, 60, "it rose from 1 to 60 requests a second within its window of 5m0s",
		},
		"its source was away in the meantime": {
			LoadPast{Windows: 4, Least: 60, Most: 180}, 60, "it fell from 180 to 60 requests a second within its window of 5m0s",
		},
		"its source knows nothing of the time before": {
			LoadPast{Err: "it has no sample of 12:00:00"}, 60, "what it was before isn't known: it has no sample of 12:00:00",
		},
		"nobody asked":          {LoadPast{}, 60, "what it was before isn't known"},
		"it was no number":      {LoadPast{Windows: 4, Least: math.NaN(), Most: 60}, 60, "it rose from NaN to 60 requests a second within its window of 5m0s"},
		"it is next to nothing": {LoadPast{Windows: 4}, 0.9, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := LoadReading{From: began, To: began.Add(5 * time.Minute), Blue: test.blue, Past: test.past}
			if diff := cmp.Diff(test.want, r.notFull()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Green's first users wait for blue's load, and nothing else does.
func TestGreensFirstUsersWaitForAFullWindow(t *testing.T) {
	t.Parallel()
	waits := []Verdict{{blueLoadGate, Wait, "load alb is no measure of blue yet: it rose from 0 to 70 requests a second within its window of 5m0s; ready replicas stand for it from 12:01:00 UTC on"}}
	for name, test := range map[string]struct {
		spoil func(t *turn)
		want  []Verdict
	}{
		"users came a moment ago":   {func(*turn) {}, waits},
		"they were there before":    {func(t *turn) { t.o.Loads[0].Past.Least = 70 }, nil},
		"what they asked was noted": {func(t *turn) { t.next.Baseline.Loads = []LoadBaseline{{"alb", 80}} }, nil},
		"next to nothing was noted": {func(t *turn) { t.next.Baseline.Loads = []LoadBaseline{{"alb", 0.1}} }, waits},
		"it can't be measured":      {func(t *turn) { t.o.Loads[0].Err = "throttled" }, nil},
		"it was measured long ago":  {func(t *turn) { t.o.Loads[0].To = t.now.Add(-time.Hour) }, nil},
		"nobody measures a load":    {func(t *turn) { t.p.Capacity.Loads = nil }, nil},
		"it is known what a replica carries": {func(t *turn) {
			t.p.Capacity.Loads[0].PerReplica, t.p.Capacity.Loads[0].Workloads = 10, []string{"Deployment shop/web"}
		}, nil},
		"green has users":                   {func(t *turn) { t.next.Step, t.next.Share = 1, 10 }, nil},
		"it lasts for as long as two fills": {func(t *turn) { t.next.Baseline.At = t.now.Add(-2 * time.Minute) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			turn := loaded(func(t *turn) {
				t.next.Step, t.next.Share = 0, 0
				t.next.Baseline.Loads, t.next.Baseline.At = nil, t.now.Add(-time.Minute)
				t.o.Loads = []LoadReading{t.loadReading("alb", 70, 0)}
				t.o.Loads[0].Past.Least = 0
				test.spoil(t)
			})
			if diff := cmp.Diff(test.want, blueLoadMeasured(turn, 10)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
