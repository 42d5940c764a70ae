package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/go-logr/zapr"
	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/app"
	"github.com/clusterswitch/clusterswitch/internal/logkey"
)

func (p *program) runCommand() *cobra.Command {
	var rollback []string
	var configMap string
	command := &cobra.Command{
		Use:   "run",
		Short: "Run the daemon",
		Long: `Run the daemon until it gets SIGINT or SIGTERM. It logs to standard error, as
the configuration's "log" says. Stopping never rolls back and never loses a
step: the next start goes on where this one was.

A changed configuration is taken over while it runs. A pod's mounted file
follows its ConfigMap after a minute or so; with --config-map the daemon also
watches that ConfigMap through the API of the management cluster, and a change
acts at once. The file then serves while the ConfigMap can't be read.`,
		Args: noPair,
		PreRunE: func(*cobra.Command, []string) error {
			if configMap != "" && !namespacedName(configMap) {
				return usagef("--config-map %s: write it as NAMESPACE/NAME", configMap)
			}
			return nil
		},
		RunE: func(command *cobra.Command, _ []string) error { return p.run(command.Context(), rollback, configMap) },
	}
	command.Flags().StringVar(&configMap, "config-map", "",
		"watch this `NAMESPACE/NAME` for the configuration, under the key that has the file's name")
	command.Flags().StringSliceVar(&rollback, "rollback", nil,
		"send all traffic of this `pair` to blue; bound to the attempt that the daemon finds (may be repeated)")
	return command
}

func (p *program) run(ctx context.Context, rollback []string, configMap string) error {
	c, err := p.load()
	if err != nil {
		return err
	}
	for _, name := range rollback {
		if !slices.Contains(pairNames(c), name) {
			return usagef("--rollback %s: the configuration has no such pair; it has %s", name, strings.Join(pairNames(c), ", "))
		}
	}
	// Not p.err itself: it writes nothing any more once it failed, as a full disk does.
	log, err := newLogger(c.Log, p.err.w)
	if err != nil {
		return err
	}
	p.libraryLog(zapr.NewLogger(log))
	build := p.resolvedBuild()
	log.Info("starting", logkey.Version(build.Version), logkey.File(c.File))
	options := app.Options{Config: c, Version: build.Version, Rollback: rollback, Logger: log}
	options.ConfigMap.Namespace, options.ConfigMap.Name, _ = strings.Cut(configMap, "/")
	daemon, err := app.New(ctx, options)
	if err == nil {
		err = daemon.Run(ctx)
	}
	if err != nil {
		log.Error("ended by a failure", zap.Error(err))
		return errReported
	}
	log.Info("ended")
	return nil
}

func pairNames(c *config.Config) []string {
	names := make([]string, len(c.Pairs))
	for i, pair := range c.Pairs {
		names[i] = pair.Name
	}
	return names
}
