package check

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// parsed reads a value of the facts from YAML by the names of its fields.
func parsed[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := yaml.UnmarshalStrict([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// sealed gives schemas their digests, as the gathering does.
func sealed(s *facts.Schema) *facts.Schema {
	if s == nil {
		return nil
	}
	for _, f := range s.Fields {
		sealed(f.Schema)
	}
	sealed(s.Items)
	sealed(s.Values)
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(text)
	s.Digest = [16]byte(sum[:16])
	return s
}

const widget = `
group: example.com
kind: Widget
listKind: WidgetList
plural: widgets
singular: widget
shortNames: [w]
namespaced: true
established: true
storage: v1
stored: [v1]
versions: {v1: {served: true, status: true}, v1beta1: {served: true}}
`

// widgetsIn is a pair that has the CRD of widgets in both clusters.
func widgetsIn(t *testing.T, change func(f *facts.Facts, blue, green *facts.CRD)) *facts.Facts {
	t.Helper()
	f := &facts.Facts{Blue: serving("v1.30.1"), Green: serving("v1.34.1")}
	blue, green := parsed[facts.CRD](t, widget), parsed[facts.CRD](t, widget)
	change(f, &blue, &green)
	f.Blue.CRDs, f.Green.CRDs = map[string]facts.CRD{"widgets.example.com": blue}, map[string]facts.CRD{"widgets.example.com": green}
	return f
}

const ofWidgets = "/CustomResourceDefinition.apiextensions.k8s.io/widgets.example.com"

func TestCRDsBesideTheirSchemas(t *testing.T) {
	t.Parallel()
	v1 := func(c *facts.CRD, change func(*facts.CRDVersion)) {
		v := c.Versions["v1"]
		change(&v)
		c.Versions["v1"] = v
	}
	service := facts.GroupKind{Kind: "Service"}
	converter := func(trusted bool) *facts.Converter {
		return &facts.Converter{Name: facts.Name{Namespace: "widgets", Name: "convert"}, Trusted: trusted}
	}
	for name, c := range map[string]struct {
		change func(f *facts.Facts, blue, green *facts.CRD)
		want   []string
		says   string
	}{
		"alike": {change: func(*facts.Facts, *facts.CRD, *facts.CRD) {}},
		"a version in which objects were written is gone": {
			func(f *facts.Facts, _, green *facts.CRD) {
				delete(green.Versions, "v1beta1")
				f.Blue.APIs.Written = writtenBy("argo", "example.com/v1beta1", "Widget")
			}, []string{"block CRDVersionGone" + ofWidgets + "/v1beta1"}, "last written in v1beta1 by argo (2 objects, such as shop/report), and green serves only v1",
		},
		"blue's storage version is served no more": {
			func(_ *facts.Facts, _, green *facts.CRD) { v1(green, func(v *facts.CRDVersion) { v.Served = false }) },
			[]string{"block CRDVersionGone" + ofWidgets + "/v1"},
			"blue stores widgets.example.com in v1, and green serves only v1beta1",
		},
		"a version that nobody uses is gone": {
			func(_ *facts.Facts, _, green *facts.CRD) { delete(green.Versions, "v1beta1") },
			[]string{"note CRDVersionUnused" + ofWidgets + "/v1beta1"},
			"nobody was seen to use",
		},
		"an old version may still be stored": {
			func(_ *facts.Facts, blue, _ *facts.CRD) { blue.Stored = []string{"v1", "v1alpha1"} },
			[]string{"note CRDStoredVersionGone" + ofWidgets + "/v1alpha1"},
			"still be stored in v1alpha1",
		},
		"a new version": {
			func(_ *facts.Facts, _, green *facts.CRD) { green.Versions["v2"] = facts.CRDVersion{Served: true} },
			[]string{"note CRDAdditions" + ofWidgets},
			"the version v2",
		},
		"another scope": {
			func(_ *facts.Facts, _, green *facts.CRD) { green.Namespaced = false },
			[]string{"block CRDScopeDiffers" + ofWidgets},
			"namespaced in blue and cluster-wide in green",
		},
		"another kind": {
			func(_ *facts.Facts, _, green *facts.CRD) { green.Kind = "Wodget" },
			[]string{"block CRDNamesDiffer" + ofWidgets + "/kind"},
			"Widget in blue and Wodget in green",
		},
		"a short name less": {
			func(_ *facts.Facts, _, green *facts.CRD) { green.ShortNames = nil },
			[]string{"warn CRDNamesDiffer" + ofWidgets + "/shortNames"},
			"as w too",
		},
		"not established": {
			func(_ *facts.Facts, _, green *facts.CRD) { green.Established = false },
			[]string{"block CRDNotEstablished" + ofWidgets},
			"not in green",
		},
		"a conversion webhook whose service is missing": {
			func(f *facts.Facts, blue, green *facts.CRD) {
				f.Green.Objects[service] = map[facts.Name]struct{}{}
				blue.Webhook, green.Webhook, blue.Converter, green.Converter = true, true, converter(true), converter(true)
			}, []string{"block CRDConversionBroken" + ofWidgets}, "by the service widgets/convert, which green doesn't have",
		},
		"one whose service could not be looked for": {
			change: func(_ *facts.Facts, blue, green *facts.CRD) {
				blue.Webhook, green.Webhook, blue.Converter, green.Converter = true, true, converter(true), converter(true)
			},
		},
		"one without certificates": {
			func(f *facts.Facts, blue, green *facts.CRD) {
				f.Green.Objects[service] = map[facts.Name]struct{}{converter(true).Name: {}}
				blue.Webhook, green.Webhook, blue.Converter, green.Converter = true, true, converter(true), converter(false)
			}, []string{"block CRDConversionBroken" + ofWidgets + "/caBundle"}, "none in green",
		},
		"no conversion in green": {
			func(_ *facts.Facts, blue, _ *facts.CRD) { blue.Webhook = true },
			[]string{"warn CRDConversionDiffers" + ofWidgets},
			"changes nothing but the version",
		},
		"a subresource less": {
			func(_ *facts.Facts, _, green *facts.CRD) { v1(green, func(v *facts.CRDVersion) { v.Status = false }) },
			[]string{"block CRDSubresourcesDiffer" + ofWidgets + "/v1/status"},
			"in blue and not in green",
		},
		"a status more": {
			func(_ *facts.Facts, blue, _ *facts.CRD) { v1(blue, func(v *facts.CRDVersion) { v.Status = false }) },
			[]string{"warn CRDSubresourcesDiffer" + ofWidgets + "/v1/status"},
			"in green alone",
		},
		"CRDs that could not be listed": {
			change: func(f *facts.Facts, _, green *facts.CRD) {
				green.Namespaced = false
				f.Green.Objects = map[facts.GroupKind]map[facts.Name]struct{}{}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := crds(widgetsIn(t, c.change))
			if diff := cmp.Diff(c.want, severityAndID(found)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if c.says != "" && (len(found) == 0 || !strings.Contains(found[0].Message, c.says) || found[0].Do == "") {
				t.Errorf("found %+v, want %q", found, c.says)
			}
		})
	}
}

func TestACRDThatGreenLacksIsTheParitysToTell(t *testing.T) {
	t.Parallel()
	f := widgetsIn(t, func(*facts.Facts, *facts.CRD, *facts.CRD) {})
	f.Green.CRDs = nil
	if found := crds(f); len(found) > 0 {
		t.Errorf("found %v", severityAndID(found))
	}
}

// compare walks two schemas of a field "a" below the spec.
func compare(t *testing.T, blue, green string, u usage) walk {
	t.Helper()
	whole := func(text string) *facts.Schema {
		return sealed(parsed[*facts.Schema](t, "{type: object, fields: [{name: kind, schema: {type: string}}, {name: spec, schema: {type: object, fields: [{name: a, schema: "+text+"}]}}]}"))
	}
	var w walk
	w.root(whole(blue), whole(green), u)
	return w
}

func TestSchemas(t *testing.T) {
	t.Parallel()
	object := func(fields string) string { return "{type: object, fields: [" + fields + "]}" }
	field := func(name, schema string) string { return "{name: " + name + ", schema: " + schema + "}" }
	const text = "{type: string}"
	for name, c := range map[string]struct {
		blue, green string
		want        string // severity, code and path, joined
		says        string
		more        string // fields and wider
	}{
		"alike":                             {text, text, "", "", "0 0"},
		"a field is removed":                {object(field("x", text) + "," + field("q", text)), object(field("x", text)), "block CRDFieldRemoved spec.a.q", "drops it", "0 0"},
		"a field is removed where all stay": {object(field("x", text)), "{type: object, preserve: true}", "", "", "0 0"},
		"a field becomes a key of a map":    {object(field("x", text)), "{type: object, values: {type: string}}", "", "", "0 1"},
		"a map becomes fields":              {"{type: object, values: {type: string}}", object(field("x", text)), "block CRDUnknownFieldsLost spec.a{}", "any name", "0 0"},
		"a map of other values":             {"{type: object, values: {type: string}}", "{type: object, values: {type: integer}}", "block CRDTypeNarrowed spec.a{}", "the type string, green only the type integer", "0 0"},
		"fields are added":                  {object(""), object(field("x", object(field("q", text)))), "", "", "2 0"},
		"unknown fields are kept no more":   {"{type: object, preserve: true}", object(field("x", text)), "block CRDUnknownFieldsLost spec.a", "green drops them", "1 0"},
		"items are compared":                {"{type: array, items: {type: string}}", "{type: array, items: {type: boolean}}", "block CRDTypeNarrowed spec.a[]", "boolean", "0 0"},
		"another type":                      {text, "{type: integer}", "block CRDTypeNarrowed spec.a", "blue takes the type string, green only the type integer", "0 0"},
		"an int-or-string becomes a string": {"{intOrString: true}", text, "block CRDTypeNarrowed spec.a", "integers and strings", "0 0"},
		"a string becomes an int-or-string": {text, "{intOrString: true}", "", "", "0 1"},
		"an integer becomes a number":       {"{type: integer}", "{type: number}", "", "", "0 1"},
		"a number becomes an integer":       {"{type: number}", "{type: integer}", "block CRDTypeNarrowed spec.a", "number", "0 0"},
		"anything becomes an object":        {"{preserve: true}", "{type: object, preserve: true}", "block CRDTypeNarrowed spec.a", "any type", "0 0"},
		"null is refused":                   {"{type: string, nullable: true}", text, "block CRDTypeNarrowed spec.a", "null", "0 0"},
		"null is taken":                     {text, "{type: string, nullable: true}", "", "", "0 1"},
		"a field is demanded":               {object(field("x", text)), "{type: object, required: [x], fields: [" + field("x", text) + "]}", "block CRDFieldRequired spec.a.x", "demands", "0 0"},
		"a demanded field has a default":    {object(field("x", text)), "{type: object, required: [x], fields: [" + field("x", "{type: string, default: q}") + "]}", "", "", "0 2"},
		"a field is demanded no more":       {"{type: object, required: [x], fields: [" + field("x", text) + "]}", object(field("x", text)), "", "", "0 0"},
		"another default":                   {"{type: string, default: x}", "{type: string, default: q}", "warn CRDDefaultDiffers spec.a", "blue's default is x, green's q", "0 0"},
		"no default":                        {"{type: string, default: x}", text, "warn CRDDefaultDiffers spec.a", "green has none", "0 0"},
		"a value less":                      {"{type: string, limits: {enum: [x, q]}}", "{type: string, limits: {enum: [x]}}", "block CRDValuesNarrowed spec.a", "no longer takes q", "0 0"},
		"a value more":                      {"{type: string, limits: {enum: [x]}}", "{type: string, limits: {enum: [x, q]}}", "", "", "0 1"},
		"only some values":                  {text, "{type: string, limits: {enum: [x]}}", "warn CRDValuesNarrowed spec.a", "green only x", "0 0"},
		"any value":                         {"{type: string, limits: {enum: [x]}}", text, "", "", "0 1"},
		"a higher minimum":                  {"{type: integer, limits: {bounds: {minimum: 1}}}", "{type: integer, limits: {bounds: {minimum: 2}}}", "warn CRDValuesNarrowed spec.a", "the minimum is 1 in blue and 2 in green", "0 0"},
		"a lower minimum":                   {"{type: integer, limits: {bounds: {minimum: 2}}}", "{type: integer, limits: {bounds: {minimum: 1}}}", "", "", "0 0"},
		"a minimum at all":                  {"{type: integer}", "{type: integer, limits: {bounds: {minimum: 0}}}", "warn CRDValuesNarrowed spec.a", "green has the minimum 0, blue none", "0 0"},
		"a length of zero is no limit":      {text, "{type: string, limits: {bounds: {minLength: 0}}}", "", "", "0 0"},
		"a lower maximum":                   {"{type: string, limits: {bounds: {maxLength: 9}}}", "{type: string, limits: {bounds: {maxLength: 8}}}", "warn CRDValuesNarrowed spec.a", "maxLength is 9 in blue and 8 in green", "0 0"},
		"an exclusive maximum":              {"{type: integer, limits: {bounds: {maximum: 9}}}", `{type: integer, limits: {bounds: {"exclusive maximum": 9}}}`, "warn CRDValuesNarrowed spec.a", "green's maximum 9 is exclusive", "0 0"},
		"an exclusive maximum further out":  {"{type: integer, limits: {bounds: {maximum: 9}}}", `{type: integer, limits: {bounds: {"exclusive maximum": 10}}}`, "", "", "0 0"},
		"another pattern":                   {"{type: string, limits: {words: {pattern: a}}}", "{type: string, limits: {words: {pattern: b}}}", "warn CRDValuesNarrowed spec.a", "the pattern is a in blue and b in green", "0 0"},
		"a format of numbers":               {"{type: integer}", "{type: integer, limits: {words: {format: int32}}}", "", "", "0 0"},
		"a format of texts":                 {text, "{type: string, limits: {words: {format: uuid}}}", "warn CRDValuesNarrowed spec.a", "green has the format uuid, blue none", "0 0"},
		"a list becomes a set":              {"{type: array}", "{type: array, limits: {words: {x-kubernetes-list-type: set}}}", "warn CRDValuesNarrowed spec.a", "is atomic in blue and set in green", "0 0"},
		"a set becomes a list":              {"{type: array, limits: {words: {x-kubernetes-list-type: set}}}", "{type: array, limits: {words: {x-kubernetes-list-type: atomic}}}", "", "", "0 0"},
		"a rule more":                       {text, "{type: string, limits: {rules: [self.size() > 1]}}", "warn CRDValuesNarrowed spec.a", "1 rule that blue hasn't: self.size() > 1", "0 0"},
		"a rule less":                       {"{type: string, limits: {rules: [x, q]}}", "{type: string, limits: {rules: [x]}}", "", "", "0 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := compare(t, c.blue, c.green, usage{unknown: true})
			var got, says []string
			for _, d := range w.differences {
				got, says = append(got, fmt.Sprintf("%s %s %s", d.severity, d.code, d.path)), append(says, d.message)
			}
			if diff := cmp.Diff([]string{c.want, c.more}, []string{strings.Join(got, ", "), fmt.Sprintf("%d %d", w.fields, w.wider)}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !strings.Contains(strings.Join(says, ", "), c.says) {
				t.Errorf("it says %q, want %q", says, c.says)
			}
		})
	}
}

func TestWhatTheAPIServerItselfKnowsIsNotCompared(t *testing.T) {
	t.Parallel()
	var w walk
	w.root(sealed(parsed[*facts.Schema](t, "{type: object, fields: [{name: kind, schema: {type: string}}, {name: metadata, schema: {type: object}}]}")),
		sealed(parsed[*facts.Schema](t, "{type: object, required: [metadata]}")), usage{unknown: true})
	if len(w.differences) > 0 {
		t.Errorf("found %+v", w.differences)
	}
}

func TestSchemasThatAreMissing(t *testing.T) {
	t.Parallel()
	s := sealed(&facts.Schema{Type: "object"})
	for name, c := range map[string]struct {
		blue, green *facts.Schema
		want        int
	}{"in both": {nil, nil, 0}, "in blue": {nil, s, 1}, "in green": {s, nil, 0}} {
		var w walk
		w.root(c.blue, c.green, usage{unknown: true})
		if len(w.differences) != c.want {
			t.Errorf("%s: %+v", name, w.differences)
		}
	}
}

// TestWhatNoObjectHasOnlyWarns removes and demands fields of which the objects
// of blue are known to have, or not to have, some.
func TestWhatNoObjectHasOnlyWarns(t *testing.T) {
	t.Parallel()
	const blue = "{type: object, fields: [{name: x, schema: {type: object, fields: [{name: y, schema: {type: string}}]}}]}"
	const demands = "{type: object, required: [x], fields: [{name: x, schema: {type: object, fields: [{name: y, schema: {type: string}}]}}]}"
	tree := func(text string) string { return "{v1: {}}, fields: " + text }
	for name, c := range map[string]struct {
		green string
		use   string // of the version v1, the storage version
		want  string
	}{
		"without objects nothing is known":         {"{type: object}", "", "block"},
		"an object has it":                         {"{type: object}", tree("{objects: 1, below: {spec: {below: {a: {below: {x: {}}}}}}}"), "block"},
		"no object has it":                         {"{type: object}", tree("{objects: 1, below: {spec: {below: {a: {below: {z: {}}}}}}}"), "warn"},
		"what lies above isn't recorded in detail": {"{type: object}", tree("{objects: 1, below: {spec: {open: true}}}"), "block"},
		"an object isn't recorded":                 {"{type: object}", tree("{objects: 1, below: {spec: {below: {a: {}}}}}, unknown: 1"), "block"},
		"objects are recorded in two versions":     {"{type: object}", "{v1: {}, v2: {}}, fields: {objects: 1}", "block"},
		"in another than the storage version":      {"{type: object}", "{v2: {}}, fields: {objects: 1}", "block"},
		"not all have what is demanded":            {demands, tree("{objects: 2, below: {spec: {objects: 2, below: {a: {objects: 2, below: {x: {objects: 1}}}}}}}"), "block"},
		"all have what is demanded":                {demands, tree("{objects: 2, below: {spec: {objects: 2, below: {a: {objects: 2, below: {x: {objects: 2}}}}}}}"), "warn"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &facts.Facts{}
			p := crdPair{f: f, blue: parsed[facts.CRD](t, widget)}
			if c.use != "" {
				f.Blue.APIs.Fields = map[facts.GroupKind]facts.FieldUse{p.kind(): parsed[facts.FieldUse](t, "{versions: "+c.use+"}")}
			}
			w := compare(t, blue, c.green, p.usage("v1"))
			if len(w.differences) != 1 || string(w.differences[0].severity) != c.want {
				t.Errorf("got %+v, want one that is %s", w.differences, c.want)
			}
		})
	}
}

func TestAVersionThatNoObjectWasWrittenInOnlyWarns(t *testing.T) {
	t.Parallel()
	f := &facts.Facts{}
	p := crdPair{f: f, blue: parsed[facts.CRD](t, widget)}
	f.Blue.APIs.Fields = map[facts.GroupKind]facts.FieldUse{p.kind(): parsed[facts.FieldUse](t, "{versions: {v1: {}}, fields: {objects: 1}}")}
	if u := p.usage("v1beta1"); !u.none() {
		t.Errorf("got %+v", u)
	}
}

func TestManyDifferencesStayReadable(t *testing.T) {
	t.Parallel()
	const all = 3 * mostDifferences
	f := widgetsIn(t, func(_ *facts.Facts, blue, green *facts.CRD) {
		var before, after []facts.SchemaField
		for i := range all {
			name := fmt.Sprintf("f%02d", i)
			before = append(before, facts.SchemaField{Name: name, Schema: &facts.Schema{Type: "string"}})
			if i%2 == 0 { // half are gone, half are narrower
				after = append(after, facts.SchemaField{Name: name, Schema: &facts.Schema{Type: "string", Limits: &facts.SchemaLimits{Words: map[string]string{"pattern": "x"}}}})
			}
		}
		blue.Versions["v1"] = facts.CRDVersion{Served: true, Schema: sealed(&facts.Schema{Type: "object", Fields: before})}
		green.Versions["v1"] = facts.CRDVersion{Served: true, Schema: sealed(&facts.Schema{Type: "object", Fields: after})}
	})
	found := crds(f)
	if len(found) != mostDifferences+1 {
		t.Fatalf("%d findings", len(found))
	}
	for _, x := range found {
		if x.Severity != "block" {
			t.Errorf("the worst come first and give the rest their severity, but %s is %s", x.ID, x.Severity)
		}
	}
	last := found[len(found)-1]
	if last.ID != "CRDMoreDifferences"+ofWidgets+"/v1" || !strings.Contains(last.Message, fmt.Sprintf("has %d differences more, at f41", all-mostDifferences)) {
		t.Errorf("the rest is told as %s: %s", last.ID, last.Message)
	}
}
