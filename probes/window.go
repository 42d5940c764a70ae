package probes

import (
	"slices"
	"time"
)

// historySize is how many results are kept at least. A probe that needs more in a row keeps that many.
const historySize = 20

// State is what a probe's results come to.
type State int

const (
	// Unknown is the state before enough results of one kind came in a row. It is never good.
	Unknown State = iota
	// Passing needs Reading.Needed good results in a row, and lasts until the probe is failing.
	Passing
	// Failing needs Spec.Failures bad results in a row, and lasts until the probe is passing.
	Failing
)

// String gives the state in lower case.
func (s State) String() string {
	switch s {
	case Passing:
		return "passing"
	case Failing:
		return "failing"
	default:
		return "unknown"
	}
}

// Result is what one run of a probe gave.
type Result struct {
	// At is when the run started, so that a result counts as taken after a change only if all of it was.
	At time.Time
	// Duration is how long the run took.
	Duration time.Duration
	// Err says why the run failed; it is empty for a success.
	Err string
}

// OK reports whether the run was a success.
func (r Result) OK() bool { return r.Err == "" }

// Reading is what is known of one probe at one moment. It shares nothing with the Runner.
type Reading struct {
	// Name is the probe's name.
	Name string
	// State is what the results come to, and Since the start of the run that made it so. Since is zero while nothing
	// was ever known.
	State State
	Since time.Time
	// LastAt is when the last run started; it is zero before the first result.
	LastAt time.Time
	// LastError says why the last run failed; it is empty after a success.
	LastError string
	// Consecutive counts the last results that were alike, all good or all bad; the first of them started at AlikeSince.
	Consecutive int
	AlikeSince  time.Time
	// Needed is how many successes in a row make the probe passing.
	Needed int
	// FreshFor is the age up to which the last result counts. An older one means that the probe hangs or is not run; it
	// is to be taken for unknown, whatever the state.
	FreshFor time.Duration
	// History holds the recent results, the oldest first, and never fewer than Needed once there were as many.
	History []Result
}

// window turns the results of one probe into a state. It reads no clock: times come with the results.
type window struct {
	// successes and failures are how many results in a row change the state.
	successes, failures int

	state       State
	since       time.Time
	consecutive int
	alikeSince  time.Time
	history     []Result
}

// add takes in the next result and reports whether the state changed.
func (w *window) add(r Result) bool {
	if len(w.history) == 0 || w.history[len(w.history)-1].OK() != r.OK() {
		w.consecutive, w.alikeSince = 0, r.At
	}
	w.consecutive++
	if limit := max(historySize, w.successes, w.failures); len(w.history) == limit {
		w.history = slices.Delete(w.history, 0, 1)
	}
	w.history = append(w.history, r)

	next := w.state
	switch {
	case r.OK() && w.consecutive >= w.successes:
		next = Passing
	case !r.OK() && w.consecutive >= w.failures:
		next = Failing
	}
	if next == w.state {
		return false
	}
	w.state, w.since = next, r.At
	return true
}

// reading copies the window's view.
func (w *window) reading() Reading {
	r := Reading{
		State:       w.state,
		Since:       w.since,
		Consecutive: w.consecutive,
		AlikeSince:  w.alikeSince,
		Needed:      w.successes,
		History:     slices.Clone(w.history),
	}
	if n := len(w.history); n > 0 {
		r.LastAt, r.LastError = w.history[n-1].At, w.history[n-1].Err
	}
	return r
}
