// Package archtest fails the tests when the code leaves the shape that
// docs/architecture.md gives it: who may import whom, what the product's binary
// carries, what the pure core may touch, and how long a function may be.
//
// The table in docs/architecture.md is the rule itself: the tests read it, so
// that it can't tell another story than the code. To let a package import
// another one, change the table.
//
// Each rule is a plain function from what was found to the breaches, so that
// the tests can also show that a breach would be seen.
package archtest
