package shift

import (
	"encoding/json"
	"fmt"
	"time"
)

// Side is one of the two clusters of a pair.
type Side string

// The two sides.
const (
	Blue  Side = "blue"  // the old cluster
	Green Side = "green" // the new cluster
)

// Plan is what the configuration says about one pair. It is live: gates,
// standby and limits follow the configuration, but Steps and Entrances are
// frozen into State when a shift starts.
type Plan struct {
	Pair      string
	Steps     []Step
	Entrances []Entrance
	Gates     Gates
	Standby   Standby
	// Capacity is what is wanted of blue while green has users.
	Capacity CapacityPolicy
	// Singletons says when and how they are handed over.
	Singletons SingletonPolicy
	Preflight  PreflightMode
	// Interval is how often the pair is looked at when nothing wakes it sooner;
	// at least a second.
	Interval time.Duration
	// StaleAfter is the age from which a reading counts as unknown.
	StaleAfter time.Duration
}

// Step is one planned share and how long it is held once it is reached.
type Step struct {
	Share    Share
	Hold     time.Duration
	Approval bool // a person must approve before traffic rises to this step
}

// fault says why no shift can start from the plan; empty: it can.
// The configuration is validated before, so this is the last line of defence.
func (p Plan) fault() string {
	if len(p.Entrances) == 0 {
		return "there is no entrance"
	}
	last := Share(0)
	for i, s := range p.Steps {
		if s.Share <= last || !s.Share.Valid() {
			return fmt.Sprintf("step %d (%s) isn't above the one before, up to 100 %%", i+1, s.Share)
		}
		last = s.Share
	}
	if last != Full {
		return fmt.Sprintf("the last step is %s, not 100 %%", last)
	}
	return ""
}

type stepJSON struct {
	Share    Share  `json:"share"`
	Hold     string `json:"hold"`
	Approval bool   `json:"approval,omitempty"`
}

// MarshalJSON writes the hold as a Go duration ("10m0s"): the journal is read
// by people.
func (s Step) MarshalJSON() ([]byte, error) {
	return json.Marshal(stepJSON{Share: s.Share, Hold: s.Hold.String(), Approval: s.Approval})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Step) UnmarshalJSON(b []byte) error {
	var j stepJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	hold, err := time.ParseDuration(j.Hold)
	if err != nil {
		return fmt.Errorf("reading hold of step %d: %w", j.Share, err)
	}
	*s = Step{Share: j.Share, Hold: hold, Approval: j.Approval}
	return nil
}

// Gates are the limits that a rise is judged by.
type Gates struct {
	// Traffic are the gates on users' traffic by a ratio over a window; they roll back
	// by themselves.
	Traffic []TrafficGate
	// Requests judge users' requests interval by interval; these roll back too.
	Requests []RequestGate
	// Limits hold numbers from outside against limits; those on users' traffic roll
	// back too.
	Limits []LimitGate
	// ObservedShare says how the share that green gets is compared with the intended.
	ObservedShare ObservedShare
	// Windows are the times in which green may rise, none: always; Freezes those in
	// which it doesn't.
	Windows []Window
	Freezes []Freeze
	// Probes names the probes that must have a reading; one that is absent from
	// the observation is unknown. Readings of others are judged too.
	Probes []string
	// BlueProbes names those that are also run against blue, for the way back.
	BlueProbes []string
	// SoakOnly says that the pair does without a gate on users' traffic.
	SoakOnly bool
	// ReplicasAtLeast is green's ready replicas as a percentage of blue's, per
	// workload, 0 to 100.
	ReplicasAtLeast int
}

// TrafficGate is an absolute limit on the error ratio that users see on green.
type TrafficGate struct {
	Name string
	// MaxErrorRatio is the highest good ratio of server errors to requests, 0 to 1.
	MaxErrorRatio float64
	// MinRequests is how many requests a verdict needs; fewer is "wait".
	MinRequests int
	// Breaches is how many measurements in a row must fail before the daemon
	// rolls back by itself; at least 1.
	Breaches int
}

// Standby is the time after 100 % in which blue is kept ready.
type Standby struct {
	For time.Duration
	// AutoRollback lets the daemon roll back by itself in standby. Off, it only
	// says so: a person decides.
	AutoRollback bool
}
