package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/clusterswitch/clusterswitch/internal/sim/mutants"
)

var errEscaped = errors.New("a planted mistake was not caught")

func mutantsCommand() *cobra.Command {
	o := mutants.Options{Seeds: 1000, Workers: 2}
	cmd := &cobra.Command{
		Use: "mutants", Short: "Plant mistakes in core, loop and adapters, one at a time, and see that the simulator finds each",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Module, err = filepath.Abs(o.Module); err != nil {
				return fmt.Errorf("finding the module: %w", err)
			}
			o.Out = cmd.OutOrStdout()
			tally, err := mutants.Hunt(cmd.Context(), o)
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(o.Out, "planted=%d caught=%d\n", tally.Planted, tally.Caught)
			if tally.Caught < tally.Planted {
				return fmt.Errorf("%w: %d of %d", errEscaped, tally.Planted-tally.Caught, tally.Planted)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&o.Module, "module", ".", "the folder of the module that is tried")
	cmd.Flags().IntVar(&o.Seeds, "seeds", o.Seeds, "how many seeds each mistake may take")
	cmd.Flags().IntVar(&o.Workers, "workers", o.Workers, "how many are hunted at the same time")
	cmd.Flags().StringSliceVar(&o.Only, "only", nil, "parts of the names of those to plant; empty: all")
	return cmd
}
