package chronicle

import "time"

// Schema is the version of the API's documents. Under the same number fields are
// only ever added; whoever renames, removes or reinterprets one raises it.
const Schema = 1

// Overview is all pairs at a glance.
type Overview struct {
	// SchemaVersion is 1. Under the same number fields are only ever added.
	SchemaVersion int `json:"schemaVersion"`
	// At is when this was made, by the daemon's clock, in RFC 3339.
	At time.Time `json:"at"`
	// Daemon is the process that answers.
	Daemon Daemon `json:"daemon"`
	// Pairs are ordered by name.
	Pairs []Summary `json:"pairs"`
}

// Daemon is one process of the daemon, as it sees itself.
type Daemon struct {
	// Version is the version of its binary.
	Version string `json:"version"`
	// Identity names it among the replicas; empty: it has no name.
	Identity string `json:"identity"`
	// Leads tells whether it is the one that acts; null: there is no leader election.
	Leads *bool `json:"leads"`
	// Leader names the replica that acts; empty: not known, or nobody.
	Leader string `json:"leader"`
}

// Summary is one pair at a glance.
type Summary struct {
	// Pair is its name.
	Pair string `json:"pair"`
	// Revision counts the changes of the pair's documents in this process.
	Revision int64 `json:"revision"`
	// Source is loop: this daemon turned the pair itself; journal: it is what the daemon in charge wrote down; none: nobody said anything yet.
	Source string `json:"source"`
	// UpdatedAt is when it was so, in RFC 3339; null: never.
	UpdatedAt *time.Time `json:"updatedAt"`
	// Phase is Idle, Preflight, Shifting, Standby, Completed, Returning, RollingBack or RolledBack; empty: not known yet.
	Phase string `json:"phase"`
	// PhaseMeaning says the phase in a few words.
	PhaseMeaning string `json:"phaseMeaning"`
	// Severity is normal; held: the pair wants to move on and can't; or person: nothing goes on without one.
	Severity string `json:"severity"`
	// Reason is the CamelCase why of the last decision.
	Reason string `json:"reason"`
	// Message says the same in a sentence.
	Message string `json:"message"`
	// ToDo is what a person can do about the reason; it may hold code in backticks.
	ToDo string `json:"toDo"`
	// Attempt counts the shifts of this pair; 0: none yet.
	Attempt int `json:"attempt"`
	// GreenShare is the percentage of traffic that green is meant to have.
	GreenShare int `json:"greenShare"`
	// SeenShare is the percentage that AWS stores for green, of the entrance where it is most; null: not known here.
	SeenShare *int `json:"seenShare"`
	// Step is null before the first shift.
	Step *Step `json:"step"`
	// WaitsUntil is when the planned hold or standby is over, in RFC 3339; null: nothing is waited for by the clock.
	WaitsUntil *time.Time `json:"waitsUntil"`
	// Since is when the intended share last changed, in RFC 3339; null: never.
	Since *time.Time `json:"since"`
	// BlueReady is null when blue can't be read.
	BlueReady *Replicas `json:"blueReady"`
	// BluePercent is how much of all of the present load blue could carry; null: not known, or nothing is to go back.
	BluePercent *int `json:"bluePercent"`
	// WantedPercent is the percentage from which blue counts as ready; null: nothing is to go back.
	WantedPercent *int `json:"wantedPercent"`
}

// Step is how far the attempt is.
type Step struct {
	// Entered is how many steps were entered.
	Entered int `json:"entered"`
	// Of is how many steps there are.
	Of int `json:"of"`
}

// Replicas is how ready a cluster is.
type Replicas struct {
	// Ready is how many replicas are ready.
	Ready int `json:"ready"`
	// Wanted is how many there should be.
	Wanted int `json:"wanted"`
}

