package check

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// helmRelease stands for a kind: what Helm installed under one name.
const helmRelease = "HelmRelease"

// helmReleases finds releases whose manifest has what green doesn't serve. Of a
// release that both clusters have, green's counts: it is the one that the next
// upgrade begins from. That Secrets are not looked at is parity's to tell.
func helmReleases(f *facts.Facts) []finding.Finding {
	var found []finding.Finding
	for _, side := range []shift.Side{shift.Green, shift.Blue} {
		releases := f.Side(side).APIs.Releases
		for _, name := range sortedKeys(releases, facts.Name.Compare) {
			if _, green := f.Green.APIs.Releases[name]; side == shift.Blue && green || f.Settings.Ignores(facts.GroupKind{Kind: helmRelease}, name) {
				continue
			}
			found = append(found, releaseFindings(f, side, name, releases[name])...)
		}
	}
	return found
}

func releaseFindings(f *facts.Facts, side shift.Side, name facts.Name, r facts.Release) []finding.Finding {
	var found []finding.Finding
	for _, k := range sortedKeys(r.Kinds, facts.VersionKind.Compare) {
		served, known := serves(&f.Green, k)
		if served || !known || reviewOnly(k) {
			continue
		}
		// What neither cluster serves stops the chart's upgrade too, but the shift
		// changes nothing about it.
		severity, also := finding.Block, ""
		if inBlue, _ := serves(&f.Blue, k); !inBlue {
			severity, also = finding.Warn, "; blue doesn't serve it either"
		}
		x := finding.New(HelmReleaseHasGone, severity, finding.Object{Kind: helmRelease, Namespace: name.Namespace, Name: name.Name}, k.APIVersion()+"/"+k.Kind)
		x.Side = side
		x.Message = fmt.Sprintf("revision %d of the Helm release %s of %s has %s in %s, such as %s, and green serves %s%s",
			r.Revision, name, side, quantity(r.Kinds[k].Objects, k.Kind), k.APIVersion(), r.Kinds[k].Example, servedText(&f.Green, k.GroupKind), also)
		x.Do = "Upgrade the release to a chart without it, else the next `helm upgrade` fails: " + instead(k, &f.Green) + ". The plugin helm-mapkubeapis mends releases that are stuck."
		found = append(found, x)
	}
	return found
}

// reviewOnly tells of kinds that can be created and not listed, so that what a
// cluster serves of them isn't among its kinds.
func reviewOnly(k facts.VersionKind) bool {
	return k.Group == "authentication.k8s.io" || k.Group == "authorization.k8s.io" || k.Kind == "Binding" || k.Kind == "Eviction"
}

// deprecatedCalls judges the deprecated versions that clients of blue called,
// and adds them to those that are used.
func deprecatedCalls(f *facts.Facts, used map[facts.VersionKind]bool) []finding.Finding {
	var found []finding.Finding
	for _, api := range f.Blue.APIs.Deprecated {
		k := facts.VersionKind{GroupKind: facts.GroupKind{Group: api.Group, Kind: api.Resource}, Version: api.Version}
		for _, kind := range f.Blue.Kinds {
			if kind.Group == api.Group && kind.Resource == api.Resource {
				k.Kind = kind.Kind
			}
		}
		own := readByUs(&f.Blue, api)
		if served, known := serves(&f.Green, k); own && (served || !known) {
			continue
		}
		used[k] = true
		code, severity, removed := DeprecatedAPICalled, finding.Note, "no release is named that removes it"
		if api.Removed != "" {
			severity, removed = finding.Warn, "Kubernetes "+api.Removed+" removes it"
		}
		state := "green still serves it"
		switch served, known := serves(&f.Green, k); {
		case !known:
			state = "it isn't known whether green serves it"
		case !served && called(f, k, api):
			code, severity, state = DeprecatedAPIGone, finding.Block, "green serves "+servedText(&f.Green, k.GroupKind)
			if own {
				severity, state = finding.Warn, state+"; clusterswitch itself reads blue's objects so, and perhaps nobody else does"
			}
		case !served:
			continue
		}
		detail := strings.Trim(api.Version+"/"+api.Subresource, "/")
		x := finding.New(code, severity, finding.Object{Group: k.Group, Kind: k.Kind}, detail)
		x.Side = shift.Blue
		x.Message = fmt.Sprintf("a client called %s of %s since the API server of blue that answered was started; %s, and %s",
			cmp.Or(api.Subresource, api.Resource), k.APIVersion(), removed, state)
		x.Do = "Find the client in blue's audit log (annotation k8s.io/deprecated) and update it: " + instead(k, &f.Green) +
			". Only one of blue's API servers was asked; others may have seen more."
		found = append(found, x)
	}
	return found
}

// readByUs tells of a version in which the preflight itself reads a kind, so
// that the metric says nothing about others.
func readByUs(c *facts.Cluster, api facts.DeprecatedAPI) bool {
	return api.Subresource == "" && slices.ContainsFunc(c.Kinds, func(k facts.Kind) bool {
		return k.Group == api.Group && k.Resource == api.Resource && k.Version == api.Version
	})
}

// called tells whether a call at blue could still be made at all: a version that
// blue serves no more, or that no list tells of, proves nothing about green
// unless its time is over.
func called(f *facts.Facts, k facts.VersionKind, api facts.DeprecatedAPI) bool {
	if served, _ := serves(&f.Blue, k); served {
		return true
	}
	removed, green := minorOf(api.Removed), minorOf(f.Green.Versions.Server)
	return removed > 0 && green > 0 && removed <= green
}

// minorOf reads the minor of 1.34, v1.34.2-eks-1a2b3c4 and the like; 0: there is
// none.
func minorOf(version string) int {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(parts) < 2 {
		return 0
	}
	minor, err := strconv.Atoi(parts[1])
	if err != nil {
		return 0
	}
	return minor
}

// insights turns what EKS found about blue into findings, as far as it is about
// versions up to green's.
func insights(f *facts.Facts) []finding.Finding {
	var found []finding.Finding
	green := minorOf(f.Green.Versions.Server)
	for _, i := range slices.SortedFunc(slices.Values(f.Blue.APIs.Insights), func(a, b facts.Insight) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version), cmp.Compare(a.ID, b.ID))
	}) {
		var severity finding.Severity
		switch i.Status {
		case facts.InsightError:
			severity = finding.Block
		case facts.InsightWarning:
			severity = finding.Warn
		case facts.InsightPassing, facts.InsightUnknown: // the latter is a gap
			continue
		}
		of := ""
		if i.Version != "" {
			of = " for Kubernetes " + i.Version
		}
		later := green > 0 && minorOf(i.Version) > green
		switch {
		case later:
			severity, of = finding.Note, of+", which is newer than green's"
		case severity == finding.Block && i.About == facts.InsightAddons:
			severity, of = finding.Warn, of+" (it is about blue's own nodes or add-ons, of which green has its own)"
		}
		x := finding.New(UpgradeInsight, severity, finding.Object{Kind: "EKSInsight", Name: i.Name}, i.Version)
		x.Side, x.Message = shift.Blue, fmt.Sprintf("EKS has the status %s for %q of blue%s: %s", i.Status, i.Name, of, cmp.Or(i.Reason, "it gives no reason"))
		x.Do = "Follow the recommendation of the insight in EKS (`aws eks describe-insight`), then wait for its next refresh, or waive it."
		found = append(found, x)
	}
	return found
}
