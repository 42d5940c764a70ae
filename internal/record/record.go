package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/chronicle"
)

// Schema is the version of a record's JSON. Under the same number fields are only
// ever added; whoever renames, removes or reinterprets one raises it.
const Schema = 1

// Record is all that is kept of one attempt of a pair. docs/report.md is made from
// the comments on the fields.
type Record struct {
	// Schema is 1. Under the same number fields are only ever added.
	Schema int `json:"schemaVersion"`
	// Pair is the pair's name.
	Pair string `json:"pair"`
	// Attempt counts the shifts of the pair.
	Attempt int `json:"attempt"`
	// StartedAt is when the attempt began, in RFC 3339.
	StartedAt time.Time `json:"startedAt"`
	// EndedAt is when it ended; null: it is under way.
	EndedAt *time.Time `json:"endedAt"`
	// SeenAt is until when the record tells.
	SeenAt time.Time `json:"seenAt"`
	// Phase is where the pair stood then.
	Phase string `json:"phase"`
	// GreenShare is the percentage of traffic that green was meant to have then.
	GreenShare int `json:"greenShare"`
	// HighestShare is the most that green was meant to have in this attempt, in percent.
	HighestShare int `json:"highestShare"`
	// Reason is the last decision's.
	Reason string `json:"reason"`
	// Message is the last decision's sentence.
	Message string `json:"message"`
	// AskedBy says who asked for the attempt, as far as the daemon can tell; Kubernetes' audit log names the person.
	AskedBy []string `json:"askedBy"`
	// Plan is what was planned.
	Plan Plan `json:"plan"`
	// Configurations are those that held during the attempt, the oldest first.
	Configurations []Configuration `json:"configurations"`
	// Daemons are those that led during the attempt, the first one first.
	Daemons []Daemon `json:"daemons"`
	// Timeline is what happened, the oldest first. Repeats are folded.
	Timeline []Event `json:"timeline"`
	// Steps are the planned steps, and what users met at each.
	Steps []Step `json:"steps"`
	// Grants are the rises to each step, with all verdicts.
	Grants []Grant `json:"grants"`
	// Rollbacks are the fast ways back, each with its why.
	Rollbacks []Rollback `json:"rollbacks"`
	// PreflightAtStart is the last preflight before the first rise; null: there was none.
	PreflightAtStart *Preflight `json:"preflightAtStart"`
	// Preflight is the newest one after the first rise; null: there was none, or it said the same.
	Preflight *Preflight `json:"preflight"`
	// Calls count the calls to AWS that were made for this pair.
	Calls []Call `json:"calls"`
	// Writes count the writes of weights by what became of them.
	Writes []Write `json:"writes"`
	// JournalErrors counts the turns in which the state could not be written down.
	JournalErrors int `json:"journalErrors"`
	// WatchedSeconds is the time in which a daemon looked at the pair.
	WatchedSeconds float64 `json:"watchedSeconds"`
	// Unknown is the part of that time in which something could not be read or measured.
	Unknown []Unknown `json:"unknown"`
	// Gaps are the times of which nothing is recorded.
	Gaps []Gap `json:"gaps"`
	// LeftOut counts what had no room: events, verdicts, findings, and lives of daemons with their gaps.
	LeftOut int `json:"leftOut"`
}

// Plan is what was planned when the record began.
type Plan struct {
	// Entrances are the users' ways in.
	Entrances []Entrance `json:"entrances"`
	// Gates are the gates on users' traffic, and their limits.
	Gates []PlannedGate `json:"gates"`
	// Probes are the names of the probes.
	Probes []string `json:"probes"`
	// Preflight is off, warn or block.
	Preflight string `json:"preflight"`
	// StandbySeconds is how long blue is kept ready after green has everything.
	StandbySeconds float64 `json:"standbySeconds"`
	// AutoRollback: in standby the daemon goes back by itself too.
	AutoRollback bool `json:"autoRollback"`
	// BlueAtLeast is the capacity from which blue counts as ready, in percent.
	BlueAtLeast int `json:"blueAtLeast"`
}

