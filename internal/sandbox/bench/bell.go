package bench

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
)

// bell is the bare way from a person to a daemon: a patch of a TrafficSwitch,
// and a watch that tells of it.
type bell struct {
	client *v1alpha1.Client
	watch  watch.Interface
	pulled bool // what was asked for last
}

// bellName is the object that rings; no daemon's configuration knows it.
const bellName = "raw"

func newBell(ctx context.Context, config *rest.Config, client *v1alpha1.Client) (*bell, error) {
	objects, err := v1alpha1.RESTClient(config)
	if err != nil {
		return nil, err
	}
	object := &v1alpha1.TrafficSwitch{ObjectMeta: metav1.ObjectMeta{Name: bellName}}
	if err := objects.Post().Namespace(namespace).Resource(v1alpha1.Resource).Body(object).Do(ctx).Error(); err != nil {
		return nil, fmt.Errorf("creating the TrafficSwitch %s: %w", bellName, err)
	}
	w, err := objects.Get().Namespace(namespace).Resource(v1alpha1.Resource).
		Param("watch", "true").Param("fieldSelector", "metadata.name="+bellName).Watch(ctx)
	if err != nil {
		return nil, fmt.Errorf("watching the TrafficSwitch %s: %w", bellName, err)
	}
	return &bell{client: client, watch: w}, nil
}

// ring asks for a change and returns when the watch has told of it; the answer
// to the request itself is awaited by the returned function.
func (b *bell) ring(ctx context.Context) (answered func() error, err error) {
	b.pulled = !b.pulled
	wanted, answer := b.pulled, make(chan error, 1)
	go func() {
		_, err := b.client.PatchSpec(ctx, bellName, v1alpha1.SpecChange{Paused: &wanted})
		answer <- err
	}()
	for {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case e, ok := <-b.watch.ResultChan():
			if !ok {
				return nil, fmt.Errorf("the watch of %s ended", bellName)
			}
			if t, is := e.Object.(*v1alpha1.TrafficSwitch); is && t.Spec.Paused == wanted {
				return func() error { return <-answer }, nil
			}
		}
	}
}

// bare is how long the bare way takes: told of the change, then all raw calls of
// a rollback.
func (f *floor) bare(ctx context.Context) (told, whole time.Duration, err error) {
	began := time.Now()
	answered, err := f.bell.ring(ctx)
	if err != nil {
		return 0, 0, err
	}
	told = time.Since(began)
	if _, _, err := f.once(ctx, f.health("api-blue"), f.health("api-green"), f.tags); err != nil {
		return 0, 0, err
	}
	whole = time.Since(began)
	return told, whole, answered()
}
