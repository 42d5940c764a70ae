package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterswitch/clusterswitch/internal/sim"
)

var errRuleBroken = errors.New("a rule was broken")

func simCommand() *cobra.Command {
	o := sim.Range{From: 1, Seeds: 1000}
	trace, crashes, stride, lines := false, false, 1, 60
	cmd := &cobra.Command{
		Use: "sim", Short: "Play the real loop of two or three replicas in a simulated world, with every fault, seed by seed",
		Long: "Play the real loop of two or three replicas in a simulated world. The same seed gives the same trace, byte for byte.\n\n" +
			"  sandbox sim --seeds 20000 --from 1\n  sandbox sim --from 4711 --trace\n  sandbox sim --crash-points",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := cmd.OutOrStdout()
			switch {
			case trace:
				return playTraced(out, o.From)
			case crashes:
				return tryCrashPoints(cmd.Context(), out, stride)
			}
			o.Each = func(r sim.Result) { tellFailure(out, r, lines) }
			total := sim.RunRange(cmd.Context(), o)
			tellTotal(out, total)
			if total.Violations > 0 {
				return fmt.Errorf("%w: %d times", errRuleBroken, total.Violations)
			}
			return nil
		},
	}
	cmd.Flags().Uint64Var(&o.From, "from", o.From, "the first seed")
	cmd.Flags().IntVar(&o.Seeds, "seeds", o.Seeds, "how many seeds to play")
	cmd.Flags().IntVar(&o.Workers, "workers", 0, "how many to play at the same time; 0: one on each core")
	cmd.Flags().BoolVar(&trace, "trace", false, "play the first seed only, and print everything that happens")
	cmd.Flags().BoolVar(&crashes, "crash-points", false, "let the daemon die before and after each call of four journeys instead, once and twice")
	cmd.Flags().IntVar(&stride, "stride", stride, "try every so manieth second crash only; 0: none")
	cmd.Flags().IntVar(&lines, "lines", lines, "how many lines of a failing seed's story to print")
	return cmd
}

func tryCrashPoints(ctx context.Context, out io.Writer, stride int) error {
	boundaries, singles, pairs, wrong := 0, 0, 0, 0
	for _, journey := range sim.Journeys() {
		for _, leased := range []bool{false, true} {
			p := sim.TryCrashPoints(ctx, journey, leased, stride)
			for _, w := range p.Wrong {
				_, _ = fmt.Fprintf(out, "%s (leased: %t): %s\n", p.Journey, p.Leased, w)
			}
			boundaries, singles, pairs, wrong = boundaries+p.Boundaries, singles+p.Singles, pairs+p.Pairs, wrong+len(p.Wrong)
		}
	}
	_, _ = fmt.Fprintf(out, "boundaries=%d crashes=%d pairs=%d wrong=%d\n", boundaries, singles, pairs, wrong)
	if wrong > 0 {
		return fmt.Errorf("%w: %d ended otherwise than without a crash", errRuleBroken, wrong)
	}
	return ctx.Err()
}

func playTraced(out io.Writer, seed uint64) error {
	r := sim.Run(sim.Options{Seed: seed, Trace: true})
	_, err := fmt.Fprintf(out, "%s\nends in %+v, elbBoundary=%d crossed=%d\n", strings.Join(r.Trace, "\n"), r.End, r.ElbBoundary, r.Crossed)
	if len(r.Violations) > 0 {
		return errors.Join(err, errRuleBroken)
	}
	return err
}

// tellFailure prints the story of a seed that broke a rule: it is played again for
// it, since a trace costs more than the run.
func tellFailure(out io.Writer, r sim.Result, lines int) {
	if len(r.Violations) == 0 {
		return
	}
	story := sim.Run(sim.Options{Seed: r.Seed, Trace: true}).Story(lines)
	_, _ = fmt.Fprintf(out, "seed %d: %s\nplay it again: sandbox sim --from %d --trace\n%s\n\n", r.Seed, r.Violations[0], r.Seed, story)
}

func tellTotal(out io.Writer, t sim.Total) {
	per := func(n int) float64 { return float64(n) / float64(max(1, t.Seeds)) }
	for k, n := range t.Faults {
		_, _ = fmt.Fprintf(out, "%-28s %8.3f a seed, in %5.1f %% of the seeds\n", sim.Kind(k), per(n), 100*per(t.With[k]))
	}
	_, _ = fmt.Fprintf(out, "rises=%d lowerings=%d crossed=%d turns=%d events=%d simulated=%s longestWithoutLeader=%s ends=%v took=%s cpu=%s\n",
		t.Rises, t.Lowerings, t.Crossed, t.Turns, t.Events, t.Simulated.Round(time.Hour), t.Leaderless, t.Ends, t.Took.Round(time.Millisecond), t.CPU.Round(time.Millisecond))
	if len(t.Failed) > 0 {
		_, _ = fmt.Fprintf(out, "failed seeds: %v\n", t.Failed)
	}
	_, _ = fmt.Fprintf(out, "seeds=%d violations=%d elbBoundary=%d seedsPerSecondPerCore=%.0f\n", t.Seeds, t.Violations, t.ElbBoundary, t.PerSecond())
}
