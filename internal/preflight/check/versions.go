package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The codes of versions.
const (
	ServerVersions finding.Code = "ServerVersions"
	GreenOlder     finding.Code = "GreenOlder"
	ServerEmulates finding.Code = "ServerEmulates"
	VersionUnknown finding.Code = "VersionUnknown"
	NodesMissing   finding.Code = "NodesMissing"
	NodesNotReady  finding.Code = "NodesNotReady"
	KubeletSkew    finding.Code = "KubeletSkew"
	NodesDiffer    finding.Code = "NodesDiffer"
	AddonMissing   finding.Code = "AddonMissing"
	AddonReplaced  finding.Code = "AddonReplaced"
	AddonOff       finding.Code = "AddonOff"
	AddonOlder     finding.Code = "AddonOlder"
	AddonNewer     finding.Code = "AddonNewer"
	AddonDiffers   finding.Code = "AddonDiffers"
	AddonSkew      finding.Code = "AddonSkew"
	AddonsAlike    finding.Code = "AddonsAlike"
)

func versionsCheck() Check {
	return Check{
		Name: "versions", Answers: "Do the versions of green's parts go together, and with blue's?", Brief: true, Run: versions,
		Codes: []finding.Doc{
			{Code: ServerVersions, Meaning: "The versions of both control planes, side by side.", Do: "Read the release notes of each minor between them."},
			{Code: GreenOlder, Meaning: "Green's control plane is older than blue's.", Do: "Upgrade green, or check that the pair's sides are not swapped."},
			{Code: ServerEmulates, Meaning: "An API server emulates another version than its own.", Do: "End the emulation once the upgrade is done."},
			{Code: VersionUnknown, Meaning: "A version is written in a way that can't be compared.", Do: "Check it by hand, then waive the finding."},
			{Code: NodesMissing, Meaning: "Green has no node, so nothing can run there.", Do: "Add nodes to green."},
			{Code: NodesNotReady, Meaning: "Nodes of green take no pods.", Do: "Mend or remove the nodes."},
			{Code: KubeletSkew, Meaning: "Kubelets of green are not supported with green's API server.", Do: "Upgrade the nodes."},
			{Code: NodesDiffer, Meaning: "Green's nodes are of another kind than blue's.", Do: "Check that every image and every driver supports green's nodes."},
			{Code: AddonMissing, Meaning: "Blue has an add-on that green lacks.", Do: "Install it in green."},
			{Code: AddonReplaced, Meaning: "Green lacks an add-on of blue, and has another one that does the same.", Do: "Check that nothing relies on the old one."},
			{Code: AddonOff, Meaning: "An add-on runs in blue and is scaled to zero in green.", Do: "Scale it up, or know when that will be done."},
			{Code: AddonOlder, Meaning: "Green has an older version of an add-on than blue.", Do: "Upgrade it in green."},
			{Code: AddonNewer, Meaning: "Green has a newer version of an add-on than blue.", Do: "Read its release notes."},
			{Code: AddonDiffers, Meaning: "An add-on's images differ in a way that can't be ordered.", Do: "Check that both are meant."},
			{Code: AddonSkew, Meaning: "An add-on of green doesn't go with green's API server.", Do: "Install the version made for green's Kubernetes."},
			{Code: AddonsAlike, Meaning: "The add-ons that have the same version in both clusters.", Do: "Nothing."},
		},
	}
}

// versions says nothing of a cluster that can't be read at all: coverage does.
func versions(f *facts.Facts) []finding.Finding {
	found := servers(f)
	if f.Green.Fault != "" {
		return found
	}
	found = append(found, nodes(f)...)
	found = append(found, kubelets(f)...)
	return append(found, addons(f)...)
}

// clusterObject is what findings about a whole side are about.
func clusterObject(side shift.Side) finding.Object {
	return finding.Object{Kind: "Cluster", Name: string(side)}
}

