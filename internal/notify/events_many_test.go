package notify_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap/zaptest"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/notify"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// ledger is an API server that takes Events.
type ledger struct {
	mu     sync.Mutex // guards events
	events []string   // their reasons
}

func (l *ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if !strings.HasSuffix(r.URL.Path, "/events") && !strings.Contains(r.URL.Path, "/events/") {
		_, _ = w.Write([]byte(`{"apiVersion": "clusterswitch.io/v1alpha1", "kind": "TrafficSwitch", "metadata": {"name": "shop", "uid": "1"}}`))
		return
	}
	var event corev1.Event
	if r.Method == http.MethodPost && json.NewDecoder(r.Body).Decode(&event) == nil {
		l.mu.Lock()
		l.events = append(l.events, event.Reason)
		l.mu.Unlock()
	}
	_ = json.NewEncoder(w).Encode(event)
}

func (l *ledger) has(reason string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Contains(l.events, reason)
}

// client-go's recorder lets an object have 25 Events, and then one in five minutes. A
// rollback after a shift of many short steps must not be what is left out, nor what a
// daemon that is told to stop did last.
func TestTheEventOfARollbackIsNotLeftOut(t *testing.T) {
	kept := &ledger{}
	server := httptest.NewServer(kept)
	defer server.Close()
	e, err := notify.NewEvents(notify.EventsOptions{
		Config: &rest.Config{Host: server.URL, QPS: 1000, Burst: 1000, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}, Namespace: "shop", Logger: zaptest.NewLogger(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	for step := range 60 {
		n := rollback()
		n.Kind, n.Share = notify.StepReached, shift.Share(step)
		e.Tell(n)
	}
	e.Tell(rollback())
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := e.Run(stopped); err != nil {
		t.Fatal(err)
	}
	if !kept.has(string(notify.RollbackBegan)) {
		t.Errorf("of 61 Events these were written: %v", kept.events)
	}
}
