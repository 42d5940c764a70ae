package explore

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func smallest(kind Kind) Options {
	return Options{Kind: kind, Shares: []shift.Share{10, 50, 100}, Stride: 10 * time.Second}
}

// TestNothingThatTwoReplicasCanDoBreaksARule goes through small worlds, one trouble
// each; all of it at once is for `make explore`.
func TestNothingThatTwoReplicasCanDoBreaksARule(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]func(*Options){
		"nothing happens":                         func(*Options) {},
		"a replica dies":                          func(o *Options) { o.Crashes = 1 },
		"a write goes without an answer":          func(o *Options) { o.Delays, o.Late = 1, 30*time.Second },
		"a save goes without an answer":           func(o *Options) { o.Saves, o.Late = 1, 30*time.Second },
		"the lease can't be renewed":              func(o *Options) { o.Cuts = 1 },
		"a person asks for a rollback":            func(o *Options) { o.Rollback = true },
		"two strides pass over what is under way": func(o *Options) { o.Pauses = 2; o.Shares = []shift.Share{50, 100} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := smallest(Route53)
			trouble(&o)
			r := Run(o)
			if !r.Complete || r.Lost > 0 || r.Ends == 0 {
				t.Errorf("complete %t, %d of %d states lead nowhere, %d are ends", r.Complete, r.Lost, r.States, r.Ends)
			}
			for _, v := range r.Violations {
				t.Errorf("%s\n%s", v, strings.Join(v.Story, "\n"))
			}
			t.Logf("states=%d executions=%d", r.States, r.Executions)
		})
	}
}

// TestARiseOnItsWayMayLandAtALoadBalancer: there is nothing to compare with there,
// so it is counted, and it is no violation.
func TestARiseOnItsWayMayLandAtALoadBalancer(t *testing.T) {
	t.Parallel()
	o := smallest(Balancer)
	o.Delays, o.Late, o.Rollback, o.Shares = 1, shift.WriteDeadline, true, []shift.Share{100}
	r := Run(o)
	if r.Boundary == 0 || len(r.Violations) > 0 || !r.Complete || r.Lost > 0 {
		t.Errorf("%d at the boundary, violations %v, complete %t, %d lead nowhere", r.Boundary, r.Violations, r.Complete, r.Lost)
	}
}

// TestPlantedBugsAreFound breaks the world, and the search must see it.
func TestPlantedBugsAreFound(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		plant plant
		rule  string
	}{
		"a swap that compares nothing":   {upsert, "S5"},
		"a journal that is read as none": {amnesia, "S8"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := smallest(Route53)
			o.plant, o.Crashes, o.Delays, o.Late, o.Rollback, o.Shares = tc.plant, 1, 1, shift.WriteDeadline, true, []shift.Share{100}
			o.MaxStates = 25_000
			rules := map[string]bool{}
			for _, v := range Run(o).Violations {
				rules[v.Rule] = true
				if len(v.Story) == 0 {
					t.Errorf("%s has no story", v)
				}
			}
			if !rules[tc.rule] {
				t.Errorf("found %v, it breaks %s", rules, tc.rule)
			}
		})
	}
}

// TestTheSameWorldGivesTheSameCounts: nothing depends on chance.
func TestTheSameWorldGivesTheSameCounts(t *testing.T) {
	t.Parallel()
	o := smallest(Route53)
	o.Rollback, o.Shares = true, []shift.Share{100}
	if diff := cmp.Diff(Run(o), Run(o)); diff != "" {
		t.Error(diff)
	}
}

// TestRareOrdersBreakNothing: `make mutants` takes what is broken there for a find. It
// goes through all of them before.
func TestRareOrdersBreakNothing(t *testing.T) {
	t.Parallel()
	for _, o := range Rare() {
		o.MaxStates = 6_000
		for _, v := range Run(o).Violations {
			t.Errorf("%+v: %s\n%s", o, v, strings.Join(v.Story, "\n"))
		}
	}
}
