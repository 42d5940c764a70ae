package cli

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
)

// meanwhile does something in the cluster just before a change goes out.
type meanwhile struct {
	next http.RoundTripper
	do   func()
}

func (m meanwhile) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPatch {
		m.do()
	}
	return m.next.RoundTrip(r)
}

// handMeanwhile is a hand whose every change comes a moment too late.
func (w *world) handMeanwhile(do func()) (*hand, *bytes.Buffer) {
	w.t.Helper()
	config := *w.config
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return meanwhile{next: next, do: do} })
	client, err := v1alpha1.NewClient(v1alpha1.ClientOptions{Config: &config, Namespace: w.namespace})
	if err != nil {
		w.t.Fatal(err)
	}
	var out bytes.Buffer
	return &hand{out: &paper{w: &out}, err: &paper{w: &out}, client: client, now: storyTime, place: place{namespace: w.namespace}}, &out
}

func TestStartNeverTakesAwayAFlagThatItHasNotSeen(t *testing.T) {
	w := newWorld(t)
	w.pair("shop")
	w.edit("shop", "status", `{"phase": "RolledBack", "attempt": 1}`)
	h, _ := w.handMeanwhile(func() { w.edit("shop", "spec", `{"rollback": true}`) })
	err := h.start(t.Context(), "shop")
	if err == nil || !strings.Contains(err.Error(), "somebody else changed what is asked for shop at this moment") {
		t.Errorf("start: %v", err)
	}
	if diff := cmp.Diff(v1alpha1.TrafficSwitchSpec{Rollback: true}, w.object("shop").Spec); diff != "" {
		t.Errorf("what is asked for (-want +got):\n%s", diff)
	}
}

func TestStartOutlivesTheDaemonsOwnWrites(t *testing.T) {
	w := newWorld(t)
	w.pair("shop")
	w.edit("shop", "spec", `{"rollback": true}`)
	w.edit("shop", "status", `{"phase": "RolledBack", "attempt": 1}`)
	writes := []string{`{"message": "one"}`, `{"attempt": 6}`}
	h, out := w.handMeanwhile(func() {
		if len(writes) > 0 {
			w.edit("shop", "status", writes[0])
			writes = writes[1:]
		}
	})
	if err := h.start(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(v1alpha1.TrafficSwitchSpec{Attempt: 7}, w.object("shop").Spec); diff != "" {
		t.Errorf("what is asked for (-want +got):\n%s", diff)
	}
	if !strings.Contains(out.String(), "Attempt 7 of shop is asked for.") {
		t.Errorf("it says:\n%s", out)
	}
}

func TestStartGivesUpOnADaemonThatNeverRests(t *testing.T) {
	w := newWorld(t)
	w.pair("shop")
	h, _ := w.handMeanwhile(func() {
		w.edit("shop", "status", `{"phase": "Idle", "attempt": `+w.object("shop").ResourceVersion+`}`)
	})
	if err := h.start(t.Context(), "shop"); err == nil || !strings.Contains(err.Error(), "changed in the meantime") {
		t.Errorf("start: %v", err)
	}
	if spec := w.object("shop").Spec; spec != (v1alpha1.TrafficSwitchSpec{}) {
		t.Errorf("it is asked for %+v", spec)
	}
}
