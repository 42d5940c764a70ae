package retire

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the generated part of docs/retire.md anew")

// TestDocsListEveryCode makes the table of codes in docs/retire.md from the checks
// themselves.
func TestDocsListEveryCode(t *testing.T) {
	const path, begin, end = "../../docs/retire.md", "<!-- codes, made by \"go test ./internal/retire -update\" -->\n", "<!-- end of codes -->\n"
	var b strings.Builder
	for _, c := range Checks() {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n| Code | Meaning | What to do |\n|---|---|---|\n", c.Name, c.Answers)
		for _, d := range c.Codes {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", d.Code, d.Meaning, d.Do)
		}
	}
	b.WriteString("\n")
	document, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(document), begin)
	had, tail, ended := strings.Cut(rest, end)
	if !ok || !ended {
		t.Fatal("docs/retire.md has lost the place of the codes")
	}
	if *update {
		if err := os.WriteFile(path, []byte(head+begin+b.String()+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		had = b.String()
	}
	if diff := cmp.Diff(b.String(), had); diff != "" {
		t.Errorf("docs/retire.md is old, renew it with -update (-want +got):\n%s", diff)
	}
}

// Whatever a check finds in the cases of these tests, its code is documented.
func TestEveryFindingHasADocumentedCode(t *testing.T) {
	codes := map[string]bool{}
	for _, c := range Checks() {
		for _, d := range c.Codes {
			if codes[c.Name+"/"+string(d.Code)] {
				t.Errorf("%s is documented twice", d.Code)
			}
			codes[c.Name+"/"+string(d.Code)] = true
		}
	}
	f := quiet()
	f.SecretsSearched = false
	f.Pairs[0].Fault = "no way there"
	f.Blue.Network.Jobs[0].Suspended = false
	for _, x := range Evaluate(f, "").Findings {
		if !codes[x.Check+"/"+string(x.Code)] {
			t.Errorf("%s of the check %s is not documented", x.Code, x.Check)
		}
		if x.Message == "" || x.Do == "" {
			t.Errorf("%s says too little: %+v", x.ID, x)
		}
	}
}
