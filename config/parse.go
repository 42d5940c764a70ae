package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxBytes bounds the document; a ConfigMap holds no more.
const maxBytes = 1 << 20

// Overlay holds the values that the environment gives to scalar top-level keys, by key as written in the document.
type Overlay map[string]string

// Parse decodes, defaults and validates doc; name stands for the file in faults. Its error is of type Faults and holds
// all faults that were found.
func Parse(name string, doc []byte, overlay Overlay) (*Config, error) {
	c, faults := parse(name, doc, overlay)
	if len(faults) > 0 {
		return nil, faults
	}
	return c, nil
}

// parse is Parse that gives what it could read beside the faults; nil: nothing.
func parse(name string, doc []byte, overlay Overlay) (*Config, Faults) {
	d := newDecoder(name)
	d.places[""] = place{file: name, line: 1}
	sum := sha256.Sum256(doc)
	c := &Config{File: name, Digest: hex.EncodeToString(sum[:])}

	root := d.document(doc)
	if root == nil {
		return nil, d.faults.sorted()
	}
	into := reflect.ValueOf(c).Elem()
	d.value(into, root, "", key{kind: into.Type()})
	d.overlay(into, overlay)
	if !d.faulty[""] {
		derive(c)
		(&checker{decoder: d, config: c}).check()
	}
	return c, d.faults.sorted()
}

// document returns the mapping of a document, or nil with a fault.
func (d *decoder) document(doc []byte) *yaml.Node {
	if len(doc) > maxBytes {
		d.faultf("", "is larger than 1 MiB; keep one document of at most that size")
		return nil
	}
	in := yaml.NewDecoder(bytes.NewReader(doc))
	var first, second yaml.Node
	err := in.Decode(&first)
	if errors.Is(err, io.EOF) || (err == nil && len(first.Content) == 1 && first.Content[0].ShortTag() == "!!null") {
		d.faultf("", "is empty; begin with apiVersion: %s", APIVersion)
		return nil
	}
	if err == nil {
		err = in.Decode(&second)
		if err == nil {
			d.places[""] = place{file: d.file, line: second.Line}
			d.faultf("", "holds a second document; keep one")
			return nil
		}
	}
	if !errors.Is(err, io.EOF) {
		d.syntax(err)
		return nil
	}
	root := first.Content[0]
	d.places[""] = place{file: d.file, line: root.Line}
	if what := mistaken(root); what != "" {
		d.faultf("", "%s", what)
		return nil
	}
	return root
}

// syntax notes what the YAML parser could not read. It gives its line in words only.
func (d *decoder) syntax(err error) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if found := regexp.MustCompile(`^line (\d+): `).FindStringSubmatch(message); found != nil {
		line, _ = strconv.Atoi(found[1])
		message = strings.TrimPrefix(message, found[0])
	}
	d.places[""] = place{file: d.file, line: line}
	d.faultf("", "is not YAML: %s; correct the text near this line", message)
}

// overlay decodes the environment's values over the document's, by the same rules.
func (d *decoder) overlay(into reflect.Value, overlay Overlay) {
	keys := overlaid()
	for _, name := range slices.Sorted(maps.Keys(overlay)) {
		d.places[name] = place{file: "$" + envName(name)}
		i := slices.IndexFunc(keys, func(k key) bool { return k.name == name })
		if i < 0 {
			d.faultf(name, "cannot be set by the environment; use %s", alternatives(names(keys)))
			continue
		}
		n := &yaml.Node{Kind: yaml.ScalarNode, Value: overlay[name]}
		if keys[i].kind.Kind() == reflect.String {
			n.Tag = "!!str"
		}
		d.value(into.Field(keys[i].index), n, name, keys[i])
	}
}

// overlaid returns the keys that the environment may set: the scalar ones at the top. Kubernetes gives the pods of a
// namespace CLUSTERSWITCH_PORT and CLUSTERSWITCH_SERVICE_HOST for a Service named clusterswitch, so keys of those names
// must never be among them.
func overlaid() []key {
	t := reflect.TypeFor[Config]()
	return slices.DeleteFunc(keysOf(t), func(k key) bool {
		switch k.kind.Kind() {
		case reflect.Struct, reflect.Pointer, reflect.Slice, reflect.Map:
			return true
		default:
			return t.Field(k.index).Tag.Get("env") == "-"
		}
	})
}

// envName is the environment variable that overlays a scalar top-level key.
func envName(key string) string {
	return fmt.Sprintf("%s_%s", envPrefix, strings.ToUpper(key))
}
