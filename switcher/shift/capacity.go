package shift

import "time"

// CapacityPolicy is what the plan wants of blue while green has users.
type CapacityPolicy struct {
	// AtLeast is how much of the need blue must have ready, in percent; 0: there
	// is no policy.
	AtLeast int
	// Warn lets rises go on although the policy is broken; it is said all the same.
	Warn bool
	// Pin holds the floors of autoscalers on both sides.
	Pin bool
	// Loads are the sources that tell what users ask for. None: ready replicas
	// stand for the load.
	Loads []LoadSource
}

// LoadSource is one stream of users' requests that is measured on both sides.
type LoadSource struct {
	// Name is the entrance's, or one of the configuration's own.
	Name string
	// Workloads are the keys of those that carry it; empty: all that carry load.
	Workloads []string
	// PerReplica is what one replica of each of Workloads is known to carry, in
	// requests a second; 0: only what was seen of blue counts.
	PerReplica float64
}

// LoadReading is what one source asked for.
type LoadReading struct {
	Name string
	// From and To bound the measured samples; both zero: nothing was measured.
	From, To time.Time
	// At is when it was asked.
	At time.Time
	// FreshFor is the age up to which To counts.
	FreshFor time.Duration
	// Err says why it could not be measured.
	Err string
	// Blue and Green are requests a second on each side, on average between From and
	// To, its window.
	Blue, Green float64
	// Past tells whether blue's users were there for all of that time.
	Past LoadPast
}

// LoadPast is what a source tells of blue just before a reading: over windows as
// long as the reading's that ended within it, from its From on. It is asked for
// until the first step.
type LoadPast struct {
	// Windows is how many there are; 0: nobody asked.
	Windows int
	// Least and Most are the lowest and the highest of them, in requests a second.
	Least, Most float64
	// Err says why one of them isn't known; empty: all are.
	Err string
}

// Baseline is what blue carried everything with.
type Baseline struct {
	// At is when it was measured; zero: it wasn't.
	At time.Time `json:"at,omitzero"`
	// Ready counts the ready replicas of all workloads that carry users' load.
	Ready int `json:"ready,omitempty"`
	// Workloads are the ready replicas of each; the largest only, where there
	// are too many for a journal.
	Workloads []WorkloadBaseline `json:"workloads,omitempty"`
	// Loads are what each source asked for then.
	Loads []LoadBaseline `json:"loads,omitempty"`
}

// WorkloadBaseline is how many replicas of one workload carried everything.
type WorkloadBaseline struct {
	Workload string `json:"w"` // its key
	Ready    int    `json:"n"`
}

// LoadBaseline is what one source asked of blue, in requests a second.
type LoadBaseline struct {
	Name string  `json:"name"`
	Rate float64 `json:"rate"`
}

// SideCapacity is how much of the present load one side can carry.
type SideCapacity struct {
	// Known is false where it can't be told; Why says what is missing.
	Known bool
	Why   string
	// Percent is ready against needed replicas, of the workload where it is least.
	// It may be above 100.
	Percent int
	// Weakest is the key of that workload, with its ready and needed replicas;
	// empty: all workloads together.
	Weakest     string
	Ready, Need int
	// ByLoad: the need follows the measured load. Else ready replicas of the
	// beginning stand for it.
	ByLoad bool
}

// Readiness answers: if all users went back to blue now, how much of them could
// blue carry, how long would it take, and who would notice?
type Readiness struct {
	// Blue is measured against all of the load; Green against the share that it
	// has, or is to get next.
	Blue, Green SideCapacity
	// Wanted is the percentage from which blue counts as ready.
	Wanted int
	// Takes is how long it lasts from the write until the last user whom weights
	// can move is on blue.
	Takes time.Duration
	// Tails are the users who would stay on green longer than the weights say.
	Tails []Tail
}

// Tail is who stays on a side although the weights say otherwise.
type Tail struct {
	Entrance string
	// Side is the one that they stay on.
	Side Side
	Kind TailKind
	// For is how long they would stay, were they sent to the other side now;
	// Endless: nothing bounds it.
	For time.Duration
	// Since is when users were last told to leave the side; zero: they weren't, or
	// were told to come back since.
	Since time.Time
	// Until is when the last of those is gone; zero: there are none, or nobody
	// knows because For is Endless. Alive tells the two apart.
	Until time.Time
}

// TailKind is why users stay.
type TailKind string

// The kinds of tails.
const (
	TailDNS            TailKind = "dns"            // resolvers keep the former answer
	TailCookie         TailKind = "cookie"         // a load balancer's cookie
	TailConnection     TailKind = "connection"     // a connection that is open
	TailDeregistration TailKind = "deregistration" // requests on targets that are taken away
)
