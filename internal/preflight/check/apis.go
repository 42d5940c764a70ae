package check

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The codes of versions of the API.
const (
	APIVersionGone      finding.Code = "APIVersionGone"
	APIVersionsUnused   finding.Code = "APIVersionsUnused"
	HelmReleaseHasGone  finding.Code = "HelmReleaseHasGoneAPI"
	DeprecatedAPIGone   finding.Code = "DeprecatedAPIGone"
	DeprecatedAPICalled finding.Code = "DeprecatedAPICalled"
	UpgradeInsight      finding.Code = "UpgradeInsight"
	mostNamed                        = 10
	mostManagersNamed                = 3
)

func apisCheck() Check {
	return Check{
		Name: "apis", Answers: "Does green serve the versions of the API that blue's users, charts and clients use?", Run: apis,
		Codes: []finding.Doc{
			{Code: APIVersionGone, Meaning: "Objects of blue were last written in a version that blue serves and green doesn't, so whoever wrote them fails at green.", Do: "Let their writers use a version that green serves."},
			{Code: APIVersionsUnused, Meaning: "Blue serves versions that green doesn't, and nobody was seen to use them.", Do: "Nothing, unless you know of a user."},
			{Code: HelmReleaseHasGone, Meaning: "The manifest that Helm keeps of a release has a kind in a version that green doesn't serve, so the next `helm upgrade` fails.", Do: "Upgrade the release to a chart without it before green has taken over; the plugin helm-mapkubeapis mends releases that are stuck."},
			{Code: DeprecatedAPIGone, Meaning: "A client called a deprecated version at blue that green doesn't serve.", Do: "Find the client in blue's audit log (annotation k8s.io/deprecated) and update it."},
			{Code: DeprecatedAPICalled, Meaning: "A client called a deprecated version at blue that green still serves.", Do: "Update the client before the version is removed."},
			{Code: UpgradeInsight, Meaning: "EKS found something about blue that stands against a newer version of Kubernetes.", Do: "Follow the recommendation of the insight in EKS."},
		},
	}
}

// apis finds versions that blue serves and uses and green doesn't serve.
func apis(f *facts.Facts) []finding.Finding {
	if f.Blue.Fault != "" || f.Green.Fault != "" {
		return nil // coverage says so
	}
	found, used := writtenVersions(f)
	found = append(found, helmReleases(f)...)
	found = append(found, deprecatedCalls(f, used)...)
	found = append(found, insights(f)...)
	return append(found, unusedVersions(f, used)...)
}

// serves tells whether a cluster serves a kind in a version. known is false
// where its API server could not tell what it serves.
func serves(c *facts.Cluster, k facts.VersionKind) (served, known bool) {
	if kind := c.Serves(k.GroupKind); kind != nil && slices.Contains(kind.Served, k.Version) {
		return true, true
	}
	_, unknown := c.Undiscovered[k.Group]
	return false, !unknown
}

// goneInGreen tells of a version that blue serves and green surely doesn't.
func goneInGreen(f *facts.Facts, k facts.VersionKind) bool {
	if served, _ := serves(&f.Blue, k); !served {
		return false
	}
	served, known := serves(&f.Green, k)
	return known && !served
}

// ofCRD finds the CRD that a kind of a cluster is defined by; empty: it is built
// in, or served by another API server.
func ofCRD(c *facts.Cluster, k facts.GroupKind) string {
	kind := c.Serves(k)
	if kind == nil {
		return ""
	}
	name := kind.Resource + "." + k.Group
	if _, there := c.CRDs[name]; !there {
		return ""
	}
	return name
}

// writtenVersions finds objects of blue that were last written in a version
// that green doesn't serve. Kinds with a CRD are the check of CRDs'.
func writtenVersions(f *facts.Facts) (found []finding.Finding, used map[facts.VersionKind]bool) {
	used = map[facts.VersionKind]bool{}
	for _, k := range writtenIn(&f.Blue) {
		writers := writersOf(&f.Blue, k)
		if len(writers) == 0 {
			continue
		}
		used[k] = true
		if !goneInGreen(f, k) || ofCRD(&f.Blue, k.GroupKind) != "" || toldByParity(f, k.GroupKind) {
			continue
		}
		x := finding.New(APIVersionGone, finding.Block, finding.Object{Group: k.Group, Kind: k.Kind}, k.Version)
		x.Side = shift.Blue
		x.Message = fmt.Sprintf("objects of blue were last written as %s by %s, and green serves %s", k, writersText(writers), servedText(&f.Green, k.GroupKind))
		x.Do = "Let their writers use a version that green serves: " + instead(k, &f.Green) + "."
		found = append(found, x)
	}
	return found, used
}

