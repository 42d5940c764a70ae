package finding

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

func at(minute int) time.Time { return time.Date(2026, 1, 2, 3, minute, 0, 0, time.UTC) }

// one is a finding of a check.
func one(check, name string, s Severity) Finding {
	f := New(Code(strings.ToUpper(check[:1])+check[1:]), s, Object{Kind: "ConfigMap", Namespace: "shop", Name: name}, "")
	f.Check, f.Message, f.Do = check, "blue has it, green doesn't", "Create it."
	return f
}

func unreadable(side string) Finding {
	f := New(ClusterUnreadable, Block, Object{Kind: "Cluster", Name: side}, "")
	f.Check, f.Message = Coverage, side+" can't be read"
	return f
}

func gap(what string) Finding {
	f := New(NotChecked, Block, Object{Kind: "Cluster", Name: "green"}, what)
	f.Check, f.Message = Coverage, what+" can't be read"
	return f
}

func made(scope facts.Scope, minute int, checks string, findings ...Finding) Report {
	r := Report{Schema: Schema, Pair: "shop", Scope: scope, At: at(minute), Took: time.Minute, Findings: findings}
	for check := range strings.FieldsSeq(checks) {
		r.Checks = append(r.Checks, Ran{Check: check, At: at(minute)})
	}
	slices.SortFunc(r.Findings, Finding.Compare)
	return r
}

// ids tells findings apart by their ids and what became of them.
func ids(findings []Finding) []string {
	var told []string
	for _, f := range findings {
		id := f.ID
		switch {
		case f.Waived != nil && f.Waived.Expired:
			id += " (waiver expired)"
		case f.Waived != nil:
			id += " (waived)"
		}
		told = append(told, id)
	}
	return told
}

