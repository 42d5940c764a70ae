package shift

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the stories and the generated docs")

// TestStories plays testdata/*.txt: a line that begins with ">" is a command, the
// lines below it are what the daemon then decided. Lines with "#" are prose.
// Together the stories walk through every transition of the table.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no stories: %v", err)
	}
	walked := map[[2]Phase]bool{}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			before, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			after := newStory(t, walked).play(string(before))
			if *update {
				if err := os.WriteFile(file, []byte(after), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(strings.Split(string(before), "\n"), strings.Split(after, "\n")); diff != "" {
				t.Errorf("the story goes differently now (go test -update rewrites it):\n%s", diff)
			}
		})
	}
	for _, tr := range Transitions() {
		if !walked[[2]Phase{tr.From, tr.To}] {
			t.Errorf("no story goes from %s to %s (%s)", tr.From, tr.To, tr.When)
		}
	}
}

type story struct {
	t     *testing.T
	w     *world
	last  string // what was told last, without time and message
	lines []string
}

func newStory(t *testing.T, walked map[[2]Phase]bool) *story {
	s := &story{t: t, w: newWorld()}
	s.w.seen = func(before State, _ Observation, d Decision) {
		walked[[2]Phase{before.Phase, d.Next.Phase}] = true
	}
	return s
}

// play carries out the commands and gives the file as it should be.
func (s *story) play(text string) string {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		command, ok := strings.CutPrefix(line, "> ")
		switch {
		case ok:
			s.lines = append(s.lines, line)
			s.do(strings.Fields(command))
		case line == "" || strings.HasPrefix(line, "#"):
			s.lines = append(s.lines, line)
		}
	}
	return strings.Join(s.lines, "\n") + "\n"
}

// do carries out one command; the last word is its argument.
func (s *story) do(words []string) {
	s.t.Helper()
	w, arg := s.w, words[len(words)-1]
	verbs := map[string]func(){
		"steps":     func() { w.plan.Steps = s.steps(words[1:]) },
		"standby":   func() { w.plan.Standby.For = s.duration(words[1]); w.plan.Standby.AutoRollback = arg == "autoRollback" },
		"attempt":   func() { w.ask.Attempt = s.number(arg) },
		"serve":     func() { w.ask.Serve = Side(arg) },
		"force":     func() { w.ask.RollbackForce = arg == "on" },
		"pause":     func() { w.ask.Paused = true },
		"unpause":   func() { w.ask.Paused = false },
		"handsoff":  func() { w.ask.HandsOff = arg == "on" },
		"approve":   func() { w.ask.Approved = Approval{Attempt: w.mind.Attempt, Step: s.number(arg)} },
		"resume":    func() { w.answer(ResolveHow(strings.TrimPrefix(arg, "--"))) },
		"probe":     func() { w.probes[0].err = strings.TrimPrefix(strings.Join(words[1:], " "), "passes") },
		"blueprobe": func() { w.blueProbe.err = strings.TrimPrefix(strings.Join(words[1:], " "), "passes") },
		"blueread":  func() { w.blue.err = strings.TrimPrefix(strings.Join(words[1:], " "), "again") },
		"users":     func() { s.users(words[1:]) },
		"blue":      func() { w.blue.ready = s.number(arg) },
		"green":     func() { w.green.ready = s.number(arg) },
		"targets":   func() { s.targets(words[1], words[2], s.number(arg)) },
		"preflight": func() { s.preflight(words[1:]) },
		"capacity":  func() { s.capacity(words[1:]) },
		"replicas":  func() { w.plan.Gates.ReplicasAtLeast = s.number(arg) },
		"load":      func() { s.load(arg) },
		"scaler":    func() { s.scaler(words[1:]) },
		"intent":    func() { s.intent() },
		"hand":      func() { w.hand(w.group(words[1]), Share(s.number(arg)).Weights()) },
		"journal":   func() { w.journalDown = arg == "down" },
		"lose":      func() { s.next(fate{lost: true}) },
		"only":      func() { s.only(arg) },
		"late":      func() { s.next(fate{late: s.duration(arg)}) },
		"exchange":  func() { s.exchange() },
		"crash":     func() { w.crash = true },
		"restart":   func() { s.restart(words[1:]) },
		"hand-over": func() { w.plan.Singletons = SingletonPolicy{At: Share(s.number(words[2])), Drain: s.duration(arg)} },
		"singleton": func() { s.singleton(words[1:]) },
		"cluster":   func() { s.cluster(Side(words[1]), arg) },
		"vouch":     func() { w.ask.Vouch = Vouch{Attempt: w.mind.Attempt, Take: Side(arg)} },
		"notes":     s.notes,
		"requests":  func() { s.requestsAre(words[1:]) },
		"evidence":  s.evidence,
		"window":    func() { s.window(words) },
		"freeze":    func() { s.window(words) },
		"tick":      func() { s.tell(w.tick(s.duration(arg)), true) },
		"shift":     func() { s.shiftTo(arg) },
		"run":       func() { s.run(s.duration(arg)) },
		"rollback": func() {
			if w.ask.RollbackBy = words[1:]; arg == "off" {
				w.ask.RollbackBy = nil
			}
		},
	}
	verb, ok := verbs[words[0]]
	if !ok {
		s.t.Fatalf("%q is none of %q", words[0], slices.Sorted(maps.Keys(verbs)))
	}
	verb()
}

