// Package shift is the pure core: values, gates, and Decide, the only code
// that chooses a share. It does no I/O, reads no clock, logs nothing and knows
// no context; internal/archtest proves it.
//
// # Phases
//
//	up:    Idle ──► Preflight ──► Shifting ──► Standby ──► Completed
//	back:  Preflight, Shifting, Standby, Completed ─► Returning   ──► RolledBack    serve: blue, withdrawn before its first step
//	       any phase with users on green ───────────► RollingBack ──► RolledBack    flag, or users suffer
//	again: RolledBack, Completed ──► Preflight                                     a new attempt
//
// Transitions has them all; docs/phases.md is drawn from it.
//
// # What must hold
//
// S1 to S18 of docs/rules.md; rules_test.go checks each where its effect lands
// and names it. The three that shape the code:
//
//   - Nothing rises that isn't exactly the next planned step, granted by gates
//     that all passed on samples taken after the last change.
//   - Lowering green needs nothing but the wish: no metrics, no reading, no
//     approval.
//   - Unknown is a value. It never counts as good, and it never stops a person.
package shift