// Detail is one pair, whole.
type Detail struct {
	// SchemaVersion is 1. Under the same number fields are only ever added.
	SchemaVersion int `json:"schemaVersion"`
	// At is when this was made, by the daemon's clock, in RFC 3339.
	At time.Time `json:"at"`
	// Daemon is the process that answers.
	Daemon Daemon `json:"daemon"`
	// Summary is the pair at a glance.
	Summary Summary `json:"summary"`
	// Asked is what people ask for, from all sources.
	Asked Asked `json:"asked"`
	// Question is null, or what only a person can answer.
	Question *Question `json:"question"`
	// Rollback is null, or who sent the traffic of this attempt back.
	Rollback *Rollback `json:"rollback"`
	// Steps are the planned steps: those of the attempt, before one those of the configuration.
	Steps []PlannedStep `json:"steps"`
	// Entrances are the ways for users into the clusters.
	Entrances []Entrance `json:"entrances"`
	// Gates are the last verdicts, in the order in which they were judged.
	Gates []Gate `json:"gates"`
	// Probes are the probes of green, then those of blue; empty on a daemon that isn't in charge.
	Probes []Probe `json:"probes"`
	// Clusters are blue and green; empty on a daemon that isn't in charge.
	Clusters []Cluster `json:"clusters"`
	// Readiness is null, or what would be if all users went back to blue now.
	Readiness *Readiness `json:"readiness"`
	// Preflight is null before an attempt, or the newest comparison of green with blue.
	Preflight *Preflight `json:"preflight"`
	// Singletons are those that were handed over, or are on their way.
	Singletons []Singleton `json:"singletons"`
	// Notes are sentences about what else decides where users go, beside the weights.
	Notes []string `json:"notes"`
	// Shares are green's shares over time, the oldest first: one entry for each change.
	Shares []SharePoint `json:"shares"`
	// Timeline is what happened, the oldest first.
	Timeline []Event `json:"timeline"`
	// Actions are commands to copy, the most fitting first.
	Actions []Action `json:"actions"`
}

// Asked is what people ask for.
type Asked struct {
	// Serve is blue or green: who shall carry the users; empty: not known here.
	Serve string `json:"serve"`
	// Attempt is the attempt that is asked for; 0: none.
	Attempt int `json:"attempt"`
	// Paused stops rises.
	Paused bool `json:"paused"`
	// HandsOff stops every write of the daemon.
	HandsOff bool `json:"handsOff"`
	// RollbackBy names each source that asks for a rollback.
	RollbackBy []string `json:"rollbackBy"`
	// ApprovedStep is the step of this attempt that a person approved; 0: none.
	ApprovedStep int `json:"approvedStep"`
}

// Question is what only a person can answer.
type Question struct {
	// ID tells this question apart from others.
	ID string `json:"id"`
	// Reason is the CamelCase why.
	Reason string `json:"reason"`
	// Message is the question in a sentence.
	Message string `json:"message"`
}

// Rollback says who or what sent traffic back, and why.
type Rollback struct {
	// By is who asked for it.
	By string `json:"by"`
	// Why is the cause in a sentence.
	Why string `json:"why"`
	// At is when it was decided, in RFC 3339.
	At time.Time `json:"at"`
	// Automatic tells that the daemon decided by itself.
	Automatic bool `json:"automatic"`
}

// PlannedStep is one planned share.
type PlannedStep struct {
	// Number counts from 1.
	Number int `json:"number"`
	// Share is the percentage of traffic that green gets.
	Share int `json:"share"`
	// HoldSeconds is how long it is held at least.
	HoldSeconds float64 `json:"holdSeconds"`
	// Approval tells that a person must approve before traffic rises to this step.
	Approval bool `json:"approval"`
}

// Entrance is one way for users into the clusters.
type Entrance struct {
	// Name is its name in the configuration.
	Name string `json:"name"`
	// Kind is route53, rule or listener.
	Kind string `json:"kind"`
	// Target is what is written: the names of the records, or the ARN.
	Target string `json:"target"`
	// GreenShare is the percentage that green is meant to have here.
	GreenShare int `json:"greenShare"`
	// Pending tells that a write was not read back yet.
	Pending bool `json:"pending"`
	// Seen is null while it can't be read, and on a daemon that isn't in charge.
	Seen *Seen `json:"seen"`
	// Trouble says why it can't be read or must not be written; empty: there is none.
	Trouble string `json:"trouble"`
}

// Seen is an entrance as AWS stores it.
type Seen struct {
	// At is when it was read, in RFC 3339.
	At time.Time `json:"at"`
	// GreenShare is green's percentage by the weights.
	GreenShare int `json:"greenShare"`
	// Says is the same as AWS has it, such as blue 75, green 25.
	Says string `json:"says"`
	// BlueTargets and GreenTargets are null where there are none to count.
	BlueTargets  *Targets `json:"blueTargets"`
	GreenTargets *Targets `json:"greenTargets"`
}

