package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/clusterswitch/clusterswitch/config"
	"github.com/clusterswitch/clusterswitch/internal/app"
	"github.com/clusterswitch/clusterswitch/internal/rbac"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// rbacFlags are the flags of the command.
type rbacFlags struct {
	side                        string
	offline                     bool
	user, group, serviceAccount string
	management                  place
}

func (p *program) rbacCommand() *cobra.Command {
	var flags rbacFlags
	command := &cobra.Command{
		Use:   "rbac PAIR",
		Short: "Print the least Kubernetes rights for a pair's clusters",
		Long: `Print a manifest with all rights that the daemon needs in blue and green of a
pair, as the configuration stands, and no others. The daemon only reads there.
docs/clusters.md explains each right.

The preflight lists every kind, so the clusters are asked which kinds they have
besides those of Kubernetes itself; every authenticated user may ask that. With
--offline nothing is contacted, and these kinds are missing.

Without --side the manifest fits both clusters. It then also grants green the
kinds that only blue has by now, so that it needn't be made anew when green gets
them. With --side it grants what this one needs today.

Standard output gets nothing but the manifest:

  clusterswitch rbac PAIR > rbac.yaml
  kubectl --context blue apply --filename rbac.yaml
  kubectl --context green apply --filename rbac.yaml

Exit status 1: the manifest lacks kinds, because a cluster didn't name them all.`,
		Args: onePair,
		PreRunE: func(*cobra.Command, []string) error {
			switch {
			case flags.side != "" && flags.side != string(shift.Blue) && flags.side != string(shift.Green):
				return usagef("--side %s: use blue or green", flags.side)
			case flags.serviceAccount != "" && !namespacedName(flags.serviceAccount):
				return usagef("--service-account %s: write it as NAMESPACE/NAME", flags.serviceAccount)
			}
			return nil
		},
		RunE: func(command *cobra.Command, args []string) error { return p.rbac(command.Context(), args[0], flags) },
	}
	f := command.Flags()
	f.StringVar(&flags.side, "side", "", "for this cluster alone: `blue or green` (default both)")
	f.BoolVar(&flags.offline, "offline", false, "contact nobody; leaves out kinds that are not Kubernetes' own")
	f.StringVar(&flags.group, "group", "", "grant it to this `group` (default clusterswitch, where no other subject is given)")
	f.StringVar(&flags.user, "user", "", "grant it to this `user`")
	f.StringVar(&flags.serviceAccount, "service-account", "", "grant it to this `NAMESPACE/NAME`")
	flags.management.define(command)
	command.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return p.configuredPairs()
	}
	return command
}

func namespacedName(s string) bool {
	namespace, name, found := strings.Cut(s, "/")
	return found && namespace != "" && name != "" && !strings.Contains(name, "/")
}

// subjects are who gets the rights.
func (f rbacFlags) subjects() []rbac.Subject {
	var subjects []rbac.Subject
	if f.user != "" {
		subjects = append(subjects, rbac.Subject{Kind: "User", Name: f.user})
	}
	if f.group != "" {
		subjects = append(subjects, rbac.Subject{Kind: "Group", Name: f.group})
	}
	if namespace, name, found := strings.Cut(f.serviceAccount, "/"); found {
		subjects = append(subjects, rbac.Subject{Kind: "ServiceAccount", Namespace: namespace, Name: name})
	}
	if len(subjects) == 0 {
		subjects = []rbac.Subject{{Kind: "Group", Name: "clusterswitch"}}
	}
	return subjects
}

func (f rbacFlags) sides() []shift.Side {
	if f.side != "" {
		return []shift.Side{shift.Side(f.side)}
	}
	return []shift.Side{shift.Blue, shift.Green}
}

// typed repeats the command.
func (f rbacFlags) typed(pair string) string {
	words := []string{"clusterswitch rbac", pair}
	for _, flag := range [][2]string{{"side", f.side}, {"user", f.user}, {"group", f.group}, {"service-account", f.serviceAccount}} {
		if flag[1] != "" {
			words = append(words, "--"+flag[0], word(flag[1]))
		}
	}
	if f.offline {
		words = append(words, "--offline")
	}
	return strings.Join(words, " ")
}

func (p *program) rbac(ctx context.Context, name string, flags rbacFlags) error {
	c, err := p.load()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(c.Pairs, func(p config.Pair) bool { return p.Name == name })
	if i < 0 {
		return usagef("%s has no pair %s; it has %s", c.File, name, strings.Join(pairNames(c), ", "))
	}
	o := app.ClusterRightsOptions{
		Config: c, Pair: c.Pairs[i], Sides: flags.sides(), Subjects: flags.subjects(), Command: flags.typed(name),
		Offline: flags.offline, UserAgent: p.userAgent(),
	}
	if !flags.offline {
		at, err := p.find(flags.management)
		if err != nil {
			return err
		}
		o.Management, o.Namespace = at.restConfig, at.namespace
	}
	manifest, missing, err := app.ClusterRights(ctx, o)
	if err != nil {
		return fmt.Errorf("%w; with --offline nobody is asked", err)
	}
	_, _ = fmt.Fprint(p.out, manifest) // p.out keeps the error
	if len(missing) > 0 {
		return fmt.Errorf("the manifest lacks kinds: %s", strings.Join(missing, "; "))
	}
	return nil
}
