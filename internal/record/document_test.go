package record_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/clusterswitch/clusterswitch/internal/record"
)

// docs/report.md shows the report of a test, and the JSON as the types have it.
func TestTheDocumentIsFresh(t *testing.T) {
	const path, mark = "../../docs/report.md", "do not edit below. -->\n"
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, _, found := strings.Cut(string(kept), mark)
	if !found {
		t.Fatalf("%s has lost the line that ends with %q", path, mark)
	}
	example, err := os.ReadFile("testdata/rollback.md")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, path, head+mark+"\n````markdown\n"+string(example)+"````\n\n## The JSON\n\nWithin a `schemaVersion` fields are only ever added. Times are in RFC 3339.\n"+reference(t))
}

func reference(t *testing.T) string {
	t.Helper()
	comments := commentsOf(t, "../chronicle/document.go", "record.go") // where both have a name, it is ours
	var b strings.Builder
	seen := map[reflect.Type]bool{}
	for todo := []reflect.Type{reflect.TypeFor[record.Record]()}; len(todo) > 0; todo = todo[1:] {
		kind := todo[0]
		if seen[kind] {
			continue
		}
		seen[kind] = true
		about := comments[kind.Name()]
		if about == "" {
			t.Errorf("%s has no comment", kind.Name())
		}
		about, _, _ = strings.Cut(about, " docs/report.md is made from") // which it is
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n| Field | Value | Meaning |\n|---|---|---|\n", kind.Name(), about)
		for f := range kind.Fields() {
			name := f.Tag.Get("json")
			words := strings.Replace(comments[kind.Name()+"."+f.Name], f.Name, "`"+name+"`", 1)
			if words == "" {
				t.Errorf("%s.%s has no comment", kind.Name(), f.Name)
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

// valueOf says what a field holds, and which type of ours that is.
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

// commentsOf gives the comments of types and their fields.
func commentsOf(t *testing.T, files ...string) map[string]string {
	t.Helper()
	comments := map[string]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			group, is := n.(*ast.GenDecl)
			if !is {
				return true
			}
			for _, spec := range group.Specs {
				kind, is := spec.(*ast.TypeSpec)
				if !is {
					continue
				}
				comments[kind.Name.Name] = strings.Join(strings.Fields(group.Doc.Text()), " ")
				if fields, is := kind.Type.(*ast.StructType); is {
					for _, f := range fields.Fields.List {
						comments[kind.Name.Name+"."+f.Names[0].Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
					}
				}
			}
			return false
		})
	}
	return comments
}
