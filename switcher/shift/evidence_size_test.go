package shift

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clusterswitch/clusterswitch/switcher/evidence"
)

// crowded is a shift with as many request gates and metrics as there may be, after
// hours of requests.
func crowded(tb testing.TB, gates int) State {
	tb.Helper()
	b := newBench(25)
	metrics := []evidence.Metric{{Name: "errors", Ratio: 0.00123456, Dispersion: 3.123456}}
	for _, edge := range []time.Duration{250 * time.Millisecond, 1200 * time.Millisecond, 12345 * time.Millisecond} {
		metrics = append(metrics, evidence.Metric{Name: "slower than " + edge.String(), Edge: edge, Ratio: 0.0123456, Dispersion: 12.345678})
	}
	b.p.Gates.Requests, b.o.Requests = nil, nil
	for i := range gates {
		name := fmt.Sprintf("requests-of-a-service-%d", i)
		b.p.Gates.Requests = append(b.p.Gates.Requests, RequestGate{
			Name: name, Compare: true, Tolerate: 1.25, MinExcess: 0.0005, FalseAlarms: 0.01, HasLimit: true, MaxErrorRatio: 0.01, Interval: benchEvery,
		})
		b.o.Requests = append(b.o.Requests, RequestReading{Gate: name, At: b.now, FreshFor: time.Minute, Profile: &evidence.Profile{
			Metrics: metrics, Rate: 12345.678912, From: b.now.Add(-6 * time.Hour), To: b.now, Short: "blue's history is 45m15s long, 1h0m0s are needed",
		}})
	}
	b.s.Evidence = nil
	b.turn()
	for n := range 200 {
		iv := evidence.Interval{Start: b.now, End: b.now.Add(benchEvery)}
		for i := range metrics {
			green, blue := 12345.678901+float64(n*i), 123456.789012+float64(n)
			iv.Green = append(iv.Green, evidence.Count{Requests: green, Bad: green * 0.0123})
			iv.Blue = append(iv.Blue, evidence.Count{Requests: blue, Bad: blue * 0.0119})
		}
		b.now = iv.End
		for i := range b.o.Requests {
			b.o.Requests[i].Intervals = []evidence.Interval{iv}
		}
		b.turn()
	}
	return b.s
}

// TestEvidenceFitsIntoTheJournal: with all that there may be of gates and metrics a
// state stays below 32 KiB, and leaves room for the largest of all else, which has
// as much (TestTheBaselineFitsIntoTheJournal).
func TestEvidenceFitsIntoTheJournal(t *testing.T) {
	s := crowded(t, 8)
	text, err := json.Marshal(s)
	if err != nil || len(text) > 32<<10 || len(s.Evidence) != 8 {
		t.Errorf("%d gates take %d bytes (%v)", len(s.Evidence), len(text), err)
	}
	var back State
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, back, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the journal loses something:\n%s", diff)
	}
}
