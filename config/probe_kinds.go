package config

// GRPCProbe asks a server for its health by the protocol grpc.health.v1. Only SERVING is good.
type GRPCProbe struct {
	// Address is host:port.
	Address string `yaml:"address" required:"true"`

	// BlueAddress is the same for blue, as blueURL is. Empty doesn't probe blue.
	BlueAddress string `yaml:"blueAddress"`

	// Service is the name whose health is asked for, such as shop.v1.Orders. Empty is the server as a whole.
	Service string `yaml:"service"`

	// Host is sent as :authority, to ask for the users' name at an internal address, on both sides.
	Host string `yaml:"host" derived:"the address"`

	// TLS says how the connection is secured. Without it the connection is in plain text.
	TLS *ProbeTLS `yaml:"tls"`
}

// ProbeTLS says how a connection is secured, on both sides. The files are read anew for each run, so that rotated ones are
// taken over.
type ProbeTLS struct {
	// ServerName is the name the certificate is asked and checked for (SNI).
	ServerName string `yaml:"serverName" derived:"host's name, else the address's"`

	// CAFile is a file with the certificates, in PEM, that the server's is checked by. Empty takes those of the system.
	CAFile string `yaml:"caFile"`

	// CertFile is a file with a client certificate, in PEM, for a server that asks for one. It needs keyFile.
	CertFile string `yaml:"certFile"`

	// KeyFile is a file with the client certificate's key, in PEM.
	KeyFile string `yaml:"keyFile"`

	// InsecureSkipVerify takes any certificate.
	InsecureSkipVerify bool `yaml:"insecureSkipVerify"`
}

// DNSProbe asks one DNS server, by UDP, and by TCP where the answer doesn't fit.
type DNSProbe struct {
	// Server is the server's host:port, such as 10.0.0.2:53.
	Server string `yaml:"server" required:"true"`

	// BlueServer is the same for blue, as blueURL is. Empty doesn't probe blue.
	BlueServer string `yaml:"blueServer"`

	// Name is asked for.
	Name string `yaml:"name" required:"true"`

	// Type is the type of the records that are asked for.
	Type string `yaml:"type" default:"A" oneof:"A AAAA CNAME MX NS PTR SRV TXT"`

	// AnyOf lists answers of which at least one must come: addresses, names, the text of a TXT record, 10 mx.example.com for MX,
	// 0 5 5060 sip.example.com for SRV. Empty takes any answer of the type.
	AnyOf []string `yaml:"anyOf"`

	// Contains is a text that at least one answer must contain.
	Contains string `yaml:"contains"`
}

// WebSocketProbe opens a WebSocket and closes it. Redirects are not followed.
type WebSocketProbe struct {
	// URL is a ws or wss address.
	URL string `yaml:"url" required:"true"`

	// BlueURL is the same for blue, as for http. Empty doesn't probe blue.
	BlueURL string `yaml:"blueURL"`

	// Host replaces the Host header, to ask for the users' name at an internal address, on both sides.
	Host string `yaml:"host" derived:"the URL's host"`

	// Subprotocol is asked for, and the server must choose it. Empty asks for none.
	Subprotocol string `yaml:"subprotocol"`

	// Headers are sent with the request, to both sides.
	Headers map[string]string `yaml:"headers"`

	// ServerName is the name the certificate is asked and checked for (SNI), on both sides. It needs a wss URL, as the next
	// four keys do.
	ServerName string `yaml:"serverName" derived:"host's name, else the URL's"`

	// CAFile is a file with the certificates, in PEM, that the server's is checked by. Empty takes those of the system. This
	// file and the next two are read anew for each run, so that rotated ones are taken over.
	CAFile string `yaml:"caFile"`

	// CertFile is a file with a client certificate, in PEM, for a server that asks for one. It needs keyFile.
	CertFile string `yaml:"certFile"`

	// KeyFile is a file with the client certificate's key, in PEM.
	KeyFile string `yaml:"keyFile"`

	// InsecureSkipVerify takes any certificate.
	InsecureSkipVerify bool `yaml:"insecureSkipVerify"`
}
