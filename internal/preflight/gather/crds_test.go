package gather

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"sigs.k8s.io/yaml"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

func decoded(t *testing.T, text string) map[string]any {
	t.Helper()
	var o map[string]any
	if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

const widgets = `
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget, shortNames: [wg, w], categories: [all]}
  conversion:
    strategy: Webhook
    webhook: {clientConfig: {caBundle: "eA==", service: {namespace: widgets, name: convert}}}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}, scale: {}}
    schema:
      openAPIV3Schema:
        description: dropped
        type: object
        required: [spec]
        properties:
          spec:
            type: object
            properties:
              size: {type: string, description: dropped, enum: [small, large], default: small}
              port: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}
              count: {type: integer, format: int32, minimum: 1, exclusiveMinimum: true, maximum: 9}
              free: {type: object, x-kubernetes-preserve-unknown-fields: true}
              labels: {type: object, additionalProperties: {type: string, pattern: "^a"}}
              items: {type: array, nullable: true, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [name], items: {type: object}}
              ruled: {type: object, x-kubernetes-validations: [{rule: "self.a > 0", message: dropped}], oneOf: [{required: [a]}]}
  - {name: v1beta1, served: false, storage: false}
status:
  storedVersions: [v1beta1, v1]
  conditions: [{type: NamesAccepted, status: "False"}, {type: Established, status: "True"}]
`

func TestACRDIsReducedToWhatDecides(t *testing.T) {
	t.Parallel()
	field := func(name string, s facts.Schema) facts.SchemaField { return facts.SchemaField{Name: name, Schema: &s} }
	want := facts.CRD{
		Group: "example.com", Namespaced: true, Kind: "Widget", ListKind: "WidgetList", Plural: "widgets", Singular: "widget",
		ShortNames: []string{"w", "wg"}, Categories: []string{"all"}, Storage: "v1", Stored: []string{"v1", "v1beta1"},
		Webhook: true, Established: true,
		Converter: &facts.Converter{Name: facts.Name{Namespace: "widgets", Name: "convert"}, Trusted: true},
		Versions: map[string]facts.CRDVersion{"v1beta1": {}, "v1": {Served: true, Status: true, Scale: true, Schema: &facts.Schema{
			Type: "object", Required: []string{"spec"},
			Fields: []facts.SchemaField{field("spec", facts.Schema{Type: "object", Fields: []facts.SchemaField{
				field("count", facts.Schema{Type: "integer", Limits: &facts.SchemaLimits{Bounds: map[string]float64{"exclusive minimum": 1, "maximum": 9}, Words: map[string]string{"format": "int32"}}}),
				field("free", facts.Schema{Type: "object", Preserve: true}),
				field("items", facts.Schema{Type: "array", Nullable: true, Items: &facts.Schema{Type: "object"}, Limits: &facts.SchemaLimits{Words: map[string]string{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": `["name"]`}}}),
				field("labels", facts.Schema{Type: "object", Values: &facts.Schema{Type: "string", Limits: &facts.SchemaLimits{Words: map[string]string{"pattern": "^a"}}}}),
				field("port", facts.Schema{IntOrString: true}),
				field("ruled", facts.Schema{Type: "object", Limits: &facts.SchemaLimits{Rules: []string{`oneOf [{"required":["a"]}]`, "self.a > 0"}}}),
				field("size", facts.Schema{Type: "string", Default: `"small"`, Limits: &facts.SchemaLimits{Enum: []string{`"large"`, `"small"`}}}),
			}})},
		}}},
	}
	got := crdOf(decoded(t, widgets), schemaPool{})
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(facts.Schema{}, "Digest"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEqualSchemasAreKeptOnce(t *testing.T) {
	t.Parallel()
	pool := schemaPool{}
	s := pool.of(decoded(t, `{properties: {a: {type: object, properties: {x: {type: string, description: one}}}, b: {type: object, properties: {x: {type: string, description: two}}}}}`))
	if a, b := s.Field("a"), s.Field("b"); a != b || len(pool) != 3 {
		t.Errorf("%d schemas are kept, the same one: %v", len(pool), a == b)
	}
}

func TestEveryDifferenceChangesTheDigest(t *testing.T) {
	t.Parallel()
	seen := map[[16]byte]string{}
	for _, text := range []string{
		`{}`, `{type: object}`, `{type: string}`, `{type: string, nullable: true}`, `{type: string, enum: [a]}`, `{type: string, enum: []}`, `{type: string, enum: [a, b]}`,
		`{type: string, pattern: a}`, `{type: string, format: a}`, `{type: string, maxLength: 1}`, `{type: string, minLength: 1}`, `{type: string, default: a}`,
		`{type: object, required: [a]}`, `{type: object, required: [a, b]}`, `{type: object, properties: {a: {type: string}}}`, `{type: object, properties: {b: {type: string}}}`,
		`{type: object, additionalProperties: {type: string}}`, `{type: object, x-kubernetes-preserve-unknown-fields: true}`, `{type: array, items: {type: string}}`,
		`{type: array, items: {type: integer}}`, `{type: object, x-kubernetes-validations: [{rule: a}]}`, `{type: object, not: {required: [a]}}`, `{x-kubernetes-int-or-string: true}`,
		`{type: number, minimum: 1}`, `{type: number, minimum: 1, exclusiveMinimum: true}`,
	} {
		digest := schemaPool{}.of(decoded(t, text)).Digest
		if other, twice := seen[digest]; twice {
			t.Errorf("%s and %s have one digest", text, other)
		}
		seen[digest] = text
	}
}

func TestACRDThatKeepsUnknownFieldsSaysSoAtItsRoot(t *testing.T) {
	t.Parallel()
	o := decoded(t, `{spec: {preserveUnknownFields: true, versions: [{name: v1, served: true, schema: {openAPIV3Schema: {type: object}}}]}}`)
	if got := crdOf(o, schemaPool{}).Versions["v1"].Schema; !got.Preserve {
		t.Errorf("got %+v", got)
	}
}

func TestALongTextKeepsWhatTellsItFromOthers(t *testing.T) {
	t.Parallel()
	long := func(end string) string {
		text := make([]byte, 4*longestText)
		for i := range text {
			text[i] = 'a'
		}
		return compact(string(text) + end)
	}
	if a, b := long("x"), long("y"); a == b || len(a) > longestText {
		t.Errorf("%q and %q", a, b)
	}
}
