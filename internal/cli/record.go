package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/clusterswitch/clusterswitch/internal/app"
	"github.com/clusterswitch/clusterswitch/internal/record"
)

// recordFlags are the flags of the report command.
type recordFlags struct {
	place   place
	output  string
	attempt int
}

func (p *program) reportCommand() *cobra.Command {
	var flags recordFlags
	command := &cobra.Command{
		Use:   "report PAIR",
		Short: "Tell how an attempt went, for the ticket and the talk afterwards",
		Long: `Tell how an attempt went: how it ended and what users on green met at each step,
who rolled back and why, then the plan, the timeline, the verdicts of each rise
with their numbers, the preflight's findings and waivers, the calls to AWS, and
what failed. It works while the attempt is under way, too.

The daemon keeps the records of a pair's last five attempts beside the journal.
No decision depends on them. Where a daemon was restarted or could not write,
the report says of which time nothing is recorded. docs/report.md shows one and
describes the JSON.

It needs neither the daemon nor blue, green or AWS.`,
		Args: onePair,
		PreRunE: func(*cobra.Command, []string) error {
			switch {
			case flags.output != "markdown" && flags.output != "json":
				return usagef("-o %s: use markdown or json", flags.output)
			case flags.attempt < 0:
				return usagef("--attempt %d: attempts count from 1; without it the newest is told", flags.attempt)
			}
			return nil
		},
		RunE: func(command *cobra.Command, args []string) error {
			return p.report(command.Context(), args[0], flags)
		},
	}
	flags.place.define(command)
	command.Flags().StringVarP(&flags.output, "output", "o", "markdown", "the `format`: markdown or json")
	command.Flags().IntVar(&flags.attempt, "attempt", 0, "the `number` of the attempt (default the newest)")
	command.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return p.configuredPairs()
	}
	return command
}

func (p *program) report(ctx context.Context, pair string, flags recordFlags) error {
	r, err := p.storedRecord(ctx, pair, flags)
	if err != nil {
		return err
	}
	document := []byte(r.Markdown())
	if flags.output == "json" {
		if document, err = r.JSON(true); err != nil {
			return err
		}
	}
	_, _ = p.out.Write(document) // p.out keeps the error
	return nil
}

func (p *program) storedRecord(ctx context.Context, pair string, flags recordFlags) (record.Record, error) {
	at, err := p.find(flags.place)
	if err != nil {
		return record.Record{}, err
	}
	if at.directory != "" {
		return app.StoredRecord(ctx, app.RecordOptions{Pair: pair, Attempt: flags.attempt, Directory: at.directory})
	}
	at, management, err := p.reachable(flags.place)
	if err != nil {
		return record.Record{}, err
	}
	return app.StoredRecord(ctx, app.RecordOptions{Pair: pair, Attempt: flags.attempt, Management: management, Namespace: at.namespace})
}
