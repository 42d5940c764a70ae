package runbook

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
)

var cluster cptest.Shared

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write golden files")
	flag.Parse()
	crd, err := v1alpha1.CRD()
	if err != nil {
		panic(err)
	}
	cluster.Options = cptest.Options{Name: "runbook", CRDs: []*apiextensionsv1.CustomResourceDefinition{crd}}
	os.Exit(cluster.Run(m))
}

func book() Book {
	return Book{
		Pair: "shop", Attempt: 2, At: time.Date(2026, 3, 2, 10, 3, 0, 0, time.FixedZone("", 9*3600)), Version: "v1.2.3",
		Entrances: []Entrance{
			{Name: "web", What: "listener rule arn:rule", Commands: []string{"aws one", "aws two"}},
			{Name: "api", What: "records of api.example.com in hosted zone Z1", RoleARN: "arn:role", Fault: "it was not read yet"},
		},
	}
}

func TestMarkdown(t *testing.T) {
	const path = "testdata/runbook.md"
	got := book().Markdown()
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), after a look renew it with -update:\n%s", path, diff)
	}
}

func TestBooksAreCompared(t *testing.T) {
	later := book()
	later.At = later.At.Add(time.Hour)
	if !book().Same(later) {
		t.Error("the time makes another book")
	}
	for name, change := range map[string]func(*Book){
		"a command":   func(b *Book) { b.Entrances[0].Commands[1] = "aws three" },
		"an attempt":  func(b *Book) { b.Attempt++ },
		"a fault":     func(b *Book) { b.Entrances[1].Fault = "" },
		"an entrance": func(b *Book) { b.Entrances = b.Entrances[:1] },
	} {
		other := book()
		change(&other)
		if book().Same(other) {
			t.Errorf("%s doesn't make another book", name)
		}
	}
	if got, want := book().Faults(), "entrance api: it was not read yet"; got != want || book().Whole() {
		t.Errorf("whole: %t, faults %q, want %q", book().Whole(), got, want)
	}
}
