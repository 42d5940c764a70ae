// Package lend knows how a field that was taken by server-side apply goes back to
// those who owned it, as metadata.managedFields has it.
//
// A forced apply takes a field away from all others, and drops the entry of
// whoever has nothing left. So who owned it is written down with what the field
// was. Giving it back takes two writes: one that sets the value, and one that
// takes every trace away and restores the managers, which the API server accepts
// as they are written where no value changes with them.
package lend

import (
	"encoding/json"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Manager is the field manager of all that is lent.
const Manager = "clusterswitch"

// Owner is somebody who owned a field before it was taken.
type Owner struct {
	Manager     string                            `json:"manager"`
	Operation   metav1.ManagedFieldsOperationType `json:"operation"`
	APIVersion  string                            `json:"apiVersion"`
	Subresource string                            `json:"subresource,omitempty"`
	Time        *metav1.Time                      `json:"time,omitempty"`
}

// is tells whether an entry is this owner's. The API server keeps one for each
// manager, operation and subresource, and of updates one for each version.
func (o Owner) is(e metav1.ManagedFieldsEntry) bool {
	return o.Manager == e.Manager && o.Operation == e.Operation && o.Subresource == e.Subresource &&
		(o.Operation == metav1.ManagedFieldsOperationApply || o.APIVersion == e.APIVersion)
}

// OwnersOf are those who own a field of the spec, but for Manager.
func OwnersOf(o metav1.Object, field string) []Owner {
	var owners []Owner
	for _, e := range o.GetManagedFields() {
		if e.Manager != Manager && owns(e, field) {
			owners = append(owners, Owner{e.Manager, e.Operation, e.APIVersion, e.Subresource, e.Time})
		}
	}
	return owners
}

// LastWriter names who wrote a field of the spec last, but for Manager; empty:
// managedFields don't tell.
func LastWriter(o metav1.Object, field string) string {
	var name string
	var last metav1.Time
	for _, w := range OwnersOf(o, field) {
		if w.Time == nil && last.IsZero() || w.Time != nil && !w.Time.Before(&last) {
			name = w.Manager
			if w.Time != nil {
				last = *w.Time
			}
		}
	}
	return name
}

// Traced tells whether Manager is among an object's managers.
func Traced(o metav1.Object) bool {
	return slices.ContainsFunc(o.GetManagedFields(), func(e metav1.ManagedFieldsEntry) bool { return e.Manager == Manager })
}

// beforeApply is the manager that the API server invents at the first apply to an
// object that told of none.
const beforeApply = "before-first-apply"

// Returned are an object's managedFields without a trace of Manager, and with a
// field of the spec owned again by those who owned it before. bare: there were no
// managedFields before. The API server orders them.
func Returned(o metav1.Object, field string, owners []Owner, bare bool) ([]metav1.ManagedFieldsEntry, error) {
	var entries []metav1.ManagedFieldsEntry
	for _, e := range o.GetManagedFields() {
		if e.Manager != Manager && (!bare || e.Manager != beforeApply) {
			entries = append(entries, *e.DeepCopy())
		}
	}
	for _, w := range owners {
		i := slices.IndexFunc(entries, w.is)
		if i < 0 {
			i = len(entries)
			entries = append(entries, metav1.ManagedFieldsEntry{
				Manager: w.Manager, Operation: w.Operation, APIVersion: w.APIVersion, Subresource: w.Subresource,
				Time: w.Time, FieldsType: "FieldsV1",
			})
		}
		fields, err := with(entries[i].FieldsV1, field)
		if err != nil {
			return nil, fmt.Errorf("reading the fields of manager %s: %w", w.Manager, err)
		}
		entries[i].FieldsV1 = fields
	}
	if len(entries) == 0 {
		// One empty entry tells the API server to forget all: it takes an empty list
		// for none that was given.
		return []metav1.ManagedFieldsEntry{{}}, nil
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
	if f != nil {
		if err := json.Unmarshal(f.GetRawBytes(), &fields); err != nil {
			return nil, err
		}
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
