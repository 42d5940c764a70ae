package gather

import (
	"encoding/json"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// take looks at one whole object.
type take = func(c *facts.Cluster, o runtime.Object)

// marks tells which objects the rules leave out.
func marks(Options) topic {
	rules := facts.LeftOut()
	of := map[facts.GroupKind][]int{}
	return topic{brief: true, retire: true, meta: func(c *facts.Cluster, k facts.Kind, o metav1.Object) {
		mine, known := of[k.GroupKind]
		if !known {
			mine = facts.RulesOf(k.GroupKind)
			of[k.GroupKind] = mine
		}
		m := facts.Marks{
			Name: nameOf(o), Labels: o.GetLabels(), Annotations: o.GetAnnotations(), Controlled: metav1.GetControllerOf(o) != nil,
		}
		for _, i := range mine {
			if !rules[i].Takes(m) {
				continue
			}
			if rules[i].Anyway {
				set(&c.Workloads.Anyway, facts.Object{GroupKind: k.GroupKind, Name: m.Name}, struct{}{})
			} else {
				put(&c.Workloads.LeftOut, k.GroupKind, m.Name, uint8(i))
			}
			return
		}
	}}
}

// put adds to a map of maps.
func put[V any](into *map[facts.GroupKind]map[facts.Name]V, k facts.GroupKind, n facts.Name, v V) {
	if *into == nil {
		*into = map[facts.GroupKind]map[facts.Name]V{}
	}
	if (*into)[k] == nil {
		(*into)[k] = map[facts.Name]V{}
	}
	(*into)[k][n] = v
}

// set adds to a map that may not be there yet.
func set[K comparable, V any](into *map[K]V, k K, v V) {
	if *into == nil {
		*into = map[K]V{}
	}
	(*into)[k] = v
}

func nameOf(o metav1.Object) facts.Name {
	return facts.Name{Namespace: o.GetNamespace(), Name: o.GetName()}
}

func leftOut(c *facts.Cluster, k facts.GroupKind, o metav1.Object) bool {
	_, out := c.Workloads.LeftOut[k][nameOf(o)]
	return out
}

// typed makes the taking of a built-in kind: it gives what is compared of one
// object. Objects that are left out are passed by.
func typed[T interface {
	runtime.Object
	metav1.Object
}](k facts.GroupKind, aspects func(T) []facts.Aspect) (facts.GroupKind, take) {
	return k, func(c *facts.Cluster, o runtime.Object) {
		t, ok := as[T](c, k, o)
		if ok && !leftOut(c, k, t) {
			put(&c.Workloads.Aspects, k, nameOf(t), aspects(t))
		}
	}
}

// takes collects what typed and its like make.
type takes map[facts.GroupKind]take

func (t takes) add(k facts.GroupKind, f take) { t[k] = f }

// ours tells whether a field was last written by clusterswitch itself: what it
// pins for the time of a shift is nobody's wish.
func ours(o metav1.Object, field ...string) bool {
	for _, entry := range o.GetManagedFields() {
		if !strings.HasPrefix(entry.Manager, "clusterswitch") || entry.FieldsV1 == nil {
			continue
		}
		var tree map[string]any
		if json.Unmarshal(entry.FieldsV1.GetRawBytes(), &tree) != nil {
			continue
		}
		if owns(tree, field) {
			return true
		}
	}
	return false
}

func owns(tree map[string]any, field []string) bool {
	below, ok := tree["f:"+field[0]].(map[string]any)
	if !ok || len(field) == 1 {
		return ok
	}
	return owns(below, field[1:])
}
