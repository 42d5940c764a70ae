//go:build race

package awscontract

// thinned: with the race detector, which makes all of it several times slower, the
// matrix tries each fault with each write in some of the shapes only. Without, it
// tries everything.
const thinned = true
