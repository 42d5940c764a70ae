package probes

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"

	"github.com/clusterswitch/clusterswitch/internal/reach"
)

// TLSFiles are files in PEM. They are read anew for each run, so that what is rotated is taken over.
type TLSFiles struct {
	// CAFile has the certificates that the other side's is checked by; empty takes those of the system.
	CAFile string `json:",omitempty"`
	// CertFile and KeyFile are the certificate, with what leads to its authority, that is shown to who asks for one, and its
	// key. Both or neither are given.
	CertFile string `json:",omitempty"`
	KeyFile  string `json:",omitempty"`
}

// load reads the files into a configuration.
func (f TLSFiles) load(into *tls.Config) error {
	if f.CAFile != "" {
		pem, err := reach.ReadFile(f.CAFile)
		if err != nil {
			return fmt.Errorf("reading the authorities: %w", err)
		}
		if into.RootCAs = x509.NewCertPool(); !into.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("reading the authorities: %s holds no certificate in PEM", f.CAFile)
		}
	}
	if f.CertFile == "" {
		return nil
	}
	own, err := f.pair()
	if err != nil {
		return fmt.Errorf("reading the client certificate: %w", err)
	}
	into.Certificates = []tls.Certificate{own}
	return nil
}

func (f TLSFiles) pair() (tls.Certificate, error) {
	cert, err := reach.ReadFile(f.CertFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := reach.ReadFile(f.KeyFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(cert, key)
}
