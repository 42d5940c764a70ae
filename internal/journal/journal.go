package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/journal/status"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// What callers branch on.
var (
	// ErrConflict: somebody else wrote the journal, or it is gone. Load again.
	ErrConflict = errors.New("somebody else wrote the journal")
	// ErrUnreadable: what is stored can't be read, so it isn't overwritten.
	ErrUnreadable = errors.New("the stored journal can't be read")
)

// Options say where the journal is kept.
type Options struct {
	// Config reaches the management cluster.
	Config *rest.Config
	// Namespace holds the custom resources, one a pair.
	Namespace string
	// Holder names this process in what it writes, for people; empty: it doesn't.
	Holder string
	Logger *zap.Logger
}

// Journal keeps states in custom resources. Its methods may be called by many
// goroutines, but each pair's Load and Save by one at a time.
type Journal struct {
	client    rest.Interface
	namespace string
	holder    string
	log       *zap.Logger
	informer  cache.SharedIndexInformer

	mu    sync.Mutex
	known map[string]*held // by pair
}

// held is a custom resource as Load or Save saw it last.
type held struct {
	object *v1alpha1.TrafficSwitch
	// unreadable: the journal in object couldn't be read.
	unreadable bool
}

// New makes a journal. It doesn't talk to the cluster yet.
func New(o Options) (*Journal, error) {
	client, err := v1alpha1.RESTClient(o.Config)
	if err != nil {
		return nil, err
	}
	j := &Journal{client: client, namespace: o.Namespace, holder: o.Holder, log: o.Logger, known: map[string]*held{}}
	j.informer, err = j.newInformer()
	return j, err
}

// Load reads the state of a pair. Where the custom resource isn't there it is
// made, with an empty spec, so that people have something to edit. An error
// says that the cluster could not be asked, or refused.
func (j *Journal) Load(ctx context.Context, pair string) (shift.Found, error) {
	object, err := j.getOrCreate(ctx, pair)
	if err != nil {
		return shift.Found{}, fmt.Errorf("loading the journal of %s: %w", pair, err)
	}
	found := status.Decode(stored(object))
	j.hold(pair, &held{object: object, unreadable: found.Unreadable != ""})
	return found, nil
}

// Look reads the state of a pair and leaves everything as it is: nothing is made,
// and Save isn't prepared. A pair without a custom resource has no state.
func (j *Journal) Look(ctx context.Context, pair string) (shift.Found, error) {
	return j.look(ctx, pair, metav1.GetOptions{})
}

// Follow is Look for those who look again and again: the API server answers from
// its memory, which may be a moment old.
func (j *Journal) Follow(ctx context.Context, pair string) (shift.Found, error) {
	return j.look(ctx, pair, metav1.GetOptions{ResourceVersion: "0"})
}

func (j *Journal) look(ctx context.Context, pair string, o metav1.GetOptions) (shift.Found, error) {
	object, err := j.get(ctx, pair, o)
	switch {
	case apierrors.IsNotFound(err):
		return shift.Found{}, nil
	case err != nil:
		return shift.Found{}, fmt.Errorf("reading the journal of %s: %w", pair, err)
	}
	return status.Decode(stored(object)), nil
}

func (j *Journal) getOrCreate(ctx context.Context, pair string) (*v1alpha1.TrafficSwitch, error) {
	object, err := j.get(ctx, pair, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		return object, err
	}
	fresh := &v1alpha1.TrafficSwitch{ObjectMeta: metav1.ObjectMeta{Name: pair}}
	object = &v1alpha1.TrafficSwitch{}
	err = j.client.Post().Namespace(j.namespace).Resource(v1alpha1.Resource).Body(fresh).Do(ctx).Into(object)
	switch {
	case apierrors.IsAlreadyExists(err):
		return j.get(ctx, pair, metav1.GetOptions{})
	case apierrors.IsNotFound(err):
		return nil, fmt.Errorf("the namespace %s or the custom resource definition of %s isn't there: %w", j.namespace, v1alpha1.Kind, err)
	}
	return object, err
}

