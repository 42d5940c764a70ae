package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/clusterswitch/clusterswitch/internal/app"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
)

// preflightFlags are the flags of the preflight command.
type preflightFlags struct {
	place                  place
	output, against        string
	brief, stored, atStart bool
}

func (p *program) preflightCommand() *cobra.Command {
	var flags preflightFlags
	command := &cobra.Command{
		Use:   "preflight PAIR",
		Short: "Check that green has all that blue has, and will work there",
		Long: `Check that green has everything that blue has, and that it will work on green's
version of Kubernetes. It reads both clusters and AWS and writes nothing. It
needs the configuration file, access to both clusters and AWS credentials, but
neither the daemon nor, unless a kubeconfig is in a Secret there, the management
cluster.

Each finding has an id that stays the same from run to run, a severity, an
object, one sentence, and what to do. block: no user is sent to green before it
is mended, or waived in the configuration; warn: a person should know; note: for
the record. What could not be read is a finding too. docs/preflight.md lists the
codes and describes the JSON.

With --against the report says which findings are new, gone or changed since a
former report that -o json printed. With --stored it is the report that the
daemon keeps beside the pair's journal; nothing else is read then.

Exit status 0: nothing blocks. 1: something blocks, or could not be checked, or
the command failed; a failure prints no report. 2: bad configuration or usage.
--against doesn't change that: a pipeline that shall stop at new findings only
reads "against.new" of -o json.`,
		Args:    onePair,
		PreRunE: func(*cobra.Command, []string) error { return flags.check() },
		RunE: func(command *cobra.Command, args []string) error {
			return p.preflight(command.Context(), args[0], flags)
		},
	}
	flags.place.define(command)
	command.Flags().StringVarP(&flags.output, "output", "o", "table", "the `format`: table, json or markdown")
	command.Flags().BoolVar(&flags.brief, "brief", false, "run only the checks that are cheap, as the daemon does at each step")
	command.Flags().StringVar(&flags.against, "against", "", "say what is new, gone or changed since the report in this JSON `file`")
	command.Flags().BoolVar(&flags.stored, "stored", false, "print the newest report that the daemon keeps beside the journal")
	command.Flags().BoolVar(&flags.atStart, "at-start", false, "with --stored: the last report before the attempt's first rise")
	command.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return p.configuredPairs()
	}
	return command
}

func (f preflightFlags) check() error {
	switch {
	case !slices.Contains([]string{"table", "json", "markdown"}, f.output):
		return usagef("-o %s: use table, json or markdown", f.output)
	case f.stored && f.brief:
		return usagef("--brief is for a new look, and --stored makes none")
	case f.atStart && !f.stored:
		return usagef("--at-start needs --stored: it names one of the reports that the daemon keeps")
	}
	return nil
}

func (p *program) preflight(ctx context.Context, pair string, flags preflightFlags) error {
	former, given, err := formerReport(pair, flags.against) // before minutes are spent
	if err != nil {
		return err
	}
	look := p.freshReport
	if flags.stored {
		look = p.storedReport
	}
	report, err := look(ctx, pair, flags)
	if err != nil {
		return err
	}
	if given {
		report.Against = new(report.Since(former))
	}
	if err := p.printPreflight(report, flags.output); err != nil {
		return err
	}
	if !report.Clear() {
		return fmt.Errorf("preflight of %s: %s", pair, report.Summary())
	}
	return nil
}

// formerReport reads the report of --against.
func formerReport(pair, path string) (r finding.Report, given bool, err error) {
	if path == "" {
		return finding.Report{}, false, nil
	}
	document, err := os.ReadFile(path)
	if err != nil {
		return finding.Report{}, false, usagef("--against %s: %w", path, reason(err))
	}
	r, err = finding.Parse(document)
	switch {
	case err != nil:
		return finding.Report{}, false, usagef("--against %s: %w", path, err)
	case r.Pair != pair:
		return finding.Report{}, false, usagef("--against %s: it is a report of pair %s, not of %s", path, r.Pair, pair)
	}
	return r, true, nil
}

// reason leaves out the path that an error of a file names: it was named.
func reason(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}

func (p *program) freshReport(ctx context.Context, pair string, flags preflightFlags) (finding.Report, error) {
	_, d, err := p.direct(ctx, []string{pair})
	if err != nil {
		return finding.Report{}, err
	}
	at, err := p.find(flags.place)
	if err != nil {
		return finding.Report{}, err
	}
	report, err := d.Preflight(ctx, app.PreflightOptions{
		Pair: pair, Brief: flags.brief, Management: at.restConfig, Namespace: at.namespace, UserAgent: p.userAgent(),
	})
	if err == nil && ctx.Err() != nil {
		return finding.Report{}, errors.New("it was ended before it had looked at all") // half a look says "can't be read" of what can be
	}
	return report, err
}

func (p *program) storedReport(ctx context.Context, pair string, flags preflightFlags) (finding.Report, error) {
	at, err := p.find(flags.place)
	if err != nil {
		return finding.Report{}, err
	}
	if at.directory != "" {
		return app.StoredPreflight(ctx, app.StoredOptions{Pair: pair, AtStart: flags.atStart, Directory: at.directory})
	}
	at, management, err := p.reachable(flags.place)
	if err != nil {
		return finding.Report{}, err
	}
	return app.StoredPreflight(ctx, app.StoredOptions{Pair: pair, AtStart: flags.atStart, Management: management, Namespace: at.namespace})
}

func (p *program) printPreflight(r finding.Report, format string) error {
	return p.document(r, format, func() { preflightTable(p.out, r) })
}

// document prints what is a document for machines, one for people, or a table.
func (p *program) document(d interface {
	JSON() ([]byte, error)
	Markdown() string
}, format string, table func(),
) error {
	switch format {
	case "json":
		content, err := d.JSON()
		if err != nil {
			return err
		}
		_, _ = p.out.Write(content) // p.out keeps the error
	case "markdown":
		_, _ = p.out.Write([]byte(d.Markdown()))
	default:
		table()
	}
	return nil
}
