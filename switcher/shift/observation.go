package shift

import (
	"fmt"
	"time"
)

// Observation is what was seen of the world, with times. What could not be
// read is there as unknown; an absent reading never counts as good.
type Observation struct {
	Request   Request
	Entrances []EntranceReading
	Blue      ClusterReading
	Green     ClusterReading
	Probes    []ProbeReading
	// BlueProbes are the same probes run against blue, for the way back; those
	// that can't be run there are absent.
	BlueProbes []ProbeReading
	Traffic    []TrafficReading
	Requests   []RequestReading
	Limits     []LimitReading
	Loads      []LoadReading
	Floors     FloorsReading
	Singletons []SingletonReading
	Preflight  PreflightReading
	Retire     RetireReading
	// ClockOff is by how much the daemon's clock is ahead of AWS's at least, as AWS's
	// newest answer tells; negative: behind. 0: it isn't known to be off.
	ClockOff time.Duration
	// LookedAt is when the look at AWS ended, by the daemon's clock; zero: nobody says.
	LookedAt time.Time
	// Notes are sentences about the pair for those who read the journal. No
	// decision looks at them.
	Notes []string
}

// ClusterReading is a snapshot of one cluster's workloads.
type ClusterReading struct {
	// At is when the snapshot was known to be current; zero: never.
	At time.Time
	// Err says why the cluster is unknown; empty: it was read.
	Err        string
	NodesReady int
	Nodes      int
	Workloads  []Workload
}

// Workload is one Deployment, StatefulSet or DaemonSet, judged by its own
// status and conditions: a pod that was never created doesn't show as a pod.
type Workload struct {
	Kind      string // Deployment, StatefulSet, DaemonSet
	Namespace string
	Name      string
	Wanted    int
	Ready     int
	// NotReady says in a few words what is wrong; empty: the workload is ready.
	NotReady string
	// Single: it may run in one cluster only, and is handed over apart from the
	// users. Its replicas say nothing of what a cluster can carry.
	Single bool
}

// Key names the workload across clusters.
func (w Workload) Key() string { return w.Kind + " " + w.Namespace + "/" + w.Name }

// Ready counts the ready replicas of all workloads that carry users' load.
func (c ClusterReading) Ready() int {
	n := 0
	for _, w := range c.Workloads {
		if !w.Single {
			n += w.Ready
		}
	}
	return n
}

// ProbeReading is the recent history of one probe.
type ProbeReading struct {
	Name string
	// Needed is how many successes in a row make the probe pass; at least 1.
	Needed int
	// FreshFor is the age up to which the newest result counts.
	FreshFor time.Duration
	// Results, oldest first.
	Results []ProbeResult
	// Passing is the probe's own debounced state; one failure below the failure
	// threshold doesn't change it.
	Passing bool
}

// ProbeResult is one try.
type ProbeResult struct {
	At  time.Time
	Err string // empty: it succeeded
}

// TrafficReading is what a traffic gate measured on green.
type TrafficReading struct {
	Gate string
	// From and To bound the measured samples; both zero: nothing was measured.
	From, To time.Time
	// At is when it was asked.
	At time.Time
	// FreshFor is the age up to which To counts: a source that publishes late
	// is not stale.
	FreshFor time.Duration
	// Err says why it could not be measured.
	Err      string
	Requests int
	Errors   int
}

// ReadyOf gives ready replicas of wanted ones as "12/12"; empty: unknown.
func (c ClusterReading) ReadyOf() string {
	if c.Err != "" || c.At.IsZero() {
		return ""
	}
	wanted := 0
	for _, w := range c.Workloads {
		wanted += w.Wanted
	}
	return fmt.Sprintf("%d/%d", c.Ready(), wanted)
}

func (o Observation) entrance(name string) (EntranceReading, bool) {
	for _, r := range o.Entrances {
		if r.Name == name {
			return r, true
		}
	}
	return EntranceReading{}, false
}

func (o Observation) traffic(gate string) (TrafficReading, bool) {
	for _, r := range o.Traffic {
		if r.Gate == gate {
			return r, true
		}
	}
	return TrafficReading{}, false
}

func (o Observation) requests(gate string) (RequestReading, bool) {
	for _, r := range o.Requests {
		if r.Gate == gate {
			return r, true
		}
	}
	return RequestReading{}, false
}

func (o Observation) limit(gate string) (LimitReading, bool) {
	for _, r := range o.Limits {
		if r.Gate == gate {
			return r, true
		}
	}
	return LimitReading{}, false
}
