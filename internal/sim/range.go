package sim

import (
	"context"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"time"
)

// Range are seeds to play, one after the other on each core.
type Range struct {
	From  uint64
	Seeds int
	// Workers is how many play at the same time; 0: one on each core.
	Workers int
	// Each is called for each result, in the order of the seeds; nil: nobody wants it.
	Each func(Result)
}

// Total adds up what became of a range.
type Total struct {
	Seeds, Violations, ElbBoundary, Crossed int
	Rises, Lowerings                        int
	Turns, Events                           int
	Faults                                  Faults
	// With counts the seeds that had a fault of each kind.
	With       Faults
	Ends       map[string]int // by phase
	Simulated  time.Duration
	Leaderless time.Duration // the longest
	// Took is the time on the wall, CPU what it took of all cores.
	Took, CPU time.Duration
	// Failed are the seeds with violations.
	Failed []uint64
}

// PerSecond is how many seeds one core plays in a second of its own: what other
// processes of the machine take doesn't count.
func (t Total) PerSecond() float64 { return float64(t.Seeds) / t.CPU.Seconds() }

// cpuTime is what this process took of all cores until now.
func cpuTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func (t *Total) add(r Result) {
	t.Seeds++
	t.ElbBoundary += r.ElbBoundary
	t.Crossed += r.Crossed
	t.Rises += r.Rises
	t.Lowerings += r.Lowerings
	t.Turns += r.Turns
	t.Events += r.Events
	t.Simulated += r.Simulated
	t.Leaderless = max(t.Leaderless, r.Leaderless)
	t.Faults.Add(r.Faults)
	for k, n := range r.Faults {
		t.With[k] += min(n, 1)
	}
	t.Ends[r.End.Phase]++
	if len(r.Violations) > 0 {
		t.Violations += len(r.Violations)
		t.Failed = append(t.Failed, r.Seed)
	}
}

const chunk = 64

// littleGarbage is the percentage by which garbage may grow: a world is small, and
// gone after some milliseconds.
const littleGarbage = 800

// RunRange plays the seeds and adds them up. It ends early when ctx does.
func RunRange(ctx context.Context, o Range) Total {
	began, used := time.Now(), cpuTime()
	defer debug.SetGCPercent(debug.SetGCPercent(littleGarbage))
	total := Total{Ends: map[string]int{}}
	workers := o.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	chunks := (o.Seeds + chunk - 1) / chunk
	results := make([]chan []Result, workers)
	var wg sync.WaitGroup
	for i := range results {
		results[i] = make(chan []Result, 4)
		wg.Go(func() {
			defer close(results[i])
			for c := i; c < chunks && ctx.Err() == nil; c += workers {
				results[i] <- playChunk(o, c)
			}
		})
	}
	for c := range chunks {
		played, ok := <-results[c%workers]
		if !ok {
			break
		}
		for _, r := range played {
			total.add(r)
			if o.Each != nil {
				o.Each(r)
			}
		}
	}
	for _, rest := range results {
		for range rest {
		}
	}
	wg.Wait()
	total.Took, total.CPU = time.Since(began), cpuTime()-used
	return total
}

func playChunk(o Range, c int) []Result {
	var played []Result
	for n := c * chunk; n < min(o.Seeds, (c+1)*chunk); n++ {
		played = append(played, Run(Options{Seed: o.From + uint64(n)}))
	}
	return played
}
