package probes

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// shaking is a server that shakes hands with everybody, and gives its address.
func shaking(t *testing.T, config *tls.Config) string {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, conn) // until the probe hangs up; its handshake comes with the first read
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-ended
	})
	return listener.Addr().String()
}

func TestTLSJudgesTheCertificate(t *testing.T) {
	t.Parallel()
	now := time.Now()
	in := func(days int) time.Time { return now.Add(time.Duration(days)*testDay + time.Hour) }
	date := func(at time.Time) string { return at.UTC().Format(time.DateOnly) }
	root := newAuthority(t, "Root", in(1000), nil)
	foreign := newAuthority(t, "Nobody", in(1000), nil)
	middle := newAuthority(t, "Middle", in(800), root)
	short := newAuthority(t, "Short", in(9), root)
	ended := newAuthority(t, "Ended", in(-9), root)
	shop := []string{"shop.example.com"}

	tests := map[string]struct {
		cert  tls.Certificate
		names []string
		want  string
	}{
		"all is well":                        {root.issue(t, in(90), shop), nil, ""},
		"the last of the wanted days":        {root.issue(t, in(14), shop), nil, ""},
		"too few days":                       {root.issue(t, in(6), shop), nil, "the certificate ends in 6 days (" + date(in(6)) + "), at least 14 are wanted"},
		"one day":                            {root.issue(t, in(1), shop), nil, "the certificate ends in 1 day (" + date(in(1)) + "), at least 14 are wanted"},
		"some hours":                         {root.issue(t, in(0), shop), nil, "the certificate ends within a day (" + date(in(0)) + "), at least 14 days are wanted"},
		"it has ended":                       {root.issue(t, in(-3), shop), nil, "the certificate ended on " + date(in(-3))},
		"another name":                       {root.issue(t, in(90), []string{"a.example.com"}), nil, "the certificate does not name shop.example.com (it names a.example.com, 127.0.0.1)"},
		"one of further names is missing":    {root.issue(t, in(90), append(shop, "*.a.example.com")), []string{"x.a.example.com", "b.example.com"}, "the certificate does not name b.example.com (it names shop.example.com, *.a.example.com, 127.0.0.1)"},
		"many other names":                   {root.issue(t, in(90), []string{"a", "b", "c", "d", "e", "f"}), nil, "the certificate does not name shop.example.com (it names a, b, c, d, e and 2 more)"},
		"nobody knows the authority":         {foreign.issue(t, in(90), shop), nil, `nothing leads from the certificate to a trusted authority (it is by "Nobody"; the server may have to show the certificates above it)`},
		"an intermediate is shown":           {middle.issue(t, in(90), shop, middle), nil, ""},
		"an intermediate is not shown":       {middle.issue(t, in(90), shop), nil, `nothing leads from the certificate to a trusted authority (it is by "Middle"; the server may have to show the certificates above it)`},
		"an intermediate ends first":         {short.issue(t, in(90), shop, short), nil, `the certificate above it, of "Short", ends in 9 days (` + date(in(9)) + `), at least 14 are wanted`},
		"an intermediate has ended":          {ended.issue(t, in(90), shop, ended), nil, `the certificate above it, of "Ended", is good from ` + date(now.Add(-400*testDay)) + " to " + date(in(-9)) + " only"},
		"everything is wrong at the same go": {foreign.issue(t, in(-3), []string{"a"}), nil, `the certificate does not name shop.example.com (it names a, 127.0.0.1); nothing leads from the certificate to a trusted authority (it is by "Nobody"; the server may have to show the certificates above it); the certificate ended on ` + date(in(-3))},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := shaking(t, &tls.Config{Certificates: []tls.Certificate{test.cert}})
			got := verdict(t, TLS(TLSOptions{Address: address, ServerName: "shop.example.com", Names: test.names, MinDays: 14, TLSFiles: TLSFiles{CAFile: root.file(t)}}))
			if got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestTLSAsksForANameAndTakesTheSystemsAuthorities(t *testing.T) {
	t.Parallel()
	cert := newAuthority(t, "Root", time.Now().Add(testDay), nil).issue(t, time.Now().Add(testDay), []string{"shop.example.com"})
	asked := make(chan string, 1)
	address := shaking(t, &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		asked <- hello.ServerName
		return &cert, nil
	}})
	got := verdict(t, TLS(TLSOptions{Address: address, ServerName: "shop.example.com"}))
	if name := <-asked; name != "shop.example.com" || !strings.Contains(got, "nothing leads from the certificate to a trusted authority") {
		t.Errorf("asked for %q, got %q", name, got)
	}
	// An address is no name to ask for, but the certificate must carry it.
	got = verdict(t, TLS(TLSOptions{Address: address}))
	if name := <-asked; name != "" || strings.Contains(got, "does not name") {
		t.Errorf("asked for %q, got %q", name, got)
	}
}

