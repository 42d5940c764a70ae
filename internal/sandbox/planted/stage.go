package planted

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/manifests"
)

const (
	// eventuallyWithin is how long anything may take that the controllers do.
	eventuallyWithin = 60 * time.Second
	mergePatch       = types.MergePatchType
)

// ref names one object.
type ref struct{ apiVersion, kind, namespace, name string }

// stage is the world while rows are planted in it: it knows how everything was.
type stage struct {
	*world
	settings settings
	// restless are workloads that shall not come to rest: SIDE/NAMESPACE/NAME.
	restless map[string]bool
	// names stand for themselves in the ids of rows.
	names map[string]string
	undo  []func(context.Context) error
}

func (w *world) newStage() *stage {
	return &stage{world: w, settings: w.usual(), restless: map[string]bool{}, names: map[string]string{}}
}

// expand puts names into an id.
func (s *stage) expand(id string) string {
	return os.Expand(id, func(name string) string { return s.names[name] })
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
	s.undo = append(s.undo, func(ctx context.Context) error { return recreate(ctx, resource, before) })
	return nil
}

// recreate makes an object anew that was removed.
func recreate(ctx context.Context, resource dynamic.ResourceInterface, before *unstructured.Unstructured) error {
	again := before.DeepCopy()
	for _, field := range []string{"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink"} {
		unstructured.RemoveNestedField(again.Object, "metadata", field)
	}
	if again.GetKind() == "Job" { // whose selector and labels name its uid
		unstructured.RemoveNestedField(again.Object, "spec", "selector")
		unstructured.RemoveNestedField(again.Object, "spec", "template", "metadata", "labels")
		again.SetLabels(nil)
	}
	_, err := resource.Create(ctx, again, metav1.CreateOptions{FieldManager: manifests.Owner})
	return err
}

func deleteAndWait(ctx context.Context, resource dynamic.ResourceInterface, name string) error {
	if err := resource.Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: new(metav1.DeletePropagationBackground)}); err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	return eventually(ctx, name+" to go away", func() (bool, error) {
		_, err := resource.Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		return false, err
	})
}

// eventually asks until the answer is yes. Each question is a request to a server
// in another process, so there is nothing to wake us.
func eventually(ctx context.Context, what string, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, eventuallyWithin)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, context.Cause(ctx))
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
