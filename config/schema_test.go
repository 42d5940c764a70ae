package config

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

const schemaPath = "schema.json"

// TestSchemaIsFresh makes config/schema.json from the types, their comments and their tags.
func TestSchemaIsFresh(t *testing.T) {
	made := schemaText(t)
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(schemaPath, []byte(made), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaPath)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), made); diff != "" {
		t.Errorf("config/schema.json is stale, run go test ./config -run TestSchemaIsFresh -update (-is +should be):\n%s", diff)
	}
}

type object = map[string]any

func schemaText(t *testing.T) string {
	t.Helper()
	comments := readComments(t)
	definitions := object{}
	for _, s := range collect(nil, reflect.TypeFor[Config](), "") {
		definitions[s.kind.Name()] = structSchema(t, s.kind, comments)
	}
	top := definitions["Config"].(object)
	delete(definitions, "Config")
	top["$schema"], top["title"], top["definitions"] = "http://json-schema.org/draft-07/schema#", "Configuration of clusterswitch", definitions
	text, err := json.MarshalIndent(top, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

func structSchema(t *testing.T, of reflect.Type, comments map[string]string) object {
	t.Helper()
	properties, required := object{}, []string{}
	for _, k := range keysOf(of) {
		property := keySchema(k)
		if _, is := property["$ref"]; is { // draft 7 ignores what stands beside a reference
			property = object{"allOf": []any{property}}
		}
		comment := comments[of.Name()+"."+of.Field(k.index).Name]
		property["description"] = strings.Replace(comment, of.Field(k.index).Name, k.name, 1)
		if k.fallback != "" {
			var value any
			if err := yaml.Unmarshal([]byte(k.fallback), &value); err != nil {
				t.Fatal(err)
			}
			property["default"] = value
		}
		if k.required {
			required = append(required, k.name)
		}
		properties[k.name] = property
	}
	s := object{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// keySchema says what Parse takes for a key.
func keySchema(k key) object {
	switch {
	case k.kind == reflect.TypeFor[time.Duration]():
		return object{"anyOf": []any{
			object{"type": "string", "pattern": `^[-+]?([0-9]*\.?[0-9]*(ns|us|µs|ms|s|m|h))+$|^0$`, "description": k.want()},
			object{"const": 0},
		}}
	case k.kind.Kind() == reflect.Pointer:
		k.kind = k.kind.Elem()
		return keySchema(k)
	case k.kind.Kind() == reflect.Struct:
		return object{"$ref": "#/definitions/" + k.kind.Name()}
	case k.kind.Kind() == reflect.Slice:
		s := object{"type": "array", "items": keySchema(k.element())}
		if k.required {
			s["minItems"] = 1
		}
		return s
	case k.kind.Kind() == reflect.Map:
		return object{"type": "object", "additionalProperties": object{"type": "string"}}
	case len(k.oneOf) > 0:
		return object{"enum": k.oneOf}
	case k.kind.Kind() == reflect.Bool:
		return object{"type": "boolean"}
	case k.kind.Kind() == reflect.Int:
		return numberSchema(k, "integer", "percent")
	case k.kind.Kind() == reflect.Float64:
		return numberSchema(k, "number", "fraction")
	default:
		return object{"type": "string"}
	}
}

func numberSchema(k key, kind, signed string) object {
	s := object{"type": kind}
	for name, text := range map[string]string{"minimum": k.low, "maximum": k.high} {
		if limit, err := strconv.ParseFloat(text, 64); err == nil {
			s[name] = limit
		}
	}
	if k.unit != signed {
		return s
	}
	return object{"anyOf": []any{s, object{"type": "string", "pattern": `^[0-9]+(\.[0-9]+)?%$`}}}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// plain gives a YAML node as an editor hands it to a schema: by YAML 1.2, in which a day is text.
func plain(t *testing.T, n *yaml.Node) any {
	t.Helper()
	switch n.Kind {
	case yaml.DocumentNode:
		return plain(t, n.Content[0])
	case yaml.AliasNode:
		return plain(t, n.Alias)
	case yaml.MappingNode:
		m := object{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plain(t, n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		l := []any{}
		for _, entry := range n.Content {
			l = append(l, plain(t, entry))
		}
		return l
	}
	switch n.ShortTag() {
	case "!!int", "!!float":
		return json.Number(n.Value)
	case "!!bool":
		return n.Value == "true"
	case "!!null":
		return nil
	}
	return n.Value
}

func judged(t *testing.T, s *jsonschema.Schema, text string) error {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err != nil {
		t.Fatal(err)
	}
	return s.Validate(plain(t, &n))
}

// What the daemon takes, the schema takes: all examples, and all configurations in documents.
func TestSchemaTakesWhatTheDaemonTakes(t *testing.T) {
	s := compiled(t)
	texts := map[string]string{}
	for _, pattern := range []string{"../examples/*.yaml", "../docs/*.md", "../README.md"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			content, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(name, ".yaml") {
				texts[name] = string(content)
			}
			for i, block := range regexp.MustCompile("(?s)```yaml\n(apiVersion: clusterswitch.io/v1alpha1\n.*?)```").FindAllStringSubmatch(string(content), -1) {
				if !strings.Contains(block[1], "\nkind:") {
					texts[name+" "+strconv.Itoa(i)] = block[1]
				}
			}
		}
	}
	if len(texts) < 6 {
		t.Fatalf("found %d configurations only", len(texts))
	}
	for name, text := range texts {
		if err := judged(t, s, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What it refuses, the daemon refuses too.
func TestSchemaRefuses(t *testing.T) {
	s := compiled(t)
	content, err := os.ReadFile("../examples/alb.yaml")
	if err != nil {
		t.Fatal(err)
	}
	good := string(content)
	for name, replace := range map[string][2]string{
		"an unknown key":             {"    rollback: false", "    rolback: false"},
		"a word that isn't known":    {"serve: green", "serve: purple"},
		"a share beyond the range":   {"{share: 10, hold: 10m}", "{share: 110, hold: 10m}"},
		"a duration without unit":    {"{share: 10, hold: 10m}", "{share: 10, hold: 10}"},
		"a text for a truth":         {"rollback: false", `rollback: "false"`},
		"a missing key":              {"    serve: green\n", ""},
		"a key without value":        {"region: ap-northeast-1", "region:"},
		"another version":            {"clusterswitch.io/v1alpha1\n\naws", "clusterswitch.io/v2\n\naws"},
		"a fraction that isn't one":  {"maxErrorRatio: 1%", "maxErrorRatio: many"},
		"a mapping for a list":       {"namespaces: [shop, ingress]", "namespaces: {shop: ingress}"},
		"a number of replicas, as %": {"minHealthyTargets: 3", "minHealthyTargets: 3%"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := strings.Replace(good, replace[0], replace[1], 1)
			if bad == good {
				t.Fatalf("examples/alb.yaml has no %q", replace[0])
			}
			if err := judged(t, s, bad); err == nil {
				t.Error("the schema takes it")
			}
			if _, err := Parse("bad.yaml", []byte(bad), nil); err == nil {
				t.Error("the daemon takes it")
			}
		})
	}
}
