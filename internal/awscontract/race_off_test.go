//go:build !race

package awscontract

// thinned: without the race detector the matrix tries everything.
const thinned = false
