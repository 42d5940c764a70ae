//go:build !race

package chronicle

const raceEnabled = false
