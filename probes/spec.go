package probes

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// freshIntervals is how many intervals a result stays fresh: a single late run is no alarm.
const freshIntervals = 3

// Func looks once and returns nil when all is good. It must come to an end soon after ctx does.
type Func func(ctx context.Context) error

// Check is a Func with an identity: two Checks of one identity look at the same thing in the same way. HTTP, TCP,
// TLS, GRPC, DNS, WebSocket and Service make Checks; Custom makes one of any Func.
type Check struct {
	identity string
	run      Func
}

// Custom makes a Check of any Func.
func Custom(identity string, run Func) Check {
	return Check{identity: "custom " + identity, run: run}
}

// Spec says what is probed, how often, and how many results make a state.
type Spec struct {
	// Name tells the probe apart from the others of its Runner.
	Name string
	// Check is what is run.
	Check Check
	// Interval is the time from the start of one run to the start of the next, spread by a tenth either way. A run that
	// takes longer puts the next one off.
	Interval time.Duration
	// Timeout ends a run, as a failure.
	Timeout time.Duration
	// Successes in a row make the probe passing; Failures in a row make it failing. Both are at least 1.
	Successes, Failures int
	// MaxP95 is the limit for the 95th percentile of the times of the last 20 good runs; 0: there is none. A run above it
	// is a failure. With a limit the probe needs at least 10 successes in a row to pass: so many have to be timed.
	MaxP95 time.Duration
}

// needed is how many successes in a row make the probe passing.
func (s Spec) needed() int {
	if s.MaxP95 > 0 {
		return max(s.Successes, leastAnswers)
	}
	return s.Successes
}

// valid returns what is wrong with the spec, all of it.
func (s Spec) valid() error {
	var faults []error
	fault := func(wrong bool, text string) {
		if wrong {
			faults = append(faults, fmt.Errorf("probe %q: %s", s.Name, text))
		}
	}
	fault(s.Name == "", "the name is empty")
	fault(s.Check.run == nil, "there is nothing to run")
	fault(s.Interval <= 0, "the interval is not above zero")
	fault(s.Timeout <= 0, "the timeout is not above zero")
	fault(s.Successes < 1, "the number of successes is below 1")
	fault(s.Failures < 1, "the number of failures is below 1")
	fault(s.MaxP95 < 0, "the limit of latency is below zero")
	return errors.Join(faults...)
}

// freshFor is how old the last result of a probe that runs well may get, with room for one late run.
func (s Spec) freshFor() time.Duration { return freshIntervals*s.Interval + s.Timeout }

// same reports whether other asks for the same probe, so that its history still tells something.
func (s Spec) same(other Spec) bool {
	return s.Name == other.Name && s.Check.identity == other.Check.identity &&
		s.Interval == other.Interval && s.Timeout == other.Timeout &&
		s.Successes == other.Successes && s.Failures == other.Failures && s.MaxP95 == other.MaxP95
}
