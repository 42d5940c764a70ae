package cli

import (
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
)

// reportSchema is the version of report. Fields may be added under the same
// number; whoever renames, removes or reinterprets one raises it.
const reportSchema = 1

// report is what `status -o json` prints. It is a promise of its own, apart
// from the custom resource, which may change with its API version. docs/cli.md
// is made from the comments on the fields.
type report struct {
	// SchemaVersion is 1. Under the same number fields are only ever added.
	SchemaVersion int `json:"schemaVersion"`
	// Pairs are ordered by name.
	Pairs []pairReport `json:"pairs"`
}

// pairReport is one pair as the daemon last wrote it down.
type pairReport struct {
	// Pair is its name.
	Pair string `json:"pair"`
	// Phase is Idle, Preflight, Shifting, Standby, Completed, Returning, RollingBack or RolledBack; empty: not known, see reason.
	Phase string `json:"phase"`
	// Attempt counts the shifts of this pair; 0: none yet.
	Attempt int `json:"attempt"`
	// GreenShare is the percentage of traffic that green is meant to have.
	GreenShare int `json:"greenShare"`
	// Step is null before the first shift.
	Step *stepReport `json:"step"`
	// Reason is the CamelCase why of the last decision.
	Reason string `json:"reason"`
	// Message says the same in a sentence.
	Message string `json:"message"`
	// BlueReady is null when blue can't be read.
	BlueReady *replicas `json:"blueReady"`
	// Readiness is null, or what would be if all users went back to blue now.
	Readiness *readinessReport `json:"readiness"`
	// Conditions sum the pair up, such as BlueReady.
	Conditions []conditionReport `json:"conditions"`
	// Question is null, or what only a person can answer.
	Question *questionReport `json:"question"`
	// Gates are the last verdicts, in the order in which they were judged.
	Gates []gateReport `json:"gates"`
	// Notes are sentences about what else decides where users go, beside the weights.
	Notes []string `json:"notes"`
	// Rollback is null, or who sent the traffic of this attempt back.
	Rollback *rollbackReport `json:"rollback"`
	// Singletons are those that were handed over, or are on their way.
	Singletons []singletonReport `json:"singletons"`
	// Asked is what people ask for in the custom resource; the configuration may ask for more.
	Asked askedReport `json:"asked"`
	// UpdatedAt is when the daemon wrote this, in RFC 3339; null: never.
	UpdatedAt *time.Time `json:"updatedAt"`
	// Holder is the daemon that wrote it, which holds the lease; empty: not known.
	Holder string `json:"holder"`
}

// stepReport is how far the attempt is.
type stepReport struct {
	// Entered is how many steps were entered.
	Entered int `json:"entered"`
	// Of is how many steps there are.
	Of int `json:"of"`
}

// replicas is how ready a cluster is.
type replicas struct {
	// Ready is how many replicas are ready.
	Ready int `json:"ready"`
	// Wanted is how many there should be.
	Wanted int `json:"wanted"`
}

// readinessReport is what would be, if all users went back to blue now.
type readinessReport struct {
	// Message says it in a sentence.
	Message string `json:"message"`
	// WantedPercent is the capacity from which blue counts as ready.
	WantedPercent int `json:"wantedPercent"`
	// Blue is how much of all of the present load blue could carry.
	Blue capacityReport `json:"blue"`
	// Green is how much green could carry of the share that it is to get next, or has.
	Green capacityReport `json:"green"`
	// TakesSeconds is how long it lasts until the last user whom weights can move is on blue; null: not known.
	TakesSeconds *float64 `json:"takesSeconds"`
	// Tails are the users whom weights don't move at once.
	Tails []tailReport `json:"tails"`
}

// capacityReport is what one side has, and what it needs.
type capacityReport struct {
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
	// ByLoad tells that the need follows the measured load, and not the replicas of before the shift alone.
	ByLoad bool `json:"byLoad"`
}

