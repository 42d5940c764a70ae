package sim

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
)

// Journeys are the ways through a calm world that crash points are tried in: a
// healthy shift, a person's rollback, users who suffer, the planned way back.
func Journeys() []string { return []string{"shift", "rollback", "suffer", "back"} }

// CrashPoints is what became of a journey in which the replica at work died at
// every boundary of a call: before it, or after it.
type CrashPoints struct {
	Journey string
	// Leased: the replica holds a lease, which its next life has to wait for.
	Leased bool
	// Boundaries is how many there are without a crash; Singles and Pairs how many
	// crashes, and pairs of them, were tried. A pair whose second crash would have
	// come after the journey's end counts as none.
	Boundaries, Singles, Pairs int
	// Wrong says which ended otherwise, or broke a rule.
	Wrong []string
}

// TryCrashPoints plays the journey with a crash at each boundary, and with a second
// one at every stride-th boundary after it; 0: with one only.
func TryCrashPoints(ctx context.Context, journey string, leased bool, stride int) CrashPoints {
	o := Options{Calm: true, Journey: journey, Seed: 2}
	if leased {
		o.Seed = 1
	}
	calm := Run(o)
	p := CrashPoints{Journey: journey, Leased: leased, Boundaries: calm.Boundaries}
	if len(calm.Violations) > 0 {
		p.Wrong = append(p.Wrong, calm.Violations[0].String())
	}
	var cases [][]int
	for at := 1; at <= calm.Boundaries; at++ {
		cases = append(cases, []int{at})
		for next := at + 1; stride > 0 && next <= calm.Boundaries; next += stride {
			cases = append(cases, []int{at, next})
		}
	}
	wrong, happened := make([]string, len(cases)), make([]bool, len(cases))
	next := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				happened[i], wrong[i] = tryCrash(o, cases[i], calm.End)
			}
		})
	}
	for i := 0; i < len(cases) && ctx.Err() == nil; i++ {
		next <- i
	}
	close(next)
	wg.Wait()
	for i, at := range cases {
		switch {
		case !happened[i]:
		case len(at) == 1:
			p.Singles++
		default:
			p.Pairs++
		}
	}
	p.Wrong = append(p.Wrong, slices.DeleteFunc(wrong, func(s string) bool { return s == "" })...)
	return p
}

// tryCrash tells whether all crashes happened, and what they spoil; empty: nothing.
func tryCrash(o Options, at []int, want End) (happened bool, wrong string) {
	o.CrashAt = at
	r := Run(o)
	switch {
	case len(r.Violations) > 0:
		return true, fmt.Sprintf("crash at %v: %s", at, r.Violations[0])
	case r.End != want:
		return true, fmt.Sprintf("crash at %v ends in %+v, without one in %+v", at, r.End, want)
	}
	return r.Faults[CrashBefore]+r.Faults[CrashAfter] == len(at), ""
}
