package gather

import (
	"maps"

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
			c.CRDs[textAt(content, "metadata", "name")] = crdOf(content, schemas)
		},
	}}
}

func crdOf(o map[string]any, schemas schemaPool) facts.CRD {
	crd := facts.CRD{
		Group:      textAt(o, "spec", "group"),
		Namespaced: textAt(o, "spec", "scope") == "Namespaced",
		Kind:       textAt(o, "spec", "names", "kind"),
		ListKind:   textAt(o, "spec", "names", "listKind"),
		Plural:     textAt(o, "spec", "names", "plural"),
		Singular:   textAt(o, "spec", "names", "singular"),
		ShortNames: textsAt(o, "spec", "names", "shortNames"),
		Categories: textsAt(o, "spec", "names", "categories"),
		Stored:     textsAt(o, "status", "storedVersions"),
		Webhook:    textAt(o, "spec", "conversion", "strategy") == "Webhook",
		Versions:   map[string]facts.CRDVersion{},
	}
	if service, ok := valueAt(o, "spec", "conversion", "webhook", "clientConfig", "service").(map[string]any); ok && crd.Webhook {
		crd.Converter = &facts.Converter{
			Name:    facts.Name{Namespace: textAt(service, "namespace"), Name: textAt(service, "name")},
			Trusted: textAt(o, "spec", "conversion", "webhook", "clientConfig", "caBundle") != "",
		}
	}
	for _, condition := range objectsAt(o, "status", "conditions") {
		if textAt(condition, "type") == "Established" {
			crd.Established = textAt(condition, "status") == "True"
		}
	}
	keepsAll := truthAt(o, "spec", "preserveUnknownFields")
	for _, v := range objectsAt(o, "spec", "versions") {
		if truthAt(v, "storage") {
			crd.Storage = textAt(v, "name")
		}
		version := facts.CRDVersion{Served: truthAt(v, "served"), Status: valueAt(v, "subresources", "status") != nil, Scale: valueAt(v, "subresources", "scale") != nil}
		if schema, ok := valueAt(v, "schema", "openAPIV3Schema").(map[string]any); ok {
			if keepsAll {
				schema = maps.Clone(schema)
				schema["x-kubernetes-preserve-unknown-fields"] = true
			}
			version.Schema = schemas.of(schema)
		}
		crd.Versions[textAt(v, "name")] = version
	}
	return crd
}
