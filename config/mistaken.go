package config

import "go.yaml.in/yaml/v3"

// FromValues is the command by which a person makes the configuration of a file of the chart's values.
const FromValues = "helm template clusterswitch charts/clusterswitch --namespace clusterswitch --values values.yaml " +
	"--show-only templates/configmap.yaml | sed '1,/" + fileName + ": /d; s/^    //'"

// mistaken says which other document a mapping is, where people take it for the configuration; empty: none.
func mistaken(root *yaml.Node) string {
	text := func(of *yaml.Node, name string) string {
		if n := child(of, name); n != nil && n.Kind == yaml.ScalarNode {
			return n.Value
		}
		return ""
	}
	kind, version := text(root, "kind"), text(root, "apiVersion")
	switch {
	case version == APIVersion:
		return ""
	case kind == "ConfigMap" && text(child(root, "data"), fileName) != "":
		return "is a ConfigMap with a configuration in it; write that into a file of its own: yq '.data[\"" + fileName + "\"]' FILE"
	case kind == "Config" && child(root, "clusters") != nil:
		return "is a kubeconfig; give it to --kubeconfig, and the configuration to --config"
	case kind != "":
		return "is a Kubernetes object of the kind " + show(&yaml.Node{Kind: yaml.ScalarNode, Value: kind}) + ", not a configuration; begin with apiVersion: " + APIVersion
	case version == "" && child(root, "pairs") != nil && (child(root, "image") != nil || child(root, "config") != nil):
		return "is a file of values for the chart; write what the chart makes of it into a file: " + FromValues
	}
	return ""
}

// child gives the value of a key in a mapping; nil: there is none.
func child(of *yaml.Node, name string) *yaml.Node {
	if of == nil || of.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(of.Content); i += 2 {
		if of.Content[i].Value == name {
			return of.Content[i+1]
		}
	}
	return nil
}