// run looks every ten seconds and tells only what is new.
func (s *story) run(d time.Duration) {
	for range d / (10 * time.Second) {
		s.tell(s.w.tick(10*time.Second), false)
	}
}

// shiftTo asks for a shift and passes over it quickly, until a share is held or
// a phase reached.
func (s *story) shiftTo(goal string) {
	s.w.ask.Serve, s.w.ask.Attempt = Green, max(1, s.w.ask.Attempt)
	for range 600 {
		d := s.w.tick(10 * time.Second)
		if string(d.Next.Phase) == goal || strconv.Itoa(int(d.Next.Share)) == goal && d.Reason == Holding {
			s.tell(d, true)
			return
		}
	}
	s.t.Fatalf("the shift doesn't get to %s", goal)
}

// tell writes down what was decided, and what AWS shows after it.
func (s *story) tell(d Decision, always bool) {
	var shares []string
	for _, g := range s.w.groups {
		shares = append(shares, fmt.Sprintf("%s %3d %%", g.Name, g.weights.Share()))
	}
	shares = append(shares, s.w.hands.where()...)
	what := fmt.Sprintf("%-11s %s  %s", d.Next.Phase, strings.Join(shares, "  "), d.Reason)
	if what != s.last || always {
		s.lines = append(s.lines, fmt.Sprintf("%s  %s: %s", s.w.now.Format(time.TimeOnly), what, d.Message))
	}
	s.last = what
}

// exchange lets the configuration name blue and green the other way round.
func (s *story) exchange() {
	for i, e := range s.w.plan.Entrances {
		s.w.plan.Entrances[i] = e.exchanged()
	}
	s.tell(s.w.tick(10*time.Second), true)
	for _, g := range s.w.groups {
		if s.w.mind.Phase == Idle { // AWS is read by the new names from now on
			g.weights.Blue, g.weights.Green = g.weights.Green, g.weights.Blue
		}
	}
}

func (s *story) users(words []string) {
	switch words[0] {
	case "fine":
		s.w.users = users{perSecond: 100}
		s.w.plan.Gates.Traffic[0].MinRequests = 50
	case "few":
		s.w.users = users{perSecond: 1}
		s.w.plan.Gates.Traffic[0].MinRequests = 1000
	case "errors":
		s.w.users.errorRatio = float64(s.number(strings.TrimSuffix(words[1], "%"))) / 100
	case "unmeasured":
		s.w.users.err = strings.Join(words[1:], " ")
	default:
		s.t.Fatalf("users can't be %q", words)
	}
}

// preflight: "off", "warns" or "blocks" say what the plan asks for; "finds N",
// "fails WHY", "stops" and "goes on" what comes of it.
func (s *story) preflight(words []string) {
	c, arg := &s.w.preflight, strings.Join(words[1:], " ")
	does := map[string]func(){
		"off":    func() { s.w.plan.Preflight = PreflightOff },
		"warns":  func() { s.w.plan.Preflight = PreflightWarn },
		"blocks": func() { s.w.plan.Preflight = PreflightBlock },
		"finds":  func() { c.blocks, c.err = s.number(arg), "" },
		"fails":  func() { c.err = arg },
		"stops":  func() { c.stopped = true },
		"goes":   func() { c.stopped = false },
	}
	does[words[0]]()
}

func (s *story) targets(group, side string, n int) {
	g := s.w.group(group)
	if Side(side) == Blue {
		g.blueHealthy = n
		return
	}
	g.greenHealthy = n
}

// next gives the next write its fate; the daemon never gets its answer.
func (s *story) next(f fate) {
	s.w.fate = func(Change) fate {
		s.w.fate = nil
		return f
	}
}

// only keeps a single entrance.
func (s *story) only(name string) {
	s.w.groups = []*group{s.w.group(name)}
	s.w.plan.Entrances = []Entrance{s.w.groups[0].Entrance}
}

// restart: alone, "without journal", or "with journal of TIME".
func (s *story) restart(words []string) {
	switch strings.Join(words[:min(2, len(words))], " ") {
	case "":
	case "without journal":
		s.w.journal = nil
	case "with journal":
		i := slices.IndexFunc(s.w.journaled, func(j State) bool { return j.ChangedAt.Format(time.TimeOnly) == words[3] })
		if i < 0 {
			s.t.Fatalf("no journal is of %s", words[3])
		}
		s.w.journal = new(s.w.journaled[i].clone())
	default:
		s.t.Fatalf("restart can't be %q", words)
	}
	s.w.restart()
}

// steps reads SHARE:HOLD, and SHARE:HOLD:approval.
func (s *story) steps(words []string) []Step {
	var steps []Step
	for _, word := range words {
		f := strings.Split(word, ":")
		steps = append(steps, Step{Share: Share(s.number(f[0])), Hold: s.duration(f[1]), Approval: len(f) > 2})
	}
	return steps
}

func (s *story) number(word string) int {
	n, err := strconv.Atoi(word)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *story) duration(word string) time.Duration {
	d, err := time.ParseDuration(word)
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}
