package main

import (
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/realnode"
)

func realNodeCommand() *cobra.Command {
	options := realnode.Options{}
	var part string
	cmd := &cobra.Command{
		Use: "real-node", Short: "Install the chart on a real node that this machine becomes for a while, and shift a pair from there (needs root and containerd)",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if options.Assets, _, err = parts(); err != nil {
				return err
			}
			if options.Root, err = controlplane.FindRepository("."); err != nil {
				return err
			}
			options.Out, options.Args = os.Stdout, os.Args[1:]
			switch part {
			case realnode.PartHost:
				err := realnode.Host(cmd.Context(), options)
				if errors.Is(err, realnode.ErrFailed) {
					os.Exit(1) // who plays said why, and who started this one says it again
				}
				return err
			case realnode.PartPlay:
				return realnode.Play(cmd.Context(), options)
			}
			return realnode.Run(cmd.Context(), options)
		},
	}
	cmd.Flags().StringVar(&options.Daemon, "daemon", "", "path of the clusterswitch binary")
	cmd.Flags().StringVar(&options.Helm, "helm", "", "path of the helm binary")
	cmd.Flags().StringVar(&options.Dir, "dir", ".demo/real-node", "folder for the image, logs and values")
	cmd.Flags().BoolVar(&options.Pull, "pull", false, "take the Dockerfile's base images from their registries (default: make them of this machine's Go and certificates)")
	cmd.Flags().BoolVar(&options.Again, "again", false, "take the images that the last run built")
	cmd.Flags().IntVar(&options.Rate, "rate", 100, "the users' requests per second")
	cmd.Flags().DurationVar(&options.Patience, "patience", 8*time.Minute, "how long the play may take, without what is built before")
	cmd.Flags().StringVar(&part, "part", "", "the part that this process plays; the command starts the others itself")
	cobra.CheckErr(cmd.MarkFlagRequired("daemon"))
	cobra.CheckErr(cmd.MarkFlagRequired("helm"))
	cobra.CheckErr(cmd.Flags().MarkHidden("part"))
	return cmd
}
