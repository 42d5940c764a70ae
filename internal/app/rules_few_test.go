//go:build !e2e

package app

// eachRule: of the manifest's rules every fifth is taken away, in each configuration
// other ones. Each takes a look at a real cluster; make e2e takes them all.
const eachRule = 5
