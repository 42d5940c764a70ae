package rbac

import (
	"fmt"
	"maps"
	"slices"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// Wants is what a configuration wants to know of one cluster.
type Wants struct {
	// Namespaces limits the watch of workloads; empty: all are watched.
	Namespaces []string
	// Services are asked through the API server.
	Services []Service
	// Lists are the kinds that the preflight lists; empty: there is no preflight.
	Lists []facts.Kind
	// Metrics: the API server's own metrics are read.
	Metrics bool
	// Floors: the floors of autoscalers are held and given back.
	Floors bool
	// Singletons are switched, and given back.
	Singletons Singletons
}

// Service is one port of a Service.
type Service struct {
	Namespace, Name string
	Port            int
	// HTTPS: the pods speak it.
	HTTPS bool
}

// resourceName is what the API server calls the Service when it judges a request
// to its proxy: the whole segment of the path, port and scheme included.
func (s Service) resourceName() string {
	name := fmt.Sprintf("%s:%d", s.Name, s.Port)
	if s.HTTPS {
		return "https:" + name
	}
	return name
}

// Need is one right.
type Need struct {
	// Namespace limits it; empty: it holds in the whole cluster.
	Namespace string
	// Group and Resources are what it is on, Names limits it to objects of these
	// names; no names: all.
	Group     string
	Resources []string
	Names     []string
	// URLs are paths that lead to no resource. Then there is no group.
	URLs  []string
	Verbs []string
	// For says what it is for, in a sentence. It is empty where the need before it is
	// in the same namespace and has the same reason.
	For string
}

// Use is one thing that the daemon does with a cluster.
type Use struct {
	// For says what it is for, in a sentence.
	For string
	// When says which configuration switches it on.
	When string
	// Verbs and On are what is needed for it, for people.
	Verbs, On string

	needs func(Wants) []Need
}

// Uses lists all that the code asks of the API servers of blue and green, but
// for what every authenticated user may: discovery and the server's version.
func Uses() []Use {
	return []Use{
		{
			For:  "Whether the API server answers, and how many nodes are ready.",
			When: "always", Verbs: "list, watch", On: "`nodes`",
			needs: func(Wants) []Need { return []Need{{Resources: []string{"nodes"}, Verbs: watched()}} },
		},
		{
			For:  "How many replicas of each workload are ready, and why others are not.",
			When: "always; limited to `workloads.namespaces` where these are given",
			On:   "`pods`, `deployments.apps`, `statefulsets.apps`, `daemonsets.apps`", Verbs: "list, watch",
			needs: workloads,
		},
		{
			For:  "Probes of kind `service`, which ask these ports through the API server.",
			When: "`probes` with `service`; in both clusters", On: "`services/proxy` of the named ports", Verbs: "get",
			needs: proxies,
		},
		{
			For:  "The preflight looks for every object of blue in green, and retire-check for blue in all of green: every kind is listed.",
			When: "`preflight.mode` is not `off`", On: "every kind of Kubernetes itself but `secrets`", Verbs: "list",
			needs: func(w Wants) []Need {
				return lists(w, func(r resource, builtin bool) bool { return builtin && r != secrets() })
			},
		},
		{
			For:  "The same for kinds of CustomResourceDefinitions and of aggregated API servers.",
			When: "`preflight.mode` is not `off`; those that the clusters serve", On: "every other kind", Verbs: "list",
			needs: func(w Wants) []Need { return lists(w, func(_ resource, builtin bool) bool { return !builtin }) },
		},
		{
			For:  "The preflight: Secrets by name, and Helm's releases; retire-check: their values. RBAC has no right to names alone: this one shows contents.",
			When: "`preflight.mode` and `preflight.secrets` are not `off`", On: "`secrets`", Verbs: "list",
			needs: func(w Wants) []Need { return lists(w, func(r resource, _ bool) bool { return r == secrets() }) },
		},
		{
			For:  "The preflight: which deprecated APIs are still called.",
			When: "`preflight.mode` is not `off`; in blue", On: "`/metrics` of the API server", Verbs: "get",
			needs: func(w Wants) []Need {
				if !w.Metrics {
					return nil
				}
				return []Need{{URLs: []string{"/metrics"}, Verbs: []string{"get"}}}
			},
		},
		{
			For:  "The floors of autoscalers, which are held while a shift is under way and given back in the end.",
			When: "`standby.capacity.pinAutoscalers`; limited to `workloads.namespaces` where these are given",
			On:   "`horizontalpodautoscalers.autoscaling`, `scaledobjects.keda.sh`", Verbs: "list, patch",
			needs: heldFloors,
		},
		{
			For:  "Singletons, which are switched off in one cluster and on in the other; and what still runs of them.",
			When: "`singletons`; in the namespaces of those that it names, and to change them limited to their names but for `namespace/*`",
			On:   "`cronjobs.batch` (list, patch), `cronjobs.batch/status` (patch), `jobs.batch` and `pods` (list), `deployments.apps` and `statefulsets.apps` (get, patch)", Verbs: "get, list, patch",
			needs: singletons,
		},
	}
}

func watched() []string { return []string{"list", "watch"} }

// places are the namespaces whose workloads count; the empty one is all of them.
func (w Wants) places() []string {
	if len(w.Namespaces) == 0 {
		return []string{""}
	}
	return sorted(w.Namespaces)
}

// heldFloors are the only rights to change anything that a shift of users needs.
// The right to a kind that a cluster doesn't serve opens nothing.
func heldFloors(w Wants) []Need {
	if !w.Floors {
		return nil
	}
	var needs []Need
	for _, namespace := range w.places() {
		needs = append(needs,
			Need{Namespace: namespace, Group: "autoscaling", Resources: []string{"horizontalpodautoscalers"}, Verbs: []string{"list", "patch"}},
			Need{Namespace: namespace, Group: "keda.sh", Resources: []string{"scaledobjects"}, Verbs: []string{"list", "patch"}})
	}
	return needs
}

func workloads(w Wants) []Need {
	var needs []Need
	for _, namespace := range w.places() {
		needs = append(needs,
			Need{Namespace: namespace, Resources: []string{"pods"}, Verbs: watched()},
			Need{Namespace: namespace, Group: "apps", Resources: []string{"daemonsets", "deployments", "statefulsets"}, Verbs: watched()})
	}
	return needs
}

func proxies(w Wants) []Need {
	names := map[string][]string{}
	var namespaces []string
	for _, s := range w.Services {
		names[s.Namespace] = append(names[s.Namespace], s.resourceName())
		namespaces = append(namespaces, s.Namespace)
	}
	var needs []Need
	for _, namespace := range sorted(namespaces) {
		needs = append(needs, Need{
			Namespace: namespace, Resources: []string{"services/proxy"}, Names: sorted(names[namespace]), Verbs: []string{"get"},
		})
	}
	return needs
}

// lists are the needs for those of the kinds to list that are of a sort.
func lists(w Wants, of func(r resource, builtin bool) bool) []Need {
	byGroup := map[string][]string{}
	known := builtin()
	for _, k := range w.Lists {
		if r := (resource{k.Group, k.Resource}); of(r, known[r]) {
			byGroup[r.group] = append(byGroup[r.group], r.name)
		}
	}
	var needs []Need
	for _, group := range slices.Sorted(maps.Keys(byGroup)) {
		needs = append(needs, Need{Group: group, Resources: sorted(byGroup[group]), Verbs: []string{"list"}})
	}
	return needs
}

func secrets() resource { return resource{name: "secrets"} }

func sorted(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}
