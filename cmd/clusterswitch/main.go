// Command clusterswitch moves users' traffic from an old Kubernetes cluster to a
// new one, and back.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // windows and freezes name time zones, and images may lack them

	"k8s.io/klog/v2"

	"github.com/clusterswitch/clusterswitch/internal/cli"
)

// version and commit are set by the linker, which can set nothing but variables:
// -ldflags "-X main.version=v1.2.3 -X main.commit=0123abc".
var version, commit string

func main() { os.Exit(run()) }

// run is main with deferred calls that happen before the exit.
func run() int {
	// The context's cause names the signal.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// From the first signal on a second one has its usual effect: whoever doesn't
	// want to wait for an orderly stop need not.
	defer context.AfterFunc(ctx, stop)()
	return cli.Run(ctx, cli.Options{
		Name: os.Args[0], Args: os.Args[1:], Out: os.Stdout, Err: os.Stderr,
		Build: cli.Build{Version: version, Commit: commit}, LibraryLog: klog.SetLogger,
	})
}
