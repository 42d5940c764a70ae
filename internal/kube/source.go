package kube

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"github.com/clusterswitch/clusterswitch/internal/logkey"
	"github.com/clusterswitch/clusterswitch/internal/workload"
)

// source is the cache of one kind of objects in one namespace or in all, and
// what is known of the watch that keeps it current.
//
// The informer itself doesn't tell: its error handler isn't called when
// connections are refused, and never when a watch is open again.
type source struct {
	what     string         // "pods", "pods in shop"
	holds    runtime.Object // an empty object of the kind
	informer cache.SharedIndexInformer
	stir     func()

	mu    sync.Mutex
	open  *trackedWatch // nil: no watch is open
	since time.Time     // of the last change of open
	err   error         // of the last try to list or watch; nil: it worked
}

// kind is one kind of objects to watch.
type kind struct {
	client   cache.Getter
	resource string
	object   runtime.Object
	fields   fields.Selector
}

// newSources prepares the caches: nodes of the whole cluster, everything else
// in the given namespaces, or in all of them where none is given.
func (c *Cluster) newSources(namespaces []string) error {
	core, apps := c.client.CoreV1().RESTClient(), c.client.AppsV1().RESTClient()
	nodes := kind{core, "nodes", &corev1.Node{}, fields.Everything()}
	// Pods that ended are history; the workload makes others.
	running := fields.AndSelectors(
		fields.OneTermNotEqualSelector("status.phase", string(corev1.PodSucceeded)),
		fields.OneTermNotEqualSelector("status.phase", string(corev1.PodFailed)))
	namespaced := []kind{
		{apps, "deployments", &appsv1.Deployment{}, fields.Everything()},
		{apps, "statefulsets", &appsv1.StatefulSet{}, fields.Everything()},
		{apps, "daemonsets", &appsv1.DaemonSet{}, fields.Everything()},
		{core, "pods", &corev1.Pod{}, running},
	}
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	errs := []error{c.addSource(nodes, metav1.NamespaceAll)}
	for _, namespace := range namespaces {
		for _, k := range namespaced {
			errs = append(errs, c.addSource(k, namespace))
		}
	}
	return errors.Join(errs...)
}

func (c *Cluster) addSource(k kind, namespace string) error {
	s := &source{what: k.resource, holds: k.object, stir: c.stir}
	if namespace != metav1.NamespaceAll {
		s.what += " in " + namespace
	}
	listWatch := cache.NewListWatchFromClient(k.client, k.resource, namespace, k.fields)
	s.track(listWatch)
	s.informer = cache.NewSharedIndexInformer(listWatch, k.object, 0, nil)
	c.sources = append(c.sources, s)
	return errors.Join(
		s.informer.SetTransform(workload.Trim),
		s.informer.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) {
			c.log.Debug("watch broke", logkey.Resource(s.what), zap.Error(err))
		}),
	)
}

// stir asks for a look soon.
func (c *Cluster) stir() {
	select {
	case c.stirred <- struct{}{}:
	default: // it was asked for already
	}
}

// track lets every list and watch pass through the source.
func (s *source) track(lw *cache.ListWatch) {
	list, open := lw.ListWithContextFunc, lw.WatchFuncWithContext
	lw.ListWithContextFunc = func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
		object, err := list(ctx, o)
		if err != nil {
			s.failed(err)
		}
		return object, err
	}
	lw.WatchFuncWithContext = func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
		w, err := open(ctx, o)
		if err != nil {
			s.failed(err)
			return nil, interruptible(o, err)
		}
		return s.opened(w), nil
	}
}

// interruptible hides from the reflector what it would sleep on without looking
// at its context (watchList of client-go's reflector.go): it would keep a pair
// that stops for up to a minute, and a changed configuration with it. It waits
// all the same before it tries again, in a place where it can be told to stop.
func interruptible(o metav1.ListOptions, err error) error {
	if o.SendInitialEvents != nil && (utilnet.IsConnectionRefused(err) || apierrors.IsTooManyRequests(err)) {
		return errors.New(err.Error())
	}
	return err
}

func (s *source) failed(err error) {
	s.mu.Lock()
	s.err = err
	s.mu.Unlock()
	s.stir()
}

func (s *source) opened(w watch.Interface) *trackedWatch {
	tracked := &trackedWatch{Interface: w, source: s}
	s.mu.Lock()
	s.open, s.since, s.err = tracked, time.Now(), nil
	s.mu.Unlock()
	s.stir()
	return tracked
}

// awaitFirstList asks for a look when the first list is complete.
func (s *source) awaitFirstList(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-s.informer.HasSyncedChecker().Done():
		s.stir()
	}
}

// currentAt tells whether the cache held everything at a time when the API
// server was asked and answered. A watch that ended is normal, API servers end
// them every few minutes: it is a fault only when it can't be opened again, or
// isn't within patience.
func (s *source) currentAt(asked time.Time, patience time.Duration) (current bool, fault string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.err != nil:
		return false, fmt.Sprintf("its %s can't be watched: %s", s.what, s.err)
	case s.open == nil && !s.since.IsZero() && asked.Sub(s.since) > patience:
		return false, fmt.Sprintf("the watch of its %s ended and isn't open again", s.what)
	}
	return s.open != nil && s.since.Before(asked) && s.informer.HasSynced(), ""
}

// trackedWatch tells its source when the informer is done with it, which it is
// as soon as the stream ends.
type trackedWatch struct {
	watch.Interface
	source *source
}

// Stop ends the watch.
func (w *trackedWatch) Stop() {
	w.Interface.Stop()
	s := w.source
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == w { // Stop may be called again after the next one was opened
		s.open, s.since = nil, time.Now()
	}
}
