package sim

import (
	"strings"
	"time"
)

// Options say what to play.
type Options struct {
	// Seed draws everything: the plan, the faults, what people do.
	Seed uint64
	// Trace keeps the trace; without it a run is much faster.
	Trace bool
	// Calm draws no fault: one replica's plain shift, for CrashAt.
	Calm bool
	// Journey is which one a calm world plays; see Journeys.
	Journey string
	// CrashAt lets the replica that is at work die at these call boundaries,
	// counted from 1; before each call is one, and after it.
	CrashAt []int
}

// Violation is a rule of docs/rules.md that was seen broken.
type Violation struct {
	Rule    string
	At      time.Duration // since the start of the world
	Message string
}

// String gives the violation as one line.
func (v Violation) String() string { return v.Rule + " at " + stamp(v.At) + ": " + v.Message }

// Result is what became of one seed.
type Result struct {
	Seed       uint64
	Violations []Violation
	// ElbBoundary counts rises at a load balancer that landed after a rollback, or
	// after a newer daemon took charge, because they were on their way: there is no
	// compare-and-swap (S5, S7).
	ElbBoundary int
	// Crossed counts rises at Route 53 that landed between the journaling of a
	// rollback and its own write.
	Crossed int
	// Faults counts what was planted, by Kind.
	Faults Faults
	// Turns and Events count turns of loops, and events of the scheduler.
	Turns, Events int
	// Boundaries counts the calls' boundaries of a calm world.
	Boundaries int
	// Simulated is how long the world lived.
	Simulated time.Duration
	// End is how it ended.
	End End
	// Rises counts rises that took effect, Lowerings the rest.
	Rises, Lowerings int
	// Leaderless is the longest time after the faults in which nobody held the lease.
	Leaderless time.Duration
	// Trace has one line for each thing that happened; empty without Options.Trace.
	Trace []string
}

// End is how a world ended, as people see it.
type End struct {
	Phase   string
	Attempt int
	Share   int
	// Green is green's weight in percent on each entrance.
	Green [2]int
}

// Run plays one seed to its end.
func Run(o Options) Result {
	w := newWorld(o)
	defer w.close()
	w.play()
	r := w.result
	r.Seed, r.Simulated, r.Faults = o.Seed, w.now, w.faults
	r.End = w.end()
	return r
}

// Story gives the trace's last lines before the first violation as one text.
func (r Result) Story(lines int) string {
	last := len(r.Trace)
	for i, line := range r.Trace {
		if strings.Contains(line, violated) {
			last = i + 1
			break
		}
	}
	return strings.Join(r.Trace[max(0, last-lines):last], "\n")
}
