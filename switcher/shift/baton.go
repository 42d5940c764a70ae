package shift

import "time"

// SingletonPolicy says how what may run in one cluster only is handed over.
type SingletonPolicy struct {
	// At is the share after which it is handed over to green; it is a step's.
	// 0: nothing is handed over.
	At Share
	// Drain is how long the giving side may take to end what it began. After it
	// the baton goes back to blue while users rise; on the way back to blue it
	// stays off and is said.
	Drain time.Duration
	// Overlap is how long what the giving side began may go on beside the taking
	// side, where Kubernetes itself ends it within that time; 0: not at all.
	Overlap time.Duration
}

// SingletonReading is one CronJob, Deployment or StatefulSet of which one may
// run in the world.
type SingletonReading struct {
	// Key is its kind, namespace and name, as in Workload.Key.
	Key string
	// Blue and Green are the same object on each side.
	Blue, Green SingletonSide
}

// SingletonSide is a singleton in one cluster.
type SingletonSide struct {
	// At is when it was read, after anything that was written; zero: never.
	At time.Time
	// Err says why it is unknown; empty: it was read. An object that isn't there
	// is read as absent.
	Err    string
	Absent bool
	// On: it may begin work: a CronJob that isn't suspended, a workload that wants
	// replicas.
	On bool
	// Running counts the jobs or pods that are not over, terminating ones too, and
	// those that a controller may still start because it hasn't seen yet that
	// nothing may begin.
	Running int
	// EndsBy is when Kubernetes itself has ended all that runs; zero: it doesn't.
	EndsBy time.Time
	// Replicas is what a workload wants.
	Replicas int
	// LastRun is when a CronJob was last scheduled; zero: never, or no CronJob.
	LastRun time.Time
	// NextRun is when it is due next, were it on; zero: never, or not known.
	NextRun time.Time
	// StartingDeadline is how late a CronJob may still start; negative: any time.
	StartingDeadline time.Duration
	// ChangedBy names who changed it although this pair had set it; empty: nobody.
	ChangedBy string
	// Handed: it carries what this pair set, which is to be given back one day.
	Handed bool
	// Refused says why what is intended for it could not be written; empty: it
	// was, or there was nothing to write.
	Refused string
}

// SingletonIntent is what shall hold of one singleton.
type SingletonIntent struct {
	Key string
	// Blue and Green say what each side shall be.
	Blue, Green Switch
	// Replicas are what a workload wants where it is on.
	Replicas int
	// LastRun is when a CronJob was last scheduled on the side that gave it. The
	// taking side goes on from there, so that no run is made twice.
	LastRun time.Time
}

// Switch is what one side of a singleton shall be.
type Switch string

// The positions of a Switch.
const (
	SwitchLeave Switch = ""     // as it is
	SwitchOn    Switch = "on"   // it may begin work
	SwitchOff   Switch = "off"  // it may not
	SwitchBack  Switch = "back" // as it was before this pair changed it
)

// BatonState is how far one singleton is on its way from one side to the other.
type BatonState struct {
	Key   string     `json:"key"`
	Stage BatonStage `json:"stage"`
	// Side has it, gives it, or takes it, by Stage.
	Side Side `json:"side"`
	// Since is when the stage began.
	Since time.Time `json:"since"`
	// OffSince is when the giving side was told to stop: nobody begins work until
	// the taking side is on. Zero: somebody is.
	OffSince time.Time `json:"offSince,omitzero"`
	// Replicas is what a workload wanted before.
	Replicas int `json:"replicas,omitempty"`
	// LastRun and NextRun are a CronJob's when it was given.
	LastRun time.Time `json:"lastRun,omitzero"`
	NextRun time.Time `json:"nextRun,omitzero"`
	// Failed says why the last hand-over was given up; empty: it wasn't.
	Failed string `json:"failed,omitempty"`
	// Gap is the last time in which neither side began work.
	Gap *BatonGap `json:"gap,omitempty"`
	// LandsUntil: a write of before, which says the contrary, may land until then,
	// so that what was read earlier proves nothing. Zero: none is on its way.
	LandsUntil time.Time `json:"landsUntil,omitzero"`
	// SeenAt is when Side was last seen on, give or take a minute.
	SeenAt time.Time `json:"seenAt,omitzero"`
	// LaterRun is a run that was due after NextRun and before anybody could begin:
	// Kubernetes makes up for the last of those only.
	LaterRun time.Time `json:"laterRun,omitzero"`
	// Tries counts the hand-overs that were given up in a row.
	Tries int `json:"tries,omitempty"`
	// Settled: the attempt is complete and all was seen as it shall be. From then
	// on nothing is written.
	Settled bool `json:"settled,omitempty"`
}

// BatonStage is a stage of handing over.
type BatonStage string

// The stages.
const (
	BatonHeld   BatonStage = "held"   // Side is on, the other off
	BatonGiving BatonStage = "giving" // Side was told to stop, and ends what it began
	BatonTaking BatonStage = "taking" // Side was told to begin, and isn't seen on yet
	BatonBack   BatonStage = "back"   // Side, which is blue, has it again; both are given back
)

// BatonGap is a time in which neither side began work.
type BatonGap struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Missed is a run that was due in it and can't be made up for, by the
	// CronJob's startingDeadlineSeconds; zero: none is known.
	Missed time.Time `json:"missed,omitzero"`
}

// SingletonGap is a gap of a singleton, kept when its BatonState goes.
type SingletonGap struct {
	Key string `json:"key"`
	BatonGap
}

// Vouch is a person's word that a side of the singletons is off although the
// daemon can't see it: the other side takes them.
type Vouch struct {
	Attempt int
	// Take is the side that takes them; empty: nobody vouches.
	Take Side
}