// Entrance is one way in.
type Entrance struct {
	// Name is its name.
	Name string `json:"name"`
	// Kind is route53, rule or listener.
	Kind string `json:"kind"`
	// Target is the names of the records, or the ARN of the rule or listener.
	Target string `json:"target"`
}

// PlannedGate is one gate on users' traffic.
type PlannedGate struct {
	// Name is its name.
	Name string `json:"name"`
	// Limit says what it wants, in a few words.
	Limit string `json:"limit"`
}

// Configuration is a configuration that held for a time.
type Configuration struct {
	// Digest is the SHA-256 of the document in hex, as sha256sum gives it.
	Digest string `json:"digest"`
	// Since is when this record first saw it.
	Since time.Time `json:"since"`
}

// Daemon is one life of a daemon that led.
type Daemon struct {
	// Identity is the replica's name, Version that of its binary.
	Identity string `json:"identity"`
	// Version is the binary's.
	Version string `json:"version"`
	// Since and Until bound its turns.
	Since time.Time `json:"since"`
	// Until is its last turn that is recorded.
	Until time.Time `json:"until"`
}

// Event is one thing that happened, or happened again and again.
type Event struct {
	// At is when it happened first.
	At time.Time `json:"at"`
	// Kind is attempt, phase, rise, lower, write, failed-write, reached, rollback, question, answer, asked, journal, preflight, configuration, daemon, gap or reason.
	Kind string `json:"kind"`
	// Phase is where the pair stood.
	Phase string `json:"phase"`
	// GreenShare is the percentage of traffic that green was meant to have.
	GreenShare int `json:"greenShare"`
	// Title says it in a few words.
	Title string `json:"title"`
	// Text says more; it may be empty. Of an event that was seen several times it is the newest.
	Text string `json:"text"`
	// Count is how often it was seen; Until when last.
	Count int `json:"count"`
	// Until is when it was seen last; null: once.
	Until *time.Time `json:"until"`
	// Restored: no daemon of this record saw it; it follows from the journal.
	Restored bool `json:"restored"`
}

// Step is one planned step, and what users met there.
type Step struct {
	// Number counts from 1.
	Number int `json:"number"`
	// Share is green's, in percent.
	Share int `json:"share"`
	// HoldSeconds is how long it is held.
	HoldSeconds float64 `json:"holdSeconds"`
	// Approval: a person must approve it.
	Approval bool `json:"approval"`
	// EnteredAt is when green was sent there; null: it wasn't.
	EnteredAt *time.Time `json:"enteredAt"`
	// ReachedAt is when everything read back so; null: it was not seen.
	ReachedAt *time.Time `json:"reachedAt"`
	// LeftAt is when the next step, or a way back, began; null: neither.
	LeftAt *time.Time `json:"leftAt"`
	// Users are the gates on users' traffic with the last numbers they had at this step.
	Users []Verdict `json:"users"`
}

// Grant is a rise to a step, or the end of standby, with the verdicts that let it.
type Grant struct {
	// At is when.
	At time.Time `json:"at"`
	// To says what was granted.
	To string `json:"to"`
	// Verdicts are those of all gates that were judged.
	Verdicts []Verdict `json:"verdicts"`
}

// Verdict is one gate's judgement, with its numbers.
type Verdict struct {
	// Gate is its name.
	Gate string `json:"gate"`
	// Judgement is pass, fail, wait or unknown; empty: it was measured, not judged.
	Judgement string `json:"judgement"`
	// Message is the sentence that explains it.
	Message string `json:"message"`
	// At is when it was judged.
	At time.Time `json:"at"`
	// Numbers are what it was judged by; empty: the sentence has them.
	Numbers []chronicle.Number `json:"numbers"`
}

// Rollback is one fast way back.
type Rollback struct {
	// At is when it was decided.
	At time.Time `json:"at"`
	// By says who or what asked.
	By string `json:"by"`
	// Automatic: the daemon decided by itself.
	Automatic bool `json:"automatic"`
	// Why is its reason in a sentence.
	Why string `json:"why"`
	// FromShare is what green was meant to have before, in percent; null: not known.
	FromShare *int `json:"fromShare"`
	// DoneAt is when blue had all traffic again; null: that was not seen.
	DoneAt *time.Time `json:"doneAt"`
	// Users are the gates on users' traffic at that moment.
	Users []Verdict `json:"users"`
}