func TestABriefLookReplacesTheFindingsOfItsChecks(t *testing.T) {
	full := made(facts.Full, 0, "coverage deep quick", gap("secrets"), one("deep", "a", Block), one("quick", "b", Block))
	for name, test := range map[string]struct {
		brief Report
		want  []string
	}{
		"one that finds nothing": {
			made(facts.Brief, 9, "coverage quick"),
			[]string{"Deep/ConfigMap/shop/a", "NotChecked/Cluster/green/secrets"},
		},
		"one that finds another thing": {
			made(facts.Brief, 9, "coverage quick", one("quick", "c", Warn)),
			[]string{"Deep/ConfigMap/shop/a", "NotChecked/Cluster/green/secrets", "Quick/ConfigMap/shop/c"},
		},
		"one whose check shares a code with another": {
			made(facts.Brief, 9, "coverage quick", func() Finding { f := one("deep", "a", Warn); f.Check = "quick"; return f }()),
			[]string{"NotChecked/Cluster/green/secrets", "Deep/ConfigMap/shop/a"},
		},
		"one that can't read something, new or known": {
			made(facts.Brief, 9, "coverage quick", gap("pods"), gap("secrets")),
			[]string{"Deep/ConfigMap/shop/a", "NotChecked/Cluster/green/pods", "NotChecked/Cluster/green/secrets"},
		},
		"one that can't read a cluster knows nothing better": {
			made(facts.Brief, 9, "coverage quick", unreadable("green")),
			[]string{"ClusterUnreadable/Cluster/green", "Deep/ConfigMap/shop/a", "NotChecked/Cluster/green/secrets", "Quick/ConfigMap/shop/b"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := full.With(test.brief)
			if diff := cmp.Diff(test.want, ids(got.Findings)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if got.Scope != facts.Full || !got.At.Equal(at(9)) || !got.Checks[1].At.Equal(at(0)) {
				t.Errorf("the head is %+v", got)
			}
			if len(full.Findings) != 3 {
				t.Error("the full report itself was changed")
			}
		})
	}
}

func TestWaiversAreJudgedAnewWithoutALook(t *testing.T) {
	full := made(facts.Full, 0, "deep", one("deep", "a", Block))
	waiver := Waiver{ID: full.Findings[0].ID, Reason: "it is old", Until: at(10)}
	unused := Waiver{ID: "Deep/ConfigMap/shop/z", Reason: "gone", Until: at(10)}
	for name, test := range map[string]struct {
		report  Report
		waivers []Waiver
		minute  int
		want    []string
		clear   bool
	}{
		"none":                      {full, nil, 5, []string{"Deep/ConfigMap/shop/a"}, false},
		"one that holds":            {full, []Waiver{waiver}, 9, []string{"Deep/ConfigMap/shop/a (waived)"}, true},
		"in its last moment":        {full, []Waiver{waiver}, 10, []string{"Deep/ConfigMap/shop/a (waiver expired)", "WaiverExpired/Waiver/Deep/ConfigMap/shop/a"}, false},
		"one of nothing":            {full, []Waiver{unused}, 5, []string{"Deep/ConfigMap/shop/a", "WaiverUnused/Waiver/Deep/ConfigMap/shop/z"}, false},
		"taken back":                {full.Judged([]Waiver{waiver, unused}, at(5)), nil, 6, []string{"Deep/ConfigMap/shop/a"}, false},
		"renewed":                   {full.Judged([]Waiver{waiver}, at(11)), []Waiver{{ID: waiver.ID, Until: at(50)}}, 12, []string{"Deep/ConfigMap/shop/a (waived)"}, true},
		"of a brief look":           {made(facts.Brief, 0, "quick"), []Waiver{unused}, 5, nil, true},
		"of a cluster that is away": {made(facts.Full, 0, "coverage", unreadable("blue")), []Waiver{unused}, 5, []string{"ClusterUnreadable/Cluster/blue"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := test.report.Judged(test.waivers, at(test.minute))
			if diff := cmp.Diff(test.want, ids(got.Findings)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if got.Clear() != test.clear || got.Counts != got.Tally() {
				t.Errorf("clear is %t, the counts are %+v", got.Clear(), got.Counts)
			}
		})
	}
}

func TestWhatABriefLookCannotMend(t *testing.T) {
	full := made(facts.Full, 0, "deep quick", one("deep", "a", Block), one("quick", "b", Block))
	again := made(facts.Brief, 5, "quick", one("quick", "b", Block))
	for name, test := range map[string]struct {
		report, brief Report
		want          bool
	}{
		"no brief look was made":    {full, Report{}, true},
		"a check that is not brief": {full.With(again), again, true},
		"what the brief look sees":  {made(facts.Full, 0, "deep quick").With(again), again, false},
		"nothing blocks":            {made(facts.Full, 0, "deep", one("deep", "a", Warn)), Report{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.report.BlocksBeyond(test.brief); got != test.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

func TestReportsAreComparedByIDs(t *testing.T) {
	worse := one("deep", "b", Block)
	worse.Message = "blue has 3, green 1"
	former := made(facts.Full, 0, "coverage deep quick", one("deep", "a", Block), one("deep", "b", Warn), one("quick", "c", Warn), gap("secrets"))
	for name, test := range map[string]struct {
		now  Report
		want Difference
	}{
		"the same, later": {made(facts.Full, 9, "coverage deep quick", former.Findings...), Difference{}},
		"all kinds of differences": {
			made(facts.Full, 9, "coverage deep quick", worse, one("quick", "c", Warn), one("quick", "d", Note)),
			Difference{
				New:     []string{"Quick/ConfigMap/shop/d"},
				Gone:    []Finding{one("deep", "a", Block), gap("secrets")},
				Changed: []Finding{one("deep", "b", Warn)},
			},
		},
		"a brief one lacks only what it looks for": {
			made(facts.Brief, 9, "coverage quick"),
			Difference{Gone: []Finding{one("quick", "c", Warn)}},
		},
		"a waiver that came": {
			former.Judged([]Waiver{{ID: one("quick", "c", Warn).ID, Until: at(50)}}, at(9)),
			Difference{Changed: []Finding{one("quick", "c", Warn)}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := test.now.Since(former)
			want := Difference{At: at(0), New: append([]string{}, test.want.New...), Gone: append([]Finding{}, test.want.Gone...), Changed: append([]Finding{}, test.want.Changed...)}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got.None() != (name == "the same, later") {
				t.Errorf("none differs: %t", got.None())
			}
		})
	}
}

func TestTheSameFindingsGiveTheSameJSON(t *testing.T) {
	first := made(facts.Full, 0, "deep", one("deep", "a", Block), one("deep", "b", Warn)).Judged([]Waiver{{ID: "Deep/ConfigMap/shop/b", Until: at(50)}}, at(1))
	later := made(facts.Full, 30, "deep", one("deep", "b", Warn), one("deep", "a", Block)).Judged([]Waiver{{ID: "Deep/ConfigMap/shop/b", Until: at(50)}}, at(31))
	later.Took = time.Hour
	later.Blue.Objects = 7
	if !first.Same(later) {
		t.Error("times and numbers of objects make a difference")
	}
	later.Findings = later.Findings[:1]
	if first.Same(later) {
		t.Error("a finding makes no difference")
	}
	document, err := first.JSON()
	if err != nil {
		t.Fatal(err)
	}
	read, err := Parse(document)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, read); diff != "" {
		t.Errorf("written and read (-want +got):\n%s", diff)
	}
	var generic map[string]any
	if err := json.Unmarshal(document, &generic); err != nil {
		t.Fatal(err)
	}
	empty, err := Report{Schema: Schema, Pair: "shop"}.JSON()
	if err != nil || !strings.Contains(string(empty), `"findings": []`) || !strings.Contains(string(empty), `"checks": []`) {
		t.Errorf("an empty list is null for a program that reads it: %s, %v", empty, err)
	}
}

func TestWhatHasNoRoomIsTheLeastSevere(t *testing.T) {
	var findings []Finding
	for i := range 30 {
		s := Severities()[i%3]
		findings = append(findings, one("deep", fmt.Sprintf("%s-%d", s, i), s))
	}
	r := made(facts.Full, 0, "deep", findings...).Judged([]Waiver{{ID: "Deep/ConfigMap/shop/block-0", Until: at(50)}}, at(1))
	size := func(r Report) int { return 100 + len(r.Findings) }
	for name, test := range map[string]struct {
		limit   int
		leftOut Tally
	}{
		"all have room":         {200, Tally{}},
		"exactly":               {130, Tally{}},
		"the waived one first":  {129, Tally{Waived: 1}},
		"then notes":            {127, Tally{Waived: 1, Note: 2}},
		"then warnings":         {115, Tally{Waived: 1, Note: 10, Warn: 4}},
		"blocking ones at last": {104, Tally{Waived: 1, Note: 10, Warn: 10, Block: 5}},
		"nothing has room":      {50, Tally{Waived: 1, Note: 10, Warn: 10, Block: 9}},
	} {
		t.Run(name, func(t *testing.T) {
			got := r.Fit(test.limit, size)
			if diff := cmp.Diff(test.leftOut, got.LeftOut); diff != "" {
				t.Errorf("left out (-want +got):\n%s", diff)
			}
			if got.Tally() != r.Tally() || got.Clear() != r.Clear() {
				t.Errorf("it counts %+v instead of %+v", got.Tally(), r.Tally())
			}
		})
	}
}

// What clusters say can't change the look of a ticket, or run there.
func TestMarkdownShowsStrangersTextAsText(t *testing.T) {
	f := one("deep", "a", Block)
	f.Message = "green says <script>alert(1)</script> *now* | `kubectl get x` and [a](http://b)\n# more"
	f.Do = "Ask `somebody"
	got := made(facts.Full, 0, "deep", f).Markdown()
	for _, want := range []string{
		"\\<script\\>alert(1)\\</script\\> \\*now\\* \\| `kubectl get x` and \\[a\\](http://b) \\# more",
		"Ask 'somebody",
		"`Deep/ConfigMap/shop/a`",
		"**1 finding blocks.**",
	} {
		if !strings.Contains(strings.ToLower(got), strings.ToLower(want)) {
			t.Errorf("it lacks %s:\n%s", want, got)
		}
	}
}
