package probes

import (
	"context"

	"github.com/clusterswitch/clusterswitch/internal/reach"
)

// TCPOptions say where a TCP probe connects to.
type TCPOptions struct {
	// Address is host:port.
	Address string
	// Reach says which link-local addresses may be connected to; the zero one: none.
	Reach reach.Policy
}

// TCP makes a Check that opens a connection and closes it.
func TCP(opts TCPOptions) Check {
	return Check{identity: identity("tcp", opts), run: func(ctx context.Context) error {
		conn, err := opts.Reach.DialContext(ctx, "tcp", opts.Address)
		if err != nil {
			return err
		}
		return conn.Close()
	}}
}
