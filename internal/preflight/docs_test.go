package preflight_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/preflight/check"
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
)

var update = flag.Bool("update", false, "write the generated documents anew")

const page = "../../docs/preflight.md"

// TestDocs makes the tables of docs/preflight.md from the checks, and from the
// report's types.
func TestDocs(t *testing.T) {
	had, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	want := between(t, string(had), "checks", checks())
	want = between(t, want, "left out", leftOut())
	want = between(t, want, "json", shape(t))
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(had)); diff != "" {
		t.Errorf("%s (-want +got); renew it with -update:\n%s", page, diff)
	}
}

// between puts a text between the marks of a part.
func between(t *testing.T, document, part, text string) string {
	t.Helper()
	before, rest, begins := strings.Cut(document, "<!-- "+part+": ")
	mark, rest, _ := strings.Cut(rest, "-->\n")
	_, after, ends := strings.Cut(rest, "<!-- end -->")
	if !begins || !ends {
		t.Fatalf("%s has no marks of %s", page, part)
	}
	return before + "<!-- " + part + ": " + mark + "-->\n" + text + "<!-- end -->" + after
}

// checks lists all checks, and all codes of each.
func checks() string {
	var b strings.Builder
	b.WriteString("| Check | The question that it answers | Brief |\n|---|---|---|\n")
	for _, c := range check.All() {
		brief := ""
		if c.Brief {
			brief = "yes"
		}
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", c.Name, strings.ReplaceAll(c.Name, " ", "-"), c.Answers, brief)
	}
	for _, c := range append(check.All(), check.Check{Name: finding.Waivers, Codes: finding.WaiverCodes()}) {
		fmt.Fprintf(&b, "\n### %s\n\n| Code | What it means | What you can do |\n|---|---|---|\n", c.Name)
		for _, d := range c.Codes {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", d.Code, d.Meaning, d.Do)
		}
	}
	return b.String()
}

// leftOut lists the rules that leave objects out of the comparison.
func leftOut() string {
	var b strings.Builder
	b.WriteString("| Rule | What it leaves out | Because |\n|---|---|---|\n")
	coded := func(words []string) string { return "`" + strings.Join(words, "`, `") + "`" }
	for _, r := range facts.LeftOut() {
		what := "every kind"
		if len(r.Kinds) > 0 {
			what = coded(r.Kinds)
		}
		if named := coded(r.Names[:min(len(r.Names), 10)]); len(r.Names) > 10 {
			what += fmt.Sprintf(" named %s and %d more", named, len(r.Names)-10)
		} else if len(r.Names) > 0 {
			what += " named " + named
		}
		if r.Namespace != "" {
			what += " in namespace `" + r.Namespace + "`"
		}
		if r.Controlled {
			what += " with an owner that is its controller"
		}
		if r.Label != "" {
			what += " with the label `" + r.Label + "`"
		}
		if r.Annotation != "" {
			what += " with the annotation `" + r.Annotation + "`"
		}
		if r.Anyway {
			what += " (only whether it is there)"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", r.Name, what, r.Why)
	}
	return b.String()
}

// TestEveryCheckIsExplained finds checks and codes that a reader of a report
// couldn't look up.
func TestEveryCheckIsExplained(t *testing.T) {
	seen := map[finding.Code]finding.Doc{}
	for _, c := range check.All() {
		if c.Name == "" || !strings.HasSuffix(c.Answers, "?") || len(c.Codes) == 0 {
			t.Errorf("check %q answers %q with %d codes", c.Name, c.Answers, len(c.Codes))
		}
		for _, d := range c.Codes {
			// Two checks may share a code, where they find the same of different kinds.
			if had, twice := seen[d.Code]; twice && had != d {
				t.Errorf("%s explains the code %s in other words than the check before", c.Name, d.Code)
			}
			seen[d.Code] = d
			if d.Meaning == "" || d.Do == "" || strings.Contains(d.Meaning+d.Do, "|") {
				t.Errorf("%s is explained by %q and %q", d.Code, d.Meaning, d.Do)
			}
		}
	}
}

// shape lists every field of the report with its comment.
func shape(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| Field | Type | Meaning |\n|---|---|---|\n")
	fields(t, &b, comments(t), reflect.TypeFor[finding.Report](), "")
	return b.String()
}

func fields(t *testing.T, b *strings.Builder, comments map[string]string, kind reflect.Type, prefix string) {
	t.Helper()
	for f := range kind.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		path, of := prefix+name, f.Type
		if of.Kind() == reflect.Slice {
			path, of = path+"[]", of.Elem()
		}
		if of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		comment := comments[kind.Name()+"."+f.Name]
		if comment == "" {
			t.Errorf("%s.%s has no comment", kind.Name(), f.Name)
		}
		object := of.Kind() == reflect.Struct && of.Name() != "Time"
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", path, typeName(of), comment)
		seen := strings.HasPrefix(path, "against.") // findings were explained above
		if object && !seen {
			fields(t, b, comments, of, path+".")
		}
	}
}

func typeName(of reflect.Type) string {
	switch {
	case of.Name() == "Time":
		return "time"
	case of.Kind() == reflect.Struct:
		return "object"
	case of.Kind() == reflect.Int64:
		return "int"
	}
	return of.Kind().String()
}

// comments gives the comments of the fields of package finding, without the name
// that each begins with.
func comments(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("finding/*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			object, ok := spec.Type.(*ast.StructType)
			if !ok {
				return true
			}
			for _, f := range object.Fields.List {
				text := strings.Join(strings.Fields(f.Doc.Text()), " ")
				_, said, _ := strings.Cut(text, " ")
				found[spec.Name.Name+"."+f.Names[0].Name] = strings.TrimPrefix(strings.TrimPrefix(said, "is "), "are ")
			}
			return true
		})
	}
	return found
}
