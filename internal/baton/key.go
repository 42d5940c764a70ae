package baton

import (
	"slices"
	"strings"
)

// The kinds of singletons, as shift.Workload names kinds.
const (
	kindCronJob     = "CronJob"
	kindDeployment  = "Deployment"
	kindStatefulSet = "StatefulSet"
)

// anyName stands for all CronJobs of a namespace.
const anyName = "*"

// Patterns say which objects are singletons, each as namespace/name.
type Patterns struct {
	// CronJobs may be namespace/* too: all of a namespace.
	CronJobs                  []string
	Deployments, StatefulSets []string
}

// key names an object across clusters, as shift.SingletonReading.Key does.
type key struct{ kind, namespace, name string }

func (k key) String() string { return k.kind + " " + k.namespace + "/" + k.name }

// place is where it is looked for: CronJobs are read with their namespace, so that
// they are known or unknown as a whole.
func (k key) place() string {
	if k.kind == kindCronJob {
		return k.namespaceKey()
	}
	return k.String()
}

func (k key) namespaceKey() string { return key{k.kind, k.namespace, anyName}.String() }

func parseKey(s string) (k key, ok bool) {
	kind, name, found := strings.Cut(s, " ")
	namespace, name, named := strings.Cut(name, "/")
	known := kind == kindCronJob || kind == kindDeployment || kind == kindStatefulSet
	return key{kind, namespace, name}, found && named && known && namespace != "" && name != ""
}

// keys are the patterns as keys, each once, with those of the wishes.
func (o Order) keys() []key {
	var all []key
	add := func(kind string, patterns []string) {
		for _, p := range patterns {
			if k, ok := parseKey(kind + " " + p); ok && !slices.Contains(all, k) {
				all = append(all, k)
			}
		}
	}
	add(kindCronJob, o.Patterns.CronJobs)
	add(kindDeployment, o.Patterns.Deployments)
	add(kindStatefulSet, o.Patterns.StatefulSets)
	for _, w := range o.Wishes {
		if k, ok := parseKey(w.Key); ok && !slices.Contains(all, k) {
			all = append(all, k)
		}
	}
	return all
}
