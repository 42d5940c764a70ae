package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// maxValues bounds the keys and values of one document. Aliases make a small file stand for a huge one; a thousand pairs take
// less than half of it.
const maxValues = 200_000

// decoder fills structs from YAML nodes by the tags of their fields and notes every fault on the way.
type decoder struct {
	file   string
	faults Faults
	// faulty holds the paths that have a fault.
	faulty map[string]bool
	// unread holds the paths whose insides could not be read at all.
	unread map[string]bool
	// places says where the value of a path was written.
	places map[string]place
	// left is how many more values may be read.
	left int
}

type place struct {
	file string
	line int
}

// laterKeys is for structs with keys that are documented for other releases: each with a sentence for who writes it now.
type laterKeys interface {
	laterKeys() map[string]string
}

func newDecoder(file string) *decoder {
	return &decoder{file: file, faulty: map[string]bool{}, unread: map[string]bool{}, places: map[string]place{}, left: maxValues}
}

// faultf notes a fault at path. Only the first fault of a path counts, and none counts inside of what could not be read:
// they would be noise that follows from the first.
func (d *decoder) faultf(path, format string, args ...any) {
	if d.faulty[path] {
		return
	}
	for outer, inside := parent(path); inside; outer, inside = parent(outer) {
		if d.unread[outer] {
			return
		}
	}
	d.faulty[path] = true
	at := d.at(path)
	d.faults = append(d.faults, Fault{File: at.file, Line: at.line, Path: path, Message: fmt.Sprintf(format, args...)})
}

// unreadf notes a fault of a value whose insides can't be read.
func (d *decoder) unreadf(path, format string, args ...any) {
	d.faultf(path, format, args...)
	d.unread[path] = true
}

// at finds the place of path, or of the nearest thing around it when path itself is not in the document.
func (d *decoder) at(path string) place {
	for {
		if at, ok := d.places[path]; ok {
			return at
		}
		outer, inside := parent(path)
		if !inside {
			return d.places[""]
		}
		path = outer
	}
}

// value decodes n into the settable value into. Types do not contain themselves, so the depth is bounded by them, and
// an alias inside its own anchor ends in a fault.
func (d *decoder) value(into reflect.Value, n *yaml.Node, path string, k key) {
	if !d.spend(1) {
		return
	}
	if _, ok := d.places[path]; !ok {
		d.places[path] = place{file: d.file, line: n.Line}
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.ShortTag() == "!!null" {
		d.unreadf(path, "has no value; use %s, or remove the key", k.want())
		return
	}
	switch {
	case k.kind == reflect.TypeFor[time.Duration]():
		d.scalar(into, n, path, k)
	case k.kind.Kind() == reflect.Pointer:
		into.Set(reflect.New(k.kind.Elem()))
		k.kind = k.kind.Elem()
		d.value(into.Elem(), n, path, k)
	case k.kind.Kind() == reflect.Struct:
		d.object(into, n, path, k)
	case k.kind.Kind() == reflect.Slice:
		d.list(into, n, path, k)
	case k.kind.Kind() == reflect.Map:
		d.texts(into, n, path, k)
	default:
		d.scalar(into, n, path, k)
	}
}

// spend takes values off the bound and reports whether it still holds.
func (d *decoder) spend(values int) bool {
	if d.left -= values; d.left >= 0 {
		return true
	}
	d.faultf("", "holds more than %d values; split it, and look for aliases inside aliases", maxValues)
	return false
}

// object decodes a mapping into a struct and gives the absent keys their defaults.
func (d *decoder) object(into reflect.Value, n *yaml.Node, path string, k key) {
	entries, ok := d.entries(n, path, k)
	if !ok {
		return
	}
	keys := keysOf(k.kind)
	known := names(keys)
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		if !slices.Contains(known, name) {
			d.unknown(into, name, join(path, name), known)
		}
	}
	for _, child := range keys {
		field, at := into.Field(child.index), join(path, child.name)
		entry, given := entries[child.name]
		switch {
		case given:
			d.value(field, entry, at, child)
		case child.required:
			d.unreadf(at, "is missing; set it to %s", child.want())
		default:
			d.absent(field, at, child)
		}
	}
}

// unknown notes a key that the struct does not have.
func (d *decoder) unknown(of reflect.Value, name, path string, known []string) {
	if later, ok := reflect.TypeAssert[laterKeys](of); ok {
		if sentence, ok := later.laterKeys()[name]; ok {
			d.faultf(path, "%s", sentence)
			return
		}
	}
	if meant := nearest(name, known); meant != "" {
		d.faultf(path, "is not a known key; did you mean %s?", meant)
		return
	}
	d.faultf(path, "is not a known key; use %s", alternatives(known))
}

