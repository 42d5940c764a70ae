package floors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// writesAtOnce bounds how many writes are under way at a time; the client's rate
// bounds them besides.
const writesAtOnce = 8

// outcome is what became of one thing to write.
type outcome struct {
	done string // a sentence; empty: nothing was written
	err  error
}

// carryOut writes, several at a time, and answers in the order of the list. What
// changed since it was read, or is gone, is no fault: it is read anew anyway.
func (c *Cluster) carryOut(ctx context.Context, all []todo) (done []string, err error) {
	outcomes := make([]outcome, len(all))
	var writing sync.WaitGroup
	slots := make(chan struct{}, writesAtOnce)
	for i, t := range all {
		slots <- struct{}{}
		writing.Go(func() {
			defer func() { <-slots }()
			outcomes[i].done, outcomes[i].err = c.write(ctx, t)
		})
	}
	writing.Wait()
	var faults []error
	for i, o := range outcomes {
		switch {
		case o.err == nil:
			c.remember(all[i])
			done = append(done, o.done)
		case !apierrors.IsConflict(o.err) && !apierrors.IsNotFound(o.err):
			faults = append(faults, fmt.Errorf("writing the floor of %s: %w", all[i].key(), o.err))
		}
	}
	return done, fewOf(faults)
}

// maxFaults bounds how many faults one error tells of.
const maxFaults = 3

func fewOf(faults []error) error {
	if n := len(faults); n > maxFaults {
		faults = append(faults[:maxFaults:maxFaults], fmt.Errorf("and %d more", n-maxFaults))
	}
	return errors.Join(faults...)
}

func (c *Cluster) remember(t todo) {
	if t.act == toHold {
		c.remembered[t.key()] = memory{uid: t.GetUID(), attempt: t.next.Attempt, reverted: t.next.Reverted}
	} else {
		delete(c.remembered, t.key())
	}
}

func (c *Cluster) write(ctx context.Context, t todo) (done string, err error) {
	switch t.act {
	case toHold:
		_, err := c.apply(ctx, t.autoscaler, t.next, new(t.next.Held))
		return fmt.Sprintf("%s is held at %d (was %s)", t.key(), t.next.Held, shown(t.next.Was)), err
	case toGiveBack:
		return fmt.Sprintf("%s is given back: %s", t.key(), shown(t.held.Was)), c.giveBack(ctx, t.autoscaler)
	default:
		return fmt.Sprintf("%s is left at %s, which %s set", t.key(), shown(t.least), setBy(t.Unstructured, t.min)), c.clean(ctx, t.autoscaler, false)
	}
}

func shown(n *int) string {
	if n == nil {
		return "absent"
	}
	return fmt.Sprint(*n)
}

// apply writes a floor together with what is held, in one write: there is never
// one without the other. nil takes the floor away that an apply had set. It is
// refused where the object changed since it was read.
func (c *Cluster) apply(ctx context.Context, a autoscaler, h held, floor *int) (*unstructured.Unstructured, error) {
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	o := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": a.GetAPIVersion(), "kind": a.GetKind(),
		"metadata": map[string]any{
			"namespace": a.GetNamespace(), "name": a.GetName(),
			// With a uid an object that is gone isn't made anew.
			"uid": string(a.GetUID()), "resourceVersion": a.GetResourceVersion(),
			"annotations": map[string]any{Annotation: string(text)},
		},
	}}
	if floor != nil {
		o.Object["spec"] = map[string]any{a.min: int64(*floor)}
	}
	return c.client.Resource(a.GroupVersionResource).Namespace(a.GetNamespace()).
		Apply(ctx, a.GetName(), o, metav1.ApplyOptions{FieldManager: Manager, Force: true})
}

// giveBack sets the floor to what it was, and then cleans up. In between the
// annotation says how far it is.
func (c *Cluster) giveBack(ctx context.Context, a autoscaler) error {
	if !a.held.Returning {
		h := *a.held
		h.Returning = true
		o, err := c.apply(ctx, a, h, h.Was)
		if err != nil {
			return err
		}
		a = c.read(a.kind, o)
		if a.held == nil {
			return errGone
		}
	}
	return c.clean(ctx, a, true)
}

var errGone = errors.New("its annotation is gone although it was just written")

// clean takes our traces away: the annotation and our entry of managedFields. The
// floor goes back to those whom it belonged to where it is still as we left it.
// The value stays, so the API server lets the managers be as they are written.
func (c *Cluster) clean(ctx context.Context, a autoscaler, back bool) error {
	managers, err := returned(a.Unstructured, a.min, *a.held, back && a.owned)
	if err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": a.GetUID(), "resourceVersion": a.GetResourceVersion(),
		"annotations": map[string]any{Annotation: nil}, "managedFields": managers,
	}})
	if err != nil {
		return err
	}
	_, err = c.client.Resource(a.GroupVersionResource).Namespace(a.GetNamespace()).
		Patch(ctx, a.GetName(), types.MergePatchType, patch, metav1.PatchOptions{FieldManager: Manager})
	return err
}
