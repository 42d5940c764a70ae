package probes

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	grpchealth "google.golang.org/grpc/health"
	health "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// calling is a gRPC server, and gives its address.
func calling(t *testing.T, server *grpc.Server) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		server.Stop()
		<-ended
	})
	return listener.Addr().String()
}

// ill answers every question for health with an error.
type ill struct {
	health.UnimplementedHealthServer
	err error
}

func (s ill) Check(context.Context, *health.HealthCheckRequest) (*health.HealthCheckResponse, error) {
	return nil, s.err
}

func TestGRPCAsksForHealth(t *testing.T) {
	t.Parallel()
	known := grpchealth.NewServer() // the server as a whole is SERVING
	known.SetServingStatus("shop.Orders", health.HealthCheckResponse_SERVING)
	known.SetServingStatus("shop.Carts", health.HealthCheckResponse_NOT_SERVING)
	known.SetServingStatus("shop.Users", health.HealthCheckResponse_UNKNOWN)
	tests := map[string]struct {
		server  health.HealthServer
		service string
		want    string
	}{
		"the server serves":              {known, "", ""},
		"a service serves":               {known, "shop.Orders", ""},
		"a service does not serve":       {known, "shop.Carts", `service "shop.Carts" is NOT_SERVING, want SERVING`},
		"nobody knows of a service":      {known, "shop.Users", `service "shop.Users" is UNKNOWN, want SERVING`},
		"a service that is not there":    {known, "shop.Other", `the server does not know the health of service "shop.Other" (NOT_FOUND: unknown service); name one that it serves`},
		"a server that speaks of itself": {nil, "", "the server does not answer for its health (UNIMPLEMENTED: unknown service grpc.health.v1.Health); let it serve grpc.health.v1.Health, or use a tcp probe"},
		"a call that is not allowed":     {ill{err: status.Error(codes.PermissionDenied, "no token")}, "", "got PermissionDenied: no token"},
		"a server that is going away":    {ill{err: status.Error(codes.Unavailable, "draining")}, "", "got no answer: draining"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := grpc.NewServer()
			if test.server != nil {
				health.RegisterHealthServer(server, test.server)
			}
			if got := verdict(t, GRPC(GRPCOptions{Address: calling(t, server), Service: test.service})); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestGRPCFailsWithoutAServer(t *testing.T) {
	t.Parallel()
	closed := answer(t, 200, "")
	address := closed.Listener.Addr().String()
	if got := verdict(t, GRPC(GRPCOptions{Address: address})); !strings.Contains(got, "got no answer: ") {
		t.Errorf("of a server of another protocol got %q", got)
	}
	closed.Close()
	if got := verdict(t, GRPC(GRPCOptions{Address: address})); !strings.Contains(got, "connection refused") {
		t.Errorf("of no server got %q", got)
	}
}

// The names that a server is asked by, and the certificates of both sides.
func TestGRPCOverTLS(t *testing.T) {
	t.Parallel()
	later := time.Now().Add(100 * testDay)
	root := newAuthority(t, "Root", later, nil)
	names, hosts := make(chan string, 20), make(chan string, 20)
	served := root.issue(t, later, []string{"shop.example.com"})
	trust := &tls.Config{
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: root.pool(), NextProtos: []string{"h2"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			names <- hello.ServerName
			return &served, nil
		},
	}
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(trust)), grpc.UnaryInterceptor(
		func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			got, _ := metadata.FromIncomingContext(ctx)
			hosts <- strings.Join(got[":authority"], " ")
			return next(ctx, req)
		}))
	health.RegisterHealthServer(server, grpchealth.NewServer())
	address := calling(t, server)
	certFile, keyFile := store(t, t.TempDir(), root.issue(t, later, nil))
	good := TLSFiles{CAFile: root.file(t), CertFile: certFile, KeyFile: keyFile}

	tests := map[string]struct {
		host             string
		tls              *GRPCTLS
		asked, authority string
		want             string
	}{
		"a server name of its own":       {"orders:80", &GRPCTLS{ServerName: "shop.example.com", TLSFiles: good}, "shop.example.com", "orders:80", ""},
		"else the name in host":          {"shop.example.com:8443", &GRPCTLS{TLSFiles: good}, "shop.example.com", "shop.example.com:8443", ""},
		"else the address":               {"", &GRPCTLS{TLSFiles: good}, "", address, ""},
		"another name":                   {"", &GRPCTLS{ServerName: "other.example.com", TLSFiles: good}, "other.example.com", "", "certificate is valid for shop.example.com, not other.example.com"},
		"an unknown authority":           {"", &GRPCTLS{TLSFiles: TLSFiles{CertFile: certFile, KeyFile: keyFile}}, "", "", "certificate signed by unknown authority"},
		"any certificate will do":        {"", &GRPCTLS{InsecureSkipVerify: true, TLSFiles: TLSFiles{CertFile: certFile, KeyFile: keyFile}}, "", address, ""},
		"without a client's certificate": {"", &GRPCTLS{TLSFiles: TLSFiles{CAFile: good.CAFile}}, "", "", "got no answer: "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := verdict(t, GRPC(GRPCOptions{Address: address, Host: test.host, TLS: test.tls}))
			if (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if asked := newest(names); asked != test.asked {
				t.Errorf("asked for %q, want %q", asked, test.asked)
			}
			if test.want != "" {
				return
			}
			if authority := newest(hosts); authority != test.authority {
				t.Errorf("the authority was %q, want %q", authority, test.authority)
			}
		})
	}
	if got := verdict(t, GRPC(GRPCOptions{Address: address, TLS: &GRPCTLS{TLSFiles: TLSFiles{CAFile: "/none"}}})); got != "reading the authorities: open /none: no such file or directory" {
		t.Errorf("without the file of authorities got %q", got)
	}
}

// newest takes all that was sent so far, and gives the last of it.
func newest(sent <-chan string) string {
	last := "nothing"
	for len(sent) > 0 {
		last = <-sent
	}
	return last
}

func TestGRPCEndsWithItsContext(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0") // takes the connection and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		if conn, err := listener.Accept(); err == nil {
			defer conn.Close()
			cancel()
			<-t.Context().Done()
		}
	}()
	if err := GRPC(GRPCOptions{Address: listener.Addr().String()}).run(ctx); err == nil || ctx.Err() == nil {
		t.Errorf("got %v", err)
	}
}