// absent gives a key that is not in the document its default. A default is YAML, read as if it stood in the document.
func (d *decoder) absent(into reflect.Value, path string, k key) {
	switch {
	case k.fallback != "":
		n, err := parseNode(k.fallback)
		if err != nil {
			d.faultf(path, "has the default %q, which cannot be read: %v; report this as a bug", k.fallback, err)
			return
		}
		d.places[path] = d.at(path)
		d.value(into, n, path, k)
	case k.kind.Kind() == reflect.Struct:
		d.object(into, &yaml.Node{Kind: yaml.MappingNode}, path, k)
	}
}

// entries returns the values of a mapping by key, and notes keys that are given twice or are not text.
func (d *decoder) entries(n *yaml.Node, path string, k key) (map[string]*yaml.Node, bool) {
	if n.Kind != yaml.MappingNode {
		d.unreadf(path, "is %s; use %s", k.shape(n), k.want())
		return nil, false
	}
	if !d.spend(len(n.Content) / 2) {
		return nil, false
	}
	entries := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		if name.ShortTag() == "!!merge" {
			d.keyFault(path, name, "<<", "merge keys are not supported; write the keys out, or alias the whole value")
			continue
		}
		if name.Kind != yaml.ScalarNode || name.ShortTag() != "!!str" {
			d.keyFault(path, name, show(name), "is not text; write the key as a plain word")
			continue
		}
		if _, twice := entries[name.Value]; twice {
			first := d.at(join(path, name.Value)).line
			d.keyFault(path, name, name.Value, fmt.Sprintf("is already given on line %d; keep one of the two", first))
			continue
		}
		entries[name.Value] = value
		d.places[join(path, name.Value)] = place{file: d.file, line: name.Line}
	}
	return entries, true
}

// keyFault notes a fault of a key itself, at the key's own line: its path may lead to another, good value.
func (d *decoder) keyFault(parent string, name *yaml.Node, shown, message string) {
	d.faults = append(d.faults, Fault{File: d.file, Line: name.Line, Path: join(parent, shown), Message: message})
}

func (d *decoder) list(into reflect.Value, n *yaml.Node, path string, k key) {
	if n.Kind != yaml.SequenceNode {
		d.unreadf(path, "is %s; use a list, each entry on a line that starts with a dash", shape(n))
		return
	}
	if len(n.Content) == 0 && k.required {
		d.faultf(path, "is an empty list; add at least one entry")
		return
	}
	out := reflect.MakeSlice(k.kind, 0, 0)
	for i, entry := range n.Content {
		if d.left < 0 {
			return
		}
		v := reflect.New(k.kind.Elem()).Elem()
		d.value(v, entry, fmt.Sprintf("%s[%d]", path, i), k.element())
		out = reflect.Append(out, v)
	}
	into.Set(out)
}

// texts decodes a mapping whose keys are free. Its values may be secret, so faults do not show them.
func (d *decoder) texts(into reflect.Value, n *yaml.Node, path string, k key) {
	entries, ok := d.entries(n, path, k)
	if !ok {
		return
	}
	out := make(map[string]string, len(entries))
	for name, entry := range entries {
		if entry.Kind == yaml.AliasNode {
			entry = entry.Alias
		}
		if entry.Kind != yaml.ScalarNode || entry.ShortTag() != "!!str" {
			d.faultf(join(path, name), "is not text; put the value in quotes")
			continue
		}
		if k.name == "secretFiles" && isContent(entry.Value) {
			d.faultf(join(path, name), notAPath)
			continue
		}
		out[name] = entry.Value
	}
	into.Set(reflect.ValueOf(out))
}

func parseNode(text string) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return nil, err
	}
	return doc.Content[0], nil
}

// join adds a key to a path. A key that would read like a path itself is quoted.
func join(path, name string) string {
	if strings.ContainsAny(name, ".[] \n") || name == "" {
		return path + "[" + strconv.Quote(name) + "]"
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

// parent cuts the last key or index off a path.
func parent(path string) (string, bool) {
	cut := max(strings.LastIndexByte(path, '.'), strings.LastIndexByte(path, '['))
	if cut < 0 {
		return "", false
	}
	return path[:cut], true
}
