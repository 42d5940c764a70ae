package ready

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// fields are the values of objects by SIDE KIND NAMESPACE/NAME and path, and who
// owns which fields.
type fields map[string]string

// kinds are what the daemon may write to in blue and green.
func kinds() []schema.GroupVersionResource {
	return []schema.GroupVersionResource{
		{Group: "autoscaling", Version: "v2", Resource: "horizontalpodautoscalers"},
		{Group: "batch", Version: "v1", Resource: "cronjobs"},
		{Group: "apps", Version: "v1", Resource: "deployments"},
		{Group: "apps", Version: "v1", Resource: "statefulsets"},
	}
}

// autoscalers are the first of them alone.
func autoscalers() []schema.GroupVersionResource { return kinds()[:1] }

// read gives the fields of all objects of the kinds in a namespace of both clusters.
func (g *ground) read(ctx context.Context, namespace string, kinds []schema.GroupVersionResource) (fields, error) {
	all := fields{}
	for _, c := range []*cluster{g.blue, g.green} {
		client, err := dynamic.NewForConfig(c.RESTConfig())
		if err != nil {
			return nil, fmt.Errorf("making a client for %s: %w", c.name, err)
		}
		for _, kind := range kinds {
			list, err := client.Resource(kind).Namespace(namespace).List(ctx, metav1.ListOptions{})
			if err != nil {
				return nil, fmt.Errorf("listing %s of %s: %w", kind.Resource, c.name, err)
			}
			for i := range list.Items {
				all.add(c.name+" "+kind.Resource+" "+namespace+"/"+list.Items[i].GetName(), &list.Items[i])
			}
		}
	}
	return all, nil
}

// add takes the fields of one object, but for what every write changes by itself:
// versions, times of writes, and the status.
func (f fields) add(name string, object *unstructured.Unstructured) {
	copied := object.DeepCopy().Object
	delete(copied, "status")
	for _, volatile := range []string{"resourceVersion", "generation", "managedFields", "uid", "creationTimestamp"} {
		unstructured.RemoveNestedField(copied, "metadata", volatile)
	}
	f.flatten(name, copied)
	for _, m := range object.GetManagedFields() {
		if m.Subresource == "" && m.FieldsV1 != nil {
			f[fmt.Sprintf("%s owned by %s (%s, %s)", name, m.Manager, m.Operation, m.APIVersion)] = m.FieldsV1.GetRawString()
		}
	}
}

func (f fields) flatten(path string, value any) {
	switch v := value.(type) {
	case map[string]any:
		for key, each := range v {
			f.flatten(path+" ."+key, each)
		}
	case []any:
		for i, each := range v {
			f.flatten(fmt.Sprintf("%s[%d]", path, i), each)
		}
	default:
		text, err := json.Marshal(v)
		if err != nil {
			text = fmt.Append(nil, v)
		}
		f[path] = string(text)
	}
}

// restored counts the fields of before, and those of them that are the same now; what
// was added counts against it, too. The differences are in plain words.
func (f fields) restored(now fields) (same, all int, differences []string) {
	paths := fields{}
	maps.Copy(paths, f)
	maps.Copy(paths, now)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		all++
		was, had := f[path]
		is, has := now[path]
		switch {
		case had && has && was == is:
			same++
		case !had:
			differences = append(differences, fmt.Sprintf("%s was added: %s", path, is))
		case !has:
			differences = append(differences, fmt.Sprintf("%s is gone; it was %s", path, was))
		default:
			differences = append(differences, fmt.Sprintf("%s was %s and is %s", path, was, is))
		}
	}
	return same, all, differences
}

// given waits until everything is as it was, or ctx ends, and gives the counts.
func (g *ground) given(ctx context.Context, namespace string, kinds []schema.GroupVersionResource, before fields) (same, all int, err error) {
	err = eventually(ctx, func() (string, error) {
		now, err := g.read(ctx, namespace, kinds)
		if err != nil {
			return "", err
		}
		var differences []string
		same, all, differences = before.restored(now)
		if len(differences) == 0 {
			return "", nil
		}
		return "everything to be given back: " + strings.Join(differences, "; "), nil
	})
	return same, all, err
}