// toldByParity tells of a kind that green doesn't serve in any version: where
// blue's objects of it were listed, parity says so.
func toldByParity(f *facts.Facts, k facts.GroupKind) bool {
	return f.Green.Serves(k) == nil && len(f.Blue.Objects[k]) > 0
}

// writtenIn lists the versions in which objects were written, in order.
func writtenIn(c *facts.Cluster) []facts.VersionKind {
	var kinds []facts.VersionKind
	for w := range c.APIs.Written {
		kinds = append(kinds, w.VersionKind)
	}
	slices.SortFunc(kinds, facts.VersionKind.Compare)
	return slices.Compact(kinds)
}

// writer is a manager of fields with what it wrote in one version.
type writer struct {
	name string
	facts.Written
}

// writersOf lists who wrote objects in a version, the busiest first. A cluster's
// own parts don't count: green brings its own.
func writersOf(c *facts.Cluster, k facts.VersionKind) []writer {
	var writers []writer
	for w, written := range c.APIs.Written {
		if w.VersionKind == k && !ownPart(w.Manager) {
			writers = append(writers, writer{w.Manager, written})
		}
	}
	slices.SortFunc(writers, func(a, b writer) int { return cmp.Or(cmp.Compare(b.Objects, a.Objects), cmp.Compare(a.name, b.name)) })
	return writers
}

// ownPart tells of managers of fields that belong to the control plane and the
// nodes, EKS's included.
func ownPart(manager string) bool {
	parts := []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "cloud-controller-manager", "eks"}
	return slices.Contains(parts, manager) || strings.HasPrefix(manager, "api-priority-and-fairness-config-")
}

// writersText names some writers with their number of objects and one of these.
func writersText(writers []writer) string {
	var parts []string
	for _, w := range writers[:min(len(writers), mostManagersNamed)] {
		parts = append(parts, fmt.Sprintf("%s (%s, such as %s)", cmp.Or(w.name, "an unnamed client"), quantity(w.Objects, "object"), w.Example))
	}
	if more := len(writers) - mostManagersNamed; more > 0 {
		parts = append(parts, fmt.Sprintf("%d more", more))
	}
	return strings.Join(parts, ", ")
}

// quantity gives 1 field, 2 fields.
func quantity(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// servedText says which versions a cluster serves of a kind.
func servedText(c *facts.Cluster, k facts.GroupKind) string {
	kind := c.Serves(k)
	if kind == nil {
		return "no version of it"
	}
	return "only " + strings.Join(slices.Sorted(slices.Values(kind.Served)), " and ")
}

// unusedVersions notes the versions that nobody was seen to use.
func unusedVersions(f *facts.Facts, used map[facts.VersionKind]bool) []finding.Finding {
	var gone []string
	for _, kind := range f.Blue.Kinds {
		for _, version := range kind.Served {
			k := facts.VersionKind{GroupKind: kind.GroupKind, Version: version}
			if f.Green.Serves(kind.GroupKind) != nil && !used[k] && goneInGreen(f, k) && ofCRD(&f.Blue, kind.GroupKind) == "" {
				gone = append(gone, k.String())
			}
		}
	}
	if len(gone) == 0 {
		return nil
	}
	slices.Sort(gone)
	x := finding.New(APIVersionsUnused, finding.Note, finding.Object{Kind: "Cluster", Name: string(shift.Green)}, "")
	x.Side, x.Message = shift.Green, fmt.Sprintf("green doesn't serve %s, which blue serves and nobody was seen to use", named(gone))
	x.Do = "Nothing, unless you know of a user."
	return []finding.Finding{x}
}

// named joins names, and says how many more there are.
func named(names []string) string {
	if len(names) <= mostNamed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:mostNamed], ", "), len(names)-mostNamed)
}

// sortedKeys gives a map's keys by their own order.
func sortedKeys[K comparable, V any](m map[K]V, compare func(a, b K) int) []K {
	return slices.SortedFunc(maps.Keys(m), compare)
}
