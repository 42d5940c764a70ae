package filejournal

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/journal/status"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// FuzzFile: a file that is there is a state to the letter, or it is unreadable;
// never absent. What was read is what is written again.
func FuzzFile(f *testing.F) {
	s, err := status.New(stateOf(1), shift.Said{Reason: shift.Holding}, at(5))
	if err != nil {
		f.Fatal(err)
	}
	whole, err := encode(pair, s)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(whole), string(whole[:len(whole)/2]), "", "{}", "[]", `{"apiVersion": "clusterswitch.io/v1alpha1", "kind": "TrafficSwitch", "metadata": {"name": "shop"}, "status": {}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if content == nil {
			content = []byte{}
		}
		got, stored := found(pair, content)
		if got.Present == (got.Unreadable != "") {
			t.Fatalf("a file that is there was found as %+v", got)
		}
		if !got.Present {
			return
		}
		again, err := encode(pair, stored)
		if err != nil {
			t.Skip(err) // a time that JSON can't hold
		}
		twice, _ := found(pair, again)
		if diff := cmp.Diff(got, twice); diff != "" {
			t.Errorf("written and read again (-before +after):\n%s", diff)
		}
	})
}

// FuzzRequest: what has no fault is read as it is written again and within the
// custom resource's bounds; what has one takes no rollback away, and lets nothing
// new rise.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		"{}", `{"rollback": true, "rolback": 1}`, `{"rollback": true`, `{"attempt": 1e6, "approved": {"attempt": 1, "step": 2}}`, `{"rollback":true,"rollback":false}`,
		`{"vouch": {"attempt": 3, "take": "blue"}, "resolve": {"id": "1-2", "how": "adopt"}, "paused": null}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		spec, whole, fault := decodeSpec(content)
		before := v1alpha1.TrafficSwitchSpec{Attempt: 7, Rollback: true, Approved: v1alpha1.Approval{Attempt: 7, Step: 1}}
		if fault != "" {
			next := salvaged(before, spec, whole)
			if !next.Rollback || next.Attempt != before.Attempt || next.Approved != before.Approved || next.Resolve != before.Resolve || next.Vouch != before.Vouch {
				t.Fatalf("%q made %+v of %+v, although %s", content, next, before, fault)
			}
			return
		}
		if !whole || spec.Attempt < 0 || spec.Attempt > mostAttempts || spec.Approved.Step < 0 || spec.Approved.Attempt < 0 || spec.Vouch.Attempt < 0 {
			t.Fatalf("%q was read as %+v", content, spec)
		}
		again, err := encodeSpec(spec)
		if err != nil {
			t.Fatal(err)
		}
		twice, whole, fault := decodeSpec(again)
		if diff := cmp.Diff(spec, twice); diff != "" || !whole || fault != "" {
			t.Errorf("%s is %q and not whole: %v; (-before +after):\n%s", again, fault, whole, diff)
		}
	})
}
