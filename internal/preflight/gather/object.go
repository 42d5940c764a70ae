package gather

import (
	"fmt"
	"slices"
	"strings"
)

// The functions of this file read what has no Go type: custom objects, and JSON
// that people wrote. What is not there, or is of another type, reads as nothing.

// valueAt finds a value by its keys; nil: it isn't there.
func valueAt(o map[string]any, path ...string) any {
	var found any = o
	for _, key := range path {
		deeper, ok := found.(map[string]any)
		if !ok {
			return nil
		}
		found = deeper[key]
	}
	return found
}

func textAt(o map[string]any, path ...string) string {
	s, _ := valueAt(o, path...).(string)
	return s
}

func truthAt(o map[string]any, path ...string) bool {
	b, _ := valueAt(o, path...).(bool)
	return b
}

// textsAt gives a list of strings, sorted.
func textsAt(o map[string]any, path ...string) []string {
	list, _ := valueAt(o, path...).([]any)
	var found []string
	for _, item := range list {
		if s, ok := item.(string); ok {
			found = append(found, s)
		}
	}
	slices.Sort(found)
	return found
}

// objectsAt gives the objects of a list; what isn't one is left out.
func objectsAt(o map[string]any, path ...string) []map[string]any {
	return objectsOf(valueAt(o, path...))
}

func objectsOf(list any) []map[string]any {
	items, _ := list.([]any)
	var found []map[string]any
	for _, item := range items {
		if object, ok := item.(map[string]any); ok {
			found = append(found, object)
		}
	}
	return found
}

// asText gives a scalar as text: an expression may be a bare number.
func asText(v any) string {
	switch v := v.(type) {
	case string:
		return strings.Clone(v)
	case int64, float64:
		return fmt.Sprint(v)
	}
	return ""
}
