package gather

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// manifestObject is all that is looked at of an object in a manifest.
type manifestObject struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
	Items []manifestObject `json:"items"`
}

// kindsOfManifest counts the kinds in a rendered manifest.
func kindsOfManifest(manifest string) map[facts.VersionKind]facts.Written {
	found := map[facts.VersionKind]facts.Written{}
	for len(manifest) > 0 {
		var document string
		document, manifest = nextDocument(manifest)
		for _, o := range objectsIn(document) {
			gv, err := schema.ParseGroupVersion(o.APIVersion)
			if err != nil || o.APIVersion == "" || o.Kind == "" {
				continue
			}
			k := facts.VersionKind{GroupKind: facts.GroupKind{Group: gv.Group, Kind: strings.Clone(o.Kind)}, Version: strings.Clone(gv.Version)}
			k.Group = strings.Clone(k.Group)
			found[k] = counted(found[k], facts.Name{Namespace: strings.Clone(o.Metadata.Namespace), Name: strings.Clone(o.Metadata.Name)}, nil)
		}
	}
	return found
}

// nextDocument cuts at the next line that begins with three hyphens.
func nextDocument(s string) (document, rest string) {
	s = strings.TrimPrefix(s, "---")
	if i := strings.Index(s, "\n---"); i >= 0 {
		return s[:i+1], s[i+1:]
	}
	return s, ""
}

// objectsIn gives the object of a document, or those of a list. Most documents
// are read by their top lines alone: one may be a CRD of a megabyte.
func objectsIn(document string) []manifestObject {
	o, plain := topLines(document)
	if !plain || o.Kind == "List" {
		o = manifestObject{}
		if err := yaml.Unmarshal([]byte(document), &o); err != nil {
			return nil // Helm would not have taken it
		}
	}
	if o.Kind == "List" {
		return o.Items
	}
	return []manifestObject{o}
}

// topLines reads apiVersion, kind, name and namespace of a block-style document;
// false: it is written in another way.
func topLines(document string) (o manifestObject, plain bool) {
	section := ""
	for line := range strings.Lines(document) {
		line = strings.TrimRight(line, " \r\n")
		key, value, ok := strings.Cut(line, ":")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		if key != strings.TrimSpace(key) {
			if section == "metadata" && strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "   ") {
				switch strings.TrimSpace(key) {
				case "name":
					o.Metadata.Name = scalar(value)
				case "namespace":
					o.Metadata.Namespace = scalar(value)
				}
			}
			continue
		}
		section = key
		switch key {
		case "apiVersion":
			o.APIVersion = scalar(value)
		case "kind":
			o.Kind = scalar(value)
		case "metadata":
			if scalar(value) != "" { // all of it on one line
				return manifestObject{}, false
			}
		}
	}
	return o, o.APIVersion != "" && o.Kind != ""
}

// scalar takes comment and quotes off a value.
func scalar(s string) string {
	s, _, _ = strings.Cut(s, " #")
	return strings.Trim(strings.TrimSpace(s), `"'`)
}
