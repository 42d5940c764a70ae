package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterswitch/clusterswitch/internal/app"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/internal/retire"
)

// retireFlags are the flags of the retire-check command.
type retireFlags struct {
	place  place
	output string
}

func (p *program) retireCommand() *cobra.Command {
	var flags retireFlags
	command := &cobra.Command{
		Use:   "retire-check CLUSTER|PAIR",
		Short: "Check that a blue cluster may be deleted",
		Long: `Check that nobody and nothing needs a blue cluster any more: all pairs that name
it, every entrance in it, declared or not, what CloudWatch and Prometheus saw
reach it, DNS answers, cookies and connections that may still lead there, what
runs there once only, and what in green still refers to it. It reads both
clusters, AWS and the pairs' journals, and writes nothing.

The cluster is a pair's name, for that pair's blue, or the cluster as the
configuration names it: the name of an EKS cluster, the context of a
kubeconfig, the name of a Secret.

-o markdown is the document for the ticket that deletes the cluster: who asked
and when, each finding, the evidence with numbers and times, what was not
checked, and the verdict. docs/retire.md explains the checks.

Exit status 0: safe to retire. 1: not safe, or the command failed, which prints
no report. 2: bad configuration or usage. 3: not known, so not safe.`,
		Args: cobra.ExactArgs(1),
		PreRunE: func(*cobra.Command, []string) error {
			if !slices.Contains([]string{"table", "json", "markdown"}, flags.output) {
				return usagef("-o %s: use table, json or markdown", flags.output)
			}
			return nil
		},
		RunE: func(command *cobra.Command, args []string) error {
			return p.retireCheck(command.Context(), args[0], flags)
		},
	}
	flags.place.define(command)
	command.Flags().StringVarP(&flags.output, "output", "o", "table", "the `format`: table, json or markdown")
	command.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return p.configuredPairs()
	}
	return command
}

// unknownError says that something could not be found out.
type unknownError struct{ error }

func (p *program) retireCheck(ctx context.Context, cluster string, flags retireFlags) error {
	c, d, err := p.direct(ctx, nil)
	if err != nil {
		return err
	}
	at, err := p.find(flags.place)
	if err != nil {
		return err
	}
	report, err := d.Retire(ctx, app.RetireOptions{
		Cluster: cluster, By: whoAsks(), Directory: at.directory, Management: at.restConfig, Namespace: at.namespace, UserAgent: p.userAgent(),
	})
	switch {
	case errors.Is(err, app.ErrNoSuchCluster):
		return usagef("%s: %w", c.File, err)
	case err != nil:
		return err
	case ctx.Err() != nil:
		return errors.New("it was ended before it had looked at all")
	}
	if err := p.printRetire(report, flags.output); err != nil {
		return err
	}
	said := fmt.Errorf("retire-check of %s: %s", report.Cluster, report.Verdict)
	switch report.Verdict {
	case retire.Safe:
		return nil
	case retire.Unknown:
		return unknownError{said}
	case retire.NotSafe:
	}
	return said
}

// whoAsks names the person for the ticket, as far as the machine knows; empty: it
// doesn't.
func whoAsks() string {
	var parts []string
	if who, err := user.Current(); err == nil && who.Username != "" {
		parts = append(parts, who.Username)
	}
	if host, err := os.Hostname(); err == nil {
		parts = append(parts, host)
	}
	return strings.Join(parts, "@")
}

func (p *program) printRetire(r retire.Report, format string) error {
	return p.document(r, format, func() { retireTable(p.out, r) })
}

// retireTable prints a report for a person at a terminal.
func retireTable(out *paper, r retire.Report) {
	out.say("%s", r.Answer())
	wrap(out, "", plain(r.Cluster+": "+r.Summary()+"."))
	out.say("\nLooked at %s, in %s. Pairs: %s. Silent for: %s.", finding.Moment(r.At), r.Took.Round(time.Millisecond), strings.Join(r.Pairs, ", "), r.SilentFor)
	for _, s := range r.Sections() {
		out.say("\n%s (%d)", s.Title, len(s.Findings))
		for _, x := range s.Findings {
			out.say("\n  %s", x.Object)
			wrap(out, "    ", plain(x.Message))
			wrap(out, "    ", plain("What to do: "+x.Do))
			out.say("    id: %s", x.ID)
		}
	}
	out.say("\nIn order")
	for _, e := range r.Evidence {
		wrap(out, "  ", plain(e.Said))
	}
	out.say("\nNot checked")
	for _, what := range r.NotChecked {
		wrap(out, "  ", plain(what))
	}
}
