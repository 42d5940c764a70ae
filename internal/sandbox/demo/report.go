package demo

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/load"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/story"
)

// Report is what .demo/report.json holds.
type Report struct {
	SchemaVersion int      `json:"schemaVersion"`
	Scenarios     []Result `json:"scenarios"`
}

// Result is one scenario's part of the report.
type Result struct {
	Name   string `json:"name"`
	Result string `json:"result"` // passed or failed
	// Why says what went wrong; absent when it passed.
	Why           string               `json:"why,omitempty"`
	Seconds       float64              `json:"seconds"`
	Requests      int64                `json:"requests"`
	Failed        int64                `json:"failed"`
	FailedByCause map[load.Cause]int64 `json:"failedByCause"`
	// RollbackMs is from the request (or the first sign of trouble, where the
	// daemon decides by itself) to AWS's acknowledgement of the last write;
	// null where nothing was rolled back.
	RollbackMs *float64       `json:"rollbackMs"`
	P99Ms      float64        `json:"p99Ms"`
	Timeline   []story.Moment `json:"timeline"`
}

// The results.
const (
	Passed = "passed"
	Failed = "failed"
)

// Passed tells whether every scenario did.
func (r Report) Passed() bool {
	for _, s := range r.Scenarios {
		if s.Result != Passed {
			return false
		}
	}
	return len(r.Scenarios) > 0
}

// Write puts the report into dir.
func (r Report) Write(dir string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "report.json"), append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}
