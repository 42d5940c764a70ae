// Package story follows what the daemon says of one pair, and keeps it together
// with what others did meanwhile.
package story

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

	Message string `json:"-"`
	Step    string `json:"-"`
}

func (m Moment) same(n Moment) bool {
	return m.Phase == n.Phase && m.Share == n.Share && m.Reason == n.Reason
}

// Story follows the custom resource's status, as any user with kubectl could.
type Story struct {
	began time.Time

	mu      sync.Mutex // guards all below
	lines   []Line
	moments []Moment
	now     Moment        // with the newest message
	changed chan struct{} // closed and replaced when anything is said
}

// Line is one line of the told story: a moment of the daemon, or a deed of
// somebody else.
type Line struct {
	Moment Moment
	Deed   string // empty: the daemon's moment
}

// Tell adds what somebody other than the daemon does.
func (s *Story) Tell(deed string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, Line{Deed: deed, Moment: Moment{T: time.Since(s.began).Seconds()}})
}

// Told gives the lines so far.
func (s *Story) Told() []Line {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clip(s.lines)
}

// New begins a story; times count from began.
func New(began time.Time) *Story {
	return &Story{began: began, changed: make(chan struct{})}
}

// Follow watches until ctx ends. A broken watch is begun again: the story goes
// on where the resource stands. heed, unless it is nil, gets each resource as it is.
func (s *Story) Follow(ctx context.Context, client dynamic.Interface, namespace string, heed func(*unstructured.Unstructured)) {
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
				if heed != nil {
					heed(object)
				}
			}
		}
	}
}

func (s *Story) add(object *unstructured.Unstructured) {
	status, _, _ := unstructured.NestedMap(object.Object, "status")
	m := Moment{T: time.Since(s.began).Seconds()}
	m.Phase, _ = status["phase"].(string)
	m.Reason, _ = status["reason"].(string)
	m.Message, _ = status["message"].(string)
	m.Step, _ = status["step"].(string)
	share, _ := status["share"].(int64)
	m.Share = int(share)
	if m.Phase == "" {
		return // nothing was said yet
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = m
	if n := len(s.moments); n == 0 || !s.moments[n-1].same(m) {
		s.moments = append(s.moments, m)
		s.lines = append(s.lines, Line{Moment: m})
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// All gives the story so far and a channel that closes when more is said.
func (s *Story) All() ([]Moment, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clip(s.moments), s.changed
}

// When is the time of the moment of an index that Await went past.
func (s *Story) When(index int) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.began.Add(time.Duration(s.moments[index].T * float64(time.Second)))
}

// Last is what the daemon says now; the zero moment before anything was said.
func (s *Story) Last() Moment {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// AwaitNow waits until what the daemon says now fulfils the condition: a moment that
// lasts goes on to say more.
func (s *Story) AwaitNow(ctx context.Context, what string, fulfils func(Moment) bool) error {
	for {
		_, changed := s.All()
		if fulfils(s.Last()) {
			return nil
		}
		select {
		case <-ctx.Done():
			return s.notSeen(ctx, what)
		case <-changed:
		}
	}
}

func (s *Story) notSeen(ctx context.Context, what string) error {
	last := s.Last()
	return fmt.Errorf("waiting until %s: %w; the daemon last said %s at %d %%: %s: %s",
		what, context.Cause(ctx), last.Phase, last.Share, last.Reason, last.Message)
}

// Await waits until a moment from index from on fulfils the condition, and
// returns the index after it.
func (s *Story) Await(ctx context.Context, from int, what string, fulfils func(Moment) bool) (int, error) {
	for {
		moments, changed := s.All()
		for ; from < len(moments); from++ {
			if fulfils(moments[from]) {
				return from + 1, nil
			}
		}
		select {
		case <-ctx.Done():
			return from, s.notSeen(ctx, what)
		case <-changed:
		}
	}
}
