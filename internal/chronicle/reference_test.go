package chronicle

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const referencePath = "../../docs/web.md"

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the generated reference")
	flag.Parse()
	os.Exit(m.Run())
}

// The reference of the API in docs/web.md is made from the types and their comments.
func TestTheReferenceIsFresh(t *testing.T) {
	kept, err := os.ReadFile(referencePath)
	if err != nil {
		t.Fatal(err)
	}
	const mark = "do not edit below. -->\n"
	head, _, found := strings.Cut(string(kept), mark)
	if !found {
		t.Fatalf("%s has lost the line that ends with %q", referencePath, mark)
	}
	want := head + mark + reference(t)
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(referencePath, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(kept), want); diff != "" {
		t.Errorf("%s is stale, run go test ./internal/chronicle -run TestTheReferenceIsFresh -update (-is +should be):\n%s", referencePath, diff)
	}
}

func reference(t *testing.T) string {
	t.Helper()
	comments := commentsOf(t, "document.go", "document_ready.go")
	var b strings.Builder
	seen := map[reflect.Type]bool{}
	for todo := []reflect.Type{reflect.TypeFor[Overview](), reflect.TypeFor[Detail]()}; len(todo) > 0; {
		kind := todo[0]
		todo = todo[1:]
		if seen[kind] {
			continue
		}
		seen[kind] = true
		about := comments[kind.Name()]
		if about == "" {
			t.Errorf("%s has no comment", kind.Name())
		}
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n| Field | Value | Meaning |\n|---|---|---|\n", kind.Name(), about)
		for f := range kind.Fields() {
			words := comments[kind.Name()+"."+f.Name]
			name := f.Tag.Get("json")
			words = strings.Replace(words, f.Name, "`"+name+"`", 1)
			if words == "" {
				words = "As the one above."
			}
			value, inner := valueOf(f.Type)
			if inner != nil {
				todo = append(todo, inner)
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, value, words)
		}
	}
	return b.String()
}

// valueOf says what a field holds, and which document of ours that is.
func valueOf(kind reflect.Type) (string, reflect.Type) {
	switch kind.Kind() {
	case reflect.Pointer:
		value, inner := valueOf(kind.Elem())
		return value + " or null", inner
	case reflect.Slice:
		value, inner := valueOf(kind.Elem())
		return "list of " + value, inner
	case reflect.Struct:
		if kind.PkgPath() == "time" {
			return "time", nil
		}
		return fmt.Sprintf("[%s](#%s)", kind.Name(), strings.ToLower(kind.Name())), kind
	case reflect.String:
		return "text", nil
	case reflect.Bool:
		return "true or false", nil
	default:
		return "number", nil
	}
}

func commentsOf(t *testing.T, files ...string) map[string]string {
	t.Helper()
	comments := map[string]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, declared := range file.Decls {
			group, ok := declared.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range group.Specs {
				kind, ok := spec.(*ast.TypeSpec)
				if !ok {
					continue
				}
				comments[kind.Name.Name] = oneLine(group.Doc.Text())
				fields, ok := kind.Type.(*ast.StructType)
				if !ok {
					continue
				}
				for _, f := range fields.Fields.List {
					comments[kind.Name.Name+"."+f.Names[0].Name] = oneLine(f.Doc.Text())
				}
			}
		}
	}
	return comments
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
