package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/app"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// defaultTimeout is how long `rollback --direct` tries by itself.
const defaultTimeout = 2 * time.Minute

// orDirect gives the rollback command its other way: past the management
// cluster.
func (p *program) orDirect(command *cobra.Command, force *bool) {
	var direct bool
	var timeout time.Duration
	command.Flags().BoolVar(&direct, "direct", false, "write at AWS, without the management cluster and the daemon; takes several pairs")
	command.Flags().DurationVar(&timeout, "timeout", defaultTimeout, "with --direct: try again for so `long`")
	command.Args = func(command *cobra.Command, args []string) error {
		switch {
		case !direct:
			return onePair(command, args)
		case len(args) == 0:
			return fmt.Errorf("%s --direct takes one pair or more", command.Name())
		}
		return nil
	}
	command.PreRunE = func(command *cobra.Command, _ []string) error {
		if !direct && command.Flags().Changed("timeout") {
			return usagef("--timeout is for --direct: otherwise it is the daemon that tries")
		}
		if timeout <= 0 {
			return usagef("--timeout %s: give it some time", timeout)
		}
		for _, name := range []string{"kubeconfig", "context", "namespace", "journal-directory"} {
			if direct && command.Flags().Changed(name) {
				return usagef("--%s is for the management cluster, or what stands for it, which --direct does without", name)
			}
		}
		return nil
	}
	byHand, complete := command.RunE, command.ValidArgsFunction
	command.RunE = func(command *cobra.Command, args []string) error {
		if !direct {
			return byHand(command, args)
		}
		return p.rollbackDirect(command, args, *force, timeout)
	}
	command.ValidArgsFunction = func(command *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if !direct {
			return complete(command, args, typed)
		}
		return p.configuredPairs()
	}
}

// configuredPairs completes names of pairs without the management cluster.
func (p *program) configuredPairs() ([]string, cobra.ShellCompDirective) {
	c, err := p.load()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp // a shell has no place for an error
	}
	return pairNames(c), cobra.ShellCompDirectiveNoFileComp
}

// direct loads the configuration and makes the way to AWS for its pairs.
func (p *program) direct(ctx context.Context, pairs []string) (*config.Config, *app.Direct, error) {
	c, err := p.load()
	if err != nil {
		return nil, nil, err
	}
	if err := knows(c, pairs); err != nil {
		return nil, nil, err
	}
	d, err := app.NewDirect(ctx, c)
	return c, d, err
}

// wayBack is direct for who goes back, or wants to know how: it takes whatever leads to AWS.
func (p *program) wayBack(ctx context.Context, pairs []string) (*config.Config, *app.Direct, error) {
	c, beside, err := config.LoadForWayBack(config.Options{Path: p.config}, pairs)
	if err != nil {
		return nil, nil, p.withoutConfig(pairs[0], err)
	}
	if len(beside) > 0 {
		p.err.say("WARNING: the daemon would refuse this configuration, for faults that don't keep anybody from going back:")
		p.err.say("%s", beside)
	}
	if err := knows(c, pairs); err != nil {
		return nil, nil, err
	}
	d, err := app.NewDirectWayBack(ctx, c)
	return c, d, err
}

// knows tells who asks for a pair that the configuration doesn't have which it has.
func knows(c *config.Config, pairs []string) error {
	for _, name := range pairs {
		if !slices.Contains(pairNames(c), name) {
			return usagef("%s has no pair %s; it has %s", c.File, name, strings.Join(pairNames(c), ", "))
		}
	}
	return nil
}

