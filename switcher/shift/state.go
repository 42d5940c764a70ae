package shift

import (
	"slices"
	"time"
)

// Schema is the version of State that this binary writes. It reads this one
// and the one before, and holds on any other. 2 knows entrances of several
// names and types, and of listeners; 3 knows the preflight; 4 knows blue's
// baseline by workload, held floors and the singletons' baton.
const Schema = 4

// Phase is where a pair stands on its way.
type Phase string

// The phases. doc.go has the diagram.
const (
	Idle        Phase = "Idle"        // no attempt was made; blue has all traffic
	InPreflight Phase = "Preflight"   // an attempt was made, green is looked at before any user
	Shifting    Phase = "Shifting"    // going up, step by step
	OnStandby   Phase = "Standby"     // green has all traffic, blue is kept ready
	Completed   Phase = "Completed"   // green has all traffic, the shift is over
	Returning   Phase = "Returning"   // the planned way back, step by step
	RollingBack Phase = "RollingBack" // the fast way back
	RolledBack  Phase = "RolledBack"  // blue has all traffic again, the attempt is over
)

// Phases lists every phase in the order of a journey.
func Phases() []Phase {
	return []Phase{Idle, InPreflight, Shifting, OnStandby, Completed, Returning, RollingBack, RolledBack}
}

// Meaning says in a few words where a pair in this phase stands.
func (p Phase) Meaning() string {
	switch p {
	case Idle:
		return "No attempt was made; blue has all traffic."
	case InPreflight:
		return "An attempt began; before any user it is checked that green has all that blue has."
	case Shifting:
		return "Going up, step by step."
	case OnStandby:
		return "Green has all traffic, blue is kept ready."
	case Completed:
		return "Green has all traffic, the shift is over."
	case Returning:
		return "The planned way back, step by step."
	case RollingBack:
		return "The fast way back."
	case RolledBack:
		return "Blue has all traffic again, the attempt is over."
	}
	return ""
}

func (p Phase) known() bool { return slices.Contains(Phases(), p) }

// Terminal tells whether automation is done with the attempt.
func (p Phase) Terminal() bool { return p == Completed || p == RolledBack }

// State is all that the daemon must remember of one pair. It is the journal's
// content; the zero value (with Schema and Phase set by New) is a pair that
// was never shifted.
type State struct {
	Schema int `json:"schema"`
	// Attempt counts the shifts of this pair; 0: none yet.
	Attempt int `json:"attempt"`
	// Epoch counts the daemons that took charge; Version the changes of intent.
	// (Attempt, Epoch, Version) orders journal and marks.
	Epoch   int64 `json:"epoch"`
	Version int64 `json:"version"`
	Phase   Phase `json:"phase"`
	// From is the phase that a planned way back began in, for as long as nothing
	// went back by it and the wish can be withdrawn; empty: else.
	From Phase `json:"from,omitempty"`
	// Steps and Entrances are frozen from the plan when a shift starts.
	Steps     []Step          `json:"steps,omitempty"`
	Entrances []EntranceState `json:"entrances,omitempty"`
	// Step counts the steps entered; 0: before the first.
	Step int `json:"step"`
	// Share is the intended share.
	Share Share `json:"share"`
	// StartedAt is when this attempt started, ChangedAt when intent last changed.
	StartedAt time.Time `json:"startedAt,omitzero"`
	ChangedAt time.Time `json:"changedAt,omitzero"`
	// ShownAt is when every entrance read back as intended; ReachedAt is when
	// resolvers had followed too. The hold and all evidence count from ReachedAt.
	ShownAt   time.Time `json:"shownAt,omitzero"`
	ReachedAt time.Time `json:"reachedAt,omitzero"`
	EndedAt   time.Time `json:"endedAt,omitzero"`
	// Baseline is what blue carried everything with: the measure of capacity.
	Baseline Baseline `json:"baseline,omitzero"`
	// FloorsHeld: floors of autoscalers are held, or may be, and are to be given
	// back.
	FloorsHeld bool `json:"floorsHeld,omitempty"`
	// Floors are what the floors follow from; nil: none were held.
	Floors *FloorsState `json:"floors,omitempty"`
	// Baton is where each singleton is that was ever handed over in this attempt.
	Baton []BatonState `json:"baton,omitempty"`
	// Gaps are former ones of singletons in this attempt, the newest last.
	Gaps     []SingletonGap `json:"gaps,omitempty"`
	Breaches []Breach       `json:"breaches,omitempty"`
	// Evidence is what request gates remember of this attempt.
	Evidence []GateEvidence  `json:"evidence,omitempty"`
	Rollback *RollbackRecord `json:"rollback,omitempty"`
	Question *Question       `json:"question,omitempty"`
	// Preflight is the newest outcome of this attempt's preflight; nil: there is none.
	Preflight *PreflightOutcome `json:"preflight,omitempty"`
}

// EntranceState is what the daemon intends for one entrance.
type EntranceState struct {
	Entrance
	Share Share `json:"share"`
	// Pending: the write of Share was journaled but not yet read back. Was is
	// what stood there before; WasApart, where records stood apart, all of it; WasMark
	// the mark beside it, nil where there was none.
	Pending  bool      `json:"pending,omitempty"`
	Was      Weights   `json:"was,omitzero"`
	WasApart []Weights `json:"wasApart,omitempty"`
	WasMark  *Mark     `json:"wasMark,omitempty"`
	// SentAt is when a write that leaves green traffic was last sent: until
	// WriteDeadline after it, it may still land.
	SentAt time.Time `json:"sentAt,omitzero"`
	// LoweredAt is when green was last told to get less here: from then on
	// clients stay on green only by a cookie. RaisedAt is when green was last told
	// to get more, and so blue less.
	LoweredAt time.Time `json:"loweredAt,omitzero"`
	RaisedAt  time.Time `json:"raisedAt,omitzero"`
}

