package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/clusterswitch/clusterswitch/config"
)

func (p *program) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the configuration, for editors",
		Long: `Print the JSON Schema (draft 7) of the configuration. Editors complete keys by
it, show what each means, and mark what is wrong. Editors that know
yaml-language-server take it from the first line of the file:

  # yaml-language-server: $schema=clusterswitch.schema.json

after

  clusterswitch schema > clusterswitch.schema.json

What the schema refuses, the daemon refuses; what keys mean together only
"validate" knows.`,
		Args: noPair,
		RunE: func(*cobra.Command, []string) error {
			_, _ = fmt.Fprint(p.out, config.Schema()) // p.out keeps the error
			return nil
		},
	}
}
