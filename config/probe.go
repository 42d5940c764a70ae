package config

import (
	"time"

	"github.com/clusterswitch/clusterswitch/internal/reach"
)

// Probe is one check that is run again and again. It has exactly one of http, tcp, tls, grpc, dns,
// websocket and service.
type Probe struct {
	// Name tells the probe apart within its pair. It is a DNS label.
	Name string `yaml:"name" required:"true"`

	// HTTP asks a URL.
	HTTP *HTTPProbe `yaml:"http"`

	// TCP opens a connection.
	TCP *TCPProbe `yaml:"tcp"`

	// TLS judges a certificate.
	TLS *TLSProbe `yaml:"tls"`

	// GRPC asks a gRPC server for its health.
	GRPC *GRPCProbe `yaml:"grpc"`

	// DNS asks a DNS server.
	DNS *DNSProbe `yaml:"dns"`

	// WebSocket opens a WebSocket.
	WebSocket *WebSocketProbe `yaml:"websocket"`

	// Service asks a Service of green through green's API server, so that nothing has to be exposed. Blue's is asked
	// likewise.
	Service *ServiceProbe `yaml:"service"`

	// Interval is the time from one run to the next, spread by up to a tenth either way.
	Interval time.Duration `yaml:"interval" default:"10s" range:"100ms..1h"`

	// Timeout ends a run that takes too long, as a failure. It is not longer than the interval.
	Timeout time.Duration `yaml:"timeout" default:"3s" range:"10ms..5m"`

	// Successes in a row make a probe passing; with latency at least 10.
	Successes int `yaml:"successes" default:"3" range:"1..100"`

	// Failures in a row make a probe failing.
	Failures int `yaml:"failures" default:"2" range:"1..100"`

	// Latency is a limit for how long good runs take. Without it timeout alone bounds them.
	Latency *ProbeLatency `yaml:"latency"`

	// Reach is made of allowLinkLocal.
	Reach reach.Policy `yaml:"-"`
}

// ProbeLatency is a limit for the times of a probe's last 20 good runs, connecting and all steps included. A run that leaves it
// broken is a failure. From 10 runs on it is judged, so a probe with a limit needs 10 successes in a row at least.
type ProbeLatency struct {
	// P95 is what the 95th percentile may be at most: the second slowest of the 20, so that one slow run is no failure. It is
	// shorter than timeout.
	P95 time.Duration `yaml:"p95" required:"true" range:"1ms..5m"`
}

// Expect says which answer is good.
type Expect struct {
	// Status lists the good status codes.
	Status []int `yaml:"status" default:"[200]" range:"100..599"`

	// Body is a text that the first 64 KiB of the answer must contain. Empty takes any body.
	Body string `yaml:"body"`
}

// TCPProbe opens a connection and closes it.
type TCPProbe struct {
	// Address is host:port.
	Address string `yaml:"address" required:"true"`

	// BlueAddress is the same for blue, as blueURL is. Empty doesn't probe blue.
	BlueAddress string `yaml:"blueAddress"`
}

// ServiceProbe asks a Service through the API server's service proxy. The daemon's account needs get on services/proxy,
// in both clusters.
type ServiceProbe struct {
	// Namespace is the Service's namespace.
	Namespace string `yaml:"namespace" required:"true"`

	// Name is the Service's name.
	Name string `yaml:"name" required:"true"`

	// Port is the Service's port.
	Port int `yaml:"port" required:"true" range:"1..65535"`

	// Path is asked for, with its query if any.
	Path string `yaml:"path" default:"/"`

	// Scheme is what the pods speak behind the Service.
	Scheme string `yaml:"scheme" default:"http" oneof:"http https"`

	// Expect says which answer is good.
	Expect Expect `yaml:"expect"`
}