// at is the entrance seen at a share: nothing is on its way, and what is known of
// former writes stays.
func (e EntranceState) at(share Share) EntranceState {
	return EntranceState{Entrance: e.Entrance, Share: share, SentAt: e.SentAt, LoweredAt: e.LoweredAt, RaisedAt: e.RaisedAt}
}

// pend notes that a write is on its way, and what it replaces.
func (e *EntranceState) pend(r EntranceReading) {
	e.Pending, e.Was, e.WasApart, e.WasMark = true, r.Weights, r.Apart, r.Mark
}

// movedAt notes that what the entrance was told last may have taken effect as late as
// at that time.
func (e *EntranceState) movedAt(at time.Time) {
	if e.LoweredAt.After(e.RaisedAt) {
		e.LoweredAt = at
	} else {
		e.RaisedAt = at
	}
}

// settled notes that nothing is on its way.
func (e *EntranceState) settled() {
	e.Pending, e.Was, e.WasApart, e.WasMark = false, Weights{}, nil, nil
}

// stood tells whether the weights are what a write that is on its way replaces.
func (e EntranceState) stood(w Weights) bool {
	return e.Pending && (w.same(e.Was) || slices.ContainsFunc(e.WasApart, w.same))
}

// Breach counts failing measurements in a row of one traffic gate.
type Breach struct {
	Gate  string    `json:"gate"`
	Count int       `json:"count"`
	To    time.Time `json:"to"` // end of the last measurement that was counted
}

// RollbackRecord says who or what sent traffic back, and why.
type RollbackRecord struct {
	By string `json:"by"`
	// Automatic: the daemon decided by itself; then blue's capacity limits it.
	Automatic bool      `json:"automatic,omitempty"`
	Why       string    `json:"why"`
	At        time.Time `json:"at"`
}

// Question is what only a person can answer: a drift, or journals that don't
// agree. While it stands nothing rises.
type Question struct {
	// ID ties the answer to this question.
	ID       string    `json:"id"`
	Reason   Reason    `json:"reason"`
	Entrance string    `json:"entrance,omitempty"`
	Message  string    `json:"message"`
	At       time.Time `json:"at"`
}

// Asks gives the question that waits for a person; nil: none does. That AWS can't be
// read where there is no journal holds everything like a question, but ends by itself
// once AWS can be read, and no answer helps before.
func (s State) Asks() *Question {
	if s.Question != nil && s.Question.Reason == EntranceUnknown {
		return nil
	}
	return s.Question
}

// NewState is a pair that was never shifted.
func NewState() State { return State{Schema: Schema, Phase: Idle} }

// Mark is the copy of the state's order and intent that goes to AWS.
func (s State) Mark() Mark {
	return Mark{
		Attempt: s.Attempt, Epoch: s.Epoch, Version: s.Version,
		Phase: s.Phase, Share: s.Share, Rollback: s.Rollback != nil,
	}
}

// MeasureFrom is the time from which measurements speak of the present share.
func (s State) MeasureFrom() time.Time {
	if !s.ReachedAt.IsZero() {
		return s.ReachedAt
	}
	return s.ChangedAt
}

// Active tells whether a shift is under way, standby included.
func (s State) Active() bool { return s.Phase != Idle && !s.Phase.Terminal() }

// Targets gives the entrances that the state's shares speak of: the frozen
// ones, or the plan's before any shift.
func (s State) Targets(p Plan) []Entrance {
	if len(s.Entrances) == 0 {
		return p.Entrances
	}
	targets := make([]Entrance, len(s.Entrances))
	for i, e := range s.Entrances {
		targets[i] = e.Entrance
	}
	return targets
}

// clone copies everything that Decide may change.
func (s State) clone() State {
	s.Entrances = slices.Clone(s.Entrances)
	s.Breaches = slices.Clone(s.Breaches)
	s.Evidence = slices.Clone(s.Evidence) // what is in it is replaced, never changed
	s.Baseline.Workloads = slices.Clone(s.Baseline.Workloads)
	s.Baseline.Loads = slices.Clone(s.Baseline.Loads)
	s.Baton, s.Gaps = slices.Clone(s.Baton), slices.Clone(s.Gaps)
	if s.Rollback != nil {
		s.Rollback = new(*s.Rollback)
	}
	if s.Question != nil {
		s.Question = new(*s.Question)
	}
	if s.Preflight != nil {
		s.Preflight = new(*s.Preflight)
	}
	if s.Floors != nil {
		s.Floors = new(*s.Floors)
		s.Floors.Peaks = slices.Clone(s.Floors.Peaks)
	}
	return s
}

func freeze(entrances []Entrance, share Share) []EntranceState {
	frozen := make([]EntranceState, len(entrances))
	for i, e := range entrances {
		frozen[i] = EntranceState{Entrance: e, Share: share}
	}
	return frozen
}

// stepAt counts the steps whose share is reached by s.
func stepAt(steps []Step, s Share) int {
	n := 0
	for n < len(steps) && steps[n].Share <= s {
		n++
	}
	return n
}
