package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/aws"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/bench"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/demo"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/gates"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/planted"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/ready"
)

var errDemoFailed = errors.New("a scenario failed; its logs are beside the report")

func newCommand() *cobra.Command {
	root := &cobra.Command{
		Use: "sandbox", Short: "The demo world of clusterswitch: embedded AWS, edge, control planes, users",
		SilenceUsage: true, SilenceErrors: true,
	}
	root.AddCommand(awsCommand(), demoCommand(), benchCommand(), plantedCommand(), readyCommand(), gatesCommand(), gatesScenesCommand(),
		simCommand(), mutantsCommand(), exploreCommand(), soakCommand(), footprintCommand(), realNodeCommand())
	return root
}

func awsCommand() *cobra.Command {
	var listen string
	var options aws.Options
	cmd := &cobra.Command{
		Use: "aws", Short: "Run the embedded AWS alone: Route 53, ELBv2, CloudWatch and STS over HTTP",
		Long: "Run the embedded AWS alone. It starts empty and keeps everything in memory. Point any AWS client at it:\n\n" +
			"  aws --endpoint-url http://127.0.0.1:4599 route53 list-hosted-zones",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := (&net.ListenConfig{}).Listen(cmd.Context(), "tcp", listen)
			if err != nil {
				return fmt.Errorf("listening on %s: %w", listen, err)
			}
			server := &http.Server{Handler: aws.New(options), ReadHeaderTimeout: 5 * time.Second}
			cmd.Printf("embedded AWS: http://%s\n", l.Addr())
			served := make(chan error, 1)
			go func() { served <- server.Serve(l) }()
			select {
			case err := <-served:
				return err
			case <-cmd.Context().Done():
			}
			// Only reads and writes in memory are under way: nothing to wait for.
			return server.Close()
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:4599", "address to listen on; port 0 takes a free one")
	cmd.Flags().DurationVar(&options.Propagation, "propagation", 2*time.Second, "how long a Route 53 change stays PENDING")
	return cmd
}

func demoCommand() *cobra.Command {
	options := demo.Options{Seed: 1}
	cmd := &cobra.Command{
		Use: "demo", Short: "Play the scenarios with the real daemon: " + strings.Join(demo.Names(), ", "),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if options.Assets, options.CRDs, err = parts(); err != nil {
				return err
			}
			options.Out, options.Width = os.Stdout, terminalWidth()
			report, err := demo.Play(cmd.Context(), options)
			if err != nil {
				return err
			}
			if !report.Passed() {
				return fmt.Errorf("%w: %s/", errDemoFailed, options.Dir)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&options.Daemon, "daemon", "", "path of the clusterswitch binary")
	cmd.Flags().StringVar(&options.Dir, "dir", ".demo", "folder for report.json, logs and configurations")
	cmd.Flags().StringSliceVar(&options.Only, "scenario", nil, "play only these scenarios")
	cmd.Flags().IntVar(&options.Rate, "rate", 250, "the users' requests per second")
	cmd.Flags().DurationVar(&options.Patience, "patience", 90*time.Second, "how long one scenario may take")
	cobra.CheckErr(cmd.MarkFlagRequired("daemon"))
	return cmd
}

func benchCommand() *cobra.Command {
	var options bench.Options
	cmd := &cobra.Command{
		Use: "bench", Short: "Measure rollbacks of one pair and of many, beside the bare SDK calls in the same run, the calls of a daemon at rest, and a preflight beside kubectl",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if options.Assets, options.CRDs, err = parts(); err != nil {
				return err
			}
			options.Out = os.Stdout
			return bench.Run(cmd.Context(), options)
		},
	}
	cmd.Flags().StringVar(&options.Daemon, "daemon", "", "path of the clusterswitch binary")
	cmd.Flags().StringVar(&options.Dir, "dir", ".demo/bench", "folder for logs and the configuration")
	cmd.Flags().StringSliceVar(&options.Parts, "part", bench.Parts(), "measure only these parts")
	cmd.Flags().IntVar(&options.Pairs, "pairs", 10, "pairs that are shifted side by side")
	cmd.Flags().IntVar(&options.Rounds, "rounds", 10, "how often every pair is rolled back")
	cmd.Flags().IntVar(&options.Objects, "objects", 100_000, "objects in each of the two clusters whose preflight is measured; at least 1000")
	cobra.CheckErr(cmd.MarkFlagRequired("daemon"))
	return cmd
}

func plantedCommand() *cobra.Command {
	var options planted.Options
	cmd := &cobra.Command{
		Use: "preflight-planted", Short: "Try the preflight at two real clusters, first alike, then with differences planted one by one",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if options.Assets, _, err = parts(); err != nil {
				return err
			}
			if options.Root, err = controlplane.FindRepository("."); err != nil {
				return err
			}
			options.Out = os.Stdout
			return planted.Run(cmd.Context(), options)
		},
	}
	cmd.Flags().StringVar(&options.Binary, "daemon", "", "path of the clusterswitch binary")
	cmd.Flags().StringVar(&options.Helm, "helm", "", "path of the helm binary")
	cmd.Flags().StringVar(&options.Dir, "dir", ".demo/planted", "folder for logs, configurations and reports")
	cmd.Flags().StringSliceVar(&options.Only, "check", nil, "plant only differences that these checks must find")
	cobra.CheckErr(cmd.MarkFlagRequired("daemon"))
	cobra.CheckErr(cmd.MarkFlagRequired("helm"))
	return cmd
}

