package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/clusterswitch/clusterswitch/config"
)

// The exit statuses; the root command's help documents them.
const (
	exitDone    = 0
	exitFailure = 1
	exitUsage   = 2
	exitUnknown = 3
)

// usageError says that the command was given in a wrong way.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// configError says that the configuration is wrong or can't be read.
type configError struct {
	error
	// hint is what to do besides mending it; empty: nothing.
	hint string
}

func (e configError) Unwrap() error { return e.error }

// errReported stands for a failure that is in the daemon's log already.
var errReported = errors.New("reported in the log")

// exit tells the person what went wrong, and returns the exit status.
func (p *program) exit(command *cobra.Command, err error) int {
	if err == nil {
		err = p.out.failure()
	}
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errReported):
		return exitFailure
	case !p.begun || isType[usageError](err):
		p.err.say("clusterswitch: %s", err)
		p.err.say("See: %s --help", command.CommandPath())
		return exitUsage
	case isType[configError](err):
		p.reportConfig(err)
		return exitUsage
	}
	p.err.say("clusterswitch: %s", err)
	if isType[unknownError](err) {
		return exitUnknown
	}
	return exitFailure
}

// reportConfig gives each fault a line of its own that begins with its place,
// as editors and people who search for it expect.
func (p *program) reportConfig(err error) {
	if faults, ok := errors.AsType[config.Faults](err); ok {
		p.err.say("%s", faults)
	} else {
		p.err.say("clusterswitch: %s", err)
	}
	if e, _ := errors.AsType[configError](err); e.hint != "" {
		p.err.say("%s", e.hint)
	}
}

func isType[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
