package shift

// Reason is the machine-readable why of a decision, a CamelCase token as
// Kubernetes conditions have it.
type Reason string

// The reasons. Every decision has one, "nothing to do" too.
const (
	NothingToDo               Reason = "NothingToDo"
	HandsOff                  Reason = "HandsOff"
	Paused                    Reason = "Paused"
	ShiftStarted              Reason = "ShiftStarted"
	NotAtStart                Reason = "NotAtStart"
	AttemptOver               Reason = "AttemptOver"
	AlreadyServing            Reason = "AlreadyServing"
	RollbackFlagSet           Reason = "RollbackFlagSet"
	PreflightRuns             Reason = "PreflightRuns"
	PreflightBlocks           Reason = "PreflightBlocks"
	PreflightUnknown          Reason = "PreflightUnknown"
	PreflightPassed           Reason = "PreflightPassed"
	Rising                    Reason = "Rising"
	AwaitingReadBack          Reason = "AwaitingReadBack"
	Settling                  Reason = "Settling"
	Holding                   Reason = "Holding"
	GateWaits                 Reason = "GateWaits"
	GateFailed                Reason = "GateFailed"
	GateUnknown               Reason = "GateUnknown"
	GateUnmeasured            Reason = "GateUnmeasured"
	BothSuffer                Reason = "BothSuffer"
	OutsideWindow             Reason = "OutsideWindow"
	ApprovalNeeded            Reason = "ApprovalNeeded"
	ClockWrong                Reason = "ClockWrong"
	EntranceUnknown           Reason = "EntranceUnknown"
	EntranceOwned             Reason = "EntranceOwned"
	BlueUnknown               Reason = "BlueUnknown"
	EntrancesChanged          Reason = "EntrancesChanged"
	PlanInvalid               Reason = "PlanInvalid"
	RequestUnknown            Reason = "RequestUnknown"
	Drift                     Reason = "Drift"
	JournalMissing            Reason = "JournalMissing"
	JournalsDisagree          Reason = "JournalsDisagree"
	JournalUnreadable         Reason = "JournalUnreadable"
	JournalUnwritable         Reason = "JournalUnwritable"
	Superseded                Reason = "Superseded"
	NotLeader                 Reason = "NotLeader"
	Adopted                   Reason = "Adopted"
	Restoring                 Reason = "Restoring"
	StandingBy                Reason = "StandingBy"
	StandbyGateFailed         Reason = "StandbyGateFailed"
	BlueTooWeak               Reason = "BlueTooWeak"
	FloorsNotHeld             Reason = "FloorsNotHeld"
	StandbyKept               Reason = "StandbyKept"
	ShiftCompleted            Reason = "ShiftCompleted"
	SteppingBack              Reason = "SteppingBack"
	BlueNotReady              Reason = "BlueNotReady"
	WayBackWithdrawn          Reason = "WayBackWithdrawn"
	RollbackRequested         Reason = "RollbackRequested"
	UsersSuffer               Reason = "UsersSuffer"
	GreenHasNoTargets         Reason = "GreenHasNoTargets"
	RollbackUnderWay          Reason = "RollbackUnderWay"
	RollbackSettling          Reason = "RollbackSettling"
	RollbackWaitsForBlue      Reason = "RollbackWaitsForBlue"
	RollbackLimitedByCapacity Reason = "RollbackLimitedByCapacity"
	BackOnBlue                Reason = "BackOnBlue"
	RestoringStickiness       Reason = "RestoringStickiness"
	SingletonsDraining        Reason = "SingletonsDraining"
	SingletonsHandedOver      Reason = "SingletonsHandedOver"
	SingletonsUnknown         Reason = "SingletonsUnknown"
	SingletonsStuck           Reason = "SingletonsStuck"
	SingletonTwice            Reason = "SingletonTwice"
)

// ReasonDoc explains one reason to the person who reads it at night.
type ReasonDoc struct {
	Reason  Reason
	Meaning string
	// Do is what a person can do; "Nothing." is a valid answer.
	Do string
}

