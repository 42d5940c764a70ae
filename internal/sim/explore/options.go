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
	// Crashes, Delays, Saves and Cuts are how often a replica dies, a write to AWS
	// goes without an answer, one to the journal does, and the leader can't renew its
	// lease.
	Crashes, Delays, Saves, Cuts int
	// Late is within what time a write without an answer may land. The loop reckons
	// with 10 seconds at load balancers and with 2 minutes at Route 53.
	Late time.Duration
	// Losses is how often the journal gets lost, as by a custom resource that is restored
	// without its status. Who lost it may have to ask a person, whom this world has not.
	Losses int
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

// World is one that is explored by its name.
type World struct {
	Name string
	Options
}

// Worlds are those that the documents speak of, for each kind of entrance. All have
// three steps, and in all a person may ask for a rollback at any point. In the first
// a replica dies and a write to AWS goes without an answer; in the second one to the
// journal does; in the third the leader can't renew its lease, and a stride may pass
// over whatever is under way.
func Worlds() []World {
	var worlds []World
	for _, kind := range Kinds() {
		o := Options{Kind: kind, Rollback: true, Shares: []shift.Share{10, 50, 100}, Stride: 10 * time.Second}
		dies, forgets, pauses := o, o, o
		dies.Crashes, dies.Delays, dies.Late = 1, 1, shift.WriteDeadline
		forgets.Saves, forgets.Late = 1, 30*time.Second
		pauses.Cuts, pauses.Pauses = 1, 1
		worlds = append(worlds, World{string(kind) + "/crash", dies}, World{string(kind) + "/journal", forgets}, World{string(kind) + "/lease", pauses})
	}
	return worlds
}

// plant is a bug that a test puts into the world, to see it found.
type plant string

const (
	nothing plant = ""
	upsert  plant = "the swap compares nothing"
	amnesia plant = "the journal is read as absent"
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
