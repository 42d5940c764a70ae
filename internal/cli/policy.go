package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/clusterswitch/clusterswitch/internal/app"
	"github.com/clusterswitch/clusterswitch/internal/iam"
)

func (p *program) policyCommand() *cobra.Command {
	var role, trusted string
	command := &cobra.Command{
		Use:   "policy",
		Short: "Print the least IAM policy for the configuration",
		Long: `Print the least IAM policy that allows what the configuration asks for: that of
the daemon's own identity, or with --role that of a role which the configuration
names in a roleARN. With --role and --trusted-by it prints the trust policy by
which the role lets that principal assume it. Nothing is contacted.

Standard output gets nothing but the policy:

  clusterswitch policy > policy.json
  aws iam put-role-policy --role-name NAME --policy-name clusterswitch \
    --policy-document file://policy.json`,
		Args: noPair,
		PreRunE: func(*cobra.Command, []string) error {
			if trusted != "" && role == "" {
				return usagef("--trusted-by needs --role: which role shall trust it?")
			}
			return nil
		},
		RunE: func(command *cobra.Command, _ []string) error { return p.policy(role, trusted, given(command)) },
	}
	command.Flags().StringVar(&role, "role", "", "the policy for the role of this `ARN`")
	command.Flags().StringVar(&trusted, "trusted-by", "", "with --role: the trust policy for a principal of this `ARN`, such as the daemon's role")
	command.ValidArgsFunction = cobra.NoFileCompletions
	return command
}

func (p *program) policy(role, trusted, given string) error {
	c, err := p.load()
	if err != nil {
		return err
	}
	rights := app.RightsOf(c)
	roles := slices.Sorted(maps.Keys(rights))[1:] // but for the daemon's own identity
	needs, known := rights[role]
	switch {
	case !known && len(roles) == 0:
		return usagef("--role %s: %s names no roleARN", role, c.File)
	case !known:
		return usagef("--role %s: %s names other roles: %s", role, c.File, strings.Join(roles, ", "))
	case trusted != "":
		return p.printPolicy(iam.Trust(trusted))
	}
	document := needs.Policy()
	if err := p.printPolicy(document); err != nil {
		return err
	}
	if role == "" {
		for _, other := range roles {
			p.err.say("A role needs a policy of its own: clusterswitch policy --role %s%s", other, given)
			p.err.say("and a trust policy: clusterswitch policy --role %s --trusted-by ARN%s", other, given)
		}
	}
	return nil
}

func (p *program) printPolicy(d iam.Document) error {
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the policy: %w", err)
	}
	p.out.say("%s", text)
	var least bytes.Buffer
	if err := json.Compact(&least, text); err != nil {
		return fmt.Errorf("measuring the policy: %w", err)
	}
	if n := least.Len(); n > iam.MaxManaged {
		p.err.say("WARNING: the policy has %d characters without white space. IAM takes %d as a managed policy, %d as a role's inline policies together.",
			n, iam.MaxManaged, iam.MaxInline)
		p.err.say("Name fewer records, or shorten the list of names by StringLike with a pattern, or let it out: the zone is named in any case.")
	}
	return nil
}
