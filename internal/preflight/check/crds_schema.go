package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
)

// difference is one place where green takes or keeps less than blue.
type difference struct {
	code     finding.Code
	severity finding.Severity
	path     string
	message  string
}

func (d difference) rank() int { return slices.Index(finding.Severities(), d.severity) }

// walk compares two schemas: everything that blue's takes, green's must take and
// keep.
type walk struct {
	differences []difference
	// fields counts those that green has more, wider those that take more values.
	fields, wider int
}

// root compares whole schemas. The API server itself knows apiVersion, kind and
// metadata.
func (w *walk) root(b, g *facts.Schema, u usage) {
	switch {
	case b == nil || g == nil:
		if b == nil && g != nil {
			w.add(CRDUnknownFieldsLost, finding.Block, "(all)", u, "blue has no schema and keeps everything, green drops what its schema doesn't name")
		}
		return
	case b.Digest == g.Digest:
		return
	}
	own := func(s facts.Schema) *facts.Schema {
		taken := func(name string) bool { return name == "apiVersion" || name == "kind" || name == "metadata" }
		s.Fields = slices.DeleteFunc(slices.Clone(s.Fields), func(f facts.SchemaField) bool { return taken(f.Name) })
		s.Required = slices.DeleteFunc(slices.Clone(s.Required), taken)
		return &s
	}
	w.schema("", own(*b), own(*g), u)
}

// add adds a difference. What no object has blocks nobody.
func (w *walk) add(code finding.Code, severity finding.Severity, path string, u usage, message string) {
	if severity == finding.Block && u.none() {
		severity, message = finding.Warn, message+"; no object of blue has it"
	}
	if path == "" {
		path = "(all)"
	}
	w.differences = append(w.differences, difference{code, severity, path, message})
}

func (w *walk) schema(path string, b, g *facts.Schema, u usage) {
	if b.Digest == g.Digest && path != "" {
		return
	}
	if !w.types(path, b, g, u) {
		return
	}
	if b.Preserve && !g.Preserve {
		w.add(CRDUnknownFieldsLost, finding.Block, path, u, "blue keeps fields that the schema doesn't name, green drops them")
	}
	w.belowOf(path, b, g, u)
	for _, name := range lacking(g.Required, b.Required) {
		if field := g.Field(name); field != nil && field.Default != "" {
			w.wider++ // it is filled in before it is demanded
			continue
		}
		severity, also := finding.Block, ""
		if u.always(name) {
			severity, also = finding.Warn, "; all objects of blue have it"
		}
		w.add(CRDFieldRequired, severity, join(path, name), u, "green demands the field, blue doesn't"+also)
	}
	switch {
	case b.Default == g.Default:
	case b.Default == "":
		w.wider++
	case g.Default == "":
		w.add(CRDDefaultDiffers, finding.Warn, path, u, "blue's default is "+b.Default+", green has none")
	default:
		w.add(CRDDefaultDiffers, finding.Warn, path, u, "blue's default is "+b.Default+", green's "+g.Default)
	}
	w.limits(path, b.Limits, g.Limits, u)
}

// types tells whether the types allow a look further down.
func (w *walk) types(path string, b, g *facts.Schema, u usage) bool {
	blue, green := typesOf(b), typesOf(g)
	for _, t := range blue {
		if !slices.Contains(green, t) {
			w.add(CRDTypeNarrowed, finding.Block, path, u, fmt.Sprintf("blue takes %s, green only %s", typeText(b), typeText(g)))
			return false
		}
	}
	if b.Nullable && !g.Nullable {
		w.add(CRDTypeNarrowed, finding.Block, path, u, "blue takes null, green doesn't")
	}
	if len(green) > len(blue) || g.Nullable && !b.Nullable {
		w.wider++
	}
	return true
}

// typesOf lists the JSON types that a schema takes.
func typesOf(s *facts.Schema) []string {
	switch {
	case s.IntOrString:
		return []string{"integer", "string"}
	case s.Type == "":
		return []string{"array", "boolean", "integer", "number", "object", "string"}
	case s.Type == "number":
		return []string{"integer", "number"}
	}
	return []string{s.Type}
}

func typeText(s *facts.Schema) string {
	switch {
	case s.IntOrString:
		return "integers and strings"
	case s.Type == "":
		return "any type"
	}
	return "the type " + s.Type
}

