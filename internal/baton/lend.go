package baton

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterswitch/clusterswitch/internal/lend"
)

// Annotation says on an object what was set on it, by whom, and what it was
// before. Who removes it keeps the object as it is: nothing is given back then.
const Annotation = "clusterswitch.io/handed"

// record is what the annotation holds. It is written in one write with the value
// that it tells of, and goes with the last write of giving back, so that there is
// no moment at which the object is changed and nobody knows what it was.
type record struct {
	Pair    string `json:"pair"`
	Attempt int    `json:"attempt"`
	// Field is of the spec.
	Field string `json:"field"`
	// Was is what the field was; null: absent. Set is what it was set to.
	Was json.RawMessage `json:"was"`
	Set json.RawMessage `json:"set"`
	// At is when Set was set to.
	At time.Time `json:"at"`
	// Again: somebody changed it back, and it was set once more.
	Again bool `json:"again,omitempty"`
	// Owners owned the field before. Bare: nobody was said to own anything.
	Owners []lend.Owner `json:"owners,omitempty"`
	Bare   bool         `json:"bare,omitempty"`
}

// object is a singleton as it was read.
type object struct {
	metav1.Object
	key   key
	group string // with version: batch/v1
	field string // of the spec
	value json.RawMessage
	// last is when a CronJob was last scheduled; zero: never.
	last  time.Time
	patch patcher
}

// patcher is the Patch of the object's kind. It answers with the object as it is
// by then.
type patcher func(ctx context.Context, t types.PatchType, body []byte, o metav1.PatchOptions, subresources ...string) (*object, error)

// record reads the annotation; nil: there is none, or none that can be read.
func (o *object) record() (*record, error) {
	text, there := o.GetAnnotations()[Annotation]
	if !there {
		return nil, nil //nolint:nilnil // none is a valid answer
	}
	r := &record{}
	if err := json.Unmarshal([]byte(text), r); err != nil {
		return nil, fmt.Errorf("reading its annotation %s: %w", Annotation, err)
	}
	return r, nil
}

// on tells of a value whether work may begin by it.
func (o *object) on(value json.RawMessage) bool {
	if o.field == suspend {
		return string(value) != "true"
	}
	return string(value) != "0"
}

// set sets the field and says so in one write. Whoever else wrote the object since
// it was read makes it fail: what was is no longer known then.
func (o *object) set(ctx context.Context, r record) (*object, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(map[string]any{
		"apiVersion": o.group, "kind": o.key.kind,
		"metadata": map[string]any{
			"name": o.key.name, "namespace": o.key.namespace, "uid": o.GetUID(), "resourceVersion": o.GetResourceVersion(),
			"annotations": map[string]string{Annotation: string(text)},
		},
		"spec": map[string]any{o.field: r.Set},
	})
	if err != nil {
		return nil, err
	}
	return o.patch(ctx, types.ApplyPatchType, body, metav1.PatchOptions{FieldManager: lend.Manager, Force: new(true)})
}

// setLastRun makes the CronJob controller count from a run of the other side. The
// time stays when the rest is given back: the run was made.
func (o *object) setLastRun(ctx context.Context, last time.Time) (*object, error) {
	return o.merge(ctx, map[string]any{"status": map[string]any{"lastScheduleTime": metav1.NewTime(last)}}, nil, "status")
}

// giveBack makes the object what it was before this package wrote to it. A value
// that somebody else set since stays, and he is named.
func (o *object) giveBack(ctx context.Context, r *record) (changedBy string, err error) {
	var owners []lend.Owner
	switch {
	case r == nil: // only a run of the other side was noted
	case !bytes.Equal(o.value, r.Set):
		if o.on(o.value) != o.on(r.Was) {
			changedBy = lend.LastWriter(o, o.field)
		}
	default:
		owners = r.Owners
		if !bytes.Equal(r.Set, r.Was) {
			back := *r
			back.Set = r.Was
			if o, err = o.set(ctx, back); err != nil {
				return "", err
			}
		}
	}
	managers, err := lend.Returned(o, o.field, owners, r != nil && r.Bare)
	if err != nil {
		return "", err
	}
	_, err = o.merge(ctx, map[string]any{}, map[string]any{
		"annotations": map[string]any{Annotation: nil}, "managedFields": managers,
	})
	return changedBy, err
}

func (o *object) merge(ctx context.Context, content, metadata map[string]any, subresources ...string) (*object, error) {
	all := map[string]any{"uid": o.GetUID(), "resourceVersion": o.GetResourceVersion()}
	maps.Copy(all, metadata)
	content["metadata"] = all
	body, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	return o.patch(ctx, types.MergePatchType, body, metav1.PatchOptions{FieldManager: lend.Manager}, subresources...)
}
