package shift

import "time"

// Change is one wish of the core: bring one entrance to one share. A loop
// hands it to the committer of the hosted zone or load balancer.
type Change struct {
	Entrance Entrance
	// Expected is what was read before deciding; without a name when nothing
	// could be read. A rise is refused when the entrance no longer looks like
	// this; a rollback reads again and goes on.
	Expected EntranceReading
	// Wanted is the share to write. With Lowering and Rollback it is an upper
	// bound: where green has no more already, nothing is written (S5).
	Wanted Share
	// Control is the mark that goes with the weights.
	Control  Mark
	Priority Priority
	// Fence: the weights stand already; what is wanted is the mark, by which the swaps
	// of earlier rises fail that are still on their way.
	Fence bool
	// Restick switches stickiness on again that a rollback switched off. The
	// weights stay as they are; without Unstuck in Expected it is refused.
	Restick bool
}

// Attention is how closely entrances are to be looked at.
type Attention int

// The kinds of attention.
const (
	// Resting: nothing is under way. The health of targets isn't asked for.
	Resting Attention = iota
	// Watching: a shift is under way; everything counts.
	Watching
	// Urgent: a rollback waits for the answer, which goes before all others.
	Urgent
)

// WriteDeadline bounds every write to AWS: the adapter gives up before it, so a
// write that is older has landed or never will. It must be shorter than the
// lease.
const WriteDeadline = 10 * time.Second

// Priority orders changes; rollbacks go first.
type Priority int

// The priorities.
const (
	Rise     Priority = iota // green gets more
	Lowering                 // green gets less, as planned
	Rollback                 // green gets less, now
)

// String names the priority for logs and metrics.
func (p Priority) String() string {
	return [...]string{"rise", "lowering", "rollback"}[p]
}

// Outcome is the committer's answer.
type Outcome string

// The outcomes.
const (
	// Applied: AWS acknowledged the write.
	Applied Outcome = "applied"
	// Conflict: nothing was written, the entrance was not as expected.
	Conflict Outcome = "conflict"
	// Unknown: it may or may not have been written; read before deciding again.
	Unknown Outcome = "unknown"
	// Refused: AWS said no (rights, a missing object, an invalid value).
	Refused Outcome = "refused"
)

// Result is what became of a change.
type Result struct {
	Entrance string
	Outcome  Outcome
	// Note says why it was not applied, or what was left out ("without the mark").
	Note string
	// At is when AWS acknowledged it.
	At time.Time
}

// Said is what was last said of a pair, for those who read the journal.
type Said struct {
	Reason   Reason
	Message  string
	Verdicts []Verdict
	// BlueReady is blue's ready replicas of those wanted, as "12/12"; empty:
	// unknown.
	BlueReady string
	// Readiness says how the way back stands; zero where nothing is to go back.
	Readiness Readiness
	// Notes are what Notes says of the entrances.
	Notes []string
	// Retire says whether blue may be deleted; it counts where the shift is Completed.
	Retire RetireReading
	// Beside: only this is written down. The journal stays as it is, be it one that
	// can't be read or none.
	Beside bool
}