func servers(f *facts.Facts) []finding.Finding {
	var found []finding.Finding
	known := map[shift.Side]version{}
	for _, side := range []shift.Side{shift.Blue, shift.Green} {
		if f.Side(side).Fault != "" {
			continue
		}
		is := f.Side(side).Versions
		v, ok := parseVersion(is.Server)
		if !ok {
			x := finding.New(VersionUnknown, finding.Block, clusterObject(side), "server")
			x.Side, x.Message = side, fmt.Sprintf("%s's API server calls its version %q, which can't be compared", side, is.Server)
			x.Do = "Check by hand that green is not older than blue and that its kubelets suit it, then waive this finding."
			found = append(found, x)
			continue
		}
		known[side] = v
		if is.Emulated != 0 {
			x := finding.New(ServerEmulates, finding.Warn, clusterObject(side), "")
			x.Side, x.Message = side, fmt.Sprintf("%s's API server is %s, but acts as %d.%d", side, is.Server, v.major, is.Emulated)
			x.Do = "End the emulation (--emulated-version) once the upgrade is done: newer APIs are not there until then."
			found = append(found, x)
			// What it acts as is what it serves.
			known[side] = version{major: v.major, minor: is.Emulated}
		}
	}
	if len(known) < 2 {
		return found
	}
	return append(found, compareServers(f, known[shift.Blue], known[shift.Green])...)
}

func compareServers(f *facts.Facts, blue, green version) []finding.Finding {
	note := finding.New(ServerVersions, finding.Note, clusterObject(shift.Green), "")
	note.Side = shift.Green
	note.Message = fmt.Sprintf("blue's API server is %s, green's is %s", f.Blue.Versions.Server, f.Green.Versions.Server)
	note.Do = "Nothing: both are of the same minor."
	if up := green.minor - blue.minor; blue.major == green.major && up > 0 {
		note.Do = fmt.Sprintf("Read the release notes of %s.", green.short())
		if up > 1 {
			between := make([]string, 0, up)
			for minor := blue.minor + 1; minor <= green.minor; minor++ {
				between = append(between, fmt.Sprintf("%d.%d", green.major, minor))
			}
			note.Message += fmt.Sprintf("; %s → %s skips %s, which is allowed for a new cluster", blue.short(), green.short(), count(up-1, "minor", "minors"))
			note.Do = fmt.Sprintf("Read the release notes of each: %s.", strings.Join(between, ", "))
		}
	}
	found := []finding.Finding{note}
	var older finding.Finding
	switch {
	case green.compareMinor(blue) < 0:
		older = finding.New(GreenOlder, finding.Block, clusterObject(shift.Green), "")
		older.Do = "Upgrade green, or check that blue and green are not swapped: what was written for a newer Kubernetes may not work on an older one."
	case green.compare(blue) < 0 && green.compareMinor(blue) == 0 && f.Blue.Versions.Emulated == 0 && f.Green.Versions.Emulated == 0:
		older = finding.New(GreenOlder, finding.Warn, clusterObject(shift.Green), "patch")
		older.Do = "Upgrade green to at least blue's patch release."
	default:
		return found
	}
	older.Side = shift.Green
	older.Message = fmt.Sprintf("green's API server (%s) is older than blue's (%s)", serverTold(f.Green.Versions, green), serverTold(f.Blue.Versions, blue))
	return append(found, older)
}

func serverTold(v facts.Versions, acts version) string {
	if v.Emulated != 0 {
		return fmt.Sprintf("%s acting as %s", v.Server, acts.short())
	}
	return v.Server
}

// count gives "1 pod", "2 pods".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// and joins words for a sentence: "a", "a and b", "a, b and c".
func and(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// tally counts by a word and gives "2 a and 1 b", the words in their order.
func tally(counts map[string]int) string {
	words := make([]string, 0, len(counts))
	for word := range counts {
		words = append(words, word)
	}
	slices.Sort(words)
	for i, word := range words {
		words[i] = fmt.Sprintf("%d %s", counts[word], word)
	}
	return and(words)
}
