package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterswitch/clusterswitch/internal/sim/explore"
)

func exploreCommand() *cobra.Command {
	var only []string
	most := 0
	cmd := &cobra.Command{
		Use: "explore", Short: "Try everything that two replicas can do in small worlds: every order of their calls, with crashes, late writes and a rollback anywhere",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return exploreAll(cmd.OutOrStdout(), only, most)
		},
	}
	cmd.Flags().StringSliceVar(&only, "world", nil, "parts of the names of the worlds to explore, as route53/crash; empty: all")
	cmd.Flags().IntVar(&most, "states", 0, "how many states to see of each world at most; 0: all, until there is no other")
	return cmd
}

func exploreAll(out io.Writer, only []string, most int) error {
	states, executions, broken, boundary, lost, complete := 0, 0, 0, 0, 0, true
	for _, w := range explore.Worlds() {
		meant := len(only) == 0
		for _, part := range only {
			meant = meant || strings.Contains(w.Name, part)
		}
		if !meant {
			continue
		}
		w.MaxStates = most
		began := time.Now()
		r := explore.Run(w.Options)
		_, _ = fmt.Fprintf(out, "%-16s states=%d executions=%d violations=%d elbBoundary=%d ends=%d leadNowhere=%d complete=%t longestWay=%d took=%s\n",
			w.Name, r.States, r.Executions, r.Broken, r.Boundary, r.Ends, r.Lost, r.Complete, r.Deepest, time.Since(began).Round(time.Second))
		for _, v := range r.Violations {
			_, _ = fmt.Fprintf(out, "%s\n  %s\n", v, strings.Join(v.Story, "\n  "))
		}
		states, executions, broken = states+r.States, executions+r.Executions, broken+r.Broken
		boundary, lost, complete = boundary+r.Boundary, lost+r.Lost, complete && r.Complete
	}
	_, _ = fmt.Fprintf(out, "elbBoundary=%d leadNowhere=%d\nstates=%d executions=%d violations=%d complete=%t\n", boundary, lost, states, executions, broken, complete)
	if broken+lost > 0 {
		return fmt.Errorf("%w: %d times, and %d states lead nowhere", errRuleBroken, broken, lost)
	}
	return nil
}