// tailReport is who stays on a side although the weights say otherwise.
type tailReport struct {
	// Entrance is where they come in.
	Entrance string `json:"entrance"`
	// Side is blue or green: where they stay.
	Side string `json:"side"`
	// Kind is dns, cookie, connection or deregistration.
	Kind string `json:"kind"`
	// ForSeconds is how long they would stay, were they sent to the other side now; null: nothing bounds it.
	ForSeconds *float64 `json:"forSeconds"`
	// Until is when those are gone who were sent away already, in RFC 3339; null: there are none, or nothing bounds it.
	Until *time.Time `json:"until"`
}

// conditionReport is a condition as Kubernetes has them.
type conditionReport struct {
	// Type is its name.
	Type string `json:"type"`
	// Status is True, False or Unknown.
	Status string `json:"status"`
	// Reason is the CamelCase why.
	Reason string `json:"reason"`
	// Message says the same in a sentence.
	Message string `json:"message"`
	// Since is when the status last changed, in RFC 3339.
	Since time.Time `json:"since"`
}

type questionReport struct {
	// ID tells this question apart from others.
	ID string `json:"id"`
	// Reason is the CamelCase why.
	Reason string `json:"reason"`
	// Message is the question in a sentence.
	Message string `json:"message"`
}

type gateReport struct {
	// Gate is its name.
	Gate string `json:"gate"`
	// Judgement is pass, fail, wait or unknown.
	Judgement string `json:"judgement"`
	// Message explains it in a sentence; it may be empty.
	Message string `json:"message"`
}

type singletonReport struct {
	// Key is its kind, namespace and name.
	Key string `json:"key"`
	// Side is blue or green, by stage.
	Side string `json:"side"`
	// Stage is held: side has it; giving: side is to end it; taking: side is to begin; back: blue has it, and both sides become what they were.
	Stage string `json:"stage"`
	// Since is when the stage began, in RFC 3339.
	Since time.Time `json:"since"`
	// OffSince is since when neither side begins its work; null: one does.
	OffSince *time.Time `json:"offSince"`
	// Failed says why the last hand-over was given up; empty: it wasn't.
	Failed string `json:"failed"`
	// Gap is null, or the last time in which neither side began its work.
	Gap *gapReport `json:"gap"`
}

type gapReport struct {
	// From is when the one side was told to stop.
	From time.Time `json:"from"`
	// To is when the other was seen on.
	To time.Time `json:"to"`
	// Missed is null, or a run that was due in it and is not made up for.
	Missed *time.Time `json:"missed"`
}

type rollbackReport struct {
	// By is who asked for it.
	By string `json:"by"`
	// Why is the cause in a sentence.
	Why string `json:"why"`
	// At is when it was decided, in RFC 3339.
	At time.Time `json:"at"`
	// Automatic tells that the daemon decided by itself.
	Automatic bool `json:"automatic"`
}

type askedReport struct {
	// Paused stops rises.
	Paused bool `json:"paused"`
	// HandsOff stops every write of the daemon.
	HandsOff bool `json:"handsOff"`
	// Rollback is the manual rollback flag.
	Rollback bool `json:"rollback"`
	// RollbackForce lets it go through even when blue is proven to have no healthy target.
	RollbackForce bool `json:"rollbackForce"`
	// Attempt is the attempt that is asked for; 0: none.
	Attempt int `json:"attempt"`
	// Approved is null, or the step that was approved last.
	Approved *approvalReport `json:"approved"`
	// Answer is null, or the answer that was given last.
	Answer *answerReport `json:"answer"`
	// Vouch is null, or the side of the singletons that a person vouched for last.
	Vouch *vouchReport `json:"vouch"`
}

type vouchReport struct {
	// Attempt is the attempt that it holds for.
	Attempt int `json:"attempt"`
	// Take is the side that takes the singletons.
	Take string `json:"take"`
}

