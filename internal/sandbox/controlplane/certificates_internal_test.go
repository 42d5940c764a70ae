package controlplane

import (
	"crypto/tls"
	"crypto/x509"
	"path/filepath"
	"testing"
)

func TestTheServersCertificateNamesItsAddresses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	authority, err := writeCertificates(dir, []string{"198.51.100.1", "10.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		t.Fatalf("no authority in %s", authority)
	}
	shown, err := tls.LoadX509KeyPair(filepath.Join(dir, "apiserver.crt"), filepath.Join(dir, "apiserver.key"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"198.51.100.1", "10.0.0.1", "127.0.0.1", "localhost", "kubernetes.default.svc"} {
		if _, err := shown.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); err != nil {
			t.Errorf("who asks %s doesn't trust it: %v", name, err)
		}
	}
	if _, err := shown.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "192.0.2.1"}); err == nil {
		t.Error("it is good for an address that nobody named")
	}
	if _, err := tls.LoadX509KeyPair(filepath.Join(dir, "sa-signer.crt"), filepath.Join(dir, "sa-signer.key")); err != nil {
		t.Errorf("the key for tokens: %v", err)
	}
	if _, err := writeCertificates(t.TempDir(), []string{"api.example.com"}); err == nil {
		t.Error("a name was taken for an address")
	}
}
