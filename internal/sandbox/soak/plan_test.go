package soak

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/line"
)

func TestASeedAlwaysGivesTheSamePlan(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		if diff := cmp.Diff(draw(seed), draw(seed), cmp.AllowUnexported(plan{})); diff != "" {
			t.Fatalf("seed %d (-first +second):\n%s", seed, diff)
		}
	}
}

// What sixty runs show is only worth something if everything is among it.
func TestSixtySeedsHaveEachStoryAndEachFault(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for seed := uint64(1); seed <= 60; seed++ {
		p := draw(seed)
		seen[string(p.story)], seen[p.term.Lease.String()] = true, true
		if p.lapse > 0 {
			seen["the lease runs out before a person asks"] = true
		}
		for _, f := range p.faults {
			seen[string(f.Kind)+" "+f.Who] = true
			switch f.Kind {
			case lineFault:
				seen[f.To+" "+f.State.String()] = true
			case awsFault:
				seen[faultName(f.AWS.Kind)] = true
			case freeze:
				if f.For > p.term.Lease {
					seen["beyond the lease"] = true
				}
			}
			if f.OnWrite > 0 && f.After {
				seen[string(f.Kind)+" after a write"] = true
			} else if f.OnWrite > 0 {
				seen[string(f.Kind)+" before a write"] = true
			}
		}
	}
	want := []string{
		string(toTheEnd), string(byFlag), string(apiAway), string(byUsers), "15s", "26s", "the lease runs out before a person asks",
		"kill -9 the leader", "kill -9 the standby", "kill -9 both", "SIGSTOP the leader", "SIGSTOP the standby", "SIGSTOP both", "beyond the lease",
		"kill -9 before a write", "kill -9 after a write", "SIGSTOP before a write", "SIGSTOP after a write",
		"API server killed ", "API server stands still ", "throttles", "loses answers", "loses requests", "is late", "answers what was", "is busy",
	}
	for _, s := range []line.State{line.Cut, line.Mute, line.Deaf, line.Silent} {
		want = append(want, toManagement+" "+s.String(), toAWS+" "+s.String())
	}
	for _, what := range want {
		if !seen[what] {
			t.Errorf("no seed from 1 to 60 has %q", what)
		}
	}
}

// Without the management API the daemon in charge must know that it is; nothing may
// have taken it away before.
func TestNothingHappensToTheLeaderWhereTheAPIGoesAway(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		p := draw(seed)
		if p.story != apiAway {
			continue
		}
		for _, f := range p.faults {
			if f.Kind != awsFault && f.Who != standby {
				t.Errorf("seed %d: %s", seed, f)
			}
		}
	}
}
