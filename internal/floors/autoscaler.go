package floors

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// kind is one kind of autoscalers.
type kind struct {
	schema.GroupVersionResource
	name string
	// min and max are fields of the spec, with what counts where they are absent.
	min, max             string
	absentMin, absentMax int
	// optional: a cluster may not serve it.
	optional bool
}

const scaledObject = "ScaledObject"

// kinds are those whose floors are held. KEDA's defaults are those of keda.sh: no
// replicas at least, 100 at most.
func kinds() []kind {
	return []kind{
		{
			GroupVersionResource: schema.GroupVersionResource{Group: "autoscaling", Version: "v2", Resource: "horizontalpodautoscalers"},
			name:                 "HorizontalPodAutoscaler", min: "minReplicas", max: "maxReplicas", absentMin: 1, absentMax: math.MaxInt32,
		},
		{
			GroupVersionResource: schema.GroupVersionResource{Group: "keda.sh", Version: "v1alpha1", Resource: "scaledobjects"},
			name:                 scaledObject, min: "minReplicaCount", max: "maxReplicaCount", absentMax: 100, optional: true,
		},
	}
}

// autoscaler is one that was read.
type autoscaler struct {
	kind
	*unstructured.Unstructured
	// workload is the key of what it scales.
	workload string
	// least is its floor; nil: it is absent. most bounds it.
	least *int
	most  int
	// held is what this pair holds; nil: nothing.
	held *held
	// heldBy is another pair that holds it, or what stands where it should.
	heldBy string
	// made: another autoscaler made it and sets it.
	made bool
	// owned: the floor is as this pair wrote it, and nobody else set it since.
	owned bool
}

// held is what stands in the annotation: all that is needed to give back.
type held struct {
	Pair    string `json:"pair"`
	Attempt int    `json:"attempt"`
	// Field is where the floor is, for people.
	Field string `json:"field"`
	// Was is what it was; null: it was absent.
	Was  *int `json:"was"`
	Held int  `json:"held"`
	// Owners are the managers that the field belonged to.
	Owners []owner `json:"owners,omitempty"`
	// Bare: the object told of no managers at all.
	Bare bool `json:"bare,omitempty"`
	// Reverted counts how often somebody set it back and it was held again.
	Reverted int `json:"reverted,omitempty"`
	// Returning: the value is back, the rest isn't yet.
	Returning bool `json:"returning,omitempty"`
}

func (a autoscaler) key() string {
	return a.name + " " + a.GetNamespace() + "/" + a.GetName()
}

// floor is what its floor amounts to.
func (a autoscaler) floor() int {
	if a.least == nil {
		return a.absentMin
	}
	return *a.least
}

// was is what its floor amounted to before it was held.
func (a autoscaler) was() int {
	if a.held == nil || a.held.Was == nil {
		return a.absentMin
	}
	return *a.held.Was
}

// pageSize is how many objects are listed at a time.
const pageSize = 500

// list reads all autoscalers that scale a workload, sorted by their keys.
func (c *Cluster) list(ctx context.Context) ([]autoscaler, error) {
	namespaces := c.namespaces
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	var all []autoscaler
	for _, k := range kinds() {
		for _, namespace := range namespaces {
			found, err := c.listKind(ctx, k, namespace)
			if k.optional && apierrors.IsNotFound(err) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("listing %s: %w", k.Resource, err)
			}
			all = append(all, found...)
		}
	}
	slices.SortFunc(all, func(a, b autoscaler) int { return cmp.Compare(a.key(), b.key()) })
	return all, nil
}

func (c *Cluster) listKind(ctx context.Context, k kind, namespace string) (all []autoscaler, err error) {
	o := metav1.ListOptions{Limit: pageSize}
	for {
		page, err := c.client.Resource(k.GroupVersionResource).Namespace(namespace).List(ctx, o)
		if err != nil {
			return nil, err
		}
		for i := range page.Items {
			if a := c.read(k, &page.Items[i]); a.workload != "" || a.held != nil {
				all = append(all, a)
			}
		}
		if o.Continue = page.GetContinue(); o.Continue == "" {
			return all, nil
		}
	}
}

// read makes an autoscaler of an object.
func (c *Cluster) read(k kind, o *unstructured.Unstructured) autoscaler {
	a := autoscaler{kind: k, Unstructured: o, workload: target(o), most: k.absentMax}
	a.least = number(o, k.min)
	if most := number(o, k.max); most != nil {
		a.most = *most
	}
	for _, by := range o.GetOwnerReferences() {
		group, _ := schema.ParseGroupVersion(by.APIVersion)
		a.made = a.made || by.Kind == scaledObject && group.Group == "keda.sh"
	}
	if text, has := o.GetAnnotations()[Annotation]; has {
		var h held
		switch err := json.Unmarshal([]byte(text), &h); {
		case err != nil || h.Pair == "":
			a.heldBy = "an annotation " + Annotation + " that can't be read"
		case h.Pair != c.pair:
			a.heldBy = "pair " + h.Pair
		default:
			a.held = &h
		}
	}
	by := ownersOf(o, k.min)
	a.owned = a.held != nil && len(by) == 1 && by[0].ours()
	return a
}

// target gives the key of the workload that an object scales; empty: it scales
// something else.
func target(o *unstructured.Unstructured) string {
	ref, _, _ := unstructured.NestedMap(o.Object, "spec", "scaleTargetRef")
	name, _ := ref["name"].(string)
	version, _ := ref["apiVersion"].(string)
	kind, _ := ref["kind"].(string)
	group, err := schema.ParseGroupVersion(cmp.Or(version, "apps/v1"))
	kind = cmp.Or(kind, "Deployment")
	if err != nil || name == "" || group.Group != "apps" || kind != "Deployment" && kind != "StatefulSet" {
		return ""
	}
	return kind + " " + o.GetNamespace() + "/" + name
}

func number(o *unstructured.Unstructured, field string) *int {
	n, found, err := unstructured.NestedInt64(o.Object, "spec", field)
	if !found || err != nil {
		return nil
	}
	return new(int(n))
}
