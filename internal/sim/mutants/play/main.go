// Command play plays seeds of the simulator until one breaks a rule. The mistakes
// of package mutants are planted in it.
package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/clusterswitch/clusterswitch/internal/sim"
	"github.com/clusterswitch/clusterswitch/internal/sim/explore"
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
			fmt.Fprintf(os.Stdout, "%d %s %s\n", seed, r.Violations[0].Rule, r.Violations[0].Message)
			return
		}
	}
	for _, o := range explore.Rare() {
		if r := explore.Run(o); len(r.Violations) > 0 {
			fmt.Fprintf(os.Stdout, "0 %s\n", r.Violations[0])
			return
		}
	}
	fmt.Fprintln(os.Stdout, "0")
}
