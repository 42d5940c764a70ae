//go:build !e2e

package app

// eachRule: of the manifest's rules every third is taken away, in each configuration
// another third. Each takes a look at a real cluster; make e2e takes them all.
const eachRule = 3
