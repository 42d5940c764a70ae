package probes

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	health "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/clusterswitch/clusterswitch/internal/reach"
)

// GRPCOptions say which server's health a gRPC probe asks for.
type GRPCOptions struct {
	// Address is host:port.
	Address string
	// Host is sent as :authority; empty takes the address.
	Host string
	// Service is the name whose health is asked for; empty is the server as a whole.
	Service string
	// TLS says how the connection is secured; nil: it is not.
	TLS *GRPCTLS
	// Reach says which link-local addresses may be connected to; the zero one: none.
	Reach reach.Policy
}

// GRPCTLS says how a gRPC connection is secured.
type GRPCTLS struct {
	// ServerName is the name that TLS asks for (SNI) and that the certificate must carry; empty takes the name in Host, else
	// the address's host.
	ServerName string
	// InsecureSkipVerify takes any certificate.
	InsecureSkipVerify bool
	TLSFiles
}

// GRPC makes a Check that asks a server for its health by the protocol grpc.health.v1, over a connection of its own. Only
// SERVING is good.
func GRPC(opts GRPCOptions) Check {
	return Check{identity: identity("grpc", opts), run: func(ctx context.Context) error {
		secured, err := opts.credentials()
		if err != nil {
			return err
		}
		dialing := []grpc.DialOption{
			grpc.WithTransportCredentials(secured),
			grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
				return opts.Reach.DialContext(ctx, "tcp", address)
			}),
			grpc.WithNoProxy(), grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(), grpc.WithDisableHealthCheck(),
			grpc.WithMaxHeaderListSize(maxHeaders),
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxBody)),
		}
		if opts.Host != "" {
			dialing = append(dialing, grpc.WithAuthority(opts.Host))
		}
		// The name is resolved by the dialing itself, as by every other probe.
		conn, err := grpc.NewClient("passthrough:///"+opts.Address, dialing...)
		if err != nil {
			return fmt.Errorf("making the client: %w", err)
		}
		defer conn.Close()
		answer, err := health.NewHealthClient(conn).Check(ctx, &health.HealthCheckRequest{Service: opts.Service})
		if err != nil {
			return opts.explain(err)
		}
		if answer.GetStatus() != health.HealthCheckResponse_SERVING {
			return fmt.Errorf("%s is %s, want SERVING", opts.subject(), answer.GetStatus())
		}
		return nil
	}}
}

func (o GRPCOptions) credentials() (credentials.TransportCredentials, error) {
	if o.TLS == nil {
		return insecure.NewCredentials(), nil
	}
	config := &tls.Config{
		ServerName: o.serverName(),
		// The configuration says so in as many words.
		InsecureSkipVerify: o.TLS.InsecureSkipVerify, //nolint:gosec // asked for by the user
	}
	if err := o.TLS.load(config); err != nil {
		return nil, err
	}
	return ownName{credentials.NewTLS(config), config.ServerName}, nil
}

// ownName lets the server's name for TLS differ from the authority: gRPC would take one for both.
type ownName struct {
	credentials.TransportCredentials
	name string
}

// ClientHandshake shakes hands with the name instead of the authority.
func (o ownName) ClientHandshake(ctx context.Context, _ string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return o.TransportCredentials.ClientHandshake(ctx, o.name, conn)
}

// Info keeps the name back, which gRPC would hold against the authority.
func (ownName) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls"}
}

// Clone copies the credentials.
func (o ownName) Clone() credentials.TransportCredentials {
	return ownName{o.TransportCredentials.Clone(), o.name}
}

// serverName returns the name for TLS.
func (o GRPCOptions) serverName() string {
	for _, from := range []string{o.TLS.ServerName, o.Host, o.Address} {
		if from == "" {
			continue
		}
		if host, _, err := net.SplitHostPort(from); err == nil {
			return host
		}
		return from
	}
	return ""
}

// subject names what was asked for.
func (o GRPCOptions) subject() string {
	if o.Service == "" {
		return "the server"
	}
	return fmt.Sprintf("service %q", o.Service)
}

// explain says what a failed call means for one who asks for health.
func (o GRPCOptions) explain(err error) error {
	told := status.Convert(err)
	switch told.Code() {
	case codes.Unimplemented:
		return fmt.Errorf("the server does not answer for its health (UNIMPLEMENTED: %s); let it serve grpc.health.v1.Health, or use a tcp probe", told.Message())
	case codes.NotFound:
		return fmt.Errorf("the server does not know the health of %s (NOT_FOUND: %s); name one that it serves", o.subject(), told.Message())
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return fmt.Errorf("got no answer: %s", told.Message())
	default:
		return fmt.Errorf("got %s: %s", told.Code(), told.Message())
	}
}
