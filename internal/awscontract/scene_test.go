package awscontract

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	sandbox "github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// adapter is what both adapters are to the loop.
type adapter interface {
	Read(ctx context.Context, entrances []shift.Entrance, attention shift.Attention) []shift.EntranceReading
	Commit(ctx context.Context, changes []shift.Change) []shift.Result
}

// subject is one entrance that is written.
type subject struct {
	shift.Entrance

	from, to shift.Share
	priority shift.Priority
	restick  bool
	sticky   string // what a restick shall bring back
	// groups are the keys of its weights in a sight; those of one line must never
	// stand apart.
	groups [][]string
	// others are weights besides those of from and to that may stand.
	others []shift.Weights
}

func (sub *subject) all() []string { return slices.Concat(sub.groups...) }

// sight is all that AWS stores, taken apart.
type sight struct {
	weights map[string]shift.Weights // of the subjects' groups
	marks   map[string]string        // of the subjects, by entrance
	sticky  map[string]string        // of the subjects at load balancers, by entrance: "off" or how long
	rest    map[string]string        // everything else, in words that don't change with the weights
}

// setting is what differs between the services.
type setting interface {
	// look takes everything apart, through a client that no fault hits.
	look() (sight, error)
	// edit changes the first subject as a person would.
	edit(what foreign) error
	// adapter is a new daemon's.
	adapter() adapter
}

// foreign is what somebody else does.
type foreign struct {
	share  shift.Share
	apart  bool        // only a part of the entrance
	mark   *shift.Mark // instead of the weights
	remove bool        // green's part of it
}

// scene is one or more writes, and everything that was seen of them at AWS.
type scene struct {
	*stage
	setting

	service  sandbox.Service
	writes   string // the operation that sets weights
	reads    string // the operation that reads them
	subjects []*subject

	mu      sync.Mutex // guards all below
	first   sight      // before anything; moved on by foreign edits
	last    sight
	late    bool                       // writes may land when nobody waits for them any more
	apart   bool                       // a foreign edit tore the first subject apart
	history map[string][]shift.Weights // by group, since the last begin
	moved   map[string]bool            // groups that our writes changed since the last begin
	faults  []string                   // what must not be
}

// begin is called when the stage is set.
func (s *scene) begin() error {
	now, err := s.look()
	if err != nil {
		return err
	}
	s.first, s.last = now, now
	s.start()
	s.whenLeft(func(string) { s.see() })
	return nil
}

// start forgets what former commits did.
func (s *scene) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.history, s.moved = map[string][]shift.Weights{}, map[string]bool{}
	for group, w := range s.last.weights {
		s.history[group] = []shift.Weights{w}
	}
}

func (s *scene) blame(format string, args ...any) {
	if blame := fmt.Sprintf(format, args...); !slices.Contains(s.faults, blame) {
		s.faults = append(s.faults, blame)
	}
}

// violations are what must not be and was.
func (s *scene) violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.faults)
}

// see looks at AWS after a write of ours, and judges it.
func (s *scene) see() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, err := s.look()
	if err != nil {
		s.blame("looking: %v", err)
		return
	}
	s.judgeRest(now)
	priorities := map[shift.Priority]bool{}
	for _, sub := range s.subjects {
		for _, line := range sub.groups {
			for _, group := range line {
				if now.weights[group] != s.last.weights[group] {
					priorities[sub.priority] = true
					s.moved[group] = true
					s.history[group] = append(s.history[group], now.weights[group])
				}
				s.judgeWeights(sub, group, now)
			}
			s.judgeTogether(line, now)
		}
		s.judgeSticky(sub, now)
	}
	if priorities[shift.Rise] && priorities[shift.Rollback] {
		s.blame("one write carried a rise and a rollback")
	}
	s.last = now
}

// judgeRest holds everything but the subjects' weights to what it was.
func (s *scene) judgeRest(now sight) {
	for key, was := range s.first.rest {
		switch is, ok := now.rest[key]; {
		case !ok:
			s.blame("%s disappeared", key)
		case is != was:
			s.blame("%s was %s and is %s", key, was, is)
		}
	}
	for key := range now.rest {
		if _, ok := s.first.rest[key]; !ok {
			s.blame("%s appeared", key)
		}
	}
	for group := range s.first.weights {
		if _, ok := now.weights[group]; !ok {
			s.blame("the weights of %s disappeared", group)
		}
	}
	for name, mark := range s.first.marks {
		if _, ok := now.marks[name]; mark != "" && !ok {
			s.blame("the mark of %s disappeared", name)
		}
	}
}

// judgeWeights holds the weights of one group to the plan.
func (s *scene) judgeWeights(sub *subject, group string, now sight) {
	is, was := now.weights[group], s.last.weights[group]
	if _, ok := now.weights[group]; !ok {
		return // blamed already
	}
	planned := is.At(sub.to) || is == s.first.weights[group] || slices.Contains(sub.others, is)
	switch {
	case is.Blue+is.Green <= 0 && !slices.Contains(sub.others, is):
		s.blame("%s: all weights are zero", group)
	case !planned:
		s.blame("%s stands at %s, which nobody planned: from %s to %s", group, is, sub.from, sub.to)
	case sub.priority == shift.Rise && is.Share() < was.Share() && !is.At(sub.to):
		s.blame("%s went down from %s to %s in a rise", group, was, is)
	case sub.priority != shift.Rise && is.Share() > was.Share():
		s.blame("%s went up from %s to %s in a %s", group, was, is, sub.priority)
	}
}

