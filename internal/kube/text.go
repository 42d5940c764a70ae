package kube

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/clusterswitch/clusterswitch/internal/logkey"
)

// TextOptions say which text a Text is. All are required.
type TextOptions struct {
	Config *rest.Config
	// Namespace and Name are the ConfigMap's.
	Namespace, Name string
	// Key is the text's in the ConfigMap.
	Key    string
	Logger *zap.Logger
}

// Text is one key of a ConfigMap, read through the API: a change is known at
// once, while the kubelet brings it into a mounted folder after a minute or so.
type Text struct {
	client kubernetes.Interface
	of     TextOptions
}

// NewText makes a Text. It doesn't talk to the cluster yet.
func NewText(o TextOptions) (*Text, error) {
	client, err := kubernetes.NewForConfig(o.Config)
	if err != nil {
		return nil, fmt.Errorf("making a client for ConfigMaps: %w", err)
	}
	return &Text{client: client, of: o}, nil
}

// Read gives the text as it is now. An error says what to do.
func (t *Text) Read(ctx context.Context) (string, error) {
	object, err := t.client.CoreV1().ConfigMaps(t.of.Namespace).Get(ctx, t.of.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsForbidden(err):
		return "", fmt.Errorf("reading ConfigMap %s/%s: the daemon may not; grant it get, list and watch on this ConfigMap: %w", t.of.Namespace, t.of.Name, err)
	case err != nil:
		return "", fmt.Errorf("reading ConfigMap %s/%s: %w", t.of.Namespace, t.of.Name, err)
	}
	text, ok := object.Data[t.of.Key]
	if !ok {
		return "", fmt.Errorf("reading ConfigMap %s/%s: it has no key %s", t.of.Namespace, t.of.Name, t.of.Key)
	}
	return text, nil
}

// Follow calls changed with the text as soon as the watch has it, and with each
// change of it, until ctx ends. A ConfigMap that goes away, or loses the key,
// changes nothing. changed is called by one goroutine. Follow may be called once.
func (t *Text) Follow(ctx context.Context, changed func(text string)) error {
	only := fields.OneTermEqualSelector(metav1.ObjectNameField, t.of.Name)
	source := cache.NewListWatchFromClient(t.client.CoreV1().RESTClient(), "configmaps", t.of.Namespace, only)
	open := source.WatchFuncWithContext
	source.WatchFuncWithContext = func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
		w, err := open(ctx, o)
		if err != nil {
			return nil, interruptible(o, err)
		}
		return w, nil
	}
	informer := cache.NewSharedIndexInformer(source, &corev1.ConfigMap{}, 0, nil)
	tell := func(object any) {
		if text, ok := object.(*corev1.ConfigMap).Data[t.of.Key]; ok {
			changed(text)
			return
		}
		t.of.Logger.Warn("the ConfigMap lost its key, the text before goes on", logkey.Resource(t.of.Namespace+"/"+t.of.Name), logkey.Key(t.of.Key))
	}
	_, added := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    tell,
		UpdateFunc: func(_, after any) { tell(after) },
		DeleteFunc: func(any) {
			t.of.Logger.Warn("the ConfigMap is gone, the text before goes on", logkey.Resource(t.of.Namespace+"/"+t.of.Name))
		},
	})
	err := errors.Join(added, informer.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) {
		t.of.Logger.Warn("watch of the ConfigMap broke, it will be tried again", logkey.Resource(t.of.Namespace+"/"+t.of.Name), zap.Error(err))
	}))
	if err != nil {
		return fmt.Errorf("watching ConfigMap %s/%s: %w", t.of.Namespace, t.of.Name, err)
	}
	informer.RunWithContext(ctx)
	return nil
}
