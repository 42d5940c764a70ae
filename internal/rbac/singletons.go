package rbac

import (
	"maps"
	"slices"
	"strings"
)

// Singletons are what is handed over between two clusters, each as
// namespace/name. CronJobs may be namespace/*: all of a namespace.
type Singletons struct {
	CronJobs, Deployments, StatefulSets []string
}

// byNamespace are the names in each namespace; nil: all of it.
func byNamespace(patterns []string) map[string][]string {
	names, all := map[string][]string{}, map[string]bool{}
	for _, p := range patterns {
		namespace, name, _ := strings.Cut(p, "/")
		all[namespace] = all[namespace] || name == "*"
		names[namespace] = append(names[namespace], name)
	}
	for namespace := range all {
		names[namespace] = sorted(names[namespace])
		if all[namespace] {
			names[namespace] = nil
		}
	}
	return names
}

// singletons are the rights to switch what is named, and to see what still runs of
// it. RBAC can't limit a list by names.
func singletons(w Wants) []Need {
	var needs []Need
	read := map[string]bool{}
	jobs := byNamespace(w.Singletons.CronJobs)
	for _, namespace := range slices.Sorted(maps.Keys(jobs)) {
		read[namespace] = true
		needs = append(needs,
			Need{Namespace: namespace, Group: "batch", Resources: []string{"cronjobs", "jobs"}, Verbs: []string{"list"}},
			Need{Namespace: namespace, Group: "batch", Resources: []string{"cronjobs"}, Names: jobs[namespace], Verbs: []string{"patch"}},
			Need{Namespace: namespace, Group: "batch", Resources: []string{"cronjobs/status"}, Names: jobs[namespace], Verbs: []string{"patch"}})
	}
	for _, kind := range []struct {
		resource string
		patterns []string
	}{{"deployments", w.Singletons.Deployments}, {"statefulsets", w.Singletons.StatefulSets}} {
		names := byNamespace(kind.patterns)
		for _, namespace := range slices.Sorted(maps.Keys(names)) {
			read[namespace] = true
			needs = append(needs, Need{Namespace: namespace, Group: "apps", Resources: []string{kind.resource}, Names: names[namespace], Verbs: []string{"get", "patch"}})
		}
	}
	for _, namespace := range slices.Sorted(maps.Keys(read)) {
		needs = append(needs, Need{Namespace: namespace, Resources: []string{"pods"}, Verbs: []string{"list"}})
	}
	return needs
}
