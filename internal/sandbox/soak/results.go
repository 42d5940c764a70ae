package soak

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/load"
)

// resultsFile is where the runs of a folder are kept, one a line.
const resultsFile = "runs.jsonl"

// Result is what came of one run.
type Result struct {
	Seed uint64 `json:"seed"`
	// Daemon tells the binary apart, by the beginning of its digest.
	Daemon string `json:"daemon"`
	Story  string `json:"story"`
	// Lease is how long the daemons' lease lasts.
	Lease  string   `json:"lease"`
	Faults []string `json:"faults"`
	// End is the phase that the daemons came to.
	End        string   `json:"end"`
	Violations []string `json:"violations"`
	// Boundary counts what landed at the load balancer although the daemon in charge
	// no longer wanted it: it was on its way, and a load balancer has no swap.
	Boundary int `json:"elbBoundary"`

	Requests int64 `json:"requests"`
	// Failed are users' requests that failed, by cause; those that green was told to
	// fail are GreenErrors, and not among them.
	Failed      map[load.Cause]int64 `json:"failed"`
	GreenErrors int64                `json:"greenErrors"`
	// LateMs is the most by which a request left late: what the machine had no time for.
	LateMs float64 `json:"lateMs"`

	// RollbackMs is from a person's request to AWS's acceptance of green's 0 at the
	// last entrance; absent where nobody asked with users on green.
	RollbackMs *float64 `json:"rollbackMs,omitempty"`
	// ByItselfMs is the same from when green began to fail.
	ByItselfMs *float64 `json:"byItselfMs,omitempty"`
	// TakeoverMs is how long nobody was in charge, each time that a leader was lost
	// while another could be one. Those during which the API server or a connection
	// was away too are HinderedMs.
	TakeoverMs []float64 `json:"takeoverMs"`
	HinderedMs []float64 `json:"hinderedMs"`

	Seconds float64 `json:"seconds"`
}

func (r Result) failed() (sum int64) {
	for _, n := range r.Failed {
		sum += n
	}
	return sum
}

// ledger is the file of a folder's runs.
type ledger struct {
	path string
	runs []Result
}

// openLedger reads what was run before. A last line that was not written whole is
// cut off: its run is played again. A broken line anywhere else is an error.
func openLedger(dir string) (*ledger, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	l := &ledger{path: filepath.Join(dir, resultsFile)}
	text, err := os.ReadFile(l.path)
	if err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("reading earlier runs: %w", err)
	}
	whole := 0
	for rest := text; len(rest) > 0; {
		line, after, ended := bytes.Cut(rest, []byte("\n"))
		var r Result
		err := json.Unmarshal(line, &r)
		if !ended || err != nil && len(after) == 0 {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading run %d of %s: %w", len(l.runs)+1, l.path, err)
		}
		l.runs = append(l.runs, r)
		whole += len(line) + 1
		rest = after
	}
	if whole < len(text) {
		if err := os.Truncate(l.path, int64(whole)); err != nil {
			return nil, fmt.Errorf("cutting off the broken end of %s: %w", l.path, err)
		}
	}
	return l, nil
}

func (l *ledger) has(seed uint64) bool {
	return slices.ContainsFunc(l.runs, func(r Result) bool { return r.Seed == seed })
}

// add appends a run; when it returns, the run is on the disk.
func (l *ledger) add(r Result) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("writing down run %d: %w", r.Seed, err)
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("writing down run %d: %w", r.Seed, err)
	}
	l.runs = append(l.runs, r)
	return file.Close()
}

// sum is what all runs of a folder come to.
type sum struct {
	runs, violations, boundary, binaries int
	requests, failed, greenErrors        int64
	rollbacks, byItself                  []float64 // ms, sorted
	takeovers, hindered                  []float64 // ms, sorted
}

func (l *ledger) sum() sum {
	s := sum{runs: len(l.runs)}
	binaries := map[string]bool{}
	for _, r := range l.runs {
		binaries[r.Daemon] = true
		s.violations += len(r.Violations)
		s.boundary += r.Boundary
		s.requests += r.Requests
		s.failed += r.failed()
		s.greenErrors += r.GreenErrors
		if r.RollbackMs != nil {
			s.rollbacks = append(s.rollbacks, *r.RollbackMs)
		}
		if r.ByItselfMs != nil {
			s.byItself = append(s.byItself, *r.ByItselfMs)
		}
		s.takeovers = append(s.takeovers, r.TakeoverMs...)
		s.hindered = append(s.hindered, r.HinderedMs...)
	}
	s.binaries = len(binaries)
	for _, list := range [][]float64{s.rollbacks, s.byItself, s.takeovers, s.hindered} {
		slices.Sort(list)
	}
	return s
}

// String is the last line of the command.
func (s sum) String() string {
	return fmt.Sprintf("runs=%d violations=%d elbBoundary=%d requests=%d failedRequests=%d greenErrors=%d "+
		"rollbacks=%d rollbackMedian=%s rollbackMax=%s byItself=%d byItselfMax=%s takeovers=%d takeoverMedian=%s takeoverMax=%s hinderedMax=%s",
		s.runs, s.violations, s.boundary, s.requests, s.failed, s.greenErrors,
		len(s.rollbacks), median(s.rollbacks), most(s.rollbacks), len(s.byItself), most(s.byItself),
		len(s.takeovers), median(s.takeovers), most(s.takeovers), most(s.hindered))
}

// median is the upper one of an even number; "none" of nothing.
func median(sorted []float64) string {
	if len(sorted) == 0 {
		return "none"
	}
	return inWords(sorted[len(sorted)/2])
}

func most(sorted []float64) string {
	if len(sorted) == 0 {
		return "none"
	}
	return inWords(sorted[len(sorted)-1])
}

func inWords(ms float64) string {
	return (time.Duration(ms) * time.Millisecond).String()
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
