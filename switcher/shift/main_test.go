package shift

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// TestMain sets how often properties are tried where nobody says so by
// -rapid.checks.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", randomRuns); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	flag.Parse()
	os.Exit(m.Run())
}
