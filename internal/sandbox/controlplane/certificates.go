package controlplane

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// writeCertificates writes what kube-apiserver shows to others, with the addresses
// in it, and the key that service accounts' tokens are signed with. envtest makes
// these itself unless they are there, but for addresses of its own choice alone. It
// returns the certificate of the authority.
func writeCertificates(dir string, addresses []string) (ca []byte, err error) {
	authority, err := newPair(&x509.Certificate{
		Subject: pkix.Name{CommonName: "sandbox"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}, nil)
	if err != nil {
		return nil, err
	}
	names := &x509.Certificate{
		Subject: pkix.Name{CommonName: "kube-apiserver"}, DNSNames: []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, address := range addresses {
		ip := net.ParseIP(address)
		if ip == nil {
			return nil, fmt.Errorf("making a certificate: %q is no IP address", address)
		}
		names.IPAddresses = append(names.IPAddresses, ip)
	}
	serving, err := newPair(names, authority)
	if err != nil {
		return nil, err
	}
	signer, err := newPair(&x509.Certificate{Subject: pkix.Name{CommonName: "service accounts"}}, nil)
	if err != nil {
		return nil, err
	}
	for name, pair := range map[string]*pair{"apiserver": serving, "sa-signer": signer} {
		if err := pair.write(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	return authority.pem(), nil
}

// pair is a certificate with its key.
type pair struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// newPair makes a certificate that is good for a day, signed by its issuer; nil: by itself.
func newPair(template *x509.Certificate, issuer *pair) (*pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64)); err != nil {
		return nil, fmt.Errorf("making a serial number: %w", err)
	}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	if issuer == nil {
		issuer = &pair{certificate: template, key: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer.certificate, key.Public(), issuer.key)
	if err != nil {
		return nil, fmt.Errorf("making a certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	return &pair{certificate: certificate, key: key}, err
}

func (p *pair) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.certificate.Raw})
}

// write writes path.crt and path.key.
func (p *pair) write(path string) error {
	key, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		return fmt.Errorf("writing a key: %w", err)
	}
	if err := os.WriteFile(path+".crt", p.pem(), 0o600); err != nil {
		return err
	}
	return os.WriteFile(path+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600)
}
