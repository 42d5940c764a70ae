//go:build race

package switcher

// randomRuns is how often each property is tried: less often with the race
// detector, which makes all of it several times slower; make test runs them
// without it too.
const randomRuns = "15"
