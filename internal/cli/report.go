package cli

import (
	"strconv"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
)

// reportSchema is the version of report. Fields may be added under the same
// number; whoever renames, removes or reinterprets one raises it.
const reportSchema = 1

// report is what `status -o json` prints. It is a promise of its own, apart
// from the custom resource, which may change with its API version.
type report struct {
	SchemaVersion int          `json:"schemaVersion"`
	Pairs         []pairReport `json:"pairs"` // by name
}

// pairReport is one pair as the daemon last wrote it down. What isn't known is
// null or the empty string.
type pairReport struct {
	Pair string `json:"pair"`
	// Phase is empty while no daemon has looked at the pair.
	Phase   string `json:"phase"`
	Attempt int    `json:"attempt"`
	// GreenShare is the percentage of traffic that green is meant to have.
	GreenShare int `json:"greenShare"`
	// Step is null before the first shift.
	Step    *stepReport `json:"step"`
	Reason  string      `json:"reason"`
	Message string      `json:"message"`
	// BlueReady is null when blue can't be read.
	BlueReady *replicas       `json:"blueReady"`
	Question  *questionReport `json:"question"`
	Gates     []gateReport    `json:"gates"`
	Rollback  *rollbackReport `json:"rollback"`
	Asked     askedReport     `json:"asked"`
	// UpdatedAt is when the daemon wrote this; null: never.
	UpdatedAt *time.Time `json:"updatedAt"`
}

// stepReport is how many steps were entered, of how many.
type stepReport struct {
	Entered int `json:"entered"`
	Of      int `json:"of"`
}

// replicas is how many replicas are ready, of how many there should be.
type replicas struct {
	Ready  int `json:"ready"`
	Wanted int `json:"wanted"`
}

type questionReport struct {
	ID      string `json:"id"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

type gateReport struct {
	Gate string `json:"gate"`
	// Judgement is pass, fail, wait or unknown.
	Judgement string `json:"judgement"`
	Message   string `json:"message"`
}

type rollbackReport struct {
	By        string    `json:"by"`
	Why       string    `json:"why"`
	At        time.Time `json:"at"`
	Automatic bool      `json:"automatic"`
}

// askedReport is what people ask for in the custom resource; the configuration
// may ask for more.
type askedReport struct {
	Paused        bool `json:"paused"`
	HandsOff      bool `json:"handsOff"`
	Rollback      bool `json:"rollback"`
	RollbackForce bool `json:"rollbackForce"`
	Attempt       int  `json:"attempt"`
	// Approved is null when nothing is.
	Approved *approvalReport `json:"approved"`
}

type approvalReport struct {
	Attempt int `json:"attempt"`
	Step    int `json:"step"`
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
		Gates: []gateReport{},
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
	if s.Question != nil {
		r.Question = new(questionReport(*s.Question))
	}
	if s.Rollback != nil {
		r.Rollback = &rollbackReport{By: s.Rollback.By, Why: s.Rollback.Why, At: s.Rollback.At.UTC(), Automatic: s.Rollback.Automatic}
	}
	if t.Spec.Approved != (v1alpha1.Approval{}) {
		r.Asked.Approved = new(approvalReport(t.Spec.Approved))
	}
	if !s.UpdatedAt.IsZero() {
		r.UpdatedAt = new(s.UpdatedAt.UTC())
	}
	return r
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
	return n, of, found && errN == nil && errOf == nil
}