func (j *Journal) get(ctx context.Context, pair string, o metav1.GetOptions) (*v1alpha1.TrafficSwitch, error) {
	object := &v1alpha1.TrafficSwitch{}
	err := j.client.Get().Namespace(j.namespace).Resource(v1alpha1.Resource).Name(pair).
		SpecificallyVersionedParams(&o, metav1.ParameterCodec, metav1.SchemeGroupVersion).Do(ctx).Into(object)
	return object, err
}

// Save writes the state of a pair, and what the daemon says of it. It needs a
// Load before. It answers ErrConflict when the journal is no longer what Load
// or Save saw last: then nothing was written. After any other error it may or
// may not have been written; if it was, the next Save answers ErrConflict.
// status.ErrTooLarge also means that nothing was written. Where the stored journal
// can't be read it stays as it is, whatever the answer: only what people read
// beside it is written, and the answer is ErrUnreadable. Said.Beside asks for just
// that, also where there is no journal.
func (j *Journal) Save(ctx context.Context, pair string, s shift.State, said shift.Said) error {
	err := j.save(ctx, pair, s, said)
	if err != nil {
		return fmt.Errorf("saving the journal of %s: %w", pair, err)
	}
	return nil
}

func (j *Journal) save(ctx context.Context, pair string, s shift.State, said shift.Said) error {
	last := j.held(pair)
	if last == nil {
		return errors.New("it was not loaded")
	}
	next, err := status.New(s, said, time.Now())
	if err != nil {
		return err
	}
	next.Holder = j.holder
	if last.unreadable || said.Beside {
		next = status.Beside(last.object.Status, next)
	}
	for {
		next.Conditions = status.Conditions(last.object.Status.Conditions, last.object.Generation, s, said, time.Now())
		written, err := j.updateStatus(ctx, last.object, next)
		switch {
		case err == nil && last.unreadable:
			j.hold(pair, &held{object: written, unreadable: true})
			return ErrUnreadable
		case err == nil:
			j.hold(pair, &held{object: written})
			return nil
		}
		if !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			return err
		}
		if last, err = j.passOver(ctx, pair, last); err != nil {
			return err
		}
	}
}

// passOver looks at what stands in the way of a save. A newer object with the
// same journal is a person's edit of the spec, and the one to write to.
func (j *Journal) passOver(ctx context.Context, pair string, last *held) (*held, error) {
	object, err := j.get(ctx, pair, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, fmt.Errorf("%w: the custom resource is gone", ErrConflict)
	case err != nil:
		return nil, err
	case object.UID != last.object.UID:
		return nil, fmt.Errorf("%w: the custom resource was made anew", ErrConflict)
	case !bytes.Equal(stored(object), stored(last.object)):
		return nil, ErrConflict
	}
	return &held{object: object, unreadable: last.unreadable}, nil
}

// updateStatus writes the status if the object is still the one given.
func (j *Journal) updateStatus(ctx context.Context, object *v1alpha1.TrafficSwitch, said v1alpha1.TrafficSwitchStatus) (*v1alpha1.TrafficSwitch, error) {
	next := object.DeepCopy()
	next.Status = said
	next.Status.ObservedGeneration = object.Generation
	written := &v1alpha1.TrafficSwitch{}
	err := j.client.Put().Namespace(j.namespace).Resource(v1alpha1.Resource).Name(object.Name).
		SubResource("status").Body(next).Do(ctx).Into(written)
	return written, err
}

// stored gives the journal as the API server wrote it: keys in order, so that
// the same journal is always the same bytes.
func stored(object *v1alpha1.TrafficSwitch) []byte {
	if object.Status.Journal == nil {
		return nil
	}
	return object.Status.Journal.Raw
}

func (j *Journal) held(pair string) *held {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.known[pair]
}

func (j *Journal) hold(pair string, h *held) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.known[pair] = h
}
