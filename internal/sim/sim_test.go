package sim_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/sim"
)

func TestTheSameSeedGivesTheSameTrace(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		first, again := sim.Run(sim.Options{Seed: seed, Trace: true}), sim.Run(sim.Options{Seed: seed, Trace: true})
		if diff := cmp.Diff(first, again); diff != "" {
			t.Errorf("seed %d played twice (-first +again):\n%s", seed, diff)
		}
	}
}
