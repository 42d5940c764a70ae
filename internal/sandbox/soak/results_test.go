package soak

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/load"
)

func TestRunsAreKeptAndAddedUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := openLedger(dir)
	if err != nil {
		t.Fatal(err)
	}
	fast, slow := 120.0, 5700.0
	runs := []Result{
		{Seed: 1, Daemon: "a", Violations: []string{}, Requests: 10, RollbackMs: &slow, TakeoverMs: []float64{900}},
		{Seed: 2, Daemon: "a", Violations: []string{"S3"}, Boundary: 1, Requests: 20, Failed: map[load.Cause]int64{load.Timeout: 2, load.EdgeError: 1}, TakeoverMs: []float64{7000, 400}},
		{Seed: 3, Daemon: "a", Violations: []string{}, Requests: 30, GreenErrors: 4, RollbackMs: &fast, HinderedMs: []float64{12000}},
	}
	for _, r := range runs[:2] {
		if err := first.add(r); err != nil {
			t.Fatal(err)
		}
	}
	// The process dies while it writes the third.
	path := filepath.Join(dir, resultsFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, `{"seed":3,"daem`...), 0o644); err != nil {
		t.Fatal(err)
	}
	second, err := openLedger(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !second.has(1) || !second.has(2) || second.has(3) {
		t.Errorf("the folder has runs %+v, want those of seeds 1 and 2", second.runs)
	}
	if err := second.add(runs[2]); err != nil {
		t.Fatal(err)
	}
	third, err := openLedger(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(runs, third.runs); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	want := "runs=3 violations=1 elbBoundary=1 requests=60 failedRequests=3 greenErrors=4 " +
		"rollbacks=2 rollbackMedian=5.7s rollbackMax=5.7s byItself=0 byItselfMax=none takeovers=3 takeoverMedian=900ms takeoverMax=7s hinderedMax=12s"
	if got := third.sum().String(); got != want {
		t.Errorf("last line:\n got %s\nwant %s", got, want)
	}
}

func TestALineThatIsBrokenInTheMiddleIsNotPassedOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, resultsFile), []byte("{\"seed\":1}\nnonsense\n{\"seed\":2}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := openLedger(dir); err == nil || !strings.Contains(err.Error(), "run 2") {
		t.Errorf("got %v, want an error that names the second run", err)
	}
}

func TestALastLineThatIsNonsenseIsCutOff(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, resultsFile), []byte("{\"seed\":1}\nnonsense\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := openLedger(dir)
	if err != nil || len(l.runs) != 1 {
		t.Errorf("got %+v (%v), want the first run", l, err)
	}
}