// Targets are the targets of one target group.
type Targets struct {
	// Healthy is how many get requests.
	Healthy int `json:"healthy"`
	// Total is how many are registered.
	Total int `json:"total"`
}

// Gate is the last verdict of one gate.
type Gate struct {
	// Gate is its name.
	Gate string `json:"gate"`
	// Judgement is pass, fail, wait or unknown.
	Judgement string `json:"judgement"`
	// Message explains it in a sentence.
	Message string `json:"message"`
	// Numbers are what it was judged by, where there are numbers.
	Numbers []Number `json:"numbers"`
}

// Number is one value with its limits.
type Number struct {
	// Name says what is counted.
	Name string `json:"name"`
	// Value is the value.
	Value float64 `json:"value"`
	// Unit is percent, count, times or empty.
	Unit string `json:"unit"`
	// AtMost is the largest good value; null: there is no such limit.
	AtMost *float64 `json:"atMost"`
	// AtLeast is the smallest good value; null: there is no such limit.
	AtLeast *float64 `json:"atLeast"`
}

// Probe is one probe with its recent history.
type Probe struct {
	// Name is its name.
	Name string `json:"name"`
	// Side is the cluster that it is run against: blue or green.
	Side string `json:"side"`
	// Passing is its own debounced state.
	Passing bool `json:"passing"`
	// Needed is how many successes in a row make it pass.
	Needed int `json:"needed"`
	// Results are the newest, the oldest first.
	Results []ProbeResult `json:"results"`
}

// ProbeResult is one try.
type ProbeResult struct {
	// At is when it was made, in RFC 3339.
	At time.Time `json:"at"`
	// Error says what was wrong; empty: it succeeded.
	Error string `json:"error"`
}

// Cluster is one side's workloads.
type Cluster struct {
	// Side is blue or green.
	Side string `json:"side"`
	// At is when it was known to be current, in RFC 3339; null: never.
	At *time.Time `json:"at"`
	// Trouble says why it is unknown; empty: it is known.
	Trouble string `json:"trouble"`
	// NodesReady is how many of its nodes are ready.
	NodesReady int `json:"nodesReady"`
	// Nodes is how many there are.
	Nodes int `json:"nodes"`
	// Replicas are those of all workloads.
	Replicas Replicas `json:"replicas"`
	// Workloads is how many workloads there are.
	Workloads int `json:"workloads"`
	// NotReady are those that aren't ready, twenty at most.
	NotReady []NotReady `json:"notReady"`
	// NotReadyTotal is how many aren't ready.
	NotReadyTotal int `json:"notReadyTotal"`
}

// NotReady is a workload that isn't ready.
type NotReady struct {
	// Workload is its kind, namespace and name.
	Workload string `json:"workload"`
	// Why says in a few words what is wrong.
	Why string `json:"why"`
}

// SharePoint is green's share from one time on.
type SharePoint struct {
	// At is since when, in RFC 3339.
	At time.Time `json:"at"`
	// Intended is the percentage that green is meant to have.
	Intended int `json:"intended"`
	// Seen is the percentage that AWS stores for green, where it is most; null: not known.
	Seen *int `json:"seen"`
	// Restored tells that this process didn't see it: it follows from the journal, and what was between it and the next is not known.
	Restored bool `json:"restored"`
}

// Event is one thing that happened.
type Event struct {
	// ID counts the events of the pair in this process.
	ID int64 `json:"id"`
	// At is when it happened, in RFC 3339.
	At time.Time `json:"at"`
	// Kind is attempt, phase, step, write, reached, rollback, question, asked, journal, preflight or reason.
	Kind string `json:"kind"`
	// Level is normal, good, held, or bad.
	Level string `json:"level"`
	// Title says it in a few words.
	Title string `json:"title"`
	// Text says more; it may be empty.
	Text string `json:"text"`
	// GreenShare is the intended share at that time.
	GreenShare int `json:"greenShare"`
	// Restored tells that this process didn't see it: it follows from the journal.
	Restored bool `json:"restored"`
}

// Action is a command to copy.
type Action struct {
	// Title says what it does.
	Title string `json:"title"`
	// Why says when to use it.
	Why string `json:"why"`
	// Command is the exact command.
	Command string `json:"command"`
	// Kubectl does the same without the program; empty: nothing does.
	Kubectl string `json:"kubectl"`
	// Kind is wanted: the pair waits for it; back: it sends users back to blue; or plain.
	Kind string `json:"kind"`
}
