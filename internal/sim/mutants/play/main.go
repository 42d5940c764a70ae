// Command play plays seeds of the simulator until one breaks a rule. The mistakes
// of package mutants are planted in it.
package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sim"
	"github.com/clusterswitch/clusterswitch/internal/sim/explore"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The first argument is how many seeds to play, from 1 on; the others are seeds
// that don't count. It prints the first seed that breaks a rule, the rule and how.
// Where none does it prints 0, and what small worlds of the explorer's break, if so.
func main() {
	var apart []uint64
	seeds := uint64(0)
	for i, arg := range os.Args[1:] {
		n, err := strconv.ParseUint(arg, 10, 64)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		if i == 0 {
			seeds = n
		} else {
			apart = append(apart, n)
		}
	}
	for seed := uint64(1); seed <= seeds; seed++ {
		if slices.Contains(apart, seed) {
			continue
		}
		if r := sim.Run(sim.Options{Seed: seed}); len(r.Violations) > 0 {
			fmt.Printf("%d %s %s\n", seed, r.Violations[0].Rule, r.Violations[0].Message)
			return
		}
	}
	for _, o := range worlds() {
		if r := explore.Run(o); len(r.Violations) > 0 {
			fmt.Printf("0 %s\n", r.Violations[0])
			return
		}
	}
	fmt.Println("0")
}

// worlds are small ones of the explorer's, for mistakes that need a rare order.
func worlds() []explore.Options {
	late := explore.Options{
		Kind: explore.Route53, Delays: 1, Late: 30 * time.Second, Rollback: true,
		Shares: []shift.Share{100}, Stride: 10 * time.Second, MaxStates: 50_000,
	}
	lease := explore.Options{
		Kind: explore.Balancer, Cuts: 1, Pauses: 2, Rollback: true,
		Shares: []shift.Share{100}, Stride: 10 * time.Second, MaxStates: 50_000,
	}
	lost := late
	lost.Delays, lost.Losses = 0, 1
	return []explore.Options{late, lease, lost}
}
