package manifests

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

const (
	// Owner is the field manager of what is applied.
	Owner = "platform-team"
	// servedWithin bounds the wait for definitions to be served.
	servedWithin = time.Minute
	// atOnce is how many objects are on their way to one API server.
	atOnce = 16
)

// Applier writes objects into one cluster. It may be used by several goroutines.
type Applier struct {
	client dynamic.Interface
	mapper *restmapper.DeferredDiscoveryRESTMapper
	// namespace is where objects go that name none.
	namespace string
}

// NewApplier makes an applier with the rights of the configuration.
func NewApplier(config *rest.Config) (*Applier, error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	d, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(d))
	return &Applier{client: client, mapper: mapper, namespace: metav1.NamespaceDefault}, nil
}

// In returns an applier that puts objects without a namespace into this one.
func (a *Applier) In(namespace string) *Applier {
	in := *a
	in.namespace = namespace
	return &in
}

// Apply writes the objects by server-side apply: definitions first, then
// namespaces, then the rest side by side. It returns when the definitions are
// served and everything is stored. Conflicts with others are won.
func (a *Applier) Apply(ctx context.Context, objects ...*unstructured.Unstructured) error {
	var definitions, namespaces, others []*unstructured.Unstructured
	for _, o := range objects {
		switch o.GetKind() {
		case "CustomResourceDefinition":
			definitions = append(definitions, o)
		case "Namespace":
			namespaces = append(namespaces, o)
		default:
			others = append(others, o)
		}
	}
	if err := a.applyAll(ctx, definitions); err != nil {
		return err
	}
	if err := a.awaitEstablished(ctx, definitions); err != nil {
		return err
	}
	if err := a.applyAll(ctx, namespaces); err != nil {
		return err
	}
	return a.applyAll(ctx, others)
}

func (a *Applier) applyAll(ctx context.Context, objects []*unstructured.Unstructured) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, o := range objects {
		group.Go(func() error { return a.apply(ctx, o) })
	}
	return group.Wait()
}

func (a *Applier) apply(ctx context.Context, o *unstructured.Unstructured) error {
	resource, err := a.Resource(ctx, o.GroupVersionKind(), o.GetNamespace())
	if err != nil {
		return fmt.Errorf("applying %s: %w", Describe(o), err)
	}
	if _, err := resource.Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: Owner, Force: true}); err != nil {
		return fmt.Errorf("applying %s: %w", Describe(o), err)
	}
	return nil
}

// Resource returns the client of a kind, within the namespace where the kind has
// namespaces; empty means the applier's own then. A kind that isn't served yet is waited
// for: between being established and being served lies a moment.
func (a *Applier) Resource(ctx context.Context, kind schema.GroupVersionKind, namespace string) (dynamic.ResourceInterface, error) {
	ctx, done := context.WithTimeout(ctx, servedWithin)
	defer done()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		mapping, err := a.mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if err == nil {
			resource := a.client.Resource(mapping.Resource)
			if mapping.Scope.Name() == meta.RESTScopeNameRoot {
				return resource, nil
			}
			if namespace == "" {
				namespace = a.namespace
			}
			return resource.Namespace(namespace), nil
		}
		if !meta.IsNoMatchError(err) {
			return nil, err
		}
		a.mapper.Reset()
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for it to be served: %w", errors.Join(err, context.Cause(ctx)))
		case <-again.C:
		}
	}
}

// awaitEstablished watches the definitions until each is established.
func (a *Applier) awaitEstablished(ctx context.Context, definitions []*unstructured.Unstructured) error {
	if len(definitions) == 0 {
		return nil
	}
	ctx, done := context.WithTimeout(ctx, servedWithin)
	defer done()
	waiting := map[string]bool{}
	for _, d := range definitions {
		waiting[d.GetName()] = true
	}
	for len(waiting) > 0 {
		if err := a.watchEstablished(ctx, waiting); err != nil {
			return fmt.Errorf("waiting for %d definitions to be established: %w", len(waiting), err)
		}
	}
	return nil
}

// watchEstablished takes definitions off the list as they are established. It
// returns when none is left, or when the watch ends: servers end those that can't
// keep up.
func (a *Applier) watchEstablished(ctx context.Context, waiting map[string]bool) error {
	resource := schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	// A watch from nowhere begins with all that is there.
	watch, err := a.client.Resource(resource).Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	defer watch.Stop()
	for len(waiting) > 0 {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case event, open := <-watch.ResultChan():
			if !open {
				return nil
			}
			if d, ok := event.Object.(*unstructured.Unstructured); ok && established(d) {
				delete(waiting, d.GetName())
			}
		}
	}
	return nil
}

func established(definition *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(definition.Object, "status", "conditions")
	return slices.ContainsFunc(conditions, func(c any) bool {
		condition, ok := c.(map[string]any)
		return ok && condition["type"] == "Established" && condition["status"] == "True"
	})
}

// Describe names an object for people: Deployment shop/web.
func Describe(o *unstructured.Unstructured) string {
	return o.GetKind() + " " + strings.TrimPrefix(o.GetNamespace()+"/"+o.GetName(), "/")
}
