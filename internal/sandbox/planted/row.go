package planted

import (
	"context"
	"slices"
)

// row is one difference that is planted.
type row struct {
	// name says what differs, for people.
	name string
	// check is the check that must find it.
	check string
	// want is the id of the finding. $NAME stands for what plant keeps in
	// stage.names.
	want string
	// also are the ids of findings that are true as well, because of the same. A *
	// stands for any text.
	also []string
	// stays says that the clusters can't forget it: it is known from then on.
	stays bool
	// alone: it changes so much, or how the preflight is run, that it gets a run of
	// its own.
	alone bool
	plant func(ctx context.Context, s *stage) error
}

// rows are all that are planted, in the order of the checks.
func rows() []row {
	return slices.Concat(
		parityRows(), apiRows(), definitionRows(), releaseRows(), versionRows(), workloadRows(), argoRows(),
		entranceRows(), singletonRows(), trafficRows(), coverageRows(), metricRows(),
	)
}

// batches puts rows that bear one another into one run: those of one check,
// unless they want to be alone.
func batches(all []row, only []string) [][]row {
	var batches [][]row
	byCheck := map[string]int{}
	for _, r := range all {
		if len(only) > 0 && !slices.Contains(only, r.check) {
			continue
		}
		at, ok := byCheck[r.check]
		if r.alone || !ok {
			at = len(batches)
			batches = append(batches, nil)
		}
		if !r.alone {
			byCheck[r.check] = at
		}
		batches[at] = append(batches[at], r)
	}
	return batches
}
