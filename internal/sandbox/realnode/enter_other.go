//go:build !linux

package realnode

import "context"

const state = "/run/node"

func enter(context.Context, Options) error { return ErrMissing }

// Host is a part that only Linux has.
func Host(context.Context, Options) error { return ErrMissing }
