// Package record holds the record of one attempt: what was planned, what happened
// when, by which verdicts, and what failed. It is for people, for the change's ticket
// and for the talk afterwards. No decision looks at it, and where it has gaps it says
// so.
package record
