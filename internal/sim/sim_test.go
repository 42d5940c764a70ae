package sim_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sim"
)

func TestTheSameSeedGivesTheSameTrace(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		first, again := sim.Run(sim.Options{Seed: seed, Trace: true}), sim.Run(sim.Options{Seed: seed, Trace: true})
		if diff := cmp.Diff(first, again); diff != "" {
			t.Errorf("seed %d played twice (-first +again):\n%s", seed, diff)
		}
		silent := sim.Run(sim.Options{Seed: seed})
		if silent.Events != first.Events || silent.End != first.End || silent.Faults != first.Faults {
			t.Errorf("seed %d goes another way when nobody listens: %+v, then %+v", seed, first.End, silent.End)
		}
	}
}

// The thousands are played by make sim, which make test runs: the race detector
// would make them ten times as slow.
func TestRulesHoldInSimulatedWorlds(t *testing.T) {
	t.Parallel()
	total := sim.RunRange(t.Context(), sim.Range{From: 1, Seeds: 200, Each: func(r sim.Result) {
		if len(r.Violations) > 0 {
			t.Errorf("seed %d: %s\nplay it again: sandbox sim --from %d --trace\n%s", r.Seed, r.Violations[0], r.Seed,
				sim.Run(sim.Options{Seed: r.Seed, Trace: true}).Story(40))
		}
	}})
	for k, n := range total.Faults {
		if n == 0 {
			t.Errorf("%s never happened in %d seeds: what holds there was not tried", sim.Kind(k), total.Seeds)
		}
	}
	if total.Rises < total.Seeds || total.Lowerings < total.Seeds/4 {
		t.Errorf("in %d seeds there were %d rises and %d lowerings: too little happens", total.Seeds, total.Rises, total.Lowerings)
	}
}

// One crash at each boundary: L3. Pairs of crashes are tried by sandbox sim
// --crash-points.
func TestACrashAtAnyCallEndsTheSame(t *testing.T) {
	t.Parallel()
	for i, journey := range sim.Journeys() {
		p := sim.TryCrashPoints(t.Context(), journey, i%2 == 1, 0)
		if p.Boundaries < 50 || p.Singles != p.Boundaries {
			t.Errorf("%s: %d crashes were tried at %d boundaries", journey, p.Singles, p.Boundaries)
		}
		for _, wrong := range p.Wrong {
			t.Errorf("%s: %s", journey, wrong)
		}
	}
}