func (p *program) rollbackDirect(command *cobra.Command, pairs []string, force bool, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(command.Context(), timeout)
	defer cancel()
	pairs = slices.Compact(slices.Sorted(slices.Values(pairs)))
	c, d, err := p.wayBack(ctx, pairs)
	if err != nil {
		return err
	}
	p.err.say("WARNING: this writes at AWS, past the daemon. One that runs sees it and goes on with the rollback; where one runs,")
	p.err.say("leave --direct out. The entrances are those of %s: a shift that is under way has those it was started with,", c.File)
	p.err.say("so if its traffic was changed since, go back at the former ones by hand.")
	for _, pair := range c.Pairs {
		if slices.Contains(pairs, pair.Name) && (c.HandsOff || pair.HandsOff) {
			p.err.say("WARNING: handsOff is set for %s in %s: that stops the daemon, not this command.", pair.Name, c.File)
		}
	}
	results, err := d.RollBack(ctx, app.DirectOptions{Pairs: pairs, Force: force, Say: func(sentence string) { p.err.say("%s", sentence) }})
	if err != nil {
		return err
	}
	directTable(p.out, results)
	var failed []string
	for _, pair := range pairs {
		own := slices.DeleteFunc(slices.Clone(results), func(r app.DirectResult) bool { return r.Pair != pair })
		if !p.wentBack(command, pair, own) {
			failed = append(failed, pair)
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("not all is back on blue: %s is left; run the command again, or go by hand: %s runbook %s%s",
			strings.Join(failed, ", "), cmp.Or(p.name, programName), failed[0], given(command))
	}
	return nil
}

func directTable(out *paper, results []app.DirectResult) {
	rows := [][]string{{"PAIR", "ENTRANCE", "GREEN WAS", "GREEN IS", "WHAT WAS DONE"}}
	for _, r := range results {
		done := cmp.Or(r.Note, "nothing")
		switch {
		case !r.Back:
			done = "not back, see below"
		case r.Wrote && r.Note == "":
			done = "written"
		case r.Wrote:
			done = "written; " + r.Note
		case r.Note == "":
			done = "nothing, it stood at 0 already"
		}
		rows = append(rows, []string{r.Pair, r.Entrance, percent(r.Was), percent(r.Now), done})
	}
	table(out, rows)
	apart := "\n"
	for _, r := range results {
		if !r.Back {
			out.say("%s%s, entrance %s: %s", apart, r.Pair, r.Entrance, cmp.Or(r.Note, "green still has a share"))
			apart = ""
		}
	}
}

func percent(s *shift.Share) string {
	if s == nil {
		return "unknown"
	}
	return fmt.Sprintf("%d%%", int(*s))
}

// wentBack says where one pair stands now, and what follows.
func (p *program) wentBack(command *cobra.Command, pair string, results []app.DirectResult) bool {
	marked, wrote, ttl := false, false, time.Duration(0)
	for _, r := range results {
		if !r.Back {
			return false
		}
		marked, wrote = marked || r.Marked, wrote || r.Wrote
		if r.Wrote {
			ttl = max(ttl, r.TTL)
		}
	}
	p.out.say("")
	p.out.say("Blue has all traffic of %s.", pair)
	if ttl > 0 {
		p.out.say("Resolvers may give out green's address for up to %s more.", ttl)
	}
	switch {
	case marked:
		p.out.say("The mark at AWS tells a daemon that comes back: it ends this attempt.")
	case wrote:
		p.err.say("WARNING: no mark could be left for %s. A daemon that comes back takes green's 0 for a person's rollback where green had", pair)
		p.err.say("a share; to be sure, set rollback: true for %s in the configuration before it comes back.", pair)
	default:
		p.err.say("WARNING: green had nothing of %s, so nothing was written, and a daemon doesn't know that you asked. If one can come back,", pair)
		p.err.say("set rollback: true for %s in the configuration: nothing rises while that is set.", pair)
	}
	p.out.say("Nothing rises again until: clusterswitch start %s%s", pair, given(command))
	return true
}

func (p *program) runbookCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "runbook PAIR",
		Short: "Print the AWS CLI commands that take a pair back to blue",
		Long: `Print the plain AWS CLI commands that give blue all traffic of a pair, with what
to do before and afterwards. It reads the entrances at AWS and writes nothing.
It needs the configuration file and AWS credentials only.

The daemon writes the same when a shift starts, into the ConfigMap
clusterswitch-runbook-PAIR beside the pair's TrafficSwitch (or the file
PAIR.runbook.md in the configuration's journal.directory), and into the folder
that the configuration's runbook.dir names.`,
		Args: onePair,
		RunE: func(command *cobra.Command, args []string) error { return p.runbook(command.Context(), args[0]) },
	}
	command.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return p.configuredPairs()
	}
	return command
}

func (p *program) runbook(ctx context.Context, pair string) error {
	_, d, err := p.wayBack(ctx, []string{pair})
	if err != nil {
		return err
	}
	text, whole, err := d.Runbook(ctx, pair, p.resolvedBuild().Version)
	if err != nil {
		return err
	}
	_, _ = p.out.Write([]byte(text)) // p.out keeps the error
	if !whole {
		return fmt.Errorf("the runbook of %s lacks commands; it says for which entrance, and why", pair)
	}
	return nil
}
