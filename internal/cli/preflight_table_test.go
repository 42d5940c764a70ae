package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
)

// planted is a report with something of everything.
func planted() finding.Report {
	of := func(code finding.Code, s finding.Severity, kind, name, message, do string) finding.Finding {
		f := finding.New(code, s, finding.Object{Kind: kind, Namespace: "shop", Name: name}, "")
		f.Check, f.Message, f.Do = "parity", message, do
		return f
	}
	const create = "Create it in green, or leave it out of the comparison by `preflight.ignore` where it belongs to blue alone."
	r := finding.Report{
		Schema: finding.Schema, Pair: "shop", Attempt: 2, Scope: "full", At: storyTime(), Took: 12 * time.Second,
		Blue:  finding.Cluster{Name: "EKS cluster shop-v134", Version: "v1.34.2-eks-1a2b3c4", Objects: 12345, Kinds: 81},
		Green: finding.Cluster{Name: "EKS cluster shop-v137", Version: "v1.37.1-eks-5d6e7f8", Objects: 12001, Kinds: 80},
		Findings: []finding.Finding{
			of("ObjectMissing", finding.Block, "ConfigMap", "settings", "blue has it and green doesn't", create),
			of("ObjectMissing", finding.Block, "Service", "web", "blue has it and green doesn't", create),
			of("ImageDiffers", finding.Warn, "Deployment", "web",
				"container web runs registry.example.com/shop/web:v1.22.333 in blue and registry.example.com/shop/web:v1.22.334 in green", "Release the same version to both."),
			of("ImageDiffers", finding.Warn, "Deployment", "api", "container api runs api:v1 in blue and api:v2 in green", "Release `api` to both."),
			of("DataStays", finding.Block, "StatefulSet", "db", "its data is in blue and doesn't come along by itself", "Move the data, then waive this."),
			of("ObjectExtra", finding.Note, "Secret", "new", "green has it and blue doesn't", "Nothing, if it is meant."),
		},
	}
	return r.Judged([]finding.Waiver{
		{ID: "DataStays/StatefulSet/shop/db", Reason: "The data is in RDS; this is a cache.", Until: storyTime().Add(720 * time.Hour)},
		{ID: "ObjectMissing/Service/shop/web", Reason: "It was renamed.", Until: storyTime().Add(-time.Hour)},
	}, storyTime())
}

func TestPreflightReadsWell(t *testing.T) {
	former := planted()
	former.At = storyTime().Add(-time.Hour)
	former.Findings = former.Findings[1:]
	former.Findings[1].Message = "container api runs api:v0 in blue and api:v2 in green"
	r := planted()
	r.Against = new(r.Since(former))
	var out bytes.Buffer
	preflightTable(&paper{w: &out}, r)
	golden(t, "testdata/preflight.txt", out.String())
	golden(t, "testdata/preflight.md", r.Markdown())
	document, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/preflight.json", string(document))
	for line := range strings.Lines(out.String()) {
		if len(line) > width+1 && !strings.Contains(line, "id: ") {
			t.Errorf("a line is longer than %d letters: %s", width, line)
		}
	}
}

func TestALongPreflightIsPrintedWhole(t *testing.T) {
	r := planted()
	for i := range 500 {
		f := finding.New("ObjectMissing", finding.Block, finding.Object{Kind: "ConfigMap", Namespace: "shop", Name: fmt.Sprintf("part-%03d", i)}, "")
		f.Message, f.Do = "blue has it and green doesn't", "Create it."
		r.Findings = append(r.Findings, f)
	}
	var out bytes.Buffer
	preflightTable(&paper{w: &out}, r)
	for _, f := range r.Findings {
		if !strings.Contains(out.String(), "id: "+f.ID+"\n") {
			t.Fatalf("%s isn't there", f.ID)
		}
	}
	if !strings.Contains(out.String(), "block      502        ObjectMissing\n") {
		t.Errorf("it doesn't begin with an overview:\n%s", out.String()[:1000])
	}
}

// What a ConfigMap had no room for is said, above and in its place.
func TestWhatIsLeftOutIsTold(t *testing.T) {
	r := planted()
	r = r.Fit(3, func(r finding.Report) int { return len(r.Findings) })
	var out bytes.Buffer
	preflightTable(&paper{w: &out}, r)
	for _, want := range []string{
		"Preflight of shop: 2 findings block, 3 warn, 1 for the record, 1 waived.",
		"WARNING: a ConfigMap can't hold all: 4 findings left out here, 0 of them block.",
		"Warns: a person should know (3)", "  2 more are left out here.",
		"Waived: the configuration takes their force away for a time (1)",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it lacks %q:\n%s", want, out.String())
		}
	}
}
