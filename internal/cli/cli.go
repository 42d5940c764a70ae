// Package cli holds the commands of clusterswitch: the daemon, and the tool in
// a person's hand. The hand commands talk to the custom resource only, and the
// daemon does what it says there; but for those that say they go to AWS.
package cli

import (
	"cmp"
	"context"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
)

// Options are what a program gets from its surroundings.
type Options struct {
	// Name is what the program was called as, with or without a path; as
	// kubectl-clusterswitch it is kubectl's plugin, and speaks of itself so.
	Name string
	// Args are the arguments without the program's name.
	Args []string
	// Out gets what was asked for, Err everything else: errors, warnings, and
	// the daemon's log.
	Out, Err io.Writer
	// Build says which program this is.
	Build Build
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// LibraryLog takes the logger for the Kubernetes client's own rare lines,
	// whose logger is one for the whole process; nil: they go where they like.
	LibraryLog func(logr.Logger)
}

// Run carries out one command and returns the program's exit status: 0 when it
// was done, 1 when it failed, 2 when configuration or usage were wrong, 3 when
// what was asked could not be found out. It ends early when ctx does.
func Run(ctx context.Context, o Options) int {
	p := &program{out: &paper{w: o.Out}, err: &paper{w: o.Err}, build: o.Build, now: o.Now, libraryLog: o.LibraryLog, name: calledAs(o.Name)}
	if p.now == nil {
		p.now = time.Now
	}
	if p.libraryLog == nil {
		p.libraryLog = func(logr.Logger) {}
	}
	root := p.root()
	// Not o.Args itself: for nil, cobra would take the process's own arguments.
	root.SetArgs(append([]string{}, o.Args...))
	command, err := root.ExecuteContextC(ctx)
	return p.exit(command, err)
}

// calledAs is how a person calls the program: kubectl finds its plugins by the
// names of their files.
func calledAs(name string) string {
	if plugin, is := strings.CutPrefix(strings.TrimSuffix(filepath.Base(name), ".exe"), "kubectl-"); is {
		return "kubectl " + plugin
	}
	return programName
}

const programName = "clusterswitch"

// program is one run of clusterswitch.
type program struct {
	out, err *paper
	build    Build
	// now is Options.Now, never nil.
	now func() time.Time
	// libraryLog is Options.LibraryLog, never nil.
	libraryLog func(logr.Logger)
	// config is the path that --config gives; empty: not given.
	config string
	// name is how a person calls the program: "clusterswitch", or by kubectl.
	name string
	// begun: arguments and flags were in order, the command itself ran.
	begun bool
}

const rootHelp = `clusterswitch moves users' traffic from an old Kubernetes cluster (blue) to a
new one (green), step by step and only through gates, and back at any moment.

"run" is the daemon. All other commands are for people. start, rollback, pause,
resume, approve and singletons write what a person asks for into the pair's
TrafficSwitch in the management cluster; the daemon does it. Whoever may not edit that
resource may not ask. Where the configuration keeps the journal in a directory, they
write into the pair's request file there. When the management cluster is away, "rollback --direct"
and "runbook" work with the configuration and AWS credentials alone, and
"preflight" with access to blue and green besides. "retire-check" needs all of
these to call a cluster safe to delete.

Exit status: 0 done; 1 failed, or something blocks; 2 bad configuration or usage;
3 not known (retire-check, wait).`

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "clusterswitch",
		Short: "Move users' traffic between two Kubernetes clusters, and back",
		Long:  rootHelp,
		// Run reports errors, and knows which exit status they have.
		SilenceErrors: true, SilenceUsage: true,
		Version:          p.resolvedBuild().Version,
		Annotations:      map[string]string{cobra.CommandDisplayNameAnnotation: cmp.Or(p.name, programName)},
		PersistentPreRun: func(*cobra.Command, []string) { p.begun = true },
	}
	root.SetVersionTemplate(p.versionLine() + "\n")
	root.SetOut(p.out)
	root.SetErr(p.err)
	root.PersistentFlags().StringVar(&p.config, "config", "",
		"the configuration `file` (default $CLUSTERSWITCH_CONFIG, else clusterswitch.yaml in the working folder or /etc/clusterswitch)")
	root.AddCommand(
		p.runCommand(), p.validateCommand(), p.schemaCommand(), p.preflightCommand(),
		p.statusCommand(), p.waitCommand(), p.reportCommand(), p.startCommand(), p.rollbackCommand(),
		p.pauseCommand(), p.resumeCommand(), p.approveCommand(), p.singletonsCommand(), p.retireCommand(),
		p.planCommand(), p.runbookCommand(), p.policyCommand(), p.rbacCommand(),
		p.debugCommand(), p.versionCommand(),
	)
	return root
}
