package shift

import "time"

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
