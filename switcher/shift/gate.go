package shift

import (
	"fmt"
	"slices"
	"time"
)

// Judgement is a gate's answer. Pass is a claim of its own, not "didn't fail".
type Judgement string

// The judgements.
const (
	Pass       Judgement = "pass"
	Fail       Judgement = "fail"
	Wait       Judgement = "wait"    // not enough seen yet
	Unmeasured Judgement = "unknown" // could not be measured; never good
)

// Judgements lists them all.
func Judgements() []Judgement { return []Judgement{Pass, Fail, Wait, Unmeasured} }

// Verdict is one gate's judgement with the sentence that explains it.
type Verdict struct {
	Gate      string    `json:"gate"`
	Judgement Judgement `json:"judgement"`
	Message   string    `json:"message"`
}

// gate judges whether green may rise to next.
type gate func(t *turn, next Share) []Verdict

// riseGates is the list that every rise must pass, in the order in which they
// are reported.
func riseGates() []gate {
	return []gate{
		soaked,           // the hold of the present step is over
		greenComplete,    // green was looked at since the last change, and lacks nothing
		probesPass,       // probes succeeded often enough since the last change
		workloadsReady,   // all of green's workloads are ready
		replicasSuffice,  // green has the replicas that the next share of the load needs
		blueCanTakeAll,   // blue is as ready to take everything back as it is wanted
		blueLoadMeasured, // what blue carries everything with is measured, while it does
		floorsHeld,       // autoscalers can't shrink either side
		targetsHealthy,   // load balancers can reach green
		usersServed,      // users on green get answers, not errors
		shareObserved,    // green gets the share of requests that it is to get

		singletonsHanded, // what may run in one cluster only is where it shall be
		inWindow,         // it is a time at which green may rise
	}
}

// goOnGates must pass for the second and later entrances of a step that was
// already granted: nothing that can be seen at once may have turned bad.
func goOnGates() []gate {
	return []gate{
		greenStillComplete, workloadsReady, replicasSuffice, blueCanTakeAll, floorsHeld,
		targetsHealthy, probesStillPass, usersNotSuffering,
	}
}

func (t *turn) judge(gates []gate, next Share) []Verdict {
	var verdicts []Verdict
	for _, g := range gates {
		verdicts = append(verdicts, g(t, next)...)
	}
	return verdicts
}

// worst finds the verdict to report: a failure before an unknown before a
// wait. It is a pass only when all are.
func worst(verdicts []Verdict) Verdict {
	for _, j := range []Judgement{Fail, Unmeasured, Wait} {
		if i := slices.IndexFunc(verdicts, func(v Verdict) bool { return v.Judgement == j }); i >= 0 {
			return verdicts[i]
		}
	}
	return Verdict{Judgement: Pass}
}

func verdict(gate string, j Judgement, format string, args ...any) Verdict {
	return Verdict{Gate: gate, Judgement: j, Message: fmt.Sprintf(format, args...)}
}

func one(gate string, j Judgement, format string, args ...any) []Verdict {
	return []Verdict{verdict(gate, j, format, args...)}
}

// fresh tells whether something read at that time still counts. A time from
// the future beyond the same bound is as little worth as an old one: some
// clock is wrong.
func (t *turn) fresh(at time.Time, within time.Duration) bool {
	age := t.now.Sub(at)
	return !at.IsZero() && age <= within && -age <= within
}
