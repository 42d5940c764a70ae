package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// controllersTwice compares each controller of blue that acts outside of its cluster
// with each of green that runs the same program.
func controllersTwice(f *facts.Facts) []finding.Finding {
	var found []finding.Finding
	for _, b := range f.Blue.Network.Controllers {
		for _, g := range f.Green.Network.Controllers {
			if b.Program != g.Program || setApart(b, g, "aws-region") {
				continue
			}
			if x, ok := rivals(b, g); ok && !slices.ContainsFunc(found, func(had finding.Finding) bool { return had.ID == x.ID }) {
				found = append(found, x)
			}
		}
	}
	return found
}

// setApart tells whether a setting is set in both and has nothing in common.
func setApart(b, g facts.OutsideController, setting string) bool {
	return len(b.Settings[setting]) > 0 && len(g.Settings[setting]) > 0 && len(inCommon(b, g, setting)) == 0
}

// inCommon are the values of a setting that both have.
func inCommon(b, g facts.OutsideController, setting string) []string {
	var both []string
	for _, v := range b.Settings[setting] {
		if slices.Contains(g.Settings[setting], v) {
			both = append(both, v)
		}
	}
	return both
}

// rivals tells whether two controllers act on the same things.
func rivals(b, g facts.OutsideController) (finding.Finding, bool) {
	switch b.Program {
	case facts.ExternalDNS:
		return nameRivals(b, g)
	case facts.ClusterAutoscaler:
		// Without a name of the cluster in it, it finds every group of the account.
		for _, setting := range []string{"node-group-auto-discovery", "nodes"} {
			if same := inCommon(b, g, setting); len(same) > 0 {
				return rivalOf(b, g, fmt.Sprintf("--%s=%s: each takes the other's nodes for lost ones and removes them", setting, listNames(same)),
					"Give green's the node groups of green alone, such as by a tag with green's cluster name."), true
			}
		}
		return finding.Finding{}, false
	}
	if same := inCommon(b, g, "cluster-name"); len(same) > 0 {
		return rivalOf(b, g, fmt.Sprintf("the cluster name %s: each takes what the other made at AWS for its own", listNames(same)),
			"Give green's the name of green's own cluster."), true
	}
	return identityUnknown(b, g, "cluster-name")
}

func rivalOf(b, g facts.OutsideController, same, do string) finding.Finding {
	x := finding.New(ControllerTwice, finding.Block, finding.Of(g.GroupKind, g.Name), b.Program)
	x.Side = shift.Green
	x.Message = fmt.Sprintf("%s runs in blue (%s) and in green (%s) with %s", b.Program, b.Name, g.Name, same)
	x.Do = do + " Or scale it to 0 in green until the hand-over."
	return x
}

func identityUnknown(b, g facts.OutsideController, setting string) (finding.Finding, bool) {
	var where []string
	for side, c := range map[shift.Side]facts.OutsideController{shift.Blue: b, shift.Green: g} {
		unset := len(c.Settings[setting]) == 0 && c.Program != facts.ExternalDNS // which has a default
		if unset || slices.Contains(c.Unknown, setting) {
			where = append(where, fmt.Sprintf("%s's (%s)", side, c.Name))
		}
	}
	if len(where) == 0 {
		return finding.Finding{}, false
	}
	slices.Sort(where)
	x := finding.New(ControllerIdentityUnknown, finding.Warn, finding.Of(g.GroupKind, g.Name), b.Program)
	x.Side = shift.Green
	x.Message = fmt.Sprintf("%s runs in both clusters, and the %s of %s stands in a ConfigMap, a Secret or another place that isn't read", b.Program, setting, strings.Join(where, " and "))
	x.Do = "Make sure that the two differ, or write them into the arguments."
	return x, true
}

// Defaults of external-dns. Its reference of flags.
const (
	defaultOwner    = "default"
	defaultPolicy   = "sync"
	defaultRegistry = "txt"
	noRegistry      = "noop"
)

// nameRivals compares two instances of external-dns. They are apart where they
// write other zones or domains, or speak with other providers. The registry tells
// the records of one owner from those of others; without one nothing does.
func nameRivals(b, g facts.OutsideController) (finding.Finding, bool) {
	for _, setting := range []string{"provider", "zone-id-filter", "aws-zone-type"} {
		if setApart(b, g, setting) {
			return finding.Finding{}, false
		}
	}
	domain, shared := sharedDomain(b, g)
	if !shared {
		return finding.Finding{}, false
	}
	if x, unknown := identityUnknown(b, g, "txt-owner-id"); unknown {
		return x, true
	}
	owners := [2]string{settingOr(b, "txt-owner-id", defaultOwner), settingOr(g, "txt-owner-id", defaultOwner)}
	unregistered := settingOr(b, "registry", defaultRegistry) == noRegistry || settingOr(g, "registry", defaultRegistry) == noRegistry
	switch {
	case owners[0] == owners[1]:
		return rivalOf(b, g, fmt.Sprintf("the same owner id %s for %s: each overwrites and deletes the other's records", owners[0], domain),
			"Give green's an owner id of its own (--txt-owner-id)."), true
	case unregistered:
		return rivalOf(b, g, fmt.Sprintf("--registry=noop for %s: nothing tells whose a record is, so each overwrites and deletes the other's", domain),
			"Let both use the txt registry, with owner ids of their own."), true
	}
	x := finding.New(ControllersShareDomain, finding.Warn, finding.Of(g.GroupKind, g.Name), b.Program)
	x.Side = shift.Green
	x.Message = fmt.Sprintf("external-dns writes records of %s in both clusters, as owner %s in blue (policy %s) and as owner %s in green (policy %s): a name that one gives up, the other takes",
		domain, owners[0], settingOr(b, "policy", defaultPolicy), owners[1], settingOr(g, "policy", defaultPolicy))
	x.Do = "Make sure that green's writes no name that users ask for: other domains, or none until the hand-over."
	return x, true
}

// settingOr gives the first value of a setting.
func settingOr(c facts.OutsideController, name, standard string) string {
	if values := c.Settings[name]; len(values) > 0 && values[0] != "" {
		return values[0]
	}
	return standard
}

// sharedDomain gives a domain that both write. Without a filter an instance
// writes all.
func sharedDomain(b, g facts.OutsideController) (domain string, shared bool) {
	blue, green := b.Settings["domain-filter"], g.Settings["domain-filter"]
	unknown := slices.Contains(b.Unknown, "domain-filter") || slices.Contains(g.Unknown, "domain-filter")
	switch {
	case len(blue) == 0 && len(green) == 0:
		return "all domains", true
	case len(blue) == 0 || len(green) == 0 || unknown:
		return listNames(slices.Concat(blue, green)), true
	}
	for _, x := range blue {
		for _, y := range green {
			x, y := strings.TrimPrefix(placeOf(x), "."), strings.TrimPrefix(placeOf(y), ".")
			switch {
			case x == y || strings.HasSuffix(x, "."+y):
				return x, true
			case strings.HasSuffix(y, "."+x):
				return y, true
			}
		}
	}
	return "", false
}
