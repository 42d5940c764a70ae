package config

import "time"

// Pair is a blue cluster that serves, a green one that shall serve, and the way between them. When a shift
// starts, its steps and traffic are frozen into it. All other keys stay live.
type Pair struct {
	// Name tells the pair apart in commands, metrics and the journal. It is a DNS label, and no other pair has it.
	Name string `yaml:"name" required:"true"`

	// Serve is the cluster that shall serve the users: green asks for the shift, blue for the planned way back.
	Serve string `yaml:"serve" required:"true" oneof:"blue green"`

	// Attempt is raised by one to ask for a new attempt after a rollback. Taking a rollback flag away starts nothing.
	Attempt int `yaml:"attempt" default:"0" range:"0..1000000"`

	// Rollback is the manual rollback flag: blue gets all traffic back, at once.
	Rollback bool `yaml:"rollback"`

	// RollbackForce obeys rollback even when blue was freshly seen without a healthy target.
	RollbackForce bool `yaml:"rollbackForce"`

	// Paused stops rises only. Rollbacks still happen.
	Paused bool `yaml:"paused"`

	// HandsOff stops every write for this pair, rollbacks too.
	HandsOff bool `yaml:"handsOff"`

	// Blue is the old cluster, which serves before the shift.
	Blue Cluster `yaml:"blue" required:"true"`

	// Green is the new cluster, which serves after the shift.
	Green Cluster `yaml:"green" required:"true"`

	// Preflight says how green is compared with blue before it gets users.
	Preflight Preflight `yaml:"preflight"`

	// Workloads says which workloads must be ready before green rises.
	Workloads Workloads `yaml:"workloads"`

	// Replicas compares green with blue.
	Replicas Replicas `yaml:"replicas"`

	// Probes are run against green before and while it serves. All must pass before green rises.
	Probes []Probe `yaml:"probes"`

	// Traffic lists the parallel entrances of the users' traffic. Each is brought to the step's share, one after the other.
	Traffic []Entrance `yaml:"traffic" required:"true"`

	// Steps are the shares of traffic that green gets, one after the other. The last is 100.
	Steps []Step `yaml:"steps" required:"true"`

	// Gates judge what users feel. A pair has at least one gate, or soakOnly.
	Gates []Gate `yaml:"gates"`

	// ObservedShare compares the share that green really gets with the intended one.
	ObservedShare ObservedShare `yaml:"observedShare"`

	// Windows are the times in which green may rise; without any, always. A rollback waits for none.
	Windows []Window `yaml:"windows"`

	// Freezes are days on which green doesn't rise, windows or not.
	Freezes []Freeze `yaml:"freezes"`

	// SoakOnly lets green rise on time, probes and workloads alone, without any gate on users' traffic.
	SoakOnly bool `yaml:"soakOnly"`

	// Standby says how long blue is kept ready after green got everything.
	Standby Standby `yaml:"standby"`

	// Singletons says how what may run in one cluster only is handed over.
	Singletons Singletons `yaml:"singletons"`

	// Retire says what is asked of blue before it may be deleted.
	Retire Retire `yaml:"retire"`

	// StaleAfter is the age at which a reading counts as unknown. Unknown never raises green. It is at least as long as
	// the daemon and the slowest probe need between two readings.
	StaleAfter time.Duration `yaml:"staleAfter" range:"100ms..1h" derived:"3 × the longest of interval and the pair's probe intervals"`
}

// Workloads says which Deployments, StatefulSets and DaemonSets count.
type Workloads struct {
	// Namespaces limits the look to these namespaces. Empty looks at all.
	Namespaces []string `yaml:"namespaces"`

	// Ignore leaves out workloads, each written namespace/name, or namespace/* for a whole namespace.
	Ignore []string `yaml:"ignore"`
}

// Replicas compares green's ready replicas with blue's, workload by workload.
type Replicas struct {
	// AtLeast is the least share of blue's ready replicas that green must have ready, in percent: 90% or 90. Where
	// standby.capacity.pinAutoscalers raises the floor of a workload's autoscaler from share to share, it doesn't count.
	AtLeast int `yaml:"atLeast" default:"100%" range:"0..100" unit:"percent"`
}

// Step is one planned share of traffic on green.
type Step struct {
	// Share is the percent of traffic on green. Each step has more than the one before.
	Share int `yaml:"share" required:"true" range:"1..100" unit:"percent"`

	// Hold is how long the share is looked at before the next step.
	Hold time.Duration `yaml:"hold" default:"10m" range:"0s.."`

	// Approval waits for a person's approval before this share is set.
	Approval bool `yaml:"approval"`
}

// Standby says how long blue is kept ready after green got everything.
type Standby struct {
	// For is how long blue is kept as it is. Days are written as hours: 72h.
	For time.Duration `yaml:"for" default:"72h" range:"0s.."`

	// AutoRollback lets the daemon go back by itself during standby. Otherwise it alerts and leaves it to a person.
	AutoRollback bool `yaml:"autoRollback"`

	// Capacity says how ready blue must be to take everything back, from the first step on.
	Capacity Capacity `yaml:"capacity"`
}
