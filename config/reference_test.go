package config

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
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	referencePath = "../docs/config.md"
	regenerate    = "go test ./config -run TestReferenceIsFresh -update"
)

// TestReferenceIsFresh makes docs/config.md from the types, their comments and their tags.
func TestReferenceIsFresh(t *testing.T) {
	update := flag.Lookup("update").Value.String() == "true"
	want := reference(t)
	if update {
		if err := os.WriteFile(referencePath, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referencePath)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), want); diff != "" {
		t.Errorf("docs/config.md is stale, run %s (-is +should be):\n%s", regenerate, diff)
	}
}

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the generated reference")
	flag.Parse()
	os.Exit(m.Run())
}

// section is one type of the document, with all the paths it stands at.
type section struct {
	kind  reflect.Type
	paths []string
}

func reference(t *testing.T) string {
	t.Helper()
	comments := readComments(t)
	sections := collect(nil, reflect.TypeFor[Config](), "")

	var b strings.Builder
	b.WriteString(`<!-- Generated from the types of package config by "` + regenerate + `". Do not edit. -->

# Configuration

One YAML file. It is the first of: the path given with ` + "`--config`, `$CLUSTERSWITCH_CONFIG`, `./clusterswitch.yaml`, `/etc/clusterswitch/clusterswitch.yaml`" + `.
The daemon watches it and takes a change over without a restart. A change with a fault is refused and reported, and the
old configuration goes on. In a pod the mounted file follows its ConfigMap only after a minute or so: with
` + "`clusterswitch run --config-map NAMESPACE/NAME`" + `, which the chart sets, the daemon watches the ConfigMap itself through the
API, and a change, a rollback's flag among them, acts within seconds.

Editors complete and check it by [config/schema.json](../config/schema.json), which ` + "`clusterswitch schema`" + ` prints. Those that know
yaml-language-server (VS Code, Neovim, Helix, JetBrains) take it from a line of the file:

    # yaml-language-server: $schema=clusterswitch.schema.json

For pipelines ` + "`clusterswitch validate`" + ` is the check: exit status 0 when the daemon takes the file, 2 with a line for each fault
when it doesn't. It contacts nobody.

Unknown keys, keys given twice and values of the wrong kind are refused, and all faults are reported at once, each with
its line and path:

    clusterswitch.yaml:14: pairs[0].steps[2].share: 120 is not a percentage; use a whole number from 1 to 100

- **Durations** are a number with a unit: ` + "`500ms`, `10s`, `5m`, `72h`" + `. There is no unit for days.
- **Percentages** are whole numbers, with or without the sign: ` + "`90%` or `90`" + `.
- **Booleans** are ` + "`true` and `false`" + ` only. Texts that look like numbers or booleans are put in quotes.
- An alias (` + "`*name`" + `) may stand for a whole value; merge keys (` + "`<<`" + `) are refused.

These environment variables go before the file's top-level keys, by the same rules:

`)
	for _, k := range overlaid() {
		fmt.Fprintf(&b, "- `%s` sets `%s`\n", envName(k.name), k.name)
	}
	for _, s := range sections {
		writeSection(t, &b, s, comments)
	}
	return b.String()
}

func writeSection(t *testing.T, b *strings.Builder, s *section, comments map[string]string) {
	t.Helper()
	title := "Top level"
	if s.paths[0] != "" {
		title = "`" + strings.Join(s.paths, "`, `") + "`"
	}
	about, _, _ := strings.Cut(comments[s.kind.Name()], "\n")
	if about == "" {
		t.Errorf("type %s has no comment", s.kind.Name())
	}
	_, about, _ = strings.Cut(about, " ")
	fmt.Fprintf(b, "\n## %s\n\nThis %s\n\n| Key | Value | Default | Meaning |\n| --- | --- | --- | --- |\n", title, about)
	for _, k := range keysOf(s.kind) {
		f := s.kind.Field(k.index)
		comment := comments[s.kind.Name()+"."+f.Name]
		if !strings.HasPrefix(comment, f.Name+" ") {
			t.Errorf("the comment of %s.%s does not begin with its name", s.kind.Name(), f.Name)
		}
		comment = strings.Replace(comment, f.Name, "`"+k.name+"`", 1)
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", k.name, valueColumn(k), defaultColumn(k, f.Tag.Get("derived")), comment)
	}
}

