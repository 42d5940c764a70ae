package planted

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/manifests"
)

// goneWithin is how long an object may take to go away.
const goneWithin = 30 * time.Second

// ref names one object.
type ref struct{ apiVersion, kind, namespace, name string }

// stage is the world while rows are planted in it: it knows how everything was.
type stage struct {
	*world
	settings settings
	// restless are workloads that shall not come to rest: SIDE/NAMESPACE/NAME.
	restless map[string]bool
	undo     []func(context.Context) error
}

func (w *world) newStage() *stage {
	return &stage{world: w, settings: w.usual(), restless: map[string]bool{}}
}

// mend takes back everything that was planted, the last first.
func (s *stage) mend(ctx context.Context) error {
	for _, undo := range slices.Backward(s.undo) {
		if err := undo(ctx); err != nil {
			return fmt.Errorf("taking back what was planted: %w", err)
		}
	}
	return nil
}

func (s *stage) resource(ctx context.Context, at side, r ref) (dynamic.ResourceInterface, error) {
	return s.at(at).applier.Resource(ctx, gvk(r.apiVersion, r.kind), r.namespace)
}

// edit changes one object by a function of its content.
func (s *stage) edit(ctx context.Context, at side, r ref, change func(object map[string]any)) error {
	resource, err := s.resource(ctx, at, r)
	if err != nil {
		return err
	}
	before, err := resource.Get(ctx, r.name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("reading %s %s of %s: %w", r.kind, r.name, at, err)
	}
	after := before.DeepCopy()
	change(after.Object)
	if err := replace(ctx, resource, after); err != nil {
		return fmt.Errorf("changing %s %s of %s: %w", r.kind, r.name, at, err)
	}
	s.undo = append(s.undo, func(ctx context.Context) error { return replace(ctx, resource, before) })
	return nil
}

// replace stores the content, whatever was stored meanwhile.
func replace(ctx context.Context, resource dynamic.ResourceInterface, o *unstructured.Unstructured) error {
	for {
		now, err := resource.Get(ctx, o.GetName(), metav1.GetOptions{})
		if err != nil {
			return err
		}
		content := o.DeepCopy()
		content.SetResourceVersion(now.GetResourceVersion())
		if _, err = resource.Update(ctx, content, metav1.UpdateOptions{FieldManager: manifests.Owner}); !apierrors.IsConflict(err) {
			return err
		}
	}
}

// remove deletes one object with all that it controls.
func (s *stage) remove(ctx context.Context, at side, r ref) error {
	resource, err := s.resource(ctx, at, r)
	if err != nil {
		return err
	}
	before, err := resource.Get(ctx, r.name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("reading %s %s of %s: %w", r.kind, r.name, at, err)
	}
	if err := deleteAndWait(ctx, resource, r.name); err != nil {
		return fmt.Errorf("removing %s %s of %s: %w", r.kind, r.name, at, err)
	}
	s.undo = append(s.undo, func(ctx context.Context) error {
		again := before.DeepCopy()
		for _, field := range []string{"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink"} {
			unstructured.RemoveNestedField(again.Object, "metadata", field)
		}
		_, err := resource.Create(ctx, again, metav1.CreateOptions{FieldManager: manifests.Owner})
		return err
	})
	return nil
}

func deleteAndWait(ctx context.Context, resource dynamic.ResourceInterface, name string) error {
	ctx, done := context.WithTimeout(ctx, goneWithin)
	defer done()
	if err := resource.Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)}); err != nil {
		return err
	}
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		if _, err := resource.Get(ctx, name, metav1.GetOptions{}); err != nil {
			if apierrors.IsNotFound(err) {
				return nil
			}
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-again.C:
		}
	}
}

// create applies objects that aren't there.
func (s *stage) create(ctx context.Context, at side, text string) error {
	objects, err := manifests.Parse([]byte(text))
	if err != nil {
		return err
	}
	c := s.at(at)
	for _, o := range objects {
		s.undo = append(s.undo, func(ctx context.Context) error {
			resource, err := c.applier.Resource(ctx, o.GroupVersionKind(), o.GetNamespace())
			if err != nil {
				return err
			}
			return deleteAndWait(ctx, resource, o.GetName())
		})
	}
	return c.apply(ctx, objects...)
}