// Reasons documents every reason; docs/reasons.md is made from it.
func Reasons() []ReasonDoc {
	return []ReasonDoc{
		{NothingToDo, "Blue serves, as asked.", "Nothing. Set `serve: green` to ask for a shift."},
		{HandsOff, "`handsOff` is set: the daemon writes nothing, not even a rollback.", "Take `handsOff` away when you are done by hand."},
		{Paused, "Everything is ready to rise, but the pair is paused.", "`clusterswitch resume PAIR`."},
		{ShiftStarted, "A new attempt began; steps and entrances are frozen.", "Nothing."},
		{NotAtStart, "Green has traffic that no attempt gave it. A shift can only start while blue has all traffic on every entrance.", "Set green's weight to 0 on the named entrance, or set the rollback flag; then wait for the next look."},
		{AttemptOver, "The attempt ended and nothing rises again by itself.", "`clusterswitch start PAIR`, or a higher `attempt`."},
		{AlreadyServing, "Green has all traffic already.", "Nothing."},
		{RollbackFlagSet, "Somebody's rollback flag is set, so nothing starts.", "Take the flag away, then ask for a new attempt."},
		{PreflightRuns, "Green is being compared with blue; no user is sent there before.", "Nothing, unless it lasts: then look at the log for what can't be read."},
		{PreflightBlocks, "Green lacks something that blue has, or would not work on green's version.", "Mend each finding of the report, or waive it in the configuration."},
		{PreflightUnknown, "Whether green is complete can't be told. Unknown is never good.", "Mend what the message names."},
		{PreflightPassed, "Nothing that the preflight found stops the shift; the first step's gates are judged now.", "Nothing."},
		{Rising, "An entrance was sent to the next share.", "Nothing."},
		{AwaitingReadBack, "A write is not yet confirmed by reading it back.", "Nothing, unless it lasts: then read the log for the write's error."},
		{Settling, "The weights stand; AWS's servers and resolvers are still catching up.", "Nothing."},
		{Holding, "The share is held for the planned time.", "Nothing."},
		{GateWaits, "A gate has not seen enough yet.", "Nothing, unless it lasts: look at the gate's message."},
		{GateFailed, "A gate fails, so nothing rises.", "Mend what the message names, or roll back."},
		{GateUnknown, "A gate could not be measured. Unknown is never good.", "Mend what the message names."},
		{GateUnmeasured, "A gate on users' requests has been unmeasured for 10 minutes while green has users. The share stays as it is: what is unknown sends nobody back.", "Mend what the message names: the source, its query, or how sides are told apart. Until then watch green yourself, or roll back."},
		{BothSuffer, "Green is over its limit, and so is blue: going back would help nobody, so nothing moves.", "Look for what both sides depend on: a database, a service, a bad release on both. A rollback flag works at any time."},
		{OutsideWindow, "It is outside of `windows`, or within a freeze: nothing rises. The message says when it goes on.", "Nothing. Lowering green needs no window: a rollback works at any time."},
		{ApprovalNeeded, "The next step waits for a person.", "`clusterswitch approve PAIR`."},
		{ClockWrong, "The daemon's clock differs from AWS's by more than 5 seconds, or was set while the daemon looked, so what it measures, and for how long, can't be trusted: nothing rises. Lowering green asks for no clock.", "Set the clock of the daemon's machine right: run an NTP client there, such as chrony."},
		{EntranceUnknown, "An entrance can't be read at AWS.", "Look at the message: rights, network, or a wrong identifier."},
		{EntranceOwned, "Another controller writes this entrance and would undo the daemon's work.", "Take the entrance away from that controller."},
		{BlueUnknown, "Blue can't be read or shows no ready replica, so the load it carries can't be measured.", "Mend the access to blue's API server."},
		{EntrancesChanged, "The configuration names other entrances, or other sides of them, than the shift that is under way or complete.", "Put the configuration back, or roll back and start a new attempt; give a pair of other clusters another name."},
		{PlanInvalid, "The plan can't be carried out: no entrance, or steps that don't rise to 100 %.", "Mend the configuration."},
		{RequestUnknown, "What people ask for can't be read, and it may be to stop: nothing rises.", "Nothing, unless it lasts: mend the access to the management cluster."},
		{Drift, "Somebody else changed the weights. The daemon stops and doesn't fight.", "`clusterswitch resume PAIR --adopt` or `--restore`. After the end of an attempt there is no question: set the weight right by hand, or roll back."},
		{JournalMissing, "There is no journal, but AWS shows that a shift was made.", "`clusterswitch resume PAIR --adopt` after a look at the weights, or roll back."},
		{JournalsDisagree, "Journal and mark tell different stories that can't be joined.", "`clusterswitch resume PAIR --adopt` after a look at the weights, or roll back."},
		{JournalUnreadable, "The journal can't be read.", "Mend the access to the management cluster. If the message names what the journal holds, run the version of the daemon that wrote it. A rollback still works."},
		{JournalUnwritable, "The next move could not be written down, so it was not made.", "Mend the access to the management cluster. A rollback still works."},
		{Superseded, "A newer daemon took charge of the pair; this one writes nothing any more.", "Stop the daemon that is one too many."},
		{NotLeader, "This daemon doesn't hold the lease, or not for as long as a write may take. It stands by: it reads the journal along and writes nothing.", "Nothing while another daemon holds the lease; `clusterswitch status` names it. If none does, mend the access to the management cluster; `clusterswitch rollback PAIR --direct` needs neither."},
		{Adopted, "A person let the daemon go on from what it found.", "Nothing."},
		{Restoring, "A person let the daemon write its intended share again.", "Nothing."},
		{StandingBy, "Green has all traffic; blue is kept ready for the time of `standby.for`.", "Nothing."},
		{BlueTooWeak, "Blue has less ready than `standby.capacity.atLeast` of what the present load needs, so it could not take everything back: nothing rises, and standby doesn't end.", "Scale blue up, or raise the floor of its autoscaler; `pinAutoscalers` does so by itself. `onBreach: warn` only says it."},
		{FloorsNotHeld, "Somebody set the floor of an autoscaler back that the daemon holds, or another pair holds it lower. It doesn't fight, and nothing rises.", "Tell the named tool to leave the field alone (for Argo CD: `ignoreDifferences`), or switch `pinAutoscalers` off."},
		{StandbyGateFailed, "In standby a gate fails, on green or on blue; the daemon only says so, and standby doesn't end while it lasts.", "Green: mend what the message names, or roll back; with `standby.autoRollback` the daemon goes back by itself when users suffer. Blue: mend it, it is the way back. To do without, take the probe or gate out of the configuration."},
		{StandbyKept, "The time of `standby.for` is over, but a gate is unknown or has not seen enough yet, so blue is still kept ready.", "Make measurable what the message names. Where a gate never sees enough requests, lower its `minRequests` or lengthen its `window`; gates follow the configuration at once, in standby too."},
		{ShiftCompleted, "The shift is over; green serves.", "Nothing."},
		{SteppingBack, "The planned way back takes its next step.", "Nothing."},
		{BlueNotReady, "The planned way back waits for blue: a workload, its targets, a probe of it or its capacity isn't known to be ready for the next step back.", "Mend on blue what the message names, or scale it up. To go back at once all the same set the rollback flag; before the first step `serve: green` withdraws the wish."},
		{WayBackWithdrawn, "`serve: green` was asked for again before the planned way back took its first step; the attempt goes on from where it stood.", "Nothing."},
		{RollbackRequested, "A person asked for a rollback; all traffic goes to blue.", "Nothing."},
		{UsersSuffer, "A gate on users' traffic failed; the daemon goes back by itself.", "Find out what is wrong with green, then start a new attempt."},
		{GreenHasNoTargets, "Green was freshly read without a healthy target; the daemon goes back by itself.", "Find out what is wrong with green, then start a new attempt."},
		{RollbackUnderWay, "The rollback is being written.", "Nothing, unless it lasts: then read the log for the write's error."},
		{RollbackSettling, "Blue's weights stand; AWS's servers are still catching up.", "Nothing."},
		{RollbackWaitsForBlue, "Blue is proven to have no healthy target while green has some; going back would break what works.", "Mend blue, or set `rollbackForce`."},
		{RollbackLimitedByCapacity, "The automatic rollback went as far as blue's measured capacity allows.", "Scale blue up, or set the rollback flag to send everything."},
		{BackOnBlue, "Blue has all traffic again; the attempt is over.", "`clusterswitch start PAIR`, or a higher `attempt`, when green is mended."},
		{RestoringStickiness, "The cookies of before a rollback are dead, and the stickiness that it switched off is switched on again, as `restoreStickiness` asks.", "Nothing."},
		{SingletonsDraining, "Singletons are being handed over: one side ends what it began before the other begins. The next rise waits for that.", "Nothing. It ends by itself, at the latest by `singletons.drain`."},
		{SingletonsHandedOver, "The singletons run on the other side now, and on that side only.", "Nothing, unless a note tells of a run that was missed."},
		{SingletonsUnknown, "Where the singletons run can't be told, so the next rise waits. Unknown is never good.", "Mend the access to the cluster that the message names."},
		{SingletonsStuck, "A singleton can't be handed over, or is off in both clusters.", "What the message names, as docs/singletons.md shows. If a cluster is gone and nothing of the singleton runs there, vouch for that: `clusterswitch singletons PAIR --take blue`."},
		{SingletonTwice, "A singleton is on in both clusters, so its work is done twice.", "Switch it off in the cluster where it shall not run, and find out who switched it on."},
	}
}

// Severity tells who should care about a reason.
type Severity int

// The severities.
const (
	Normal      Severity = iota // things take their course
	Held                        // the daemon wants to move on and can't
	NeedsPerson                 // nothing goes on without a person
)

// Severity of the reason.
func (r Reason) Severity() Severity {
	switch r {
	case ClockWrong, Drift, JournalMissing, JournalsDisagree, JournalUnreadable, NotAtStart, EntranceOwned, EntrancesChanged,
		PreflightBlocks, StandbyGateFailed, BlueTooWeak, FloorsNotHeld, UsersSuffer, GateUnmeasured, BothSuffer, GreenHasNoTargets, RollbackWaitsForBlue, RollbackLimitedByCapacity,
		SingletonsStuck, SingletonTwice:
		return NeedsPerson
	case StandbyKept, GateFailed, GateUnknown, PreflightUnknown, RequestUnknown, EntranceUnknown, BlueUnknown, BlueNotReady, ApprovalNeeded, RollbackRequested,
		RollbackFlagSet, HandsOff, JournalUnwritable, Superseded, SingletonsUnknown:
		return Held
	default:
		return Normal
	}
}
