// Command build makes sure that the control plane binaries exist, so that a
// Makefile can build them before it runs tests or the demo. It is run from
// anywhere inside the repository, and takes no arguments.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	root, err := controlplane.FindRepository(".")
	if err != nil {
		return err
	}
	dir, err := controlplane.RepositoryAssets(root).Ensure(ctx, os.Stderr)
	if err != nil {
		return err
	}
	fmt.Println(dir)
	return nil
}
