package chronicle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	k8sruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func fresh(pairs ...string) *Chronicle {
	c := New(Options{Version: "v1", Identity: "one", Namespace: "clusterswitch", Now: func() time.Time { return start.Add(time.Hour) }})
	for _, p := range pairs {
		c.Expect(p)
	}
	return c
}

// turn is one of the pair shop, so many minutes after the start.
func turn(minutes int, phase shift.Phase, step int, share, seen shift.Share, reason shift.Reason, edits ...func(*switcher.Turn)) switcher.Turn {
	at := start.Add(time.Duration(minutes) * time.Minute)
	steps := []shift.Step{{Share: 25, Hold: 10 * time.Minute}, {Share: 100, Hold: time.Minute}}
	next := shift.State{Schema: shift.Schema, Attempt: 2, Phase: phase, Step: step, Share: share, Steps: steps, StartedAt: start, ChangedAt: at}
	entrance := shift.Entrance{Name: "public", Route53: &shift.Route53Entrance{Names: []string{"shop.example.com"}}}
	next.Entrances = []shift.EntranceState{{Entrance: entrance, Share: share}}
	t := switcher.Turn{
		Now: at, Plan: shift.Plan{Pair: "shop", Steps: steps, Entrances: []shift.Entrance{entrance}},
		Observation: shift.Observation{Request: shift.Request{Serve: shift.Green}, Entrances: []shift.EntranceReading{{Name: "public", At: at, Weights: seen.Weights()}}},
		Decision:    shift.Decision{Next: next, Reason: reason, Message: "because of " + string(reason)},
	}
	for _, edit := range edits {
		edit(&t)
	}
	return t
}

// titles are what the timeline tells, without times.
func titles(d Detail) []string {
	var out []string
	for _, e := range d.Timeline {
		text := fmt.Sprintf("%s %s: %s", e.Kind, e.Level, e.Title)
		if e.Restored {
			text += " (restored)"
		}
		out = append(out, text)
	}
	return out
}

func detailOf(t *testing.T, c *Chronicle) Detail {
	t.Helper()
	d, ok := c.Detail("shop")
	if !ok {
		t.Fatal("the pair is not known")
	}
	return d
}