func readyCommand() *cobra.Command {
	options := ready.Options{Seed: 1}
	cmd := &cobra.Command{
		Use: "ready-sim", Short: "Show that blue stays ready although autoscalers shrink what has no users: " + strings.Join(ready.Names(), ", "),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if options.Assets, options.CRDs, err = parts(); err != nil {
				return err
			}
			options.Out = os.Stdout
			return ready.Run(cmd.Context(), options)
		},
	}
	cmd.Flags().StringVar(&options.Daemon, "daemon", "", "path of the clusterswitch binary")
	cmd.Flags().StringVar(&options.Dir, "dir", ".demo/ready", "folder for logs and configurations")
	cmd.Flags().StringSliceVar(&options.Only, "scene", nil, "play only these scenes")
	cmd.Flags().IntVar(&options.Rate, "rate", 120, "the users' requests per second")
	cmd.Flags().DurationVar(&options.Patience, "patience", 90*time.Second, "how long one scene may take")
	cobra.CheckErr(cmd.MarkFlagRequired("daemon"))
	return cmd
}

func gatesCommand() *cobra.Command {
	var options gates.Options
	cmd := &cobra.Command{
		Use: "gates-sim", Short: "Play made-up hours of traffic against the gates by evidence, and against what others use: " + strings.Join(gates.Names(), ", "),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			options.Out = os.Stdout
			return gates.Run(cmd.Context(), options)
		},
	}
	cmd.Flags().IntVar(&options.Hours, "hours", 2000, "hours that each row is played")
	cmd.Flags().Uint64Var(&options.Seed, "seed", 0, "repeats the run of this seed; 0 takes a fresh one")
	cmd.Flags().StringSliceVar(&options.Only, "table", nil, "make only these tables")
	return cmd
}

// parts are the control planes' binaries and the custom resource definition.
func parts() (controlplane.Assets, []*apiextensionsv1.CustomResourceDefinition, error) {
	root, err := controlplane.FindRepository(".")
	if err != nil {
		return controlplane.Assets{}, nil, err
	}
	crd, err := v1alpha1.CRD()
	if err != nil {
		return controlplane.Assets{}, nil, err
	}
	return controlplane.RepositoryAssets(root), []*apiextensionsv1.CustomResourceDefinition{crd}, nil
}

// terminalWidth is the columns of standard output; 0: it is no terminal.
func terminalWidth() int {
	width, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil {
		return 0
	}
	return width
}
