package shift

import "strings"

// Request is what people ask for, from all sources: configuration, custom
// resource, command line. The daemon never writes it.
type Request struct {
	// Serve is the cluster that shall carry the users.
	Serve Side
	// Attempt is the highest attempt that any source asks for, at least 1 when
	// Serve is green.
	Attempt int
	// RollbackBy names each source that asks for a rollback; empty: nobody does.
	RollbackBy []string
	// RollbackForce sends traffic to blue even when blue is proven to have no
	// healthy target.
	RollbackForce bool
	// Unknown says which source of requests can't be read; it may ask to stop, so
	// nothing rises. Empty: all are known.
	Unknown string
	// Paused stops rises; everything else goes on.
	Paused bool
	// HandsOff stops every write.
	HandsOff bool
	// Approved is the step that a person approved.
	Approved Approval
	// Resolve is a person's answer to a drift.
	Resolve Resolution
	// Vouch is a person's word for a side of the singletons that can't be seen.
	Vouch Vouch
}

// Approval lets traffic rise to one step of one attempt; it can't leak into
// the next one.
type Approval struct {
	Attempt int
	// Step counts from 1, as people count.
	Step int
}

// Resolution answers one drift (or a missing journal) by its ID.
type Resolution struct {
	ID  string
	How ResolveHow
}

// ResolveHow is the way out of a drift.
type ResolveHow string

// The two ways out.
const (
	Adopt   ResolveHow = "adopt"   // go on from what is there
	Restore ResolveHow = "restore" // write the intended share again
)

func (r Request) rollbackAsked() bool { return len(r.RollbackBy) > 0 }

func (r Request) rollbackSources() string { return strings.Join(r.RollbackBy, " and ") }