func TestATimelineTellsWhatChanged(t *testing.T) {
	reached := func(t *switcher.Turn) { t.Decision.Next.ReachedAt = t.Now }
	applied := func(t *switcher.Turn) {
		t.Decision.Changes = []shift.Change{{Entrance: t.Plan.Entrances[0], Wanted: t.Decision.Next.Share}}
		t.Results = []shift.Result{{Entrance: "public", Outcome: shift.Applied}}
	}
	lost := func(t *switcher.Turn) {
		t.Decision.Changes = []shift.Change{{Entrance: t.Plan.Entrances[0], Wanted: t.Decision.Next.Share}}
		t.Results = []shift.Result{{Entrance: "public", Outcome: shift.Unknown, Note: "no answer"}}
	}
	rolled := func(t *switcher.Turn) {
		t.Decision.Next.Rollback = &shift.RollbackRecord{By: "the custom resource", Why: "a person asked", At: t.Now}
		t.Observation.Request.RollbackBy = []string{"the custom resource"}
	}
	paused := func(t *switcher.Turn) { t.Observation.Request.Paused = true }
	asked := func(t *switcher.Turn) {
		t.Decision.Next.Question = &shift.Question{ID: "q", Reason: shift.Drift, Message: "who was that?"}
	}
	first := turn(0, shift.InPreflight, 0, 0, 0, shift.PreflightRuns)
	begun := []string{"attempt normal: Attempt 2 began (restored)", "reason normal: This replica began to watch: Preflight runs"}
	tests := map[string]struct {
		turns []switcher.Turn
		want  []string
	}{
		"a turn that changes nothing tells nothing": {[]switcher.Turn{first, first}, nil},
		"a rise is told with its write, and that it was reached": {
			[]switcher.Turn{first, turn(1, shift.Shifting, 1, 25, 0, shift.Rising, applied), turn(2, shift.Shifting, 1, 25, 25, shift.Holding, reached)},
			[]string{"phase good: Nothing stops the shift: going up, step by step", "step normal: Green is sent to 25 %, step 1 of 2", "write good: public was set to 25 %", "reached normal: 25 % reached"},
		},
		"a write that fails again and again is told once": {
			[]switcher.Turn{first, turn(1, shift.Shifting, 1, 25, 0, shift.Rising, lost), turn(2, shift.Shifting, 1, 25, 0, shift.Rising, lost), turn(3, shift.Shifting, 1, 25, 0, shift.Rising, applied)},
			[]string{"phase good: Nothing stops the shift: going up, step by step", "step normal: Green is sent to 25 %, step 1 of 2", "write bad: public was not set to 25 %: unknown", "write good: public was set to 25 %"},
		},
		"a person's rollback is told with the flag, and its end": {
			[]switcher.Turn{turn(0, shift.Shifting, 1, 25, 25, shift.Holding), turn(1, shift.RollingBack, 1, 0, 25, shift.RollbackRequested, rolled), turn(2, shift.RolledBack, 0, 0, 0, shift.BackOnBlue, rolled)},
			[]string{"rollback bad: Rollback, asked for by the custom resource", "step normal: Green is sent to 0 %", "asked bad: The rollback flag is set by the custom resource", "phase normal: Blue has all traffic again"},
		},
		"another reason is told where nothing else is": {
			[]switcher.Turn{first, turn(1, shift.InPreflight, 0, 0, 0, shift.PreflightBlocks)}, []string{"reason bad: Preflight blocks"},
		},
		"a pause and its end are told": {
			[]switcher.Turn{first, turn(1, shift.InPreflight, 0, 0, 0, shift.PreflightRuns, paused), turn(2, shift.InPreflight, 0, 0, 0, shift.PreflightRuns)},
			[]string{"asked held: A person paused the pair", "asked normal: The pause was taken away"},
		},
		"a question and its answer are told": {
			[]switcher.Turn{first, turn(1, shift.InPreflight, 0, 0, 0, shift.Drift, asked), turn(2, shift.InPreflight, 0, 0, 0, shift.Adopted)},
			[]string{"question bad: A question for a person: Drift", "question good: The question is answered"},
		},
		"a journal that is away is told once, and when it is back": {
			[]switcher.Turn{first, away(1), away(2), turn(3, shift.InPreflight, 0, 0, 0, shift.PreflightRuns)},
			[]string{"journal bad: The journal can't be written", "journal good: The journal is written again"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := fresh("shop")
			for _, turn := range tt.turns {
				c.Report(turn)
			}
			got := titles(detailOf(t, c))
			known := len(begun)
			if tt.turns[0].Decision.Next.Share > 0 {
				known = len(got) - len(tt.want)
			} else if diff := cmp.Diff(begun, got[:known]); diff != "" {
				t.Errorf("the beginning (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(append([]string{}, tt.want...), append([]string{}, got[known:]...)); diff != "" {
				t.Errorf("what is told (-want +got):\n%s", diff)
			}
		})
	}
}

func away(minutes int) switcher.Turn {
	t := turn(minutes, shift.InPreflight, 0, 0, 0, shift.PreflightRuns)
	t.JournalErr = errors.New("the API server is away")
	return t
}

func TestADaemonThatBeginsInMidShiftTellsWhatTheJournalKnows(t *testing.T) {
	c := fresh("shop")
	c.Report(turn(30, shift.Shifting, 1, 25, 25, shift.Holding, func(t *switcher.Turn) {
		t.Decision.Next.ChangedAt, t.Decision.Next.ReachedAt = start.Add(10*time.Minute), start.Add(12*time.Minute)
	}))
	d := detailOf(t, c)
	want := []SharePoint{
		{At: start, Restored: true}, {At: start.Add(10 * time.Minute), Intended: 25, Restored: true}, {At: start.Add(30 * time.Minute), Intended: 25, Seen: new(25)},
	}
	if diff := cmp.Diff(want, d.Shares); diff != "" {
		t.Errorf("shares (-want +got):\n%s", diff)
	}
	said := []string{
		"attempt normal: Attempt 2 began (restored)", "step normal: Green is sent to 25 %, step 1 of 2 (restored)",
		"reached normal: 25 % reached (restored)", "reason normal: This replica began to watch: Holding",
	}
	if diff := cmp.Diff(said, titles(d)); diff != "" {
		t.Errorf("timeline (-want +got):\n%s", diff)
	}
}

// What the page shows on a replica that stands by is what the one in charge wrote.
func TestAReplicaThatStandsByTellsWhatTheLeaderWrote(t *testing.T) {
	mine := turn(1, shift.Shifting, 1, 25, 0, shift.NotLeader)
	journal, err := json.Marshal(mine.Decision.Next)
	if err != nil {
		t.Fatal(err)
	}
	object := &v1alpha1.TrafficSwitch{ObjectMeta: metav1.ObjectMeta{Name: "shop"}, Spec: v1alpha1.TrafficSwitchSpec{Paused: true}, Status: v1alpha1.TrafficSwitchStatus{
		Phase: "Shifting", Share: 25, Step: "1/2", Attempt: 2, Reason: "GateWaits", Message: "too few requests", BlueReady: "3/4", UpdatedAt: metav1.NewTime(start.Add(2 * time.Minute)),
		Gates: []v1alpha1.Gate{{Gate: "errors", Judgement: "wait", Message: "too few requests"}}, Journal: &k8sruntime.RawExtension{Raw: journal},
		Readiness: &v1alpha1.Readiness{Message: "blue is ready", BlueCapacityPercent: new(110), WantedPercent: 90, Takes: "2m0s"},
	}}
	tests := map[string]struct {
		story  func(c *Chronicle)
		source string
		reason string
	}{
		"before its first turn":                     {func(c *Chronicle) { c.Follow(object) }, "journal", "GateWaits"},
		"from the first turn on":                    {func(c *Chronicle) { c.Report(mine); c.Follow(object) }, "journal", "GateWaits"},
		"also after further turns":                  {func(c *Chronicle) { c.Report(mine); c.Follow(object); c.Report(mine) }, "journal", "GateWaits"},
		"its own, as long as nothing else is known": {func(c *Chronicle) { c.Report(mine) }, "loop", "NotLeader"},
		"its own again when it leads": {func(c *Chronicle) {
			c.Report(mine)
			c.Follow(object)
			c.Report(turn(3, shift.Shifting, 1, 25, 25, shift.Holding))
		}, "loop", "Holding"},
		"its own, whatever it wrote itself": {func(c *Chronicle) { c.Report(turn(3, shift.Shifting, 1, 25, 25, shift.Holding)); c.Follow(object) }, "loop", "Holding"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := fresh("shop")
			tt.story(c)
			d := detailOf(t, c)
			if d.Summary.Source != tt.source || d.Summary.Reason != tt.reason {
				t.Errorf("it tells %s by the %s, want %s by the %s", d.Summary.Reason, d.Summary.Source, tt.reason, tt.source)
			}
			if tt.source == "journal" {
				want := []any{true, 110, []Gate{{Gate: "errors", Judgement: "wait", Message: "too few requests", Numbers: []Number{}}}, &Replicas{Ready: 3, Wanted: 4}, 25}
				got := []any{d.Asked.Paused, *d.Summary.BluePercent, d.Gates, d.Summary.BlueReady, d.Entrances[0].GreenShare}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("what is told (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestSeveritiesAndTheWayOut(t *testing.T) {
	question := func(t *switcher.Turn) {
		t.Decision.Next.Question = &shift.Question{ID: "2-17", Reason: shift.Drift, Message: "?"}
	}
	tests := map[string]struct {
		turn     switcher.Turn
		severity string
		first    string
	}{
		"a hold needs nobody":             {turn(1, shift.Shifting, 1, 25, 25, shift.Holding), "normal", "clusterswitch rollback shop"},
		"an approval is held":             {turn(1, shift.Shifting, 1, 25, 25, shift.ApprovalNeeded), "held", "clusterswitch approve shop"},
		"a drift needs a person":          {turn(1, shift.Shifting, 1, 25, 50, shift.Drift, question), "person", "clusterswitch resume shop --adopt"},
		"a pair at rest":                  {turn(1, shift.Idle, 0, 0, 0, shift.NothingToDo), "normal", "clusterswitch plan shop"},
		"one that is back can start anew": {turn(1, shift.RolledBack, 0, 0, 0, shift.BackOnBlue), "normal", "clusterswitch start shop"},
		"a blue without targets":          {turn(1, shift.RollingBack, 1, 25, 25, shift.RollbackWaitsForBlue), "person", "clusterswitch rollback shop --force"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := fresh("shop")
			c.Report(tt.turn)
			d := detailOf(t, c)
			if d.Summary.Severity != tt.severity || d.Actions[0].Command != tt.first {
				t.Errorf("got %s and %q, want %s and %q", d.Summary.Severity, d.Actions[0].Command, tt.severity, tt.first)
			}
		})
	}
}

// Each command that can be copied is one that the program has, with its flags.
func TestEachCommandIsOneThatThereIs(t *testing.T) {
	reference, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, section := range strings.Split(string(reference), "\n## clusterswitch ")[1:] {
		verb, body, _ := strings.Cut(section, "\n")
		sections[strings.Fields(verb)[0]] = body
	}
	global, _, _ := strings.Cut(string(reference), "\n## clusterswitch ")
	seen := map[string]bool{}
	for _, phase := range shift.Phases() {
		for _, doc := range shift.Reasons() {
			d := Detail{
				Summary: Summary{Pair: "shop", Phase: string(phase), Reason: string(doc.Reason), Attempt: 1, Step: &Step{1, 4}}, Asked: Asked{Paused: true},
				Question: &Question{ID: "1-2", Reason: string(shift.Drift)},
			}
			unpaused := d
			unpaused.Asked = Asked{}
			for _, a := range slices.Concat(commands{"shop", "elsewhere", ""}.fitting(d), commands{"shop", "elsewhere", ""}.fitting(unpaused)) {
				words := strings.Fields(a.Command)
				if words[0] != "clusterswitch" || seen[a.Command] {
					continue
				}
				seen[a.Command] = true
				body, ok := sections[words[1]]
				if words[1] != "plan" { // which doesn't speak with the management cluster
					body += global
				}
				if !ok {
					t.Errorf("%s: there is no such command", a.Command)
				}
				for _, word := range words {
					if strings.HasPrefix(word, "--") && !strings.Contains(body, "`"+word) {
						t.Errorf("%s: docs/cli.md knows no %s there", a.Command, word)
					}
				}
			}
		}
	}
	if !seen["clusterswitch report shop --namespace elsewhere"] {
		t.Error("nobody is led to the report of an attempt")
	}
	if len(seen) < 13 {
		t.Errorf("only %d commands were seen: %v", len(seen), seen)
	}
}

func TestListenersAreToldOfEachPairOnce(t *testing.T) {
	c := fresh("shop", "mail")
	l := c.Listen()
	defer l.Close()
	for i := range 100 {
		c.Report(turn(i, shift.InPreflight, 0, 0, 0, shift.PreflightRuns))
	}
	c.Forget("mail")
	<-l.Changed()
	if diff := cmp.Diff([]string{"mail", "shop"}, l.Take()); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	if again := l.Take(); len(again) != 0 {
		t.Errorf("it tells twice: %v", again)
	}
	if _, ok := c.Detail("mail"); ok {
		t.Error("a pair that is gone is still told of")
	}
}

func TestALateTurnOfAForgottenPairIsIgnored(t *testing.T) {
	c := fresh("shop")
	c.Forget("shop")
	c.Report(turn(1, shift.InPreflight, 0, 0, 0, shift.PreflightRuns))
	if got := c.Overview().Pairs; len(got) != 0 {
		t.Errorf("it is back: %v", got)
	}
}

// Lists are lists in each document: programs that read it need no case for null.
func TestADocumentHasNoNullLists(t *testing.T) {
	c := fresh("shop")
	text, err := json.Marshal(detailOf(t, c))
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range []string{"steps", "entrances", "gates", "probes", "clusters", "singletons", "notes", "shares", "timeline", "rollbackBy"} {
		if !bytes.Contains(text, []byte(`"`+list+`":[]`)) {
			t.Errorf("%s is no empty list in %s", list, text)
		}
	}
}

// A hundred pairs that have had a long and restless life stay within bounds.
func TestMemoryIsBounded(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector's own memory is none of ours")
	}
	const pairs, turns, bound = 100, 450, 20 << 20
	c := fresh()
	long := strings.Repeat("a long sentence, ", 100)
	before := memory()
	for p := range pairs {
		name := fmt.Sprintf("pair-%d", p)
		c.Expect(name)
		for i := range turns {
			reason := []shift.Reason{shift.GateWaits, shift.GateFailed, shift.Drift}[i%3]
			turn := turn(i, shift.Shifting, 1, shift.Share(i%100), shift.Share(i%99), reason)
			turn.Plan.Pair, turn.Decision.Message = name, fmt.Sprint(i, long)
			c.Report(turn)
		}
	}
	took := memory() - before
	d, _ := c.Detail("pair-1")
	if len(d.Shares) != maxShares || len(d.Timeline) != maxEvents {
		t.Errorf("it remembers %d shares and %d events, want %d and %d", len(d.Shares), len(d.Timeline), maxShares, maxEvents)
	}
	t.Logf("%d pairs take %d KiB", pairs, took>>10)
	if took > bound {
		t.Errorf("%d pairs take %d bytes, at most %d is good", pairs, took, bound)
	}
	runtime.KeepAlive(c)
}

func memory() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
