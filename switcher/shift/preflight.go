package shift

import (
	"fmt"
	"time"
)

// PreflightMode says what the preflight's findings do to a shift.
type PreflightMode string

// The modes. The zero value looks at nothing.
const (
	PreflightOff   PreflightMode = ""
	PreflightWarn  PreflightMode = "warn"  // findings are said, and stop nothing
	PreflightBlock PreflightMode = "block" // findings that block stop every rise
)

// PreflightReading is the newest answer to the question whether green is
// complete. The report itself is kept elsewhere, by its digest.
type PreflightReading struct {
	// At is when the newest look at the clusters began, full or brief; zero: none
	// was finished yet.
	At time.Time
	// FullAt is when the newest full look of the attempt began; zero: none was
	// finished yet.
	FullAt time.Time
	// Attempt is the attempt that the full look was made for.
	Attempt int
	// FreshFor is the age up to which At counts.
	FreshFor time.Duration
	// Err says why there is no answer; empty: there is.
	Err string
	// Blocks, Warns and Waived count findings; what a waiver covers counts as
	// waived only.
	Blocks, Warns, Waived int
	// First is the sentence of the worst finding that counts; empty: there is none.
	First string
	// Digest names the report that is kept.
	Digest string
}

// PreflightOutcome is what the journal keeps of a preflight. The report with
// its findings lies elsewhere, under its digest.
type PreflightOutcome struct {
	At     time.Time `json:"at"` // of the look that first gave it
	Digest string    `json:"digest,omitempty"`
	Blocks int       `json:"blocks"`
	Warns  int       `json:"warns"`
	Waived int       `json:"waived"`
}

const preflightGate = "preflight"

// preflight keeps all users on blue until it is known that green is complete.
// Nothing is written to AWS here.
func (t *turn) preflight() Decision {
	if d, ok := t.drifted(); ok {
		return d
	}
	if t.o.Request.Serve == Blue {
		return t.goBack()
	}
	if d, ok := t.entrancesChanged(); ok {
		return d
	}
	verdicts := greenComplete(t, 0)
	if w := worst(verdicts); w.Judgement != Pass {
		return t.blocked(w, verdicts)
	}
	if d, ok := t.outsideWindow(); ok {
		return d
	}
	if d, ok := t.known(); !ok {
		return d
	}
	if !t.blueMeasured() {
		return t.blueUnmeasured()
	}
	// The preflight may have waited for days: what blue carries is measured anew.
	// Nothing moved, so the evidence gathered since the start still counts.
	t.next.Baseline = t.takeBaseline()
	t.next.Phase = Shifting
	t.next.Version++
	said := "the preflight is switched off" // since the attempt began
	for _, v := range verdicts {
		said = v.Message
	}
	d := t.stay(PreflightPassed, "%s; blue carries everything on %d ready replicas", said, t.next.Baseline.Ready)
	d.Verdicts = verdicts
	return d
}

// noteOutcome takes over what the newest report of this attempt says.
func (t *turn) noteOutcome() {
	r := t.o.Preflight
	if !t.next.Active() || r.Attempt != t.next.Attempt || r.Err != "" || r.At.IsZero() {
		return
	}
	o := PreflightOutcome{At: r.At, Digest: r.Digest, Blocks: r.Blocks, Warns: r.Warns, Waived: r.Waived}
	if had := t.next.Preflight; had != nil {
		if o.At = had.At; o == *had {
			return
		}
		o.At = r.At
	}
	t.next.Preflight = &o
}

// greenComplete judges whether green has all that blue has: by a full look of
// this attempt, and by a look that began after the present share was reached.
func greenComplete(t *turn, _ Share) []Verdict {
	since := t.next.StartedAt
	if t.next.Phase != InPreflight && t.next.Step > 0 {
		since = t.next.ReachedAt
	}
	return t.complete(since)
}

// greenStillComplete asks less: no look since the change a moment ago.
func greenStillComplete(t *turn, _ Share) []Verdict { return t.complete(t.next.StartedAt) }

func (t *turn) complete(since time.Time) []Verdict {
	if t.p.Preflight == PreflightOff {
		return nil
	}
	r := t.o.Preflight
	looked := r.Attempt == t.next.Attempt && !r.FullAt.Before(t.next.StartedAt) && !r.FullAt.IsZero()
	switch {
	case t.p.Preflight == PreflightWarn && (looked || r.Err != ""):
		return one(preflightGate, Pass, "%s, which stops nothing as it only warns", t.preflightSaid())
	case r.Err != "":
		return one(preflightGate, Unmeasured, "it can't be made: %s", r.Err)
	case !looked:
		return one(preflightGate, Wait, "green is being compared with blue")
	case r.Blocks > 0:
		return one(preflightGate, Fail, "%s", t.preflightSaid())
	case !t.fresh(r.At, r.FreshFor):
		return one(preflightGate, Unmeasured, "the clusters were not looked at within %s", r.FreshFor)
	case r.At.Before(since):
		return one(preflightGate, Wait, "green is being compared with blue again since the last change")
	}
	return one(preflightGate, Pass, "%s", t.preflightSaid())
}

// preflightSaid gives the newest outcome as the beginning of a sentence.
func (t *turn) preflightSaid() string {
	switch r := t.o.Preflight; {
	case r.Err != "":
		return "the preflight can't be made: " + r.Err
	case r.Blocks == 1:
		return "1 finding blocks: " + r.First
	case r.Blocks > 0:
		return fmt.Sprintf("%d findings block, the first: %s", r.Blocks, r.First)
	default:
		return fmt.Sprintf("no finding blocks (%d warn, %d waived)", r.Warns, r.Waived)
	}
}

func preflightReason(j Judgement) Reason {
	switch j {
	case Fail:
		return PreflightBlocks
	case Wait:
		return PreflightRuns
	case Pass, Unmeasured:
	}
	return PreflightUnknown
}

// standbyFindings says what a look in standby found, as the end of a sentence. A
// release that reached one side only is no reason to move users.
func (t *turn) standbyFindings() string {
	r := t.o.Preflight
	if t.p.Preflight == PreflightOff || r.Attempt != t.next.Attempt || r.First == "" {
		return ""
	}
	return "; the preflight found: " + r.First
}
