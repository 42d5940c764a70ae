// Package shift is the pure core: values, gates, and Decide, the only code
// that chooses a share. It does no I/O, reads no clock, logs nothing and knows
// no context; internal/archtest proves it.
//
// # Phases
//
//	               start                 100 % held, gates pass          standby over
//	┌──────┐  asked, blue at 100 %  ┌──────────┐               ┌─────────┐            ┌───────────┐
//	│ Idle ├───────────────────────►│ Shifting ├──────────────►│ Standby ├───────────►│ Completed │
//	└──────┘                        └─┬──────┬─┘               └─┬─────┬─┘            └─┬───────┬─┘
//	    ▲ a new attempt               │      │ serve: blue       │     │ serve: blue    │       │
//	    │ starts likewise             │      └────────────┬──────┼─────┴────────────────┼───────┘
//	    │                             │                   ▼      │                      │
//	┌───┴────────┐   blue has all  ┌──┴──────────┐   ┌───────────┴─┐                    │
//	│ RolledBack │◄────────────────┤ RollingBack │◄──┤  Returning  │                    │
//	└────────────┘                 └─────────────┘   └──────┬──────┘                    │
//	    ▲                                ▲                  │ at 0 %                    │
//	    └────────────────────────────────┼──────────────────┘                           │
//	                                     └──────────────────────────────────────────────┘
//	              a person's flag (any phase), or what users feel (not after completion)
//
// # What must hold
//
// S1 to S15 of docs/rules.md; the property tests beside this file name each
// rule that they check. The three that shape the code:
//
//   - Nothing rises that isn't exactly the next planned step, granted by gates
//     that all passed on samples taken after the last change.
//   - Lowering green needs nothing but the wish: no metrics, no reading, no
//     approval.
//   - Unknown is a value. It never counts as good, and it never stops a person.
package shift
