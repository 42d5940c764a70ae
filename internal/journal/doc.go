// Package journal keeps the state of each pair in the status of its
// TrafficSwitch, with resourceVersion as compare-and-swap, and hands out what
// people ask for in its spec.
//
// Three promises:
//
//   - What can't be read is never taken for absent, and never overwritten.
//   - Nobody's write to the journal is overwritten unseen: Save then answers
//     ErrConflict.
//   - A person's edit of the spec is nobody's write to the journal: it never
//     makes Save fail.
package journal
