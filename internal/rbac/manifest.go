package rbac

import (
	"fmt"
	"slices"
	"strings"
)

// Manifest is what is applied to a cluster: the rights, and who gets them.
type Manifest struct {
	// Pair is the pair's name. It is part of the objects' names, so that pairs that
	// share a cluster keep out of each other's way.
	Pair string
	// Head are lines of comment at the top, each without its mark.
	Head     []string
	Needs    []Need
	Subjects []Subject
}

// Subject is who gets the rights.
type Subject struct {
	// Kind is User, Group or ServiceAccount.
	Kind string
	// Namespace is the one of a ServiceAccount.
	Namespace string
	Name      string
}

// PairLabel is on every object of a manifest; its value is the pair's name.
const PairLabel = "clusterswitch.io/pair"

const apiGroup = "rbac.authorization.k8s.io"

// String gives the manifest in YAML: one role for the whole cluster, then one for
// each namespace, each with its binding. The same manifest always gives the same
// text.
func (m Manifest) String() string {
	var b strings.Builder
	for _, line := range m.Head {
		b.WriteString(strings.TrimRight("# "+line, " ") + "\n")
	}
	namespaces := []string{}
	for _, n := range m.Needs {
		namespaces = append(namespaces, n.Namespace)
	}
	for i, namespace := range sorted(namespaces) {
		if i > 0 {
			b.WriteString("---\n")
		}
		m.role(&b, namespace)
		m.binding(&b, namespace)
	}
	return b.String()
}

func (m Manifest) name() string { return "clusterswitch-" + m.Pair }

// kind is the kind of a role or of its binding.
func kind(namespace, what string) string {
	if namespace == "" {
		return "Cluster" + what
	}
	return what
}

func (m Manifest) head(b *strings.Builder, namespace, what string) {
	fmt.Fprintf(b, "apiVersion: %s/v1\nkind: %s\nmetadata:\n  name: %s\n", apiGroup, kind(namespace, what), scalar(m.name()))
	if namespace != "" {
		fmt.Fprintf(b, "  namespace: %s\n", scalar(namespace))
	}
	fmt.Fprintf(b, "  labels:\n    app.kubernetes.io/name: clusterswitch\n    %s: %s\n", PairLabel, scalar(m.Pair))
}

func (m Manifest) role(b *strings.Builder, namespace string) {
	m.head(b, namespace, "Role")
	b.WriteString("rules:\n")
	for _, n := range m.Needs {
		if n.Namespace != namespace {
			continue
		}
		if n.For != "" {
			fmt.Fprintf(b, "  # %s\n", n.For)
		}
		if len(n.URLs) > 0 {
			fmt.Fprintf(b, "  - nonResourceURLs:%s\n", list(n.URLs))
		} else {
			fmt.Fprintf(b, "  - apiGroups:%s\n    resources:%s\n", list([]string{n.Group}), list(n.Resources))
		}
		if len(n.Names) > 0 {
			fmt.Fprintf(b, "    resourceNames:%s\n", list(n.Names))
		}
		fmt.Fprintf(b, "    verbs:%s\n", list(n.Verbs))
	}
}

func (m Manifest) binding(b *strings.Builder, namespace string) {
	b.WriteString("---\n")
	m.head(b, namespace, "RoleBinding")
	fmt.Fprintf(b, "roleRef:\n  apiGroup: %s\n  kind: %s\n  name: %s\nsubjects:\n", apiGroup, kind(namespace, "Role"), scalar(m.name()))
	for _, s := range m.Subjects {
		if s.Kind == "ServiceAccount" {
			fmt.Fprintf(b, "  - kind: %s\n    namespace: %s\n    name: %s\n", s.Kind, scalar(s.Namespace), scalar(s.Name))
		} else {
			fmt.Fprintf(b, "  - apiGroup: %s\n    kind: %s\n    name: %s\n", apiGroup, s.Kind, scalar(s.Name))
		}
	}
}

// lineWidth is how long a list may be that is written in one line.
const lineWidth = 100

// list writes a list behind its key, in one line, or where that is too long in one
// line each.
func list(values []string) string {
	written := make([]string, len(values))
	for i, v := range values {
		written[i] = scalar(v)
	}
	if line := " [" + strings.Join(written, ", ") + "]"; len(line) <= lineWidth {
		return line
	}
	return "\n      - " + strings.Join(written, "\n      - ")
}

// scalar quotes what YAML might take for something else than a text: names of
// users may hold anything.
func scalar(s string) string {
	reserved := []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
	plain := s != "" && (letter(rune(s[0])) || s[0] == '/') && !slices.Contains(reserved, strings.ToLower(s))
	for _, r := range s {
		plain = plain && (letter(r) || r >= '0' && r <= '9' || strings.ContainsRune("-./_", r))
	}
	if plain {
		return s
	}
	return fmt.Sprintf("%q", s)
}

func letter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
