package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// key is what the tags of one field say about its key in the document.
type key struct {
	// name is the key as written; tag yaml.
	name string
	// index is the field's place in its struct.
	index int
	// kind is the field's type.
	kind reflect.Type
	// required keys have no default; tag required.
	required bool
	// fallback is the default as YAML, or empty for the type's zero value; tag default.
	fallback string
	// low and high bound numbers and durations, both included; empty is unbounded; tag range:"low..high".
	low, high string
	// oneOf lists the only good texts; tag oneof, separated by spaces.
	oneOf []string
	// unit is percent (an int that may be written 90%) or fraction (a float64 that may be written 1%); tag unit.
	unit string
}

// keysOf returns the keys of a struct type in the order of its fields.
func keysOf(t reflect.Type) []key {
	var keys []key
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("yaml")
		if name == "" || name == "-" {
			continue
		}
		low, high, _ := strings.Cut(f.Tag.Get("range"), "..")
		keys = append(keys, key{
			name: name, index: i, kind: f.Type,
			required: f.Tag.Get("required") == "true",
			fallback: f.Tag.Get("default"),
			low:      low, high: high,
			oneOf: strings.Fields(f.Tag.Get("oneof")),
			unit:  f.Tag.Get("unit"),
		})
	}
	return keys
}

func names(keys []key) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = k.name
	}
	return out
}

// element is the key that stands for the entries of a list.
func (k key) element() key {
	k.kind, k.fallback, k.required = k.kind.Elem(), "", false
	return k
}

// want says in words what a good value is; it completes "use …" in a fault and the reference's second column.
func (k key) want() string {
	switch {
	case len(k.oneOf) > 0:
		return alternatives(k.oneOf)
	case k.unit == "fraction":
		return "a fraction" + k.bounds() + ", such as 0.01 or 1%"
	case k.kind == reflect.TypeFor[time.Duration]():
		return "a duration" + k.bounds() + ", such as " + k.example()
	}
	switch k.kind.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number" + k.bounds()
	case reflect.Float64:
		return "a number" + k.bounds()
	case reflect.Slice:
		return "a list"
	case reflect.Map:
		return "a mapping of names to texts"
	case reflect.Struct:
		return "a mapping with the keys " + strings.Join(names(keysOf(k.kind)), ", ")
	case reflect.Pointer:
		k.kind = k.kind.Elem()
		return k.want()
	default:
		return "text"
	}
}

// noun is what a wrong number or word is told it is not.
func (k key) noun() string {
	switch {
	case len(k.oneOf) > 0:
		return "known here"
	case k.unit == "percent":
		return "a percentage"
	case k.unit == "fraction":
		return "a fraction"
	case k.kind.Kind() == reflect.Float64:
		return "a number"
	default:
		return "a whole number"
	}
}

func (k key) bounds() string {
	switch {
	case k.low != "" && k.high != "":
		return fmt.Sprintf(" from %s to %s", k.low, k.high)
	case k.low != "":
		return " of at least " + k.low
	default:
		return ""
	}
}

// example is a good duration to show: the default, where there is one.
func (k key) example() string {
	if k.fallback != "" {
		return k.fallback
	}
	return "30s"
}

// alternatives joins words as a person would: a, b or c.
func alternatives(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