// judgeTogether holds the groups of one name together.
func (s *scene) judgeTogether(line []string, now sight) {
	for _, group := range line[1:] {
		if now.weights[group] != now.weights[line[0]] && !(s.apart && now.weights[group] == s.last.weights[group]) {
			s.blame("%s and %s stand apart: %s and %s", line[0], group, now.weights[line[0]], now.weights[group])
		}
	}
}

// judgeSticky lets only rollbacks switch stickiness off, and only a restick
// switch it on.
func (s *scene) judgeSticky(sub *subject, now sight) {
	is, was := now.sticky[sub.Name], s.last.sticky[sub.Name]
	switch {
	case is == was, is == "": // the latter is gone with all else, and blamed
	case sub.restick && is == sub.sticky:
	case sub.priority == shift.Rollback && !sub.restick && is == "off":
	case s.late && is == s.first.sticky[sub.Name]:
		// The first write of the rollback, which nobody waited for, lands after the
		// one that switched stickiness off. Load balancers have nothing to keep it
		// out by; the weights it carries are right.
	default:
		s.blame("%s: stickiness was %s and is %s after a %s", sub.Name, was, is, sub.priority)
	}
}

// intrude does what somebody else does, and takes what then stands for given.
func (s *scene) intrude(what foreign) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.edit(what); err != nil {
		s.blame("editing: %v", err)
		return
	}
	now, err := s.look()
	if err != nil {
		s.blame("looking: %v", err)
		return
	}
	s.apart = what.apart
	for group, w := range now.weights {
		if w != s.last.weights[group] {
			s.history[group] = append(s.history[group], w)
		}
	}
	for _, group := range s.subjects[0].all() {
		if w, ok := now.weights[group]; ok {
			s.subjects[0].others = append(s.subjects[0].others, w)
		}
	}
	// What the daemon wrote before stays allowed, what stood before it doesn't
	// come back: the first sight moves on for everything but the weights.
	s.first = sight{weights: maps.Clone(s.first.weights), marks: now.marks, sticky: s.first.sticky, rest: now.rest}
	maps.DeleteFunc(s.first.weights, func(group string, _ shift.Weights) bool { _, ok := now.weights[group]; return !ok })
	s.last = now
}

// stands tells whether all groups of the subject are at its share.
func (s *scene) stands(sub *subject) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sub.restick { // the weights stay as they are, whatever they are
		return s.last.sticky[sub.Name] == sub.sticky
	}
	return !slices.ContainsFunc(sub.all(), func(group string) bool { return !s.last.weights[group].At(sub.to) })
}

// untouched tells whether no write of ours changed the subject since the start.
func (s *scene) untouched(sub *subject) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !slices.ContainsFunc(sub.all(), func(group string) bool { return s.moved[group] })
}

// stood tells whether every group of the subject was at its share, or below it
// where that is enough, at some time since the start.
func (s *scene) stood(sub *subject) bool {
	if sub.restick {
		return s.stands(sub)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, group := range sub.all() {
		if !slices.ContainsFunc(s.history[group], func(w shift.Weights) bool {
			return w.At(sub.to) || sub.priority != shift.Rise && w.AtMost(sub.to)
		}) {
			return false
		}
	}
	return true
}

// judgeTruth holds the adapter's answer to what AWS saw.
func (s *scene) judgeTruth(c shift.Change, r shift.Result, sub *subject) {
	stood, untouched := s.stood(sub), s.untouched(sub)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case r.Entrance != sub.Name:
		s.blame("the answer for %s names %q", sub.Name, r.Entrance)
	case r.Outcome == shift.Applied && !stood:
		s.blame("%s: answered applied, but never stood at %s (%s)", sub.Name, sub.to, r.Note)
	case (r.Outcome == shift.Conflict || r.Outcome == shift.Refused) && !untouched:
		s.blame("%s: answered %s, but it was written (%s)", sub.Name, r.Outcome, r.Note)
	case r.Outcome != shift.Applied && r.Note == "":
		s.blame("%s: answered %s without a word", sub.Name, r.Outcome)
	case r.Outcome == shift.Applied && r.At.IsZero():
		s.blame("%s: answered applied, at no time", sub.Name)
	}
	marked := sub.Balancer != nil || sub.Route53.Mark
	if r.Outcome == shift.Applied && r.Note == "" && marked && !untouched && s.last.marks[sub.Name] != c.Control.String() && len(sub.others) == 0 {
		s.blame("%s: answered applied, but the mark is %q", sub.Name, s.last.marks[sub.Name])
	}
}

// left says of a subject how it stands in the end.
func (s *scene) left(sub *subject) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []string
	for _, group := range sub.all() {
		found = append(found, s.last.weights[group].String())
	}
	slices.Sort(found)
	return strings.Join(slices.Compact(found), "; ")
}
