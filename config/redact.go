package config

import (
	"bytes"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// redacted stands in a document where something was that may be a secret.
const redacted = "[redacted]"

// Redacted gives a document without what may be a secret in it: values of headers and bodies, user names, paths and queries
// of URLs, values of keys that this release doesn't know, and comments. Paths of files stay. Faults elsewhere in the
// document are no hindrance; the error is for what isn't YAML at all, and says nothing of the text.
func Redacted(doc []byte) ([]byte, error) {
	d := newDecoder("")
	root := d.document(doc)
	if root == nil {
		return nil, fmt.Errorf("reading the config: line %d is not YAML, or it is empty or too large", max(1, d.places[""].line))
	}
	r := redactor{left: maxValues}
	clean := r.value(root, key{kind: reflect.TypeFor[Config]()})
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(clean); err != nil {
		return nil, fmt.Errorf("writing the config without secrets: %w", err)
	}
	return out.Bytes(), nil
}

// redactor copies nodes without what may be a secret.
type redactor struct {
	// left is how many more nodes are copied: aliases make a small document a huge one.
	left int
}

func (r *redactor) value(n *yaml.Node, k key) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if r.left--; r.left < 0 {
		return text(redacted)
	}
	wanted := k.kind
	for wanted != nil && wanted.Kind() == reflect.Pointer {
		wanted = wanted.Elem()
	}
	if wanted == nil {
		return text(redacted)
	}
	switch {
	case n.Kind == yaml.MappingNode:
		return r.mappingOf(n, k, wanted)
	case n.Kind == yaml.SequenceNode && wanted.Kind() == reflect.Slice:
		copied := &yaml.Node{Kind: yaml.SequenceNode, Tag: n.Tag, Style: n.Style}
		for _, entry := range n.Content {
			copied.Content = append(copied.Content, r.value(entry, k.element()))
		}
		return copied
	case n.Kind == yaml.ScalarNode && !slices.Contains([]reflect.Kind{reflect.Struct, reflect.Map, reflect.Slice}, wanted.Kind()):
		return scalarWithoutSecrets(n, k.name, wanted.Kind() == reflect.String)
	}
	return text(redacted) // of another kind than the key
}

// mappingOf copies a mapping by what its key wants.
func (r *redactor) mappingOf(n *yaml.Node, k key, wanted reflect.Type) *yaml.Node {
	switch {
	case k.name == "headers":
		return r.mapping(n, func(string) (key, bool) { return key{}, false })
	case wanted.Kind() == reflect.Map: // labels, and the files of secrets
		return r.mapping(n, func(string) (key, bool) { return key{name: k.name, kind: wanted.Elem()}, true })
	case wanted.Kind() == reflect.Struct:
		return r.mapping(n, func(name string) (key, bool) {
			for _, child := range keysOf(wanted) {
				if child.name == name {
					return child, true
				}
			}
			return key{}, false
		})
	}
	return text(redacted)
}

// mapping copies a mapping. known gives the key of a name.
func (r *redactor) mapping(n *yaml.Node, known func(name string) (key, bool)) *yaml.Node {
	copied := &yaml.Node{Kind: yaml.MappingNode, Tag: n.Tag, Style: n.Style}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		k, ok := known(name)
		into := text(redacted)
		if ok {
			into = r.value(n.Content[i+1], k)
		}
		copied.Content = append(copied.Content, text(name), into)
	}
	return copied
}

// scalarWithoutSecrets copies a single value of a key. What isn't text and stands where none should be is kept only where
// it is a number, a truth or a duration.
func scalarWithoutSecrets(n *yaml.Node, name string, isText bool) *yaml.Node {
	copied := &yaml.Node{Kind: yaml.ScalarNode, Tag: n.Tag, Value: n.Value, Style: n.Style &^ yaml.TaggedStyle}
	if !isText {
		if n.ShortTag() == "!!str" && !regexp.MustCompile(`^-?[0-9.]+(%|[0-9.hmsu]*)$`).MatchString(n.Value) {
			return text(redacted)
		}
		return copied
	}
	switch name {
	case "url", "blueURL", "endpointURL":
		return text(withoutPath(n.Value))
	case "path":
		// That of a kubeconfig, or of a request: a query may hold a secret.
		path, _, query := strings.Cut(n.Value, "?")
		if copied.Value = path; query {
			copied.Value += "?" + redacted
		}
	case "body", "username":
		return text(redacted)
	}
	if isContent(n.Value) {
		return text(redacted)
	}
	return copied
}

// withoutPath gives scheme and host of a URL.
func withoutPath(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return redacted
	}
	clean := u.Scheme + "://" + u.Host
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil || u.Fragment != "" {
		clean += "/" + redacted
	}
	return clean
}

func text(value string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(value)
	return n
}
