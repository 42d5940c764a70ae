package floors

import (
	"encoding/json"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// owner is one entry of metadata.managedFields that the floor belonged to. A
// forced apply takes the field away from all others whose value was another one,
// and drops the entry of whoever has nothing left, so all of it is kept.
type owner struct {
	Manager     string                            `json:"manager"`
	Operation   metav1.ManagedFieldsOperationType `json:"operation"`
	APIVersion  string                            `json:"apiVersion"`
	Subresource string                            `json:"subresource,omitempty"`
	Time        *metav1.Time                      `json:"time,omitempty"`
}

func ownerOf(e metav1.ManagedFieldsEntry) owner {
	return owner{Manager: e.Manager, Operation: e.Operation, APIVersion: e.APIVersion, Subresource: e.Subresource, Time: e.Time}
}

func (o owner) ours() bool {
	return o.Manager == Manager && o.Operation == metav1.ManagedFieldsOperationApply && o.Subresource == ""
}

// same tells whether an entry is this owner's. The API server keeps one entry for
// each manager, operation and subresource, and of updates one for each version.
func (o owner) same(e metav1.ManagedFieldsEntry) bool {
	return o.Manager == e.Manager && o.Operation == e.Operation && o.Subresource == e.Subresource &&
		(o.Operation == metav1.ManagedFieldsOperationApply || o.APIVersion == e.APIVersion)
}

// ownersOf gives all to whom a field of the spec belongs.
func ownersOf(o *unstructured.Unstructured, field string) []owner {
	var all []owner
	for _, e := range o.GetManagedFields() {
		if spec, ok := tree(e)["f:spec"].(map[string]any); ok {
			if _, owns := spec["f:"+field]; owns {
				all = append(all, ownerOf(e))
			}
		}
	}
	return all
}

// others are the owners but for ourselves.
func others(all []owner) []owner {
	return slices.DeleteFunc(slices.Clone(all), owner.ours)
}

func tree(e metav1.ManagedFieldsEntry) map[string]any {
	t := map[string]any{}
	if e.FieldsV1 != nil && json.Unmarshal(e.FieldsV1.GetRawBytes(), &t) != nil {
		return map[string]any{}
	}
	return t
}

// setBy names who set the floor last, as far as the object tells.
func setBy(o *unstructured.Unstructured, field string) string {
	name, last := "somebody whom its managedFields don't name", metav1.Time{}
	for _, by := range others(ownersOf(o, field)) {
		if by.Time == nil && last.IsZero() || by.Time != nil && !by.Time.Before(&last) {
			name = by.Manager
			if by.Time != nil {
				last = *by.Time
			}
		}
	}
	return name
}

// beforeApply is the manager that the API server invents at the first apply to an
// object that told of no managers.
const beforeApply = "before-first-apply"

// returned gives the managedFields of an object without a trace of us. Where the
// floor is still ours it goes back to those whom it belonged to.
func returned(o *unstructured.Unstructured, field string, h held, owned bool) ([]metav1.ManagedFieldsEntry, error) {
	entries := slices.DeleteFunc(o.GetManagedFields(), func(e metav1.ManagedFieldsEntry) bool { return ownerOf(e).ours() })
	if owned {
		for _, by := range h.Owners {
			var err error
			if entries, err = give(entries, by, field); err != nil {
				return nil, err
			}
		}
	}
	invented := func(e metav1.ManagedFieldsEntry) bool { return e.Manager != beforeApply }
	if len(entries) == 0 || h.Bare && !slices.ContainsFunc(entries, invented) {
		// One empty entry is how the API server is told to forget all of them: none at
		// all would mean to keep what is there.
		return []metav1.ManagedFieldsEntry{{}}, nil
	}
	return entries, nil
}

// give gives a field of the spec to one owner.
func give(entries []metav1.ManagedFieldsEntry, to owner, field string) ([]metav1.ManagedFieldsEntry, error) {
	i := slices.IndexFunc(entries, to.same)
	if i < 0 {
		i = len(entries)
		entries = append(entries, metav1.ManagedFieldsEntry{
			Manager: to.Manager, Operation: to.Operation, APIVersion: to.APIVersion, Subresource: to.Subresource, Time: to.Time, FieldsType: "FieldsV1",
		})
	}
	fields := tree(entries[i])
	spec, _ := fields["f:spec"].(map[string]any)
	if spec == nil {
		spec = map[string]any{}
	}
	spec["f:"+field] = map[string]any{}
	fields["f:spec"] = spec
	raw, err := json.Marshal(fields)
	entries[i].FieldsV1 = metav1.NewFieldsV1(string(raw))
	return entries, err
}
