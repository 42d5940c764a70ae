package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/bench"
)

func footprintCommand() *cobra.Command {
	var options bench.Options
	var image string
	cmd := &cobra.Command{
		Use: "footprint", Short: "Measure how large the daemon is: image, start, memory with one pair and with a hundred",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if options.Assets, options.CRDs, err = parts(); err != nil {
				return err
			}
			options.Out = os.Stdout
			return bench.Footprint(cmd.Context(), options, image)
		},
	}
	cmd.Flags().StringVar(&options.Daemon, "daemon", "", "path of the clusterswitch binary")
	cmd.Flags().StringVar(&options.Dir, "dir", ".demo/footprint", "folder for logs and configurations")
	cmd.Flags().StringVar(&image, "image", "", "an image that docker, podman or buildah has (default: the binary's size and that of the Dockerfile's base are added up)")
	cobra.CheckErr(cmd.MarkFlagRequired("daemon"))
	return cmd
}
