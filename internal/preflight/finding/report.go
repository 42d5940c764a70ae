package finding

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// Schema is the version of a report's JSON. Under the same number fields are
// only ever added; whoever renames, removes or reinterprets one raises it.
const Schema = 1

// Report is all findings of one preflight. Two reports of the same facts and
// waivers differ in their times alone. docs/preflight.md is made from the
// comments on the fields.
type Report struct {
	// Schema is 1. Under the same number fields are only ever added.
	Schema int `json:"schemaVersion"`
	// Pair is the pair's name.
	Pair string `json:"pair"`
	// Attempt is the attempt that the daemon made the report for; absent: a person made it.
	Attempt int `json:"attempt,omitempty"`
	// Scope is full, or brief: only the checks that are cheap were run.
	Scope facts.Scope `json:"scope"`
	// At is when the gathering began, in RFC 3339.
	At time.Time `json:"at"`
	// Took is how long gathering and checking lasted, in nanoseconds.
	Took time.Duration `json:"tookNanoseconds"`
	// Blue is the old cluster.
	Blue Cluster `json:"blue"`
	// Green is the new cluster.
	Green Cluster `json:"green"`
	// Counts are the findings by severity. What a waiver covers counts as waived only.
	Counts Tally `json:"counts"`
	// Checks are the checks that ran, in their order.
	Checks []Ran `json:"checks"`
	// Findings are all findings: the worst first, the waived ones last, then by code, namespace and id.
	Findings []Finding `json:"findings"`
	// LeftOut counts findings that are not in the list because a ConfigMap can't hold them; absent: none. Counts has them.
	LeftOut Tally `json:"leftOut,omitzero"`
	// Against is how the findings differ from those of a former report, where one was given; else absent.
	Against *Difference `json:"against,omitempty"`
}

// Cluster is one side in the head of a report.
type Cluster struct {
	// Name is the EKS name, or the kubeconfig and its context.
	Name string `json:"name"`
	// Version is the API server's; absent: it could not be asked.
	Version string `json:"version,omitempty"`
	// Objects is how many objects were read.
	Objects int `json:"objects"`
	// Kinds is how many kinds of objects were read whole.
	Kinds int `json:"kinds"`
}

// Tally counts findings.
type Tally struct {
	// Block is how many findings keep users away from green.
	Block int `json:"block"`
	// Warn is how many a person should know.
	Warn int `json:"warn"`
	// Note is how many are for the record.
	Note int `json:"note"`
	// Waived is how many a waiver covers, whatever their severity.
	Waived int `json:"waived"`
}

// Ran says of one check that it ran.
type Ran struct {
	// Check is the check's name.
	Check string `json:"check"`
	// At is when the facts that it judged were gathered, in RFC 3339.
	At time.Time `json:"at"`
	// Findings is how many it had, waived ones included.
	Findings int `json:"findings"`
}

// add counts one finding.
func (t *Tally) add(f Finding) {
	switch {
	case f.Waived.inForce():
		t.Waived++
	case f.Severity == Block:
		t.Block++
	case f.Severity == Warn:
		t.Warn++
	default:
		t.Note++
	}
}

// Total is how many there are altogether.
func (t Tally) Total() int { return t.Block + t.Warn + t.Note + t.Waived }

// Tally counts all findings, those that are left out too.
func (r Report) Tally() Tally {
	t := r.LeftOut
	for _, f := range r.Findings {
		t.add(f)
	}
	return t
}

// Count counts the findings of a severity that no waiver covers.
func (r Report) Count(s Severity) int {
	t := r.Tally()
	switch s {
	case Block:
		return t.Block
	case Warn:
		return t.Warn
	case Note:
	}
	return t.Note
}

// Waived counts the findings that a waiver covers.
func (r Report) Waived() int { return r.Tally().Waived }

// Clear tells whether nothing blocks.
func (r Report) Clear() bool { return r.Tally().Block == 0 }

