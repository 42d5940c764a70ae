package gates

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

// tally is what came of all hours of a row.
type tally struct {
	row      row
	hours    int
	alarms   int // the gate went back
	early    int // of these, before green was bad
	disaster int
	bothBad  int
	passes   int
	times    []int // of the alarms after the onset
	passing  []int
	requests []float64
	scatter  float64 // the sum
	rivals   []rivalTally
}

type rivalTally struct {
	alarms int
	times  []int
}

// median gives the middle of times of which only some of n were found; false:
// less than half were.
func median[T int | float64](found []T, n int) (T, bool) {
	if len(found) == 0 || 2*len(found) < n {
		return 0, false
	}
	sorted := slices.Sorted(slices.Values(found))
	return sorted[min(len(sorted)-1, (n-1)/2)], true
}

// chunk is so many hours that one worker plays at a time.
const chunk = 10

// playAll plays hours of each row on all processors. What comes of it depends on
// the seed alone.
func playAll(ctx context.Context, rows []row, hours int, seed uint64) ([]tally, error) {
	type job struct{ row, from int }
	jobs := make(chan job)
	results := make([][]outcome, len(rows))
	for i := range results {
		results[i] = make([]outcome, hours)
	}
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for j := range jobs {
				for hour := j.from; hour < min(hours, j.from+chunk); hour++ {
					results[j.row][hour] = play(rows[j.row], draws(seed, rows[j.row].name, hour))
				}
			}
		})
	}
	for i := range rows {
		for from := 0; from < hours && ctx.Err() == nil; from += chunk {
			jobs <- job{i, from}
		}
	}
	close(jobs)
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	tallies := make([]tally, len(rows))
	for i := range rows {
		tallies[i] = sum(rows[i], results[i])
	}
	return tallies, nil
}

// draws are an hour's own.
func draws(seed uint64, name string, hour int) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash never fails
	return rand.New(rand.NewPCG(seed, h.Sum64()+uint64(hour)*0x9e3779b97f4a7c15))
}

func sum(w row, outcomes []outcome) tally {
	t := tally{row: w, hours: len(outcomes)}
	for _, o := range outcomes {
		t.scatter += o.scatter
		t.add(o)
		for len(t.rivals) < len(o.rivals) {
			t.rivals = append(t.rivals, rivalTally{})
		}
		for i, at := range o.rivals {
			if at > 0 {
				t.rivals[i].alarms++
				t.rivals[i].times = append(t.rivals[i].times, at)
			}
		}
	}
	return t
}

func (t *tally) add(o outcome) {
	if o.bothBad {
		t.bothBad++
	}
	if o.pass >= 0 {
		t.passes++
		t.passing = append(t.passing, o.pass)
	}
	switch {
	case o.early:
		t.early++
		t.alarms++
	case o.gate >= 0:
		t.alarms++
		t.times = append(t.times, o.gate)
		t.requests = append(t.requests, o.requests)
		if o.disaster {
			t.disaster++
		}
	}
}
