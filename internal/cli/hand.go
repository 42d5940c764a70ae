package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
)

// hand is one run of a command that reads or writes TrafficSwitches.
type hand struct {
	out, err *paper
	place    place
	now      func() time.Time
	// name is how a person calls the program; empty: "clusterswitch".
	name   string
	client switches
	// given are the flags that say where they are, as the person gave
	// them: the commands that are named as the next step repeat them.
	given string
	// config is that of these flags which says where the configuration is.
	config string
}

// handCommand makes a command that reads or writes TrafficSwitches.
func (p *program) handCommand(command *cobra.Command, run func(ctx context.Context, h *hand, args []string) error) *cobra.Command {
	var flags place
	flags.define(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		h, err := p.hand(command, flags)
		if err != nil {
			return err
		}
		return run(command.Context(), h, args)
	}
	command.ValidArgsFunction = func(command *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		h, err := p.hand(command, flags)
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		names, _ := h.pairs(command.Context()) // a shell has no place for an error
		return names, cobra.ShellCompDirectiveNoFileComp
	}
	return command
}

// onePair accepts the arguments of a command for one pair.
func onePair(command *cobra.Command, args []string) error {
	switch len(args) {
	case 1:
		return nil
	case 0:
		return fmt.Errorf("%s needs the name of a pair; clusterswitch status lists them", command.Name())
	}
	return fmt.Errorf("%s takes one pair, not %d", command.Name(), len(args))
}

// noPair accepts no arguments. The configuration's file is what people give here.
func noPair(command *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes no arguments, and %s is one; the configuration's file is given by --config", command.Name(), word(args[0]))
	}
	return nil
}

// atMostOnePair accepts the arguments of a command for one pair or all.
func atMostOnePair(command *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("%s takes one pair or none, not %d", command.Name(), len(args))
	}
	return nil
}

func (p *program) hand(command *cobra.Command, flags place) (*hand, error) {
	at, client, err := p.reach(flags)
	if err != nil {
		return nil, err
	}
	return &hand{out: p.out, err: p.err, place: at, client: client, now: p.now, name: p.name, given: given(command), config: givenConfig(command)}, nil
}

// given repeats the flags that say where things are, as the person gave them.
func given(command *cobra.Command) string {
	flags := ""
	command.Flags().Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "config", "kubeconfig", "context", "namespace", "journal-directory":
			flags += " --" + f.Name + " " + word(f.Value.String())
		}
	})
	return flags
}

// next gives a command of this program for the same management cluster.
func (h *hand) next(words string) string { return cmp.Or(h.name, programName) + " " + words + h.given }

// watch gives the command that shows every change of a pair.
func (h *hand) watch(pair string) string {
	if h.place.directory != "" {
		return h.next("status " + pair + " --watch")
	}
	return h.place.kubectl() + " get trafficswitch " + pair + " --watch"
}

// get reads one pair. For a name that nobody has, the error lists the names
// there are.
func (h *hand) get(ctx context.Context, pair string) (*v1alpha1.TrafficSwitch, error) {
	object, err := h.client.Get(ctx, pair)
	return object, h.explain(ctx, pair, err)
}

// change changes what is asked for one pair, with get's errors.
func (h *hand) change(ctx context.Context, pair string, c v1alpha1.SpecChange) (*v1alpha1.TrafficSwitch, error) {
	object, err := h.client.PatchSpec(ctx, pair, c)
	return object, h.explain(ctx, pair, err)
}

// noPairError says that nobody has a pair of this name, and who there is.
type noPairError struct{ error }

func (h *hand) explain(ctx context.Context, pair string, err error) error {
	if !errors.Is(err, v1alpha1.ErrNotFound) {
		return loggedOut(err)
	}
	where, what := h.place.has()
	names, err := h.pairs(ctx)
	switch {
	case err != nil:
		return err
	case len(names) == 0:
		return noPairError{fmt.Errorf("there is no pair %q: %s has no %s at all; %s", pair, where, what, whereFrom)}
	}
	return noPairError{fmt.Errorf("there is no pair %q in %s; there are: %s", pair, where, strings.Join(names, ", "))}
}

// whereFrom says how a pair comes to be.
const whereFrom = "the daemon makes one for each pair of its configuration when it starts"

func (h *hand) pairs(ctx context.Context) ([]string, error) {
	objects, err := h.list(ctx)
	names := make([]string, len(objects))
	for i, o := range objects {
		names[i] = o.Name
	}
	return names, err
}

func (h *hand) list(ctx context.Context) ([]v1alpha1.TrafficSwitch, error) {
	objects, err := h.client.List(ctx)
	if errors.Is(err, v1alpha1.ErrNotInstalled) {
		return nil, errors.New("the cluster doesn't know TrafficSwitches: is it the management cluster, and is clusterswitch installed there?")
	}
	return objects, loggedOut(err)
}