// Preflight is one comparison of green with blue.
type Preflight struct {
	// At is when the look began.
	At time.Time `json:"at"`
	// Summary counts in a few words.
	Summary string `json:"summary"`
	// Findings are the worst; those for the record alone are only counted.
	Findings []Finding `json:"findings"`
}

// Finding is one thing that green lacked, or that could not be checked.
type Finding struct {
	// ID is stable; a waiver names it.
	ID string `json:"id"`
	// Severity is block or warn.
	Severity string `json:"severity"`
	// Message is one sentence.
	Message string `json:"message"`
	// Waiver is why it may stand; empty: no waiver names it.
	Waiver string `json:"waiver"`
	// WaivedUntil is when the waiver ends; null: there is none.
	WaivedUntil *time.Time `json:"waivedUntil"`
	// Expired: the waiver no longer counted.
	Expired bool `json:"expired"`
}

// Call counts tries of one operation with one outcome.
type Call struct {
	// Service is AWS's, as route53.
	Service string `json:"service"`
	// Operation is AWS's.
	Operation string `json:"operation"`
	// Outcome is ok, held (by the daemon's own budget), throttled, access_denied, not_found, invalid, conflict, refused or no_answer.
	Outcome string `json:"outcome"`
	// Count is how many tries.
	Count int `json:"count"`
}

// Write counts writes of one entrance's weights with one outcome.
type Write struct {
	// Entrance is its name.
	Entrance string `json:"entrance"`
	// Outcome is applied, conflict, unknown or refused.
	Outcome string `json:"outcome"`
	// Count is how many.
	Count int `json:"count"`
}

// Unknown is for how long something could not be read.
type Unknown struct {
	// Of is entrances, blue, green, journal, or gate and its name.
	Of string `json:"of"`
	// Seconds is for how long.
	Seconds float64 `json:"seconds"`
}

// Gap is a time of which nothing is recorded.
type Gap struct {
	// From is the last moment before it.
	From time.Time `json:"from"`
	// Until is the first moment after it.
	Until time.Time `json:"until"`
	// Why says what is known of its cause.
	Why string `json:"why"`
	// Meanwhile says what had changed afterwards; empty: nothing that is seen.
	Meanwhile string `json:"meanwhile"`
}

// JSON writes the record; the same record gives the same bytes. indent is for
// people.
func (r Record) JSON(indent bool) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	if indent {
		encoder.SetIndent("", "  ")
	}
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r.lists()); err != nil {
		return nil, fmt.Errorf("writing the record: %w", err)
	}
	return b.Bytes(), nil
}

// Parse reads a record that JSON wrote. An error says, to a person, why it is none.
func Parse(document []byte) (Record, error) {
	var r Record
	switch err := json.Unmarshal(document, &r); {
	case err != nil:
		return Record{}, fmt.Errorf("it is no record of an attempt: %w", err)
	case r.Schema == 0 || r.Pair == "":
		return Record{}, errors.New("it is no record of an attempt: it lacks schemaVersion or pair")
	case r.Schema != Schema:
		return Record{}, fmt.Errorf("its schemaVersion is %d, this program reads %d; a newer program wrote it", r.Schema, Schema)
	}
	return r, nil
}

// lists turns absent lists into empty ones: a document has lists, not nulls.
func (r Record) lists() Record {
	r.AskedBy, r.Configurations, r.Daemons = filled(r.AskedBy), filled(r.Configurations), filled(r.Daemons)
	r.Timeline, r.Steps, r.Grants, r.Rollbacks = filled(r.Timeline), filled(r.Steps), filled(r.Grants), filled(r.Rollbacks)
	r.Calls, r.Writes, r.Unknown, r.Gaps = filled(r.Calls), filled(r.Writes), filled(r.Unknown), filled(r.Gaps)
	r.Plan.Entrances, r.Plan.Gates, r.Plan.Probes = filled(r.Plan.Entrances), filled(r.Plan.Gates), filled(r.Plan.Probes)
	return r
}

func filled[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// Ended tells whether the attempt is over.
func (r Record) Ended() bool { return r.EndedAt != nil }
