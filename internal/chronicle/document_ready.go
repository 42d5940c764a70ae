package chronicle

import "time"

// Readiness is what would be, if all users went back to blue now.
type Readiness struct {
	// Message says it in a sentence.
	Message string `json:"message"`
	// WantedPercent is the capacity from which blue counts as ready.
	WantedPercent int `json:"wantedPercent"`
	// Blue is how much of all of the present load blue could carry.
	Blue Capacity `json:"blue"`
	// Green is how much green could carry of the share that it is to get next, or has.
	Green Capacity `json:"green"`
	// TakesSeconds is how long it lasts until the last user whom weights can move is on blue; null: not known.
	TakesSeconds *float64 `json:"takesSeconds"`
	// Tails are the users whom weights don't move at once.
	Tails []Tail `json:"tails"`
}

// Capacity is what one side has, and what it needs.
type Capacity struct {
	// Percent is ready of needed replicas, where that is least; it may be above 100. null: unknown.
	Percent *int `json:"percent"`
	// Why says why it is unknown; empty: it is known.
	Why string `json:"why"`
	// Weakest is the workload where capacity is least; empty: all together.
	Weakest string `json:"weakest"`
	// Ready is how many of its replicas are ready.
	Ready int `json:"ready"`
	// Needed is how many are needed.
	Needed int `json:"needed"`
	// ByLoad tells that the need follows the measured load.
	ByLoad bool `json:"byLoad"`
}

// Tail is who stays on a side although the weights say otherwise.
type Tail struct {
	// Entrance is where they come in.
	Entrance string `json:"entrance"`
	// Side is blue or green: where they stay.
	Side string `json:"side"`
	// Kind is dns, cookie, connection or deregistration.
	Kind string `json:"kind"`
	// ForSeconds is how long they would stay, were they sent to the other side now; null: nothing bounds it.
	ForSeconds *float64 `json:"forSeconds"`
}

// Preflight is the newest comparison of green with blue.
type Preflight struct {
	// At is when the look began that first found this, in RFC 3339; null: it isn't finished.
	At *time.Time `json:"at"`
	// Trouble says why there is no answer; empty: there is.
	Trouble string `json:"trouble"`
	// Blocks is how many findings keep users away from green.
	Blocks int `json:"blocks"`
	// Warns is how many a person should know.
	Warns int `json:"warns"`
	// Waived is how many a waiver covers.
	Waived int `json:"waived"`
	// Digest names the report that is kept; empty: none is.
	Digest string `json:"digest"`
	// Findings are the worst of that report, fifty at most; null: it could not be read, as FindingsTrouble says.
	Findings []Finding `json:"findings"`
	// FindingsTrouble says why the report could not be read; empty: it could, or there is none.
	FindingsTrouble string `json:"findingsTrouble"`
}

// Finding is one thing that green lacks, or that could not be checked.
type Finding struct {
	// ID is stable from run to run; a waiver names it.
	ID string `json:"id"`
	// Severity is block, warn or note.
	Severity string `json:"severity"`
	// Object is what it is about.
	Object string `json:"object"`
	// Message is one sentence: what is so, in both clusters.
	Message string `json:"message"`
	// Do is what to do.
	Do string `json:"do"`
	// Waived tells that a waiver covers it.
	Waived bool `json:"waived"`
}

// Singleton is something of which one may run in the world.
type Singleton struct {
	// Key is its kind, namespace and name.
	Key string `json:"key"`
	// Side is blue or green, by stage.
	Side string `json:"side"`
	// Stage is held: side has it; giving: side is to end it; taking: side is to begin; back: blue has it again.
	Stage string `json:"stage"`
	// Since is when the stage began, in RFC 3339.
	Since time.Time `json:"since"`
	// Failed says why the last hand-over was given up; empty: it wasn't.
	Failed string `json:"failed"`
}
