//go:build !linux

package realnode

import (
	"context"
	"os/exec"
)

const state = "/run/node"

func enter(context.Context, Options) error { return ErrMissing }

func apart(*exec.Cmd) {}

// Host is a part that only Linux has.
func Host(context.Context, Options) error { return ErrMissing }