// collect lists the struct types below t in the order a reader meets them.
func collect(sections []*section, t reflect.Type, path string) []*section {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		if t.Kind() == reflect.Slice {
			path += "[]"
		}
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return sections
	}
	seen := false
	for _, s := range sections {
		if s.kind == t {
			s.paths = append(s.paths, path)
			seen = true
		}
	}
	if !seen {
		sections = append(sections, &section{kind: t, paths: []string{path}})
	}
	for _, k := range keysOf(t) {
		sections = collect(sections, k.kind, join(path, k.name))
	}
	return sections
}

func valueColumn(k key) string {
	kind := k.kind
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	switch {
	case kind.Kind() == reflect.Struct:
		return "mapping"
	case kind.Kind() == reflect.Slice && kind.Elem().Kind() == reflect.Struct:
		return "list of mappings"
	case kind.Kind() == reflect.Slice:
		return "list, each " + k.element().want()
	default:
		return k.want()
	}
}

func defaultColumn(k key, derived string) string {
	switch {
	case k.required:
		return "**required**"
	case derived != "":
		return derived
	case k.fallback != "":
		return "`" + k.fallback + "`"
	}
	switch k.kind.Kind() {
	case reflect.Struct:
		return "as below"
	case reflect.Bool:
		return "`false`"
	case reflect.Slice, reflect.Map, reflect.String:
		return "empty"
	default:
		return "none"
	}
}

// readComments returns the comments of all types, as Type, and of their fields, as Type.Field, each paragraph on one
// line. Only a type's first paragraph is for the reference; what follows is for those who write Go.
func readComments(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	comments := map[string]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			decl, ok := n.(*ast.GenDecl)
			if !ok || decl.Tok != token.TYPE || len(decl.Specs) != 1 {
				return true
			}
			spec := decl.Specs[0].(*ast.TypeSpec)
			comments[spec.Name.Name] = paragraphs(decl.Doc)
			if of, ok := spec.Type.(*ast.StructType); ok {
				for _, f := range of.Fields.List {
					for _, name := range f.Names {
						comments[spec.Name.Name+"."+name.Name] = paragraphs(f.Doc)
					}
				}
			}
			return true
		})
	}
	return comments
}

func paragraphs(doc *ast.CommentGroup) string {
	all := strings.Split(strings.TrimSpace(doc.Text()), "\n\n")
	for i, p := range all {
		all[i] = strings.Join(strings.Fields(p), " ")
	}
	return strings.Join(all, "\n")
}

// Defaults and ranges stand in tags, which the compiler doesn't read.
func TestTagsAreGood(t *testing.T) {
	for _, s := range collect(nil, reflect.TypeFor[Config](), "") {
		for _, k := range keysOf(s.kind) {
			path := s.kind.Name() + "." + s.kind.Field(k.index).Name
			if k.required && k.fallback != "" {
				t.Errorf("%s is required and has a default", path)
			}
			d := newDecoder("tags")
			d.absent(reflect.New(k.kind).Elem(), path, k)
			if k.kind.Kind() != reflect.Struct && len(d.faults) > 0 {
				t.Errorf("%s has a default that is refused: %v", path, d.faults)
			}
			for _, end := range []string{k.low, k.high} {
				if end == "" {
					continue
				}
				n, err := parseNode(end)
				if err != nil {
					t.Fatal(err)
				}
				d := newDecoder("tags")
				element := k
				if k.kind.Kind() == reflect.Slice {
					element = k.element()
				}
				d.value(reflect.New(element.kind).Elem(), n, path, element)
				if len(d.faults) > 0 {
					t.Errorf("%s has the range %s..%s, whose ends are refused: %v", path, k.low, k.high, d.faults)
				}
			}
			if k.kind == reflect.TypeFor[time.Duration]() && k.low == "" {
				t.Errorf("%s is a duration without a range", path)
			}
		}
	}
}

// Every example loads, gives no cause for a second thought, and names its schema for editors. Each kind of entrance has one.
func TestExamplesLoad(t *testing.T) {
	examples, err := filepath.Glob("../examples/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, path := range examples {
		t.Run(filepath.Base(path), func(t *testing.T) {
			c, err := Load(Options{Path: path})
			if err != nil {
				t.Fatal(err)
			}
			for _, advice := range c.Advice() {
				t.Errorf("validate warns: %s", advice)
			}
			for _, e := range c.Pairs[0].Traffic {
				kinds[e.kind()] = true
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), "# yaml-language-server: $schema=../config/schema.json\n") {
				t.Error("an editor doesn't find its schema")
			}
		})
	}
	for _, kind := range []string{"route53", "alb", "nlb"} {
		if !kinds[kind] {
			t.Errorf("no example has an entrance of kind %s", kind)
		}
	}
}
