package probes

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func at(second int) time.Time {
	return time.Date(2026, 1, 1, 0, 0, second, 0, time.UTC)
}

// play adds one result a second, + for a success and - for a failure, and returns the state after each.
func play(w *window, story string) string {
	var states strings.Builder
	for i, c := range story {
		r := Result{At: at(i)}
		if c == '-' {
			r.Err = "down"
		}
		w.add(r)
		states.WriteString(map[State]string{Unknown: "?", Passing: "P", Failing: "F"}[w.state])
	}
	return states.String()
}

func TestWindowStates(t *testing.T) {
	tests := map[string]struct {
		successes, failures int
		story, states       string
	}{
		"nothing is known before enough successes":     {3, 2, "++", "??"},
		"enough successes pass":                        {3, 2, "+++", "??P"},
		"a failure starts the count anew":              {3, 2, "++-++", "?????"},
		"enough failures fail":                         {3, 2, "--", "?F"},
		"one failure does not end passing":             {3, 2, "+++-+", "??PPP"},
		"failures in a row end passing":                {3, 2, "+++-+--", "??PPPPF"},
		"one success does not end failing":             {3, 2, "--+-++", "?FFFFF"},
		"successes in a row end failing":               {3, 2, "--+++", "?FFFP"},
		"thresholds of one follow every result":        {1, 1, "+-+", "PFP"},
		"flapping below both thresholds stays unknown": {3, 3, "+-++-+--+", "?????????"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := &window{successes: test.successes, failures: test.failures}
			if got := play(w, test.story); got != test.states {
				t.Errorf("after %s got %s, want %s", test.story, got, test.states)
			}
		})
	}
}

func TestStateNamesItself(t *testing.T) {
	for state, want := range map[State]string{Unknown: "unknown", Passing: "passing", Failing: "failing"} {
		if got := state.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestReadingTellsTheRunOfLikeResults(t *testing.T) {
	w := &window{successes: 2, failures: 3}
	play(w, "+++-")
	want := Reading{
		State:       Passing,
		Since:       at(1),
		LastAt:      at(3),
		LastError:   "down",
		Consecutive: 1,
		AlikeSince:  at(3),
		Needed:      2,
		History:     []Result{{At: at(0)}, {At: at(1)}, {At: at(2)}, {At: at(3), Err: "down"}},
	}
	if diff := cmp.Diff(want, w.reading()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReadingSharesNothing(t *testing.T) {
	w := &window{successes: 1, failures: 1}
	play(w, "+")
	w.reading().History[0].Err = "changed by the reader"
	if got := w.reading().History[0].Err; got != "" {
		t.Errorf("the window's own history says %q", got)
	}
}

// The states are compared with a slow definition: the last result that ended a long enough run of its kind decides.
func TestWindowAgreesWithItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		successes, failures := rapid.IntRange(1, 30).Draw(t, "successes"), rapid.IntRange(1, 30).Draw(t, "failures")
		results := rapid.SliceOfN(rapid.Bool(), 0, 120).Draw(t, "results")
		w := &window{successes: successes, failures: failures}
		want := Unknown
		for i, ok := range results {
			r := Result{At: at(i)}
			if !ok {
				r.Err = "down"
			}
			before := w.state
			changed := w.add(r)

			if run := runLength(results[:i+1]); ok && run >= successes {
				want = Passing
			} else if !ok && run >= failures {
				want = Failing
			}
			if w.state != want {
				t.Fatalf("after %v got %s, want %s", results[:i+1], w.state, want)
			}
			if changed != (before != w.state) {
				t.Fatalf("add says changed=%t from %s to %s", changed, before, w.state)
			}
			if w.consecutive != runLength(results[:i+1]) {
				t.Fatalf("got %d alike, want %d", w.consecutive, runLength(results[:i+1]))
			}
			if kept, limit := len(w.history), max(historySize, successes, failures); kept != min(i+1, limit) || w.history[kept-1] != r {
				t.Fatalf("kept %d results of %d, the last %v", kept, i+1, w.history[kept-1])
			}
		}
	})
}

func runLength(results []bool) int {
	last, n := results[len(results)-1], 0
	for i := len(results) - 1; i >= 0 && results[i] == last; i-- {
		n++
	}
	return n
}
