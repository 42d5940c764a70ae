package baton

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Manager is the field manager of everything that this package writes.
const Manager = "clusterswitch"

// owner is somebody who owned a field before it was set, as managedFields name
// him.
type owner struct {
	Manager     string                            `json:"manager"`
	Operation   metav1.ManagedFieldsOperationType `json:"operation"`
	APIVersion  string                            `json:"apiVersion"`
	Subresource string                            `json:"subresource,omitempty"`
	Time        *metav1.Time                      `json:"time,omitempty"`
}

func (o owner) is(e metav1.ManagedFieldsEntry) bool {
	return o.Manager == e.Manager && o.Operation == e.Operation && o.Subresource == e.Subresource && o.APIVersion == e.APIVersion
}

// ownersOf are those who own a field of the spec, without this package.
func ownersOf(o metav1.Object, field string) []owner {
	var owners []owner
	for _, e := range o.GetManagedFields() {
		if e.Manager == Manager || !owns(e, field) {
			continue
		}
		owners = append(owners, owner{e.Manager, e.Operation, e.APIVersion, e.Subresource, e.Time})
	}
	return owners
}

// lastWriter names who wrote a field last, besides this package; empty: nobody
// says so.
func lastWriter(o metav1.Object, field string) string {
	name, at := "", time.Time{}
	for _, w := range ownersOf(o, field) {
		if w.Time == nil || !w.Time.Time.Before(at) {
			name = w.Manager
			if w.Time != nil {
				at = w.Time.Time
			}
		}
	}
	return name
}

func traced(o metav1.Object) bool {
	return slices.ContainsFunc(o.GetManagedFields(), func(e metav1.ManagedFieldsEntry) bool { return e.Manager == Manager })
}

// given are an object's managedFields without this package, and with a field of
// the spec owned again by those who owned it before. They become what they were:
// the API server orders them and drops what owns nothing.
func given(o metav1.Object, field string, before []owner) ([]metav1.ManagedFieldsEntry, error) {
	var entries []metav1.ManagedFieldsEntry
	for _, e := range o.GetManagedFields() {
		if e.Manager != Manager {
			entries = append(entries, *e.DeepCopy())
		}
	}
	for _, w := range before {
		i := slices.IndexFunc(entries, w.is)
		if i < 0 {
			i = len(entries)
			entries = append(entries, metav1.ManagedFieldsEntry{
				Manager: w.Manager, Operation: w.Operation, APIVersion: w.APIVersion, Subresource: w.Subresource,
				Time: w.Time, FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1("{}"),
			})
		}
		fields, err := with(entries[i].FieldsV1, field)
		if err != nil {
			return nil, fmt.Errorf("reading the fields of manager %s: %w", w.Manager, err)
		}
		entries[i].FieldsV1 = fields
	}
	return entries, nil
}

// tree are FieldsV1: each field is a key f:NAME, with what is below.
type tree map[string]json.RawMessage

func owns(e metav1.ManagedFieldsEntry, field string) bool {
	var fields, spec tree
	if e.FieldsV1 == nil || json.Unmarshal(e.FieldsV1.GetRawBytes(), &fields) != nil || json.Unmarshal(fields["f:spec"], &spec) != nil {
		return false
	}
	_, owned := spec["f:"+field]
	return owned
}

// with adds a field of the spec.
func with(f *metav1.FieldsV1, field string) (*metav1.FieldsV1, error) {
	fields, spec := tree{}, tree{}
	if err := json.Unmarshal(f.GetRawBytes(), &fields); err != nil {
		return nil, err
	}
	if below := fields["f:spec"]; below != nil {
		if err := json.Unmarshal(below, &spec); err != nil {
			return nil, err
		}
	}
	spec["f:"+field] = json.RawMessage("{}")
	content, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	fields["f:spec"] = content
	if content, err = json.Marshal(fields); err != nil {
		return nil, err
	}
	return metav1.NewFieldsV1(string(content)), nil
}
