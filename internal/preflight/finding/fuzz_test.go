package finding

import (
	"testing"
	"time"
)

// FuzzReport: a report that is read is the one that was written; a waiver takes its
// force from the finding that it names and from no other, and from none once its
// day came.
func FuzzReport(f *testing.F) {
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	r := Report{Schema: Schema, Pair: "shop", Scope: "full", At: at, Findings: []Finding{
		New("Missing", Block, Object{Kind: "Secret", Namespace: "shop", Name: "key"}, ""), New("Differing", Warn, Object{Kind: "ConfigMap", Name: "web"}, "x"),
	}}
	document, err := r.JSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(document, r.Findings[0].ID, int64(1))
	f.Add(document, r.Findings[1].ID, int64(-1))
	f.Add([]byte(`{"schemaVersion": 1, "findings": [{"severity": "block"}, {"severity": "block", "waived": {}}]}`), "", int64(0))
	f.Add([]byte(`{"schemaVersion": 1, "pair": "shop", "findings": [{"severity": "block"}, {"id": "of no force"}]}`), "", int64(0))
	f.Add([]byte(`{"schemaVersion": 2}`), "a", int64(0))
	f.Fuzz(func(t *testing.T, document []byte, id string, days int64) {
		r, err := Parse(document)
		if err != nil {
			return
		}
		written, err := r.JSON()
		if err != nil {
			t.Skip(err) // a time that JSON can't hold
		}
		again, err := Parse(written)
		if err != nil || !again.Same(r) {
			t.Fatalf("%s was written as %s, which is another: %v", document, written, err)
		}
		_, _ = r.Markdown(), r.Since(again)
		until := at.AddDate(0, 0, int(days%1000))
		bare, judged := r.Judged(nil, at), r.Judged([]Waiver{{ID: id, Reason: "known", Until: until}}, at)
		named := 0
		for _, f := range bare.Findings {
			if f.Blocks() && f.ID == id && at.Before(until) {
				named++
			}
		}
		if got, want := judged.Tally().Block, bare.Tally().Block-named; got != want {
			t.Errorf("with a waiver of %q until %s %d findings block, want %d:\n%s", id, until, got, want, document)
		}
	})
}
