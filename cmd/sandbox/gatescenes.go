package main

import (
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/gatescenes"
)

func gatesScenesCommand() *cobra.Command {
	options := gatescenes.Options{Seed: 1}
	cmd := &cobra.Command{
		Use: "gates-scenes", Short: "Show what gates on users' requests do about a bad green, bad luck, and counting that goes wrong: " + strings.Join(gatescenes.Names(), ", "),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if options.Assets, options.CRDs, err = parts(); err != nil {
				return err
			}
			options.Out = os.Stdout
			return gatescenes.Run(cmd.Context(), options)
		},
	}
	cmd.Flags().StringVar(&options.Daemon, "daemon", "", "path of the clusterswitch binary")
	cmd.Flags().StringVar(&options.Prometheus, "prometheus", "", "path of a Prometheus binary")
	cmd.Flags().StringVar(&options.Dir, "dir", ".demo/gates", "folder for logs, configurations and series")
	cmd.Flags().StringSliceVar(&options.Only, "scene", nil, "play only these scenes")
	cmd.Flags().IntVar(&options.Rate, "rate", 400, "the users' requests per second")
	cmd.Flags().DurationVar(&options.Patience, "patience", 2*time.Minute, "how long one scene may take")
	cobra.CheckErr(cmd.MarkFlagRequired("daemon"))
	cobra.CheckErr(cmd.MarkFlagRequired("prometheus"))
	return cmd
}
