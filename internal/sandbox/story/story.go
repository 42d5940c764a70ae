package demo

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// Moment is one change of what the daemon says of its pair.
type Moment struct {
	// T is seconds since the scenario began.
	T      float64 `json:"t"`
	Phase  string  `json:"phase"`
	Share  int     `json:"share"`
	Reason string  `json:"reason"`

	message string
	step    string
}

func (m Moment) same(n Moment) bool {
	return m.Phase == n.Phase && m.Share == n.Share && m.Reason == n.Reason
}

// story follows the custom resource's status, as any user with kubectl could.
type story struct {
	began time.Time

	mu      sync.Mutex // guards all below
	lines   []line
	moments []Moment
	changed chan struct{} // closed and replaced at each change
}

// line is one line of the told story: a moment of the daemon, or a deed of
// somebody else.
type line struct {
	moment Moment
	deed   string // empty: the daemon's moment
}

// tell adds what somebody other than the daemon does.
func (s *story) tell(deed string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line{deed: deed, moment: Moment{T: time.Since(s.began).Seconds()}})
}

// told gives the lines so far.
func (s *story) told() []line {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clip(s.lines)
}

func newStory(began time.Time) *story {
	return &story{began: began, changed: make(chan struct{})}
}

// follow watches until ctx ends. A broken watch is begun again: the story goes
// on where the resource stands.
func (s *story) follow(ctx context.Context, client dynamic.Interface, namespace string) {
	resource := client.Resource(schema.GroupVersionResource{
		Group: "clusterswitch.io", Version: "v1alpha1", Resource: "trafficswitches",
	}).Namespace(namespace)
	for ctx.Err() == nil {
		watch, err := resource.Watch(ctx, metav1.ListOptions{})
		if err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond): // the API server may be starting
			}
			continue
		}
		for event := range watch.ResultChan() {
			if object, ok := event.Object.(*unstructured.Unstructured); ok {
				s.add(object)
			}
		}
	}
}

func (s *story) add(object *unstructured.Unstructured) {
	status, _, _ := unstructured.NestedMap(object.Object, "status")
	m := Moment{T: time.Since(s.began).Seconds()}
	m.Phase, _ = status["phase"].(string)
	m.Reason, _ = status["reason"].(string)
	m.message, _ = status["message"].(string)
	m.step, _ = status["step"].(string)
	share, _ := status["share"].(int64)
	m.Share = int(share)
	if m.Phase == "" {
		return // nothing was said yet
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.moments); n > 0 && s.moments[n-1].same(m) {
		return
	}
	s.moments = append(s.moments, m)
	s.lines = append(s.lines, line{moment: m})
	close(s.changed)
	s.changed = make(chan struct{})
}

// all gives the story so far and a channel that closes at its next change.
func (s *story) all() ([]Moment, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clip(s.moments), s.changed
}

// last is the newest moment; the zero one before anything was said.
func (s *story) last() Moment {
	moments, _ := s.all()
	if len(moments) == 0 {
		return Moment{}
	}
	return moments[len(moments)-1]
}

// await waits until a moment from index from on fulfils the condition, and
// returns the index after it.
func (s *story) await(ctx context.Context, from int, what string, fulfils func(Moment) bool) (int, error) {
	for {
		moments, changed := s.all()
		for ; from < len(moments); from++ {
			if fulfils(moments[from]) {
				return from + 1, nil
			}
		}
		select {
		case <-ctx.Done():
			last := s.last()
			return from, fmt.Errorf("waiting until %s: %w; the daemon last said %s at %d %%: %s: %s",
				what, context.Cause(ctx), last.Phase, last.Share, last.Reason, last.message)
		case <-changed:
		}
	}
}
