package gather

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/discovery"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// discoverWithin bounds the asking what a cluster serves, which takes a second.
const discoverWithin = time.Minute

// discover asks what the cluster serves; the answer says why it is unreadable.
func (r *reader) discover(ctx context.Context, c *facts.Cluster) (fault string) {
	limit := r.options.atMost(helloWithin)
	hello, done := context.WithTimeout(ctx, limit)
	defer done()
	v, err := r.discovery.ServerVersionWithContext(hello)
	if err != nil {
		return "asking its version: " + within(hello, limit, err)
	}
	c.Versions.Server, c.Versions.Emulated = v.GitVersion, emulated(v)

	limit = r.options.atMost(discoverWithin)
	asking, done := context.WithTimeout(ctx, limit)
	defer done()
	groups, lists, err := r.discovery.ServerGroupsAndResourcesWithContext(asking)
	failed, partly := discovery.GroupDiscoveryFailedErrorGroups(err)
	if err != nil && !partly {
		return "asking what it serves: " + within(asking, limit, err)
	}
	c.Undiscovered = map[string]struct{}{}
	for gv, err := range failed {
		c.Undiscovered[gv.Group] = struct{}{}
		c.Note(facts.Gap{What: gv.Group, Why: sayUndiscovered(gv, err), Optional: facts.LeftOutWhole(facts.GroupKind{Group: gv.Group})})
	}
	order := map[string]int{}
	for _, g := range groups {
		for i, v := range g.Versions {
			order[v.GroupVersion] = i
		}
		order[g.PreferredVersion.GroupVersion] = -1
	}
	slices.SortStableFunc(lists, func(a, b *metav1.APIResourceList) int {
		return cmp.Compare(order[a.GroupVersion], order[b.GroupVersion])
	})
	add := kindsOf(c)
	for _, list := range lists {
		add(list)
	}
	slices.SortFunc(c.Kinds, func(a, b facts.Kind) int { return strings.Compare(a.String(), b.String()) })
	return ""
}

// emulated gives the minor that a server pretends to have, where it is not its own.
func emulated(v *version.Info) int {
	minor, err := strconv.Atoi(v.EmulationMinor)
	if err != nil || v.EmulationMinor == strings.TrimRight(v.Minor, "+") {
		return 0
	}
	return minor
}

func sayUndiscovered(gv schema.GroupVersion, err error) string {
	if _, stale := errors.AsType[discovery.StaleGroupVersionError](err); stale {
		return "what serves " + gv.String() + " doesn't answer, so its kinds are unknown"
	}
	return "its kinds are unknown: " + why(err)
}

// kindsOf adds what can be listed. The lists come with the server's preferred
// versions first, so that the first version of a kind is the one to read.
func kindsOf(c *facts.Cluster) func(*metav1.APIResourceList) {
	at := map[facts.GroupKind]int{}
	return func(list *metav1.APIResourceList) {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			c.Note(facts.Gap{What: list.GroupVersion, Why: why(err)})
			return
		}
		for _, resource := range list.APIResources {
			if strings.Contains(resource.Name, "/") || !slices.Contains([]string(resource.Verbs), "list") {
				continue
			}
			k := facts.GroupKind{Group: gv.Group, Kind: resource.Kind}
			if i, had := at[k]; had {
				c.Kinds[i].Served = append(c.Kinds[i].Served, gv.Version)
				continue
			}
			at[k] = len(c.Kinds)
			c.Kinds = append(c.Kinds, facts.Kind{
				GroupKind: k, Version: gv.Version, Served: []string{gv.Version}, Resource: resource.Name, Namespaced: resource.Namespaced,
			})
		}
	}
}

// twice names, for kinds that a cluster may serve in two groups, the one in
// which they are read. An object would be counted twice otherwise.
func twice(k facts.GroupKind) (first facts.GroupKind, also bool) {
	switch k.Group {
	case "events.k8s.io":
		return facts.GroupKind{Kind: k.Kind}, true
	case "extensions":
		switch k.Kind {
		case "Ingress", "NetworkPolicy":
			return facts.GroupKind{Group: "networking.k8s.io", Kind: k.Kind}, true
		case "PodSecurityPolicy":
			return facts.GroupKind{Group: "policy", Kind: k.Kind}, true
		}
		return facts.GroupKind{Group: "apps", Kind: k.Kind}, true
	case "projectcalico.org": // Calico's API server shows its own custom resources
		return facts.GroupKind{Group: "crd.projectcalico.org", Kind: k.Kind}, true
	}
	return k, false
}
