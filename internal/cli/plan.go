package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterswitch/clusterswitch/internal/app"
	"github.com/clusterswitch/clusterswitch/internal/rehearsal"
	"github.com/clusterswitch/clusterswitch/switcher/evidence"
)

func (p *program) planCommand() *cobra.Command {
	var output, start string
	command := &cobra.Command{
		Use:   "plan PAIR",
		Short: "Rehearse a whole shift: what each step does, and which faults it would find",
		Long: `Rehearse a whole shift without making it. The decisions are the daemon's own,
asked one after the other as if all went well: every probe passes, people approve
at once, and users ask as often, and fail as often, as was measured of blue. So it
tells when each step comes, what is written to AWS then, and what is waited for.

For each gate on users' requests it tells how long, and how many requests, a step
needs until green is proven fine, and until a fault is found that makes errors
twice or five times as frequent as blue's, or a percentage point more. It warns
where a step can't decide within its hold.

It reads the entrances at AWS and what the gates measure of blue, and writes
nothing. Capacity, singletons and the preflight are not rehearsed.

Exit status 0: the shift reaches 100 %. 1: it doesn't, or the command failed.
2: bad configuration or usage.`,
		Args: onePair,
		PreRunE: func(*cobra.Command, []string) error {
			if !slices.Contains([]string{"table", "json"}, output) {
				return usagef("-o %s: use table or json", output)
			}
			return nil
		},
		RunE: func(command *cobra.Command, args []string) error {
			return p.plan(command.Context(), args[0], output, start)
		},
	}
	command.Flags().StringVarP(&output, "output", "o", "table", "the `format`: table or json")
	command.Flags().StringVar(&start, "start", "", "when the shift is asked for, as 2006-01-02T15:04:05Z: windows and freezes count from then (default now)")
	command.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return p.configuredPairs()
	}
	return command
}

func (p *program) plan(ctx context.Context, pair, output, start string) error {
	at := p.now().UTC().Truncate(time.Second)
	if start != "" {
		given, err := time.Parse(time.RFC3339, start)
		if err != nil {
			return usagef("--start %s: write it as 2006-01-02T15:04:05Z", start)
		}
		at = given
	}
	_, d, err := p.direct(ctx, []string{pair})
	if err != nil {
		return err
	}
	report, err := d.Plan(ctx, app.PlanOptions{Pair: pair, Start: at})
	if err != nil {
		return err
	}
	if output == "json" {
		document, err := report.JSON()
		if err != nil {
			return err
		}
		_, _ = p.out.Write(append(document, '\n')) // p.out keeps the error
	} else {
		p.planTables(report)
	}
	if !report.Rehearsal.Standby {
		return fmt.Errorf("plan of %s: %s", pair, report.Rehearsal.Stuck)
	}
	return nil
}

// planTables prints a rehearsal for people.
func (p *program) planTables(r rehearsal.Report) {
	p.out.say("%s: a shift that is asked for at %s, when all goes well\n", r.Pair, moment(r.Start))
	rows := [][]string{{"AFTER", "GREEN", "REASON", "WHAT HAPPENS"}}
	for _, s := range r.Rehearsal.Scenes {
		rows = append(rows, []string{brief(s.At.Sub(r.Start)), s.Share.String(), string(s.Reason), s.Message})
	}
	table(p.out, rows)
	for _, g := range r.Gates {
		if g.Err == "" {
			p.out.say("\nGate %s: blue had %s requests a second%s", g.Name, counted(g.Profile.Rate), measuredOver(g.Profile))
			p.ratios(g.Profile)
			p.finds(g.Name, r.Finds)
		}
	}
	if len(r.Warnings) > 0 {
		p.out.say("\nWarnings:")
	}
	for _, w := range r.Warnings {
		p.out.say("  %s", w)
	}
}

func measuredOver(e evidence.Profile) string {
	if e.From.IsZero() {
		return ""
	}
	return fmt.Sprintf(", measured over %s until %s", brief(e.To.Sub(e.From)), moment(e.To))
}

func (p *program) ratios(e evidence.Profile) {
	rows := [][]string{{"BAD IS", "OF BLUE'S REQUESTS", "SCATTER"}}
	for _, m := range e.Metrics {
		rows = append(rows, []string{m.Name, fmt.Sprintf("%.4g %%", 100*m.Ratio), fmt.Sprintf("%.3g × chance", m.Dispersion)})
	}
	table(p.out, rows)
}

func (p *program) finds(gate string, all []rehearsal.Finds) {
	p.out.say("\nHow long, and how many requests to green, until it is found:")
	rows := [][]string{{"STEP", "GREEN", "HOLD", "IT IS FINE", "ERRORS × 2", "ERRORS × 5", "ERRORS + 1 POINT"}}
	for _, f := range all {
		if f.Gate == gate {
			rows = append(rows, []string{
				fmt.Sprint(f.Step), f.Share.String(), brief(f.Hold), within(f.Fine), within(f.Twice), within(f.Five), within(f.Point),
			})
		}
	}
	table(p.out, rows)
}

// within says how long something takes to be found.
func within(e evidence.Expected) string {
	if !e.Found {
		return "not within a day"
	}
	return fmt.Sprintf("%s (%s)", brief(e.After), counted(e.Requests))
}

// counted shortens a number of requests to what it tells.
func counted(n float64) string {
	switch {
	case n >= 1e7:
		return fmt.Sprintf("%.0f million", n/1e6)
	case n >= 1e6:
		return fmt.Sprintf("%.1f million", n/1e6)
	case n >= 1e4:
		return fmt.Sprintf("%.0f,000", n/1e3)
	}
	return fmt.Sprintf("%.4g", n)
}

// brief leaves out the seconds and minutes that are none.
func brief(d time.Duration) string {
	text := d.Round(time.Second).String()
	for _, none := range []string{"m0s", "h0m"} {
		if len(text) > len(none) && text[len(text)-len(none):] == none {
			text = text[:len(text)-len(none)+1]
		}
	}
	return text
}