// belowOf compares fields, values and items.
func (w *walk) belowOf(path string, b, g *facts.Schema, u usage) {
	for _, f := range b.Fields {
		at, green := join(path, f.Name), g.Field(f.Name)
		switch {
		case green != nil:
			w.schema(at, f.Schema, green, u.field(f.Name))
		case g.Values != nil:
			w.schema(at, f.Schema, g.Values, u.field(f.Name))
		case !g.Preserve:
			w.add(CRDFieldRemoved, finding.Block, at, u.field(f.Name), "blue has the field, green doesn't and drops it")
		}
	}
	w.newFields(path, b, g, u)
	switch {
	case b.Values != nil && g.Values != nil:
		w.schema(path+"{}", b.Values, g.Values, u.values())
	case b.Values != nil && !g.Preserve && g.Type != "":
		w.add(CRDUnknownFieldsLost, finding.Block, path+"{}", u.values(), "blue takes any name here, green drops those that its schema doesn't name")
	case b.Values == nil && g.Values != nil && !b.Preserve && b.Type != "":
		w.wider++
	}
	if b.Items != nil && g.Items != nil {
		w.schema(path+"[]", b.Items, g.Items, u.field("[]"))
	}
}

// newFields counts the fields that green has more. Where blue has a map, they
// are values of the map.
func (w *walk) newFields(path string, b, g *facts.Schema, u usage) {
	for _, f := range g.Fields {
		if b.Field(f.Name) != nil {
			continue
		}
		if b.Values != nil {
			w.schema(join(path, f.Name), b.Values, f.Schema, u.field(f.Name))
			continue
		}
		w.fields += 1 + f.Schema.Size()
	}
}

func join(path, name string) string { return strings.TrimPrefix(path+"."+name, ".") }

// limits compares which values are taken. An object of blue that green has
// too was taken there, and a value that is refused is refused aloud: so a
// narrower range or pattern is a warning. A value that blue lists by name is
// meant to be used, so its loss blocks.
func (w *walk) limits(path string, b, g *facts.SchemaLimits, u usage) {
	if g == nil {
		if b != nil {
			w.wider++
		}
		return
	}
	if b == nil {
		b = &facts.SchemaLimits{}
	}
	switch lost := lacking(b.Enum, g.Enum); {
	case g.Enum == nil:
	case b.Enum == nil:
		w.add(CRDValuesNarrowed, finding.Warn, path, u, "blue takes any value, green only "+named(g.Enum))
	case len(lost) > 0:
		w.add(CRDValuesNarrowed, finding.Block, path, u, "green no longer takes "+named(lost))
	case len(g.Enum) > len(b.Enum):
		w.wider++
	}
	var narrower []string
	for _, name := range sortedKeys(g.Bounds, strings.Compare) {
		if text := narrowed(name, b, g.Bounds[name]); text != "" {
			narrower = append(narrower, text)
		}
	}
	for _, name := range sortedKeys(g.Words, strings.Compare) {
		if text := reworded(name, b.Words[name], g.Words[name]); text != "" {
			narrower = append(narrower, text)
		}
	}
	if rules := lacking(g.Rules, b.Rules); len(rules) > 0 {
		narrower = append(narrower, fmt.Sprintf("green has %s that blue hasn't: %s", quantity(len(rules), "rule"), shortened(rules[0])))
	}
	if len(narrower) > 0 {
		w.add(CRDValuesNarrowed, finding.Warn, path, u, strings.Join(narrower, "; "))
	}
}

// narrowed says how green's bound is narrower than blue's; empty: it isn't.
func narrowed(name string, b *facts.SchemaLimits, green float64) string {
	blue, bounded := b.Bounds[name]
	plain, exclusive := strings.CutPrefix(name, "exclusive ")
	if !bounded && exclusive {
		// An inclusive bound that lies further in was narrower already.
		blue, bounded = b.Bounds[plain]
		if bounded && blue == green {
			return fmt.Sprintf("green's %s %v is exclusive", plain, green)
		}
	}
	lower := strings.HasPrefix(plain, "min")
	switch {
	case lower && !exclusive && plain != "minimum" && green <= 0: // no limit for a length or a count
	case !bounded:
		return fmt.Sprintf("green has the %s %v, blue none", name, green)
	case lower && green > blue, !lower && green < blue:
		return fmt.Sprintf("the %s is %v in blue and %v in green", name, blue, green)
	}
	return ""
}

// reworded says how a limit differs that can only be told apart; empty: it takes
// nothing away.
func reworded(name, blue, green string) string {
	if blue == green {
		return ""
	}
	switch name {
	case "format":
		if slices.Contains([]string{"int32", "int64", "float", "double"}, green) {
			return "" // says how clients keep a number; the API server doesn't look at it
		}
	case "uniqueItems":
		return "" // CRDs can't demand it
	case "x-kubernetes-list-type":
		if green == "atomic" {
			return ""
		}
		if blue == "" {
			blue = "atomic"
		}
	}
	if blue == "" {
		return fmt.Sprintf("green has the %s %s, blue none", name, shortened(green))
	}
	return fmt.Sprintf("the %s is %s in blue and %s in green", name, shortened(blue), shortened(green))
}

// shortened keeps a sentence readable.
func shortened(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
