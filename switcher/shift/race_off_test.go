//go:build !race

package shift

// randomRuns is how often each property is tried.
const randomRuns = "100"
