package probes

import (
	"context"
	"net"
)

// TCP makes a Check that opens a connection to address, host:port, and closes it.
func TCP(address string) Check {
	return Check{identity: "tcp " + address, run: func(ctx context.Context) error {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	}}
}
