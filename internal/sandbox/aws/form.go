package aws

import (
	"encoding/xml"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// element is one parameter of a Query protocol request with those below it: the
// dotted names (Actions.member.1.Type) turned into a tree. Settings that the
// sandbox stores but doesn't interpret are written back as XML from it. Its
// methods accept a nil element and find nothing in it.
type element struct {
	text string
	kids map[string]*element
}

func parseForm(values url.Values) *element {
	root := &element{}
	for name, v := range values {
		at := root
		for part := range strings.SplitSeq(name, ".") {
			if at.kids == nil {
				at.kids = map[string]*element{}
			}
			if at.kids[part] == nil {
				at.kids[part] = &element{}
			}
			at = at.kids[part]
		}
		at.text = v[0]
	}
	return root
}

// child returns the parameter of that name, or nil.
func (e *element) child(name string) *element {
	if e == nil {
		return nil
	}
	return e.kids[name]
}

func (e *element) has(name string) bool { return e.child(name) != nil }

func (e *element) str(name string) string {
	if kid := e.child(name); kid != nil {
		return kid.text
	}
	return ""
}

// firstOf returns the first of the named parameters that isn't empty.
func (e *element) firstOf(names ...string) string {
	for _, name := range names {
		if text := e.str(name); text != "" {
			return text
		}
	}
	return ""
}

// integer returns a number within limits, or the fallback when it is absent.
func (e *element) integer(name string, fallback, low, high int) (int, error) {
	text := e.str(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, badRequest("MalformedInput", "Value '%s' at '%s' is not an integer", text, name)
	}
	if n < low {
		return 0, validationError("Value '%d' at '%s' failed to satisfy constraint: Member must have value greater than or equal to %d", n, name, low)
	}
	if n > high {
		return 0, validationError("Value '%d' at '%s' failed to satisfy constraint: Member must have value less than or equal to %d", n, name, high)
	}
	return n, nil
}

// list returns the members of a list parameter in their order.
func (e *element) list(name string) []*element {
	return e.child(name).child("member").inOrder()
}

// texts returns a list of plain strings.
func (e *element) texts(name string) []string {
	var out []string
	for _, m := range e.list(name) {
		out = append(out, m.text)
	}
	return out
}

func (e *element) inOrder() []*element {
	if e == nil {
		return nil
	}
	keys := slices.SortedFunc(maps.Keys(e.kids), func(a, b string) int {
		x, _ := strconv.Atoi(a)
		y, _ := strconv.Atoi(b)
		return x - y
	})
	out := make([]*element, 0, len(keys))
	for _, k := range keys {
		out = append(out, e.kids[k])
	}
	return out
}

// plain reports whether a text has only letters, digits and one more character.
func plain(s string, also rune) bool {
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == also:
		default:
			return false
		}
	}
	return true
}

// without returns a copy that lacks the named parameters.
func (e *element) without(names ...string) *element {
	cut := &element{text: e.text, kids: maps.Clone(e.kids)}
	for _, name := range names {
		delete(cut.kids, name)
	}
	return cut
}

// withDefaults returns a copy that has the given parameters where it lacks them.
func (e *element) withDefaults(defaults map[string]string) *element {
	filled := &element{text: e.text, kids: map[string]*element{}}
	for name, text := range defaults {
		filled.kids[name] = &element{text: text}
	}
	maps.Copy(filled.kids, e.kids)
	return filled
}

// MarshalXML writes the tree the way a Query protocol answer spells it.
func (e *element) MarshalXML(enc *xml.Encoder, start xml.StartElement) error {
	if len(e.kids) == 0 {
		return enc.EncodeElement(e.text, start)
	}
	if err := enc.EncodeToken(start); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(e.kids)) {
		at := xml.StartElement{Name: xml.Name{Local: name}}
		parts := []*element{e.kids[name]}
		if name == "member" || name == "entry" {
			parts = e.kids[name].inOrder()
		}
		for _, part := range parts {
			if err := enc.EncodeElement(part, at); err != nil {
				return err
			}
		}
	}
	return enc.EncodeToken(start.End())
}

// validationError is how ELBv2 refuses a parameter out of its limits.
func validationError(format string, args ...any) *apiError {
	e := badRequest("ValidationError", format, args...)
	e.message = "1 validation error detected: " + e.message
	return e
}
