package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func coreKind(kind string) facts.GroupKind { return facts.GroupKind{Kind: kind} }

// read tells whether a kind's list was read whole. What was not is said by coverage.
func read(c *facts.Cluster, k facts.GroupKind) bool {
	_, ok := c.Objects[k]
	return ok
}

func nodes(f *facts.Facts) []finding.Finding {
	if !read(&f.Green, coreKind("Node")) {
		return nil
	}
	all, ready, cordoned := 0, 0, 0
	for n, times := range f.Green.Versions.Nodes {
		all += times
		if n.Ready {
			ready += times
		}
		if n.Ready && n.Cordoned {
			cordoned += times
		}
	}
	if all == 0 {
		x := finding.New(NodesMissing, finding.Block, clusterObject(shift.Green), "")
		x.Side, x.Message = shift.Green, fmt.Sprintf("green has no node, blue has %d", total(f.Blue.Versions.Nodes))
		x.Do = "Add nodes to green: nothing can run there."
		return []finding.Finding{x}
	}
	var found []finding.Finding
	if ready-cordoned < all {
		severity, takes := finding.Warn, ready-cordoned
		if takes == 0 {
			severity = finding.Block
		}
		x := finding.New(NodesNotReady, severity, clusterObject(shift.Green), "")
		x.Side = shift.Green
		var told []string
		if all > ready {
			told = append(told, count(all-ready, "is not ready", "are not ready"))
		}
		if cordoned > 0 {
			told = append(told, count(cordoned, "is cordoned", "are cordoned"))
		}
		x.Message = fmt.Sprintf("of green's %s %s", count(all, "node", "nodes"), and(told))
		x.Do = "Mend or remove them: what ran there has to fit on the others."
		found = append(found, x)
	}
	if !read(&f.Blue, coreKind("Node")) || total(f.Blue.Versions.Nodes) == 0 {
		return found
	}
	return append(found, nodesDiffer(f.Blue.Versions.Nodes, f.Green.Versions.Nodes)...)
}

func total(nodes map[facts.Node]int) int {
	n := 0
	for _, times := range nodes {
		n += times
	}
	return n
}

// trait is something of a node that images or drivers may mind.
type trait struct {
	detail   string
	title    string
	of       func(facts.Node) string
	severity finding.Severity
	do       string
}

func traits() []trait {
	return []trait{
		{
			"architecture", "architecture", func(n facts.Node) string { return n.Arch }, finding.Warn,
			"Check that every image exists for green's architectures, and that no workload asks for one that only blue has.",
		},
		{
			"os", "operating system", func(n facts.Node) string { return n.OS }, finding.Warn,
			"Check that every workload finds nodes of its operating system.",
		},
		{
			"runtime", "container runtime", func(n facts.Node) string { return runtimeOf(n.Runtime) }, finding.Note,
			"Read the runtime's release notes; containerd 2 refuses images of the old schema 1, for one.",
		},
		{
			"image", "operating system's image", func(n facts.Node) string { return imageOf(n.Image) }, finding.Note,
			"Check what relies on the node itself: agents, mounts of the host, kernel modules.",
		},
	}
}

// runtimeOf keeps what may break something: the runtime and its major version.
func runtimeOf(told string) string {
	name, v, ok := strings.Cut(told, "://")
	if parsed, valid := parseVersion(v); ok && valid {
		return fmt.Sprintf("%s %d", name, parsed.major)
	}
	return told
}

// imageOf leaves out the date or build at an image's end: "Amazon Linux
// 2023.6.20241010", "Bottlerocket OS 1.26.1 (aws-k8s-1.31)".
func imageOf(told string) string {
	kept := []string{}
	for word := range strings.FieldsSeq(told) {
		if strings.HasPrefix(word, "(") {
			break
		}
		word, _, _ = strings.Cut(word, ".")
		kept = append(kept, word)
	}
	return strings.Join(kept, " ")
}

// nodesDiffer says which traits of nodes exist on one side alone.
func nodesDiffer(blue, green map[facts.Node]int) []finding.Finding {
	var found []finding.Finding
	for _, t := range traits() {
		of := func(nodes map[facts.Node]int) map[string]int {
			counts := map[string]int{}
			for n, times := range nodes {
				if is := t.of(n); is != "" {
					counts[is] += times
				}
			}
			return counts
		}
		b, g := of(blue), of(green)
		if maps.EqualFunc(b, g, func(int, int) bool { return true }) {
			continue
		}
		x := finding.New(NodesDiffer, t.severity, finding.Object{Kind: "Node"}, t.detail)
		x.Side = shift.Green
		x.Message = fmt.Sprintf("the %s of green's nodes is %s, of blue's %s", t.title, names(g), names(b))
		x.Do = t.do
		found = append(found, x)
	}
	return found
}

func names(counts map[string]int) string {
	if len(counts) == 0 {
		return "not told"
	}
	return and(slices.Sorted(maps.Keys(counts)))
}

// kubelets holds green's kubelets against its API server.
func kubelets(f *facts.Facts) []finding.Finding {
	server, ok := parseVersion(f.Green.Versions.Server)
	if !ok {
		return nil // said once, of the server
	}
	outside, unknown := map[string]int{}, map[string]int{}
	for n, times := range f.Green.Versions.Nodes {
		switch v, ok := parseVersion(n.Kubelet); {
		case !ok:
			unknown[fmt.Sprintf("%q", n.Kubelet)] += times
		case !v.suits(server):
			outside[n.Kubelet] += times
		}
	}
	var found []finding.Finding
	if len(outside) > 0 {
		x := finding.New(KubeletSkew, finding.Block, finding.Object{Kind: "Node"}, "")
		x.Side = shift.Green
		x.Message = fmt.Sprintf("kubelets of green are %s; its API server %s supports %d.%d to %s",
			tally(outside), f.Green.Versions.Server, server.major, server.oldestFor(), server.short())
		x.Do = "Replace these nodes by ones of green's Kubernetes version."
		found = append(found, x)
	}
	if len(unknown) > 0 {
		x := finding.New(VersionUnknown, finding.Block, finding.Object{Kind: "Node"}, "kubelet")
		x.Side = shift.Green
		x.Message = fmt.Sprintf("the version of kubelets of green can't be compared: %s", tally(unknown))
		x.Do = "Check by hand that they suit green's API server, then waive this finding."
		found = append(found, x)
	}
	return found
}
