package app

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// resource is a custom resource as the watch saw it; nil: it didn't yet.
type resource struct{ spec *v1alpha1.TrafficSwitchSpec }

func (r resource) Request(string) (v1alpha1.TrafficSwitchSpec, string) {
	if r.spec == nil {
		return v1alpha1.TrafficSwitchSpec{}, "the custom resource is gone, or not read yet"
	}
	return *r.spec, ""
}

func (resource) Place() string { return "the custom resource" }

func TestRequestIsTheSumOfAllSources(t *testing.T) {
	tests := map[string]struct {
		handsOff bool
		pair     config.Pair
		spec     *v1alpha1.TrafficSwitchSpec
		flag     bool
		want     shift.Request
	}{
		"nobody asks for anything": {
			pair: config.Pair{Serve: "blue"}, spec: &v1alpha1.TrafficSwitchSpec{},
			want: shift.Request{Serve: shift.Blue},
		},
		"asking for green is asking for a first attempt": {
			pair: config.Pair{Serve: "green"}, spec: &v1alpha1.TrafficSwitchSpec{},
			want: shift.Request{Serve: shift.Green, Attempt: 1},
		},
		"the configuration's attempt is the higher": {
			pair: config.Pair{Serve: "green", Attempt: 3}, spec: &v1alpha1.TrafficSwitchSpec{Attempt: 2},
			want: shift.Request{Serve: shift.Green, Attempt: 3},
		},
		"the custom resource's attempt is the higher": {
			pair: config.Pair{Serve: "green", Attempt: 3}, spec: &v1alpha1.TrafficSwitchSpec{Attempt: 4},
			want: shift.Request{Serve: shift.Green, Attempt: 4},
		},
		"the configuration asks for a rollback": {
			pair: config.Pair{Serve: "blue", Rollback: true}, spec: &v1alpha1.TrafficSwitchSpec{},
			want: shift.Request{Serve: shift.Blue, RollbackBy: []string{"the configuration"}},
		},
		"the custom resource asks for a rollback": {
			pair: config.Pair{Serve: "blue"}, spec: &v1alpha1.TrafficSwitchSpec{Rollback: true, RollbackForce: true},
			want: shift.Request{Serve: shift.Blue, RollbackBy: []string{"the custom resource"}, RollbackForce: true},
		},
		"the command line asks for a rollback": {
			pair: config.Pair{Serve: "blue"}, spec: &v1alpha1.TrafficSwitchSpec{}, flag: true,
			want: shift.Request{Serve: shift.Blue, RollbackBy: []string{"run --rollback"}},
		},
		"all ask for a rollback": {
			pair: config.Pair{Serve: "blue", Rollback: true, RollbackForce: true}, spec: &v1alpha1.TrafficSwitchSpec{Rollback: true}, flag: true,
			want: shift.Request{Serve: shift.Blue, RollbackForce: true, RollbackBy: []string{"the configuration", "the custom resource", "run --rollback"}},
		},
		"the pair is paused":            {pair: config.Pair{Serve: "blue", Paused: true}, spec: &v1alpha1.TrafficSwitchSpec{}, want: shift.Request{Serve: shift.Blue, Paused: true}},
		"the custom resource is paused": {pair: config.Pair{Serve: "blue"}, spec: &v1alpha1.TrafficSwitchSpec{Paused: true}, want: shift.Request{Serve: shift.Blue, Paused: true}},
		"hands off everything":          {handsOff: true, pair: config.Pair{Serve: "blue"}, spec: &v1alpha1.TrafficSwitchSpec{}, want: shift.Request{Serve: shift.Blue, HandsOff: true}},
		"hands off the pair":            {pair: config.Pair{Serve: "blue", HandsOff: true}, spec: &v1alpha1.TrafficSwitchSpec{}, want: shift.Request{Serve: shift.Blue, HandsOff: true}},
		"hands off, the resource says":  {pair: config.Pair{Serve: "blue"}, spec: &v1alpha1.TrafficSwitchSpec{HandsOff: true}, want: shift.Request{Serve: shift.Blue, HandsOff: true}},
		"an approval and an answer pass": {
			pair: config.Pair{Serve: "blue"},
			spec: &v1alpha1.TrafficSwitchSpec{Approved: v1alpha1.Approval{Attempt: 2, Step: 3}, Resolve: v1alpha1.Resolution{ID: "2-7", How: "adopt"}, Vouch: v1alpha1.Vouch{Attempt: 2, Take: "blue"}},
			want: shift.Request{Serve: shift.Blue, Approved: shift.Approval{Attempt: 2, Step: 3}, Resolve: shift.Resolution{ID: "2-7", How: shift.Adopt}, Vouch: shift.Vouch{Attempt: 2, Take: shift.Blue}},
		},
		"a resource that nobody read yet may ask to stop": {
			pair: config.Pair{Serve: "green", Rollback: true},
			want: shift.Request{Serve: shift.Green, Attempt: 1, Unknown: "the custom resource is gone, or not read yet", RollbackBy: []string{"the configuration"}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var flag *flagged
			if test.flag {
				flag = &flagged{}
			}
			r := newRequests(resource{test.spec}, flag)
			r.configure(&config.Config{HandsOff: test.handsOff}, test.pair)
			if diff := cmp.Diff(test.want, r.request(shift.NewState(), true)); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

// run --rollback speaks of the shift that the daemon found, whatever it takes
// to find it, and never of a later one.
func TestRollbackFlagIsBoundToTheAttemptFound(t *testing.T) {
	flag := &flagged{}
	asks := func(attempt int, joined bool) bool {
		// Each time anew: a pair whose clusters change is stopped and started.
		r := newRequests(resource{&v1alpha1.TrafficSwitchSpec{}}, flag)
		return len(r.request(shift.State{Attempt: attempt}, joined).RollbackBy) > 0
	}
	for i, turn := range []struct {
		attempt      int
		joined, want bool
	}{
		{0, false, true}, // the journal isn't read yet
		{1, false, true}, // a rollback without the journal is under way
		{3, true, true},  // now it is read
		{3, false, true}, // somebody else wrote it
		{4, true, false},
		{4, false, false},
	} {
		if got := asks(turn.attempt, turn.joined); got != turn.want {
			t.Errorf("turn %d, attempt %d: asks %t, want %t", i, turn.attempt, got, turn.want)
		}
	}
}

// After run --rollback has done its work, a person starts a new attempt without
// starting the daemon anew.
func TestRollbackFlagGivesWayToALaterWish(t *testing.T) {
	spec := &v1alpha1.TrafficSwitchSpec{Attempt: 2}
	r := newRequests(resource{spec}, &flagged{})
	asks := func(s shift.State) bool { return len(r.request(s, true).RollbackBy) > 0 }
	running := shift.State{Attempt: 2, Phase: shift.Shifting}
	over := shift.State{Attempt: 2, Phase: shift.RolledBack}
	if !asks(running) || !asks(over) {
		t.Error("the flag doesn't ask in the attempt that was found")
	}
	spec.Attempt = 3
	if !asks(running) {
		t.Error("a later attempt that is asked for takes the flag from the one under way")
	}
	if asks(over) {
		t.Error("the flag stands in the way of an attempt that was asked for later")
	}
}
