//go:build !race

package switcher

// randomRuns is how often each property is tried.
const randomRuns = "100"
