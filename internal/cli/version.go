package cli

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Build says which program this is, as the linker was told.
type Build struct {
	// Version is the release, such as v1.2.3; Commit its revision. What is empty
	// is taken from what Go recorded in the binary.
	Version, Commit string
}

// resolved fills in what the linker wasn't told.
func (b Build) resolved(recorded *debug.BuildInfo) Build {
	version, commit := "", ""
	if recorded != nil {
		version = recorded.Main.Version
		for _, s := range recorded.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value
			}
		}
	}
	return Build{
		Version: cmp.Or(b.Version, version, "(devel)"),
		Commit:  cmp.Or(b.Commit, commit, "unknown"),
	}
}

func (p *program) resolvedBuild() Build {
	recorded, _ := debug.ReadBuildInfo() // nil when there is none
	return p.build.resolved(recorded)
}

func (p *program) versionLine() string {
	b := p.resolvedBuild()
	return fmt.Sprintf("clusterswitch %s (commit %s, %s, %s/%s)", b.Version, b.Commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  noPair,
		Run: func(*cobra.Command, []string) {
			p.out.say("%s", p.versionLine())
		},
	}
}