// What is rotated is taken over with the next run, the probe's own certificate and the authorities.
func TestFilesAreReadForEachRun(t *testing.T) {
	t.Parallel()
	later := time.Now().Add(100 * testDay)
	root := newAuthority(t, "Root", later, nil)
	address := shaking(t, &tls.Config{
		Certificates: []tls.Certificate{root.issue(t, later, nil)}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: root.pool(),
		MaxVersion: tls.VersionTLS12, // where the client hears within the handshake whether it was taken
	})
	folder := t.TempDir()
	files := TLSFiles{CAFile: root.file(t), CertFile: filepath.Join(folder, "tls.crt"), KeyFile: filepath.Join(folder, "tls.key")}
	check := TLS(TLSOptions{Address: address, TLSFiles: files})

	expect := func(when, want string) {
		t.Helper()
		if got := verdict(t, check); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", when, got, want)
		}
	}
	expect("without the files", "reading the client certificate: open "+files.CertFile+": no such file or directory")
	store(t, folder, newAuthority(t, "Nobody", later, nil).issue(t, later, nil))
	expect("with a certificate of nobody's", "tls: ")
	store(t, folder, root.issue(t, later, nil))
	expect("with a good certificate", "")
	if err := os.WriteFile(files.CAFile, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect("with authorities that can't be read", files.CAFile+" holds no certificate in PEM")
	if err := os.WriteFile(files.CAFile, make([]byte, 1<<20+1), 0o600); err != nil {
		t.Fatal(err)
	}
	expect("with authorities without end", "is larger than 1 MiB")
}

func TestTLSFailsWithoutAHandshake(t *testing.T) {
	t.Parallel()
	server := answer(t, 200, "") // speaks HTTP alone
	if got := verdict(t, TLS(TLSOptions{Address: server.Listener.Addr().String()})); !strings.Contains(got, "tls: first record does not look like a TLS handshake") {
		t.Errorf("of a server without TLS got %q", got)
	}
	server.Close()
	if got := verdict(t, TLS(TLSOptions{Address: server.Listener.Addr().String()})); !strings.Contains(got, "connection refused") {
		t.Errorf("of no server got %q", got)
	}
}

func TestCertificatesOfOtherKinds(t *testing.T) {
	t.Parallel()
	now := time.Now()
	self := newAuthority(t, "Self", now.Add(100*testDay), nil)
	clock := wanted{roots: x509.NewCertPool(), now: now}
	if got := fmt.Sprint(judge([]*x509.Certificate{self.cert}, clock)); got != "the certificate is signed by itself, and is not among the trusted ones" {
		t.Errorf("of one that is signed by itself got %q", got)
	}
	clock.roots, clock.now = self.pool(), self.cert.NotBefore.Add(-time.Hour)
	want := errors.New("the certificate is not good before " + self.cert.NotBefore.UTC().Format(time.DateTime) + " UTC")
	if got := judge([]*x509.Certificate{self.cert}, clock); fmt.Sprint(got) != want.Error() {
		t.Errorf("of one that is yet to begin got %v", got)
	}
	if got := namesOf(&x509.Certificate{}); got != "nothing" {
		t.Errorf("one without names names %q", got)
	}
	if got := namesOf(&x509.Certificate{IPAddresses: []net.IP{net.IPv6loopback}}); got != "::1" {
		t.Errorf("one with an address names %q", got)
	}
}
