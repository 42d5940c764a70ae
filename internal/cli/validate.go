package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/clusterswitch/clusterswitch/config"
)

func (p *program) validateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "validate",
		Short: "Check the configuration and name every fault in it",
		Long: `Check the configuration and name every fault in it, each on a line of its own
with file, line and key. Nothing is contacted: neither AWS nor any cluster.
What is valid and yet worth a second thought is a warning on standard error.

Exit status 0: the daemon takes this configuration. 2: it doesn't.`,
		Args: noPair,
		RunE: func(*cobra.Command, []string) error {
			c, err := p.load()
			if err != nil {
				return err
			}
			p.out.say("%s is valid: %s", c.File, summary(c))
			for _, advice := range c.Advice() {
				p.err.say("WARNING: %s", advice)
			}
			return nil
		},
	}
}

// load reads the configuration that --config names or that stands where it is
// looked for.
func (p *program) load() (*config.Config, error) {
	c, err := config.Load(config.Options{Path: p.config})
	if err != nil {
		return nil, configError{error: err}
	}
	return c, nil
}

// summary says in one line what a configuration asks for.
func summary(c *config.Config) string {
	pairs := make([]string, len(c.Pairs))
	for i, pair := range c.Pairs {
		pairs[i] = fmt.Sprintf("%s (serve %s, %s, %s)", pair.Name, pair.Serve,
			count(len(pair.Traffic), "entrance"), count(len(pair.Steps), "step"))
	}
	return count(len(c.Pairs), "pair") + ": " + strings.Join(pairs, ", ")
}

// count gives a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
