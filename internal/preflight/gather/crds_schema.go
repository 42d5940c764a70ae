package gather

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

const (
	// longestText bounds what is kept of defaults, enums, patterns and rules; what
	// is longer ends in a digest.
	longestText = 200
	// deepestSchema bounds the walk down a schema. API servers take no such depth.
	deepestSchema = 100
)

// schemaPool shares equal subtrees of schemas: those of pods, selectors and
// conditions stand in hundreds of CRDs.
type schemaPool map[[16]byte]*facts.Schema

func (p schemaPool) of(o map[string]any) *facts.Schema { return p.at(o, 0) }

func (p schemaPool) at(o map[string]any, depth int) *facts.Schema {
	s := &facts.Schema{
		Type:        textAt(o, "type"),
		IntOrString: truthAt(o, "x-kubernetes-int-or-string"),
		Nullable:    truthAt(o, "nullable"),
		Preserve:    truthAt(o, "x-kubernetes-preserve-unknown-fields"),
		Required:    textsAt(o, "required"),
		Limits:      limitsOf(o),
	}
	if value, ok := o["default"]; ok {
		s.Default = compact(jsonOf(value))
	}
	if s.IntOrString {
		s.Type = ""
	}
	if depth < deepestSchema {
		p.below(s, o, depth+1)
	}
	s.Digest = digestOf(s)
	if shared, ok := p[s.Digest]; ok {
		return shared
	}
	p[s.Digest] = s
	return s
}

// below adds what the schema says of fields, items and values.
func (p schemaPool) below(s *facts.Schema, o map[string]any, depth int) {
	fields, _ := o["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if field, ok := fields[name].(map[string]any); ok {
			s.Fields = append(s.Fields, facts.SchemaField{Name: strings.Clone(name), Schema: p.at(field, depth)})
		}
	}
	if items, ok := o["items"].(map[string]any); ok {
		s.Items = p.at(items, depth)
	}
	switch values := o["additionalProperties"].(type) {
	case map[string]any:
		s.Values = p.at(values, depth)
	case bool:
		if values {
			s.Preserve = true
		}
	}
}

// limitsOf reads what narrows the values; nil: nothing does.
func limitsOf(o map[string]any) *facts.SchemaLimits {
	l := facts.SchemaLimits{Bounds: map[string]float64{}, Words: map[string]string{}}
	if values, ok := o["enum"].([]any); ok {
		l.Enum = []string{}
		for _, v := range values {
			l.Enum = append(l.Enum, compact(jsonOf(v)))
		}
		slices.Sort(l.Enum)
	}
	for _, bound := range []string{"minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"} {
		n, ok := numberOf(o[bound])
		if !ok {
			continue
		}
		if truthAt(o, "exclusive"+strings.ToUpper(bound[:1])+bound[1:]) {
			bound = "exclusive " + bound
		}
		l.Bounds[bound] = n
	}
	for _, word := range []string{"pattern", "format", "multipleOf", "uniqueItems", "x-kubernetes-list-type", "x-kubernetes-list-map-keys"} {
		if value, ok := o[word]; ok {
			l.Words[word] = compact(plainText(value))
		}
	}
	for _, rule := range objectsAt(o, "x-kubernetes-validations") {
		l.Rules = append(l.Rules, compact(textAt(rule, "rule")))
	}
	for _, logic := range []string{"allOf", "anyOf", "oneOf", "not"} {
		if value, ok := o[logic]; ok && !(logic == "anyOf" && truthAt(o, "x-kubernetes-int-or-string")) {
			l.Rules = append(l.Rules, compact(logic+" "+jsonOf(value)))
		}
	}
	slices.Sort(l.Rules)
	if l.Enum == nil && len(l.Bounds)+len(l.Words)+len(l.Rules) == 0 {
		return nil
	}
	return &l
}

func numberOf(v any) (float64, bool) {
	switch n := v.(type) {
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

// plainText gives a string as it is, and all else as JSON.
func plainText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return jsonOf(v)
}

func jsonOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%v", v) // what came as JSON can be written as JSON
	}
	return string(b)
}

// compact copies a text, so that nothing of the page stays in the memory.
func compact(s string) string {
	if len(s) <= longestText {
		return strings.Clone(s)
	}
	sum := sha256.Sum256([]byte(s))
	return strings.ToValidUTF8(s[:longestText-40], "") + fmt.Sprintf("… (sha256 %x)", sum[:8])
}

// digestOf is equal for schemas that take and keep the same objects. What lies
// below goes in by its own digest.
func digestOf(s *facts.Schema) [16]byte {
	h := sha256.New()
	say := func(parts ...string) {
		for _, part := range parts {
			h.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
		}
	}
	say(s.Type, s.Default, fmt.Sprint(s.IntOrString, s.Nullable, s.Preserve, len(s.Required), len(s.Fields), s.Items != nil, s.Values != nil))
	say(s.Required...)
	if l := s.Limits; l != nil {
		// Maps are printed in the order of their keys.
		say(fmt.Sprintf("%q %v %v %q %q", l.Enum, l.Enum == nil, l.Bounds, l.Words, l.Rules))
	}
	for _, f := range s.Fields {
		say(f.Name, string(f.Schema.Digest[:]))
	}
	for _, below := range []*facts.Schema{s.Items, s.Values} {
		if below != nil {
			say(string(below.Digest[:]))
		}
	}
	return [16]byte(h.Sum(nil)[:16])
}
