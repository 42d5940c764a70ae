package probes

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/reach"
)

// maxNames bounds how many names of a certificate an error shows.
const maxNames = 5

// TLSOptions say which certificate a TLS probe looks at, and what is wanted of it.
type TLSOptions struct {
	// Address is host:port.
	Address string
	// ServerName is the name that is asked for (SNI) and that the certificate must carry; empty takes the address's host.
	ServerName string
	// Names are further names that the certificate must carry.
	Names []string
	// MinDays is how many days of 24 hours must be left to the certificate, and to those above it.
	MinDays int
	// TLSFiles say which authorities are trusted, and which certificate is shown.
	TLSFiles
	// Reach says which link-local addresses may be connected to; the zero one: none.
	Reach reach.Policy
}

// TLS makes a Check that shakes hands and judges the certificate: its chain, its names, and the days left to it. The error
// tells all that is wrong.
func TLS(opts TLSOptions) Check {
	name := opts.ServerName
	if name == "" {
		// An address without a port doesn't come to be dialled either.
		name, _, _ = net.SplitHostPort(opts.Address)
	}
	return Check{identity: identity("tls", opts), run: func(ctx context.Context) error {
		var shown []*x509.Certificate
		config := &tls.Config{
			ServerName: name,
			// The handshake would tell the first fault alone; judge looks for all of them.
			InsecureSkipVerify: true, //nolint:gosec // the chain is verified below
			VerifyConnection: func(state tls.ConnectionState) error {
				shown = state.PeerCertificates
				return nil
			},
		}
		if err := opts.load(config); err != nil {
			return err
		}
		dialer := tls.Dialer{NetDialer: opts.Reach.Dialer(), Config: config}
		conn, err := dialer.DialContext(ctx, "tcp", opts.Address)
		if err != nil {
			return err
		}
		defer conn.Close()
		return judge(shown, wanted{
			names: append([]string{name}, opts.Names...), minDays: opts.MinDays, roots: config.RootCAs, now: time.Now(),
		})
	}}
}

// wanted is what a certificate is held against. Without roots the system's are trusted.
type wanted struct {
	names   []string
	minDays int
	roots   *x509.CertPool
	now     time.Time
}

// judge finds all that is wrong with what a server showed: its own certificate first, then those above it.
func judge(shown []*x509.Certificate, want wanted) error {
	leaf := shown[0] // the handshake fails without any
	var problems []string
	if missing := slices.DeleteFunc(slices.Clone(want.names), func(name string) bool { return leaf.VerifyHostname(name) == nil }); len(missing) > 0 {
		problems = append(problems, fmt.Sprintf("the certificate does not name %s (it names %s)", strings.Join(missing, ", "), namesOf(leaf)))
	}
	above := x509.NewCertPool()
	for _, c := range shown[1:] {
		above.AddCert(c)
	}
	// The chain of a certificate that has ended, or is yet to begin, is judged all the same, at the nearest moment of its life.
	at := want.now
	if at.After(leaf.NotAfter) {
		at = leaf.NotAfter
	} else if at.Before(leaf.NotBefore) {
		at = leaf.NotBefore
	}
	chains, err := leaf.Verify(x509.VerifyOptions{Roots: want.roots, Intermediates: above, CurrentTime: at})
	if err != nil {
		problems = append(problems, chainProblem(err, leaf))
		chains = [][]*x509.Certificate{{leaf}}
	}
	if problem := lifeProblem(firstToEnd(chains), leaf, want); problem != "" {
		problems = append(problems, problem)
	}
	if len(problems) == 0 {
		return nil
	}
	return errors.New(strings.Join(problems, "; "))
}

// firstToEnd gives the certificate by which the chain that lasts longest ends.
func firstToEnd(chains [][]*x509.Certificate) *x509.Certificate {
	sooner := func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) }
	ends := make([]*x509.Certificate, len(chains))
	for i, chain := range chains {
		ends[i] = slices.MinFunc(chain, sooner)
	}
	return slices.MaxFunc(ends, sooner)
}

// lifeProblem says what is wrong with the time of a certificate, which is the server's own or one above it.
func lifeProblem(c, leaf *x509.Certificate, want wanted) string {
	const day = 24 * time.Hour
	which := "the certificate"
	if !c.Equal(leaf) {
		which = "the certificate above it, of " + nameOf(c) + ","
	}
	left := c.NotAfter.Sub(want.now)
	ends := c.NotAfter.UTC().Format(time.DateOnly)
	switch days := int(left / day); {
	case want.now.Before(leaf.NotBefore):
		return "the certificate is not good before " + leaf.NotBefore.UTC().Format(time.DateTime) + " UTC"
	case left < 0:
		return fmt.Sprintf("%s ended on %s", which, ends)
	case left >= time.Duration(want.minDays)*day:
		return ""
	case days == 0:
		return fmt.Sprintf("%s ends within a day (%s), at least %d days are wanted", which, ends, want.minDays)
	case days == 1:
		return fmt.Sprintf("%s ends in 1 day (%s), at least %d are wanted", which, ends, want.minDays)
	default:
		return fmt.Sprintf("%s ends in %d days (%s), at least %d are wanted", which, days, ends, want.minDays)
	}
}

// chainProblem says why a certificate is not trusted.
func chainProblem(err error, leaf *x509.Certificate) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		if leaf.Issuer.String() == leaf.Subject.String() {
			return "the certificate is signed by itself, and is not among the trusted ones"
		}
		return fmt.Sprintf("nothing leads from the certificate to a trusted authority (it is by %q; the server may have to show the certificates above it)",
			cmp.Or(leaf.Issuer.CommonName, leaf.Issuer.String()))
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired && invalid.Cert != nil && !invalid.Cert.Equal(leaf) {
		return fmt.Sprintf("the certificate above it, of %s, is good from %s to %s only",
			nameOf(invalid.Cert), invalid.Cert.NotBefore.UTC().Format(time.DateOnly), invalid.Cert.NotAfter.UTC().Format(time.DateOnly))
	}
	return "the chain is not trusted: " + strings.TrimPrefix(err.Error(), "x509: ")
}

func nameOf(c *x509.Certificate) string {
	return fmt.Sprintf("%q", cmp.Or(c.Subject.CommonName, c.Subject.String()))
}

// namesOf lists the names that a certificate carries, the first few of them.
func namesOf(c *x509.Certificate) string {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	switch more := len(names) - maxNames; {
	case len(names) == 0:
		return "nothing"
	case more > 0:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNames], ", "), more)
	default:
		return strings.Join(names, ", ")
	}
}
