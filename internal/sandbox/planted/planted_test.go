package planted

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEachRowIsOfItsOwnAndAllChecksHaveSome(t *testing.T) {
	t.Parallel()
	seen, checks := map[string]bool{}, map[string]int{}
	for _, r := range rows() {
		if seen[r.check+r.name] {
			t.Errorf("%s: %q is planted twice", r.check, r.name)
		}
		seen[r.check+r.name] = true
		checks[r.check]++
		if r.want == "" || r.plant == nil {
			t.Errorf("%s: %q plants or wants nothing", r.check, r.name)
		}
	}
	if len(seen) < 60 {
		t.Errorf("%d differences are planted, want at least 60", len(seen))
	}
	for _, check := range []string{"parity", "apis", "crds", "versions", "workloads", "argocd", "metrics", "entrances", "singletons", "traffic", "coverage"} {
		if checks[check] < 3 {
			t.Errorf("check %s has %d rows, want at least 3", check, checks[check])
		}
	}
}

func TestRowsShareARunUnlessTheyWantToBeAlone(t *testing.T) {
	t.Parallel()
	all := []row{
		{name: "a", check: "parity"}, {name: "b", check: "crds"}, {name: "c", check: "parity"}, {name: "d", check: "parity", alone: true}, {name: "e", check: "parity"},
	}
	named := func(only []string) (got [][]string) {
		for _, b := range batches(all, only) {
			got = append(got, names(b))
		}
		return got
	}
	if diff := cmp.Diff([][]string{{"a", "c", "e"}, {"b"}, {"d"}}, named(nil)); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][]string{{"b"}}, named([]string{"crds"})); diff != "" {
		t.Errorf("runs of one check (-want +got):\n%s", diff)
	}
}

func TestAnIDFitsWhatIsExpected(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		expected, id string
		want         bool
	}{
		"the same":                       {"A/b", "A/b", true},
		"a longer one":                   {"A/b", "A/b/c", false},
		"another":                        {"A/b", "A/c", false},
		"any end":                        {"A/*", "A/b/c", true},
		"any middle":                     {"CRD*/x.example.com*", "CRDFieldRemoved/a/x.example.com/v1:spec", true},
		"a middle that isn't there":      {"CRD*/x.example.com*", "CRDFieldRemoved/a/y.example.com/v1:spec", false},
		"a beginning that isn't there":   {"CRD*", "APIVersionGone/CRD", false},
		"an end that must be the end":    {"A/*/z", "A/b/z/c", false},
		"parts that may not share texts": {"ab*bc", "abc", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := fits(c.expected, c.id); got != c.want {
				t.Errorf("%s for %s: %t, want %t", c.expected, c.id, got, c.want)
			}
		})
	}
}

func TestTheSumsTellOfAllThatWentWrong(t *testing.T) {
	t.Parallel()
	r := &run{world: &world{}, known: map[string]finding{"Old/x": {ID: "Old/x"}}}
	s := &stage{names: map[string]string{"ARN": "arn:1"}}
	nothing := func(context.Context, *stage) error { return nil }
	planted := []row{
		{name: "found", check: "parity", want: "New/$ARN", plant: nothing},
		{name: "not found", check: "parity", want: "Missing/y", plant: nothing},
		{name: "known before", check: "parity", want: "Old/x", plant: nothing},
		{name: "with a consequence", check: "parity", want: "New/z", also: []string{"Then/*"}, stays: true, plant: nothing},
	}
	report := report{Findings: []finding{
		{ID: "New/arn:1", Severity: "block", Message: "it differs"}, {ID: "Old/x"}, {ID: "New/z"}, {ID: "Then/that"}, {ID: "Surprise/w", Severity: "warn", Message: "boo"},
	}}
	r.judge(s, planted, report)
	if want := (tally{planted: 4, found: 2, wrong: 1}); r.tally != want {
		t.Errorf("sums %+v, want %+v", r.tally, want)
	}
	if _, known := r.known["New/z"]; !known {
		t.Error("what stays is not known afterwards")
	}
	var out bytes.Buffer
	r.table.print(&out)
	for _, want := range []string{"found               yes", "it differs", "NO", "wanted Missing/y", "it was there before", "WRONG warn Surprise/w: boo"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
}

func TestChangesReachIntoObjects(t *testing.T) {
	t.Parallel()
	object := map[string]any{"spec": map[string]any{"list": []any{map[string]any{"a": 1, "b": 2}}}}
	all(put(3, "spec", "list", 0, "a"), drop("spec", "list", 0, "b"), put("new", "metadata", "labels", "x"), put("end", "spec", "list", 0))(object)
	want := map[string]any{"spec": map[string]any{"list": []any{"end"}}, "metadata": map[string]any{"labels": map[string]any{"x": "new"}}}
	if diff := cmp.Diff(want, object); diff != "" {
		t.Errorf("object (-want +got):\n%s", diff)
	}
}

func TestContentsAreAlikeButForWhatIsTheClustersOwn(t *testing.T) {
	t.Parallel()
	w := &world{cloud: &cloud{balancers: map[string]balancer{}, groups: map[string]string{"api-blue": "arn:blue", "api-green": "arn:green"}}}
	var differ []string
	for _, file := range []string{"namespaces", "definitions", "platform", "shop", "monitoring"} {
		b, err := w.content(blue, file)
		if err != nil {
			t.Fatal(err)
		}
		g, err := w.content(green, file)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) != len(g) || len(b) == 0 {
			t.Fatalf("%s has %d objects in blue and %d in green", file, len(b), len(g))
		}
		for i := range b {
			if !cmp.Equal(b[i].Object, g[i].Object) {
				differ = append(differ, b[i].GetKind()+" "+b[i].GetName())
			}
		}
	}
	slices.Sort(differ)
	want := []string{
		"ConfigMap cluster-identity", "CronJob clean-carts", "CronJob nightly-report", "DaemonSet aws-node",
		"Deployment cluster-autoscaler", "Deployment web", "TargetGroupBinding api",
	}
	if diff := cmp.Diff(want, differ); diff != "" {
		t.Errorf("objects that differ (-want +got):\n%s", diff)
	}
}
