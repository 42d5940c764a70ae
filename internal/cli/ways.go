package cli

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/clusterswitch/clusterswitch/config"
)

// This file says what else takes users back where a command can't.

// orElse adds to a rollback that nobody may have heard of what works all the
// same. Whatever kept it from being heard, a person must not have to look for it.
func (p *program) orElse(command *cobra.Command, pair string, err error) error {
	if err == nil || isType[noPairError](err) || isType[usageError](err) {
		return err
	}
	name, file := cmp.Or(p.name, programName), givenConfig(command)
	ways := fmt.Sprintf(`Nothing is known to be asked for. What works all the same:
  %s rollback %s --direct%s   writes at AWS itself; needs the configuration file and AWS credentials
  %s runbook %s%s   prints the AWS CLI commands that do it by hand
The daemon also obeys rollback: true for %s in its configuration, and run --rollback %s.`, name, pair, file, name, pair, file, pair, pair)
	if e, ok := errors.AsType[configError](err); ok {
		e.hint += "\n" + ways
		return e
	}
	return fmt.Errorf("%w\n%s", err, ways)
}

// unseen adds to a status that can't be read what that means for users.
func (p *program) unseen(command *cobra.Command, args []string, err error) error {
	if err == nil || command.Context().Err() != nil || isType[noPairError](err) || isType[usageError](err) || isType[configError](err) {
		return err
	}
	pair := "PAIR"
	if len(args) > 0 {
		pair = args[0]
	}
	return fmt.Errorf("%w\nUsers go on where AWS's weights send them. To send all to blue without the management cluster: %s rollback %s --direct%s",
		err, cmp.Or(p.name, programName), pair, givenConfig(command))
}

// loggedOut says what to do where an API server doesn't know who asks.
func loggedOut(err error) error {
	if apierrors.IsUnauthorized(err) {
		return fmt.Errorf("%w: these credentials don't count there, or no longer; log in again, or choose another --context", err)
	}
	return err
}

// withoutConfig says how to go on where a command that needs AWS alone has no
// configuration that it can use.
func (p *program) withoutConfig(pair string, err error) error {
	hint := "The entrances of " + pair + " stand in the configuration that the daemon runs with."
	faults, read := errors.AsType[config.Faults](err)
	switch {
	case !read:
		hint += " Give your copy of it by --config. From values of the chart:\n  " + config.FromValues + " > clusterswitch.yaml"
	case faults[0].Path != "":
		hint += " Mend these lines in a copy of it: apiVersion, aws, and name and traffic of the pair are what is needed."
	}
	return configError{error: err, hint: hint + "\nWithout it: the runbook that the daemon wrote when the shift started (ConfigMap clusterswitch-runbook-" + pair +
		", and the folder of runbook.dir), or AWS's console: all weight to blue, 0 to green, at each entrance."}
}

// givenConfig repeats the flag that says where the configuration is.
func givenConfig(command *cobra.Command) string {
	if f := command.Flags().Lookup("config"); f != nil && f.Changed {
		return " --config " + word(f.Value.String())
	}
	return ""
}

// direct gives the command that takes a pair back without daemon and management cluster.
func (h *hand) direct(pair string) string {
	return cmp.Or(h.name, programName) + " rollback " + pair + " --direct" + h.config
}
