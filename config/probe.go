package config

import "time"

// Probe is one check that is run again and again. It has exactly one of http, tcp, tls and service.
type Probe struct {
	// Name tells the probe apart within its pair. It is a DNS label.
	Name string `yaml:"name" required:"true"`

	// HTTP asks a URL.
	HTTP *HTTPProbe `yaml:"http"`

	// TCP opens a connection.
	TCP *TCPProbe `yaml:"tcp"`

	// TLS judges a certificate.
	TLS *TLSProbe `yaml:"tls"`

	// Service asks a Service of green through green's API server, so that nothing has to be exposed. Blue's is asked
	// likewise.
	Service *ServiceProbe `yaml:"service"`

	// Interval is the time from one run to the next, spread by up to a tenth either way.
	Interval time.Duration `yaml:"interval" default:"10s" range:"100ms..1h"`

	// Timeout ends a run that takes too long, as a failure. It is not longer than the interval.
	Timeout time.Duration `yaml:"timeout" default:"3s" range:"10ms..5m"`

	// Successes in a row make a probe passing.
	Successes int `yaml:"successes" default:"3" range:"1..100"`

	// Failures in a row make a probe failing.
	Failures int `yaml:"failures" default:"2" range:"1..100"`
}

func (Probe) laterKeys() map[string]string {
	return map[string]string{
		"grpc": "gRPC probes are not supported yet; use http, tcp or service",
	}
}

// HTTPProbe asks a URL. Redirects are not followed: the answer itself is judged.
type HTTPProbe struct {
	// URL is an http or https address.
	URL string `yaml:"url" required:"true"`

	// BlueURL is the same for blue. It is asked all the time: standby doesn't end while it fails, and the planned way back
	// waits for it. Empty doesn't probe blue.
	BlueURL string `yaml:"blueURL"`

	// Host replaces the Host header, to ask for the users' name at an internal address, on both sides.
	Host string `yaml:"host" derived:"the URL's host"`

	// ServerName is the name the certificate is asked and checked for (SNI), on both sides. It needs an https URL.
	ServerName string `yaml:"serverName" derived:"host's name, else the URL's"`

	// Method is the request's method.
	Method string `yaml:"method" default:"GET" oneof:"GET HEAD OPTIONS POST"`

	// Headers are sent with the request, to both sides.
	Headers map[string]string `yaml:"headers"`

	// InsecureSkipVerify takes any certificate, on both sides. It needs an https URL.
	InsecureSkipVerify bool `yaml:"insecureSkipVerify"`

	// Expect says which answer is good.
	Expect Expect `yaml:"expect"`
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
