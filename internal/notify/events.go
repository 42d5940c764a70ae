package notify

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"go.uber.org/zap"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/logkey"
)

// EventsOptions are what Events are made of.
type EventsOptions struct {
	// Config reaches the management cluster.
	Config *rest.Config
	// Namespace holds the TrafficSwitches; their Events stand there.
	Namespace string
	Logger    *zap.Logger
}

// Events writes news as Kubernetes Events of a pair's TrafficSwitch, where `kubectl
// describe` shows them. client-go's recorder joins what repeats, and tries again.
type Events struct {
	namespace   string
	objects     rest.Interface
	broadcaster record.EventBroadcaster
	recorder    record.EventRecorder
	queue       chan News
	log         *zap.Logger
	// uids are those of the pairs' objects, by name; an object that was made anew has
	// another, which the next daemon learns. For Run alone.
	uids map[string]types.UID
	sink *sink
}

// The recorder of client-go lets each object have so many Events at once, and so many
// a second from then on. Its own 25, and one in five minutes, are fewer than a shift of
// many short steps tells of, and what comes last, a rollback, would be left out.
const (
	eventBurst = 250
	eventQPS   = 1.0 / 30
)

// NewEvents makes Events. Nothing is written before Run.
func NewEvents(o EventsOptions) (*Events, error) {
	client, err := kubernetes.NewForConfig(o.Config)
	if err != nil {
		return nil, fmt.Errorf("making a client for Events: %w", err)
	}
	objects, err := v1alpha1.RESTClient(o.Config)
	if err != nil {
		return nil, err
	}
	b := record.NewBroadcasterWithCorrelatorOptions(record.CorrelatorOptions{BurstSize: eventBurst, QPS: eventQPS})
	s := &sink{EventSink: &typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events(o.Namespace)}, settled: make(chan struct{}, 1)}
	b.StartRecordingToSink(s)
	return &Events{
		sink:      s,
		namespace: o.Namespace, objects: objects, broadcaster: b, log: o.Logger,
		recorder: b.NewRecorder(runtime.NewScheme(), corev1.EventSource{Component: "clusterswitch"}),
		queue:    make(chan News, queueSize), uids: map[string]types.UID{},
	}, nil
}

// Tell takes news. It never blocks: what is too much is left out.
func (e *Events) Tell(n News) {
	select {
	case e.queue <- n:
	default:
		e.log.Warn("Event left out, too many wait", logkey.Pair(n.Pair))
	}
}

// Run writes until ctx ends.
func (e *Events) Run(ctx context.Context) error {
	defer e.broadcaster.Shutdown()
	for {
		select {
		case <-ctx.Done():
			e.finish(ctx)
			return nil
		case n := <-e.queue:
			if ctx.Err() != nil { // both were ready, and select took the other
				e.finish(ctx, n)
				return nil
			}
			e.write(ctx, n)
		}
	}
}

// finish writes what waits when the daemon stops: what it did last. The recorder
// drops what it still has when it ends, so it is given a moment.
func (e *Events) finish(ctx context.Context, first ...News) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer stop()
	for _, n := range first {
		e.write(ctx, n)
	}
	for {
		select {
		case n := <-e.queue:
			e.write(ctx, n)
		default:
			e.sink.settle(ctx)
			return
		}
	}
}

func (e *Events) write(ctx context.Context, n News) {
	kind := corev1.EventTypeNormal
	if n.Severity > Info {
		kind = corev1.EventTypeWarning
	}
	e.sink.underWay.Add(1)
	e.recorder.Event(&corev1.ObjectReference{
		APIVersion: v1alpha1.GroupVersion().String(), Kind: v1alpha1.Kind,
		Namespace: e.namespace, Name: n.Pair, UID: e.uid(ctx, n.Pair),
	}, kind, string(n.Kind), fmt.Sprintf("%s (attempt %d, %s, green %d %%): %s", headline(n.Kind), n.Attempt, n.Phase, n.Share, n.Message))
}

// uid finds the object's; empty where it can't be read: kubectl describe doesn't show
// the Event then, kubectl get events does.
func (e *Events) uid(ctx context.Context, pair string) types.UID {
	if known, is := e.uids[pair]; is {
		return known
	}
	var object v1alpha1.TrafficSwitch
	ctx, stop := context.WithTimeout(ctx, sendTimeout)
	defer stop()
	err := e.objects.Get().Namespace(e.namespace).Resource(v1alpha1.Resource).Name(pair).Do(ctx).Into(&object)
	if err != nil {
		e.log.Warn("the object of an Event can't be read", logkey.Pair(pair), zap.Error(err))
		return ""
	}
	e.uids[pair] = object.UID
	return object.UID
}

// sink writes Events, and knows how many are under way.
type sink struct {
	record.EventSink
	underWay atomic.Int64
	settled  chan struct{} // receives when none is
}

// settle waits until none is under way, or ctx ends.
func (s *sink) settle(ctx context.Context) {
	for s.underWay.Load() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-s.settled:
		}
	}
}

// ended takes over what became of one call. Where the API server gave no answer the
// recorder tries again.
func (s *sink) ended(err error) {
	if _, answered := errors.AsType[*apierrors.StatusError](err); err != nil && !answered {
		return
	}
	if s.underWay.Add(-1) <= 0 {
		select {
		case s.settled <- struct{}{}:
		default: // it was told already
		}
	}
}

// Create makes an Event.
func (s *sink) Create(event *corev1.Event) (*corev1.Event, error) {
	written, err := s.EventSink.Create(event)
	s.ended(err)
	return written, err
}

// Update changes an Event.
func (s *sink) Update(event *corev1.Event) (*corev1.Event, error) {
	written, err := s.EventSink.Update(event)
	s.ended(err)
	return written, err
}

// Patch counts an Event once more.
func (s *sink) Patch(event *corev1.Event, data []byte) (*corev1.Event, error) {
	written, err := s.EventSink.Patch(event, data)
	if !apierrors.IsNotFound(err) { // it is gone, and the recorder makes it anew
		s.ended(err)
	}
	return written, err
}
