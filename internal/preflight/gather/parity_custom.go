package gather

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// custom makes the taking of a custom kind, of which only the spec counts.
func custom(k facts.GroupKind, aspects func(spec map[string]any) []facts.Aspect) take {
	return func(c *facts.Cluster, o runtime.Object) {
		u, ok := o.(*unstructured.Unstructured)
		if !ok || leftOut(c, k, u) {
			return
		}
		spec, ok := u.Object["spec"].(map[string]any)
		if !ok {
			spec = map[string]any{}
		}
		put(&c.Workloads.Aspects, k, nameOf(u), aspects(spec))
	}
}

func texts(list any) []string {
	items, ok := list.([]any)
	if !ok {
		return nil
	}
	all := make([]string, 0, len(items))
	for _, item := range items {
		all = append(all, fmt.Sprint(item))
	}
	return all
}

// listenersOf writes https=443/HTTPS/*.example.com.
func listenersOf(spec map[string]any) []string {
	items, ok := spec["listeners"].([]any)
	if !ok {
		return nil
	}
	var all []string
	for _, item := range items {
		l, ok := item.(map[string]any)
		if !ok {
			continue
		}
		text := fmt.Sprintf("%v=%v/%v", l["name"], l["port"], l["protocol"])
		if host, ok := l["hostname"]; ok {
			text += fmt.Sprintf("/%v", host)
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return all
}
