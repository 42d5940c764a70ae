package journal_test

import (
	"context"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/journal"
)

// watch runs the journal's watch until the test ends, and returns the pairs
// whose requests changed.
func (w *world) watch(j *journal.Journal) <-chan string {
	changes := make(chan string, 100)
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- j.Run(ctx, func(pair string) { changes <- pair }) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
	return changes
}

func TestAPersonsRequestWakesTheLoop(t *testing.T) {
	w := newWorld(t)
	j := w.journal()
	if _, known := j.Request(pair); known {
		t.Error("a request is known before the watch began")
	}
	changes := w.watch(j)
	w.load(j)
	<-changes // it was made
	for _, c := range []struct {
		patch string
		want  v1alpha1.TrafficSwitchSpec
	}{
		{`{"rollback": true}`, v1alpha1.TrafficSwitchSpec{Rollback: true}},
		{`{"rollback": null, "attempt": 2}`, v1alpha1.TrafficSwitchSpec{Attempt: 2}},
		{`{"approved": {"attempt": 2, "step": 1}}`, v1alpha1.TrafficSwitchSpec{Attempt: 2, Approved: v1alpha1.Approval{Attempt: 2, Step: 1}}},
	} {
		w.save(j, shiftingState()) // must not wake anybody
		w.edit(`{"spec": ` + c.patch + `}`)
		if got := <-changes; got != pair {
			t.Errorf("woken for %q, want %q", got, pair)
		}
		if got, known := j.Request(pair); got != c.want || !known {
			t.Errorf("after %s the request is %+v (known: %t), want %+v", c.patch, got, known, c.want)
		}
	}
	if err := w.objects.Delete(t.Context(), pair, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	<-changes
	if spec, known := j.Request(pair); known {
		t.Errorf("the resource is gone, but %+v is asked for", spec)
	}
}
