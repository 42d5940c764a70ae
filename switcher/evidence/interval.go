package evidence

import (
	"math"
	"time"
)

// Count is what one side had within an interval. Counts may have parts: they come
// from counters that were read at other moments.
type Count struct {
	// Requests that were answered, or failed.
	Requests float64
	// Bad are those of them that were bad.
	Bad float64
}

// mostRequests is more than any service answers, and far from where sums stop being
// numbers.
const mostRequests = 1e15

// sound tells whether the count can be: a number, not negative, and no more bad
// requests than there were.
func (c Count) sound() bool {
	for _, n := range []float64{c.Requests, c.Bad} {
		if math.IsNaN(n) || n < 0 || n > mostRequests {
			return false
		}
	}
	return c.Bad <= c.Requests
}

// Interval is what was counted on both sides from Start up to End.
type Interval struct {
	Start, End time.Time
	// Green and Blue have one count for each metric of the profile, in its order.
	Green, Blue []Count
	// Fault says why the interval can't be judged, such as a gap or a counter that
	// was set back; empty: it can.
	Fault string
}

// fault says why the interval can't be judged by these metrics; empty: it can.
func (iv Interval) fault(metrics int) string {
	switch {
	case iv.Fault != "":
		return iv.Fault
	case !iv.End.After(iv.Start):
		return "it has no length"
	case len(iv.Green) != metrics || len(iv.Blue) != metrics:
		return "it was counted by other metrics"
	}
	for _, side := range [][]Count{iv.Green, iv.Blue} {
		for _, c := range side {
			if !c.sound() {
				return "its counts can't be: more bad requests than requests, or no numbers"
			}
		}
	}
	return ""
}
