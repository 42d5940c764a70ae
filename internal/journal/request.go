package journal

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/tools/cache"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
)

func (j *Journal) newInformer() (cache.SharedIndexInformer, error) {
	source := cache.NewListWatchFromClient(j.client, v1alpha1.Resource, j.namespace, fields.Everything())
	informer := cache.NewSharedIndexInformer(source, &v1alpha1.TrafficSwitch{}, 0, nil)
	err := errors.Join(
		informer.SetTransform(specOnly),
		informer.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) {
			j.log.Warn("watch of traffic switches broke, it will be tried again", zap.Error(err))
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("preparing the watch of %s: %w", v1alpha1.Resource, err)
	}
	return informer, nil
}

// specOnly keeps of a TrafficSwitch what people ask for: the journal in its
// status is read by Load alone.
func specOnly(object any) (any, error) {
	if ts, ok := object.(*v1alpha1.TrafficSwitch); ok {
		ts.ManagedFields = nil
		ts.Status = v1alpha1.TrafficSwitchStatus{}
	}
	return object, nil
}

// Request gives what people ask for in the custom resource, as the watch saw it
// last. known is false while the watch hasn't begun, and when there's no such
// resource: then nothing is known, which is not the same as nothing asked for.
// While the management cluster can't be reached the last known answer stays.
func (j *Journal) Request(pair string) (spec v1alpha1.TrafficSwitchSpec, known bool) {
	object, exists, err := j.informer.GetStore().GetByKey(j.namespace + "/" + pair)
	if err != nil || !exists {
		return v1alpha1.TrafficSwitchSpec{}, false
	}
	return object.(*v1alpha1.TrafficSwitch).Spec, true
}

// Run watches the custom resources until ctx ends, and calls onChange with the
// pair's name as soon as what is asked for it appears, changes or goes away.
// The daemon's own writes to the status don't call it. onChange is called by
// one goroutine and must not block. Run may be called once.
func (j *Journal) Run(ctx context.Context, onChange func(pair string)) error {
	informer := cache.NewTypedSharedIndexInformer[*v1alpha1.TrafficSwitch](j.informer)
	_, err := informer.AddTypedEventHandler(cache.TypedResourceEventHandlerFuncs[*v1alpha1.TrafficSwitch]{
		AddFunc: func(object *v1alpha1.TrafficSwitch) { onChange(object.Name) },
		UpdateFunc: func(before, after *v1alpha1.TrafficSwitch) {
			if before.Spec != after.Spec {
				onChange(after.Name)
			}
		},
		DeleteFunc: func(object cache.DeletedObject[*v1alpha1.TrafficSwitch]) { onChange(object.GetName()) },
	})
	if err != nil {
		return fmt.Errorf("watching %s: %w", v1alpha1.Resource, err)
	}
	informer.RunWithContext(ctx)
	return nil
}
