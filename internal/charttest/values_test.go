package charttest

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	yamlv3 "go.yaml.in/yaml/v3"

	"github.com/clusterswitch/clusterswitch/config"
)

// value is one value of values.yaml.
type value struct {
	path, comment string
	node          *yamlv3.Node
}

// commented reads values.yaml: every value, with the comment above it. A mapping
// whose keys the schema names is no value itself, its keys are.
func commented(t *testing.T, schema map[string]any) []value {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(chart, "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var document yamlv3.Node
	if err := yamlv3.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	var values []value
	var walk func(n *yamlv3.Node, schema map[string]any, path string)
	walk = func(n *yamlv3.Node, schema map[string]any, path string) {
		properties, _ := schema["properties"].(map[string]any)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, child := n.Content[i], n.Content[i+1]
			at := strings.TrimPrefix(path+"."+key.Value, ".")
			property, ok := properties[key.Value].(map[string]any)
			if !ok {
				t.Errorf("values.schema.json lacks %s", at)
				continue
			}
			if _, named := property["properties"]; named {
				walk(child, property, at)
				continue
			}
			comment := paragraph(key.HeadComment)
			if comment == "" {
				t.Errorf("%s has no comment", at)
			}
			values = append(values, value{path: at, comment: comment, node: child})
		}
	}
	walk(document.Content[0], schema, "")
	return values
}

// paragraph joins the last paragraph of a comment; those before speak of the file.
func paragraph(comment string) string {
	parts := strings.Split(comment, "\n\n")
	var words []string
	for line := range strings.Lines(parts[len(parts)-1]) {
		words = append(words, strings.Fields(strings.TrimLeft(line, "#"))...)
	}
	return strings.Join(words, " ")
}

// inline gives a value as JSON would write it.
func (v value) inline(t *testing.T) (decoded any, text string) {
	t.Helper()
	if err := v.node.Decode(&decoded); err != nil {
		t.Fatal(err)
	}
	made, err := json.Marshal(decoded)
	if err != nil {
		t.Fatal(err)
	}
	return decoded, string(made)
}

func schemaOf(t *testing.T) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(chart, "values.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	return schema
}

// What values.yaml says of a value stands in the schema and in the README too,
// and neither knows values that the other doesn't. What a value may be is written
// into the schema by hand.
func TestSchemaAndREADMEAreThoseOfTheValues(t *testing.T) {
	t.Parallel()
	schema := schemaOf(t)
	known := map[string]bool{}
	var table strings.Builder
	table.WriteString("| Value | Default | Meaning |\n|---|---|---|\n")
	for _, v := range commented(t, schema) {
		decoded, text := v.inline(t)
		known[v.path] = true
		property := propertyOf(schema, v.path)
		property["description"], property["default"] = v.comment, decoded
		fmt.Fprintf(&table, "| `%s` | `%s` | %s |\n", v.path, text, strings.ReplaceAll(v.comment, "|", "\\|"))
	}
	for _, path := range leaves(schema, "") {
		if !known[path] && path != "global" {
			t.Errorf("values.schema.json has %s, values.yaml doesn't", path)
		}
	}
	embedConfiguration(t, schema)
	made, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	fresh(t, filepath.Join(chart, "values.schema.json"), string(made)+"\n")
	readme := filepath.Join(chart, "README.md")
	had, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- Generated from values.yaml by \"go test ./internal/charttest -run TestSchemaAndREADME -update\". -->\n", "<!-- end -->\n"
	before, rest, found := strings.Cut(string(had), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for the table of values", readme)
	}
	fresh(t, readme, before+begin+table.String()+end+after)
}

// embedConfiguration lets the schema know the keys of the configuration too, so
// that helm refuses a wrong one before any daemon sees it. Whether all are there
// that must be is left to the daemon: the chart fills in some.
func embedConfiguration(t *testing.T, schema map[string]any) {
	t.Helper()
	var whole map[string]any
	if err := json.Unmarshal([]byte(config.Schema()), &whole); err != nil {
		t.Fatal(err)
	}
	own := schema["definitions"].(map[string]any)
	definitions := map[string]any{"strings": own["strings"], "Config": whole}
	maps.Copy(definitions, whole["definitions"].(map[string]any))
	for _, key := range []string{"$schema", "title", "definitions"} {
		delete(whole, key)
	}
	for _, definition := range definitions {
		delete(definition.(map[string]any), "required")
	}
	schema["definitions"] = definitions
	properties := schema["properties"].(map[string]any)
	pairs, of := properties["pairs"].(map[string]any), properties["config"].(map[string]any)
	pairs["items"] = map[string]any{"$ref": "#/definitions/Pair"}
	delete(of, "type")
	of["allOf"] = []any{map[string]any{"$ref": "#/definitions/Config"}}
}

// propertyOf finds a value's part of the schema; one that only refers to another
// becomes a part of its own, since draft 7 ignores what stands beside a reference.
func propertyOf(schema map[string]any, path string) map[string]any {
	at := schema
	for key := range strings.SplitSeq(path, ".") {
		at = at["properties"].(map[string]any)[key].(map[string]any)
	}
	if ref, is := at["$ref"]; is {
		delete(at, "$ref")
		at["allOf"] = []any{map[string]any{"$ref": ref}}
	}
	return at
}

// leaves lists the paths of a schema's values.
func leaves(schema map[string]any, path string) []string {
	var paths []string
	properties, _ := schema["properties"].(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		at, property := strings.TrimPrefix(path+"."+key, "."), properties[key].(map[string]any)
		if _, named := property["properties"]; named {
			paths = append(paths, leaves(property, at)...)
			continue
		}
		paths = append(paths, at)
	}
	return paths
}

// fresh compares a generated file, or writes it.
func fresh(t *testing.T, path, want string) {
	t.Helper()
	if updating() {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is stale, run go test ./internal/charttest -update (-want +have):\n%s", path, diff)
	}
}

// What comes of each file of values, but for the CRD and the dashboard, which
// other tests know: a change of a template shows what it does.
func TestRenderedObjects(t *testing.T) {
	t.Parallel()
	for _, name := range valueSets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := helm(t.Context(), "template", "shift", chart, "--namespace", namespace, "--values", values(name),
				"--set=crds.create=false,grafanaDashboard.create=false")
			if err != nil {
				t.Fatal(err)
			}
			notes, err := helm(t.Context(), "install", "shift", chart, "--namespace", namespace, "--values", values(name), "--dry-run=client")
			if err == nil {
				_, after, _ := strings.Cut(notes, "\nNOTES:\n")
				out += "---\n# NOTES\n#\n" + comment(after)
			}
			fresh(t, filepath.Join("testdata", name+".yaml"), out)
		})
	}
}

func comment(text string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimSpace(text) + "\n") {
		b.WriteString(strings.TrimRight("# "+line, " \n") + "\n")
	}
	return b.String()
}