// Judged puts the waivers that hold now on the report's findings, in the place
// of those it had. It reads nothing again: that is how a changed waiver counts
// at once. A waiver of a finding that this report couldn't have is not called
// unused.
func (r Report) Judged(waivers []Waiver, now time.Time) Report {
	findings := Waive(r.Findings, waivers, now)
	unreadable := slices.ContainsFunc(findings, func(f Finding) bool { return f.Code == ClusterUnreadable })
	if r.Scope == facts.Brief || unreadable {
		findings = slices.DeleteFunc(findings, func(f Finding) bool { return f.Code == WaiverUnused })
	}
	r.Findings = findings
	r.Counts = r.Tally()
	return r
}

// Same tells whether two reports find the same, whenever each was made and
// however many objects come and go without a finding.
func (r Report) Same(o Report) bool {
	mine, err := r.timeless().JSON()
	theirs, errOf := o.timeless().JSON()
	return err == nil && errOf == nil && bytes.Equal(mine, theirs)
}

func (r Report) timeless() Report {
	r.At, r.Took, r.Against = time.Time{}, 0, nil
	for _, c := range []*Cluster{&r.Blue, &r.Green} {
		c.Objects, c.Kinds = 0, 0
	}
	r.Checks = slices.Clone(r.Checks)
	for i := range r.Checks {
		r.Checks[i].At = time.Time{}
	}
	return r
}

// JSON writes the report for machines: the same report gives the same bytes.
func (r Report) JSON() ([]byte, error) {
	r.Counts = r.Tally()
	if r.Findings == nil {
		r.Findings = []Finding{} // a list, not null
	}
	if r.Checks == nil {
		r.Checks = []Ran{}
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r); err != nil {
		return nil, fmt.Errorf("writing the report: %w", err)
	}
	return b.Bytes(), nil
}

// Digest names a report by the SHA-256 of its JSON, in hex.
func Digest(document []byte) string {
	sum := sha256.Sum256(document)
	return hex.EncodeToString(sum[:])
}

// Parse reads a report that JSON wrote. An error says, to a person, why it is
// none.
func Parse(document []byte) (Report, error) {
	var r Report
	err := json.Unmarshal(document, &r)
	var syntax *json.SyntaxError
	switch {
	case len(bytes.TrimSpace(document)) == 0:
		return Report{}, errors.New("it is empty; a report is what -o json prints")
	case errors.As(err, &syntax):
		return Report{}, fmt.Errorf("it is no JSON (%w, at byte %d); a report is what -o json prints", err, syntax.Offset)
	case err != nil:
		return Report{}, fmt.Errorf("it is no report of a preflight: %w", err)
	case r.Schema == 0 || r.Pair == "":
		return Report{}, errors.New("it is JSON but no report of a preflight: it lacks schemaVersion or pair")
	case r.Schema != Schema:
		return Report{}, fmt.Errorf("its schemaVersion is %d, this program reads %d; a newer program wrote it", r.Schema, Schema)
	}
	for _, f := range r.Findings {
		if f.Severity.rank() < 0 {
			return Report{}, fmt.Errorf("finding %s has the severity %q, which is none of %v", f.ID, f.Severity, Severities())
		}
	}
	return r, nil
}

// Fit gives the report with so many of its findings that size of it is at most
// limit bytes: the least severe are left out first, and counted in LeftOut.
// What has no room even without findings is returned without any.
func (r Report) Fit(limit int, size func(Report) int) Report {
	if size(r) <= limit {
		return r
	}
	fewer := func(n int) Report {
		short := r
		short.Findings = r.Findings[:n:n]
		for _, f := range r.Findings[n:] {
			short.LeftOut.add(f)
		}
		return short
	}
	least, most := 0, len(r.Findings)
	for least < most { // the most that fit
		if middle := (least + most + 1) / 2; size(fewer(middle)) <= limit {
			least = middle
		} else {
			most = middle - 1
		}
	}
	return fewer(least)
}
