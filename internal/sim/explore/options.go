package explore

import (
	"fmt"
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Kind is the kind of entrance that a world has.
type Kind string

// The kinds.
const (
	Route53  Kind = "route53"
	Balancer Kind = "balancer"
)

// Kinds lists them.
func Kinds() []Kind { return []Kind{Route53, Balancer} }

// Options say what world is explored. Zero budgets let nothing of that happen.
type Options struct {
	Kind Kind
	// Crashes, Delays and Cuts are how often a replica dies, a write goes without
	// an answer, and the leader can't renew its lease.
	Crashes, Delays, Cuts int
	// Pauses is for how many strides in all time may pass over what is under way:
	// a call without an answer yet, a turn that is due, a lease that is free, a wish
	// that was not heard of.
	Pauses int
	// Rollback: a person asks for one, at any point.
	Rollback bool
	// Shares are the steps of the plan.
	Shares []shift.Share
	// Stride is how far time moves at least, in whole seconds.
	Stride time.Duration
	// MaxStates ends the search early, which is then not complete; 0: never.
	MaxStates int

	plant plant
}

// Small is the world that the documents speak of: three steps, one crash, one
// write without an answer, one lost lease, a rollback at any point.
func Small(kind Kind) Options {
	return Options{
		Kind: kind, Crashes: 1, Delays: 1, Cuts: 1, Rollback: true,
		Shares: []shift.Share{10, 50, 100}, Stride: 10 * time.Second,
	}
}

// plant is a bug that a test puts into the world, to see it found.
type plant string

const (
	nothing plant = ""
	upsert  plant = "the swap compares nothing"
	amnesia plant = "each start forgets what the journal held"
)

// Violation is a rule that was broken, and how it came to that.
type Violation struct {
	Rule, Text string
	// Story is what happened from the beginning, one move a line.
	Story []string
}

func (v Violation) String() string { return fmt.Sprintf("%s: %s", v.Rule, v.Text) }

// Result is what a search found.
type Result struct {
	// States counts the distinct states, Executions how often the real loop was
	// run from one of them into the next.
	States, Executions int
	// Boundary counts the executions in which a load balancer took a rise that was
	// already on its way when a rollback, or a newer leader, was written down.
	Boundary int
	// Ends counts the states in which the shift is over as people asked.
	Ends int
	// Lost counts the states from which no end can be reached any more.
	Lost int
	// Violations has the first of each rule, in the order in which they were found;
	// Broken counts the executions that broke a rule.
	Violations []Violation
	Broken     int
	// Complete: every state that can be reached was.
	Complete bool
	// Deepest is the length of the longest shortest way to a state.
	Deepest int
}
