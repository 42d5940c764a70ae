package gather

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// crds keeps every CustomResourceDefinition, its schemas reduced to what
// decides about objects.
func crds(Options) topic {
	schemas := schemaPool{}
	kind := facts.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}
	return topic{whole: map[facts.GroupKind]func(*facts.Cluster, runtime.Object){
		kind: func(c *facts.Cluster, o runtime.Object) {
			// A program that registers the type gets it typed, all others as it came.
			content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
			if err != nil {
				c.Note(facts.Gap{What: "customresourcedefinitions", Why: why(err)})
				return
			}
			if c.CRDs == nil {
				c.CRDs = map[string]facts.CRD{}
			}
			c.CRDs[text(content, "metadata", "name")] = crdOf(content, schemas)
		},
	}}
}

func crdOf(o map[string]any, schemas schemaPool) facts.CRD {
	crd := facts.CRD{
		Group:      text(o, "spec", "group"),
		Namespaced: text(o, "spec", "scope") == "Namespaced",
		Kind:       text(o, "spec", "names", "kind"),
		ListKind:   text(o, "spec", "names", "listKind"),
		Plural:     text(o, "spec", "names", "plural"),
		Singular:   text(o, "spec", "names", "singular"),
		ShortNames: textsAt(o, "spec", "names", "shortNames"),
		Categories: textsAt(o, "spec", "names", "categories"),
		Stored:     textsAt(o, "status", "storedVersions"),
		Webhook:    text(o, "spec", "conversion", "strategy") == "Webhook",
		Versions:   map[string]facts.CRDVersion{},
	}
	if service, ok := dig(o, "spec", "conversion", "webhook", "clientConfig", "service").(map[string]any); ok && crd.Webhook {
		crd.Converter = &facts.Converter{
			Name:    facts.Name{Namespace: text(service, "namespace"), Name: text(service, "name")},
			Trusted: text(o, "spec", "conversion", "webhook", "clientConfig", "caBundle") != "",
		}
	}
	for condition := range each(o, "status", "conditions") {
		if text(condition, "type") == "Established" {
			crd.Established = text(condition, "status") == "True"
		}
	}
	keepsAll := truth(o, "spec", "preserveUnknownFields")
	for v := range each(o, "spec", "versions") {
		if truth(v, "storage") {
			crd.Storage = text(v, "name")
		}
		version := facts.CRDVersion{Served: truth(v, "served"), Status: dig(v, "subresources", "status") != nil, Scale: dig(v, "subresources", "scale") != nil}
		if schema, ok := dig(v, "schema", "openAPIV3Schema").(map[string]any); ok {
			if keepsAll {
				schema = maps.Clone(schema)
				schema["x-kubernetes-preserve-unknown-fields"] = true
			}
			version.Schema = schemas.of(schema)
		}
		crd.Versions[text(v, "name")] = version
	}
	return crd
}

// dig finds a value by its keys; nil: it isn't there.
func dig(o map[string]any, path ...string) any {
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

// text gives a field that is a string, or nothing.
func text(o map[string]any, path ...string) string {
	s, _ := dig(o, path...).(string)
	return s
}

func truth(o map[string]any, path ...string) bool {
	b, _ := dig(o, path...).(bool)
	return b
}

// textsAt gives a list of strings, sorted.
func textsAt(o map[string]any, path ...string) []string {
	list, _ := dig(o, path...).([]any)
	var found []string
	for _, item := range list {
		if s, ok := item.(string); ok {
			found = append(found, s)
		}
	}
	slices.Sort(found)
	return found
}

// each goes through a list of objects.
func each(o map[string]any, path ...string) func(func(map[string]any) bool) {
	list, _ := dig(o, path...).([]any)
	return func(yield func(map[string]any) bool) {
		for _, item := range list {
			if object, ok := item.(map[string]any); ok && !yield(object) {
				return
			}
		}
	}
}
