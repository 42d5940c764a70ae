package config

// TLSProbe shakes hands and judges the certificate that is shown: that it leads to a trusted authority, carries the names, and
// doesn't end soon. The error tells all that is wrong with it.
type TLSProbe struct {
	// Address is host:port.
	Address string `yaml:"address" required:"true"`

	// BlueAddress is the same for blue, as blueURL is. Empty doesn't probe blue.
	BlueAddress string `yaml:"blueAddress"`

	// ServerName is the name the certificate is asked and checked for (SNI), on both sides.
	ServerName string `yaml:"serverName" derived:"the address's host"`

	// Names are further names that the certificate must carry.
	Names []string `yaml:"names"`

	// MinDays is how many days must be left to the certificate, and to those above it.
	MinDays int `yaml:"minDays" default:"14" range:"0..3650"`

	// CAFile is a file with the certificates, in PEM, that the server's is checked by. Empty takes those of the system. This
	// file and the next two are read anew for each run, so that rotated ones are taken over.
	CAFile string `yaml:"caFile"`

	// CertFile is a file with a client certificate, in PEM, for a server that asks for one. It needs keyFile.
	CertFile string `yaml:"certFile"`

	// KeyFile is a file with the client certificate's key, in PEM.
	KeyFile string `yaml:"keyFile"`
}