type approvalReport struct {
	// Attempt is the attempt that it holds for.
	Attempt int `json:"attempt"`
	// Step counts from 1.
	Step int `json:"step"`
}

type answerReport struct {
	// ID is the question that it answers.
	ID string `json:"id"`
	// How is adopt or restore.
	How string `json:"how"`
}

func newReport(objects []v1alpha1.TrafficSwitch) report {
	r := report{SchemaVersion: reportSchema, Pairs: []pairReport{}}
	for _, o := range objects {
		r.Pairs = append(r.Pairs, newPairReport(o))
	}
	return r
}

func newPairReport(t v1alpha1.TrafficSwitch) pairReport {
	s := t.Status
	r := pairReport{
		Pair: t.Name, Phase: s.Phase, Attempt: s.Attempt, GreenShare: s.Share,
		Reason: s.Reason, Message: s.Message, BlueReady: newReplicas(s.BlueReady),
		Readiness: newReadinessReport(s.Readiness), Conditions: newConditions(s.Conditions),
		Holder: s.Holder, Gates: []gateReport{}, Notes: append([]string{}, s.Notes...), Singletons: []singletonReport{},
		Asked: askedReport{
			Paused: t.Spec.Paused, HandsOff: t.Spec.HandsOff, Rollback: t.Spec.Rollback,
			RollbackForce: t.Spec.RollbackForce, Attempt: t.Spec.Attempt,
		},
	}
	if entered, of, ok := parseOf(s.Step); ok {
		r.Step = &stepReport{Entered: entered, Of: of}
	}
	for _, g := range s.Gates {
		r.Gates = append(r.Gates, gateReport(g))
	}
	for _, one := range s.Singletons {
		r.Singletons = append(r.Singletons, newSingletonReport(one))
	}
	if s.Question != nil {
		r.Question = new(questionReport(*s.Question))
	}
	if s.Rollback != nil {
		r.Rollback = &rollbackReport{By: s.Rollback.By, Why: s.Rollback.Why, At: s.Rollback.At.UTC(), Automatic: s.Rollback.Automatic}
	}
	if t.Spec.Approved != (v1alpha1.Approval{}) {
		r.Asked.Approved = new(approvalReport(t.Spec.Approved))
	}
	if t.Spec.Resolve != (v1alpha1.Resolution{}) {
		r.Asked.Answer = new(answerReport(t.Spec.Resolve))
	}
	if t.Spec.Vouch != (v1alpha1.Vouch{}) {
		r.Asked.Vouch = new(vouchReport(t.Spec.Vouch))
	}
	if !s.UpdatedAt.IsZero() {
		r.UpdatedAt = new(s.UpdatedAt.UTC())
	}
	return r
}

func newSingletonReport(s v1alpha1.Singleton) singletonReport {
	r := singletonReport{
		Key: s.Key, Side: s.Side, Stage: s.Stage, Since: s.Since.UTC(), OffSince: optional(s.OffSince), Failed: s.Failed,
	}
	if g := s.Gap; g != nil {
		r.Gap = &gapReport{From: g.From.UTC(), To: g.To.UTC(), Missed: optional(g.Missed)}
	}
	return r
}

func optional(t *metav1.Time) *time.Time {
	if t == nil {
		return nil
	}
	return new(t.UTC())
}

// newReplicas reads "3/4"; nil: not known.
func newReplicas(s string) *replicas {
	ready, wanted, ok := parseOf(s)
	if !ok {
		return nil
	}
	return &replicas{Ready: ready, Wanted: wanted}
}

// parseOf reads "2/4".
func parseOf(s string) (n, of int, ok bool) {
	left, right, found := strings.Cut(s, "/")
	n, errN := strconv.Atoi(left)
	of, errOf := strconv.Atoi(right)
	return n, of, found && errN == nil && errOf == nil && n >= 0 && of >= 0
}
