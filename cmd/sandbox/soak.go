package main

import (
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/soak"
)

func soakCommand() *cobra.Command {
	var options soak.Options
	cmd := &cobra.Command{
		Use: "soak", Short: "Let two real daemons shift real traffic while everything around them breaks, and judge what comes of it",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if options.Assets, options.CRDs, err = parts(); err != nil {
				return err
			}
			options.Out = os.Stdout
			return soak.Run(cmd.Context(), options)
		},
	}
	cmd.Flags().StringVar(&options.Daemon, "daemon", "", "path of the clusterswitch binary")
	cmd.Flags().StringVar(&options.Dir, "dir", ".demo/soak", "folder that keeps the runs' results; a run that is there is not run again")
	cmd.Flags().IntVar(&options.Runs, "runs", 3, "how many seeds are run")
	cmd.Flags().Uint64Var(&options.From, "from", 1, "the first seed")
	cmd.Flags().IntVar(&options.Rate, "rate", 100, "the users' requests per second")
	cmd.Flags().DurationVar(&options.Patience, "patience", 8*time.Minute, "how long one run may take")
	cmd.Flags().BoolVar(&options.Keep, "keep", false, "tell the whole story of each run, and keep its logs")
	cobra.CheckErr(cmd.MarkFlagRequired("daemon"))
	return cmd
}
