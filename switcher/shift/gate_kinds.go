package shift

import (
	"time"

	"github.com/clusterswitch/clusterswitch/switcher/evidence"
)

// RequestGate judges users' requests interval by interval: green's against blue's
// at the same time, and against a limit.
type RequestGate struct {
	Name string
	// Compare: green is compared with blue.
	Compare bool
	// Tolerate is how many times blue's ratio of bad requests green's may be, at
	// least 1. MinExcess is by how much it must lie above blue's, 0 to 1.
	Tolerate  float64
	MinExcess float64
	// FalseAlarms is the chance to go back from a green that is no worse, over the
	// whole shift; the pair's request gates share the least one that any of them asks for.
	FalseAlarms float64
	// MaxErrorRatio is green's highest good ratio of errors, where HasLimit.
	MaxErrorRatio float64
	HasLimit      bool
	// SkipFirst is how long after a step was reached nothing counts but a disaster.
	SkipFirst time.Duration
	// Interval is the length of an interval, Settle how long one is left to settle.
	Interval time.Duration
	Settle   time.Duration
}

// RequestReading is what was counted for one request gate.
type RequestReading struct {
	Gate string
	// At is when it was last asked.
	At time.Time
	// FreshFor is the age up to which the end of the newest interval counts.
	FreshFor time.Duration
	// Err says why it can't be measured; empty: it can.
	Err string
	// Profile is what was measured of blue before the shift; nil: it isn't known.
	// It is wanted until the shift starts, and fixed then.
	Profile *evidence.Profile
	// Intervals are the newest, the oldest first, of one length and without holes:
	// what could not be counted has a fault. Those that were counted already may
	// be among them.
	Intervals []evidence.Interval
}

// GateEvidence is what is remembered of one request gate within an attempt.
type GateEvidence struct {
	Gate    string           `json:"gate"`
	Profile evidence.Profile `json:"profile"`
	Book    evidence.Book    `json:"book"`
	// Counted is the end of the newest interval that could be judged.
	Counted time.Time `json:"counted,omitzero"`
	// Silent counts the intervals since green last had a request, and Awaited the
	// requests that it was to get in them, by its share.
	Silent  int     `json:"silent,omitempty"`
	Awaited float64 `json:"awaited,omitempty"`
	// UnknownSince is when the gate began to be unmeasured; zero: it is measured.
	UnknownSince time.Time `json:"unknownSince,omitzero"`
	// Unknown counts the intervals of this attempt that could not be judged.
	Unknown int `json:"unknown,omitempty"`
}

// LimitGate holds one number from outside against limits: the value of a query, how
// many alerts fire, or a service's answer (0 is good, 1 is bad).
type LimitGate struct {
	Name string
	// Max and Min are the largest and smallest good values; nil: there is no such
	// limit.
	Max, Min *float64
	// UsersTraffic: what is measured is what users feel, so that traffic goes back
	// when it is bad. Else it only holds.
	UsersTraffic bool
	// Breaches is how many bad values in a row roll back; at least 1.
	Breaches int
	// PerStep: a value counts for the step only that it was asked for.
	PerStep bool
	// BeforeUsers: it is judged before the first step, too, when green has no users
	// yet. What is PerStep always is.
	BeforeUsers bool
}

// LimitReading is a number from outside.
type LimitReading struct {
	Gate string
	// At is when it was asked, From the earliest that it speaks of.
	At, From time.Time
	// FreshFor is the age up to which At counts.
	FreshFor time.Duration
	// Err says why it isn't known; empty: it is.
	Err   string
	Value float64
	// Note says what is behind the value: the names of alerts, a service's words.
	Note string
	// Attempt and Step are what it was asked for.
	Attempt, Step int
}

// ObservedShare compares the share that green gets with the intended one.
type ObservedShare struct {
	// Off doesn't compare; Warn lets rises go on.
	Off, Warn bool
	// Tolerance is how many percentage points it may be off, beside what chance
	// explains; 0: nothing is compared.
	Tolerance int
	// Required: a share that can't be measured holds.
	Required bool
}

// Window is a time of the week in which green may rise.
type Window struct {
	// Days are its days; none: all.
	Days []time.Weekday
	// From and To are times of the day, 0 to 24h, by the clock on the wall. To isn't
	// within. One that isn't after From is on the next day.
	From, To time.Duration
	Zone     *time.Location
}

// Freeze is a time in which green doesn't rise: from From up to, but without, To.
type Freeze struct {
	From, To time.Time
	Why      string
}

// Asking is the rise that gates are asked about.
type Asking struct {
	Attempt int
	// Step counts from 1, Share is what it would bring, Now what green has.
	Step  int
	Share Share
	Now   Share
	// Since is when the present share was reached: what is asked before says nothing.
	// Zero: it isn't reached, and there is nothing to ask yet.
	Since time.Time
}

// Asking gives the next rise, as far as there is one.
func (s State) Asking() Asking {
	if s.Phase != Shifting || s.Step >= len(s.Steps) {
		return Asking{Attempt: s.Attempt}
	}
	return Asking{Attempt: s.Attempt, Step: s.Step + 1, Share: s.Steps[s.Step].Share, Now: s.Share, Since: s.ReachedAt}
}
