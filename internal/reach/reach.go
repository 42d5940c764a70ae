// Package reach bounds what the configuration may lead the daemon to: addresses
// that it connects to, and files that it reads. The daemon holds credentials, and
// a name that resolves to another address tomorrow must not turn a probe into a
// way to them.
package reach

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
)

// Policy says which link-local addresses may be connected to. The zero Policy
// allows none; every other address is always allowed. Policies are plain values:
// equal ones are deeply equal, and have equal JSON.
type Policy struct {
	// Allow lists addresses and prefixes: 169.254.20.10, fe80::/64. What is neither
	// allows nothing.
	Allow []string `json:",omitempty"`
}

// Refusal is the error of an address that must not be connected to. It is what
// the connection fails of, also within the errors of net and net/http.
type Refusal struct {
	// Address is what was to be connected to.
	Address netip.Addr
}

// Error says what to do about it.
func (r *Refusal) Error() string {
	return fmt.Sprintf("%s is a link-local address, where hosts give out credentials; the daemon doesn't go there unless allowLinkLocal lists it", r.Address)
}

// linkLocal are the addresses at which a host or its hypervisor answers, rather
// than a server that somebody runs.
func linkLocal() []netip.Prefix {
	return []netip.Prefix{
		// RFC 3927. Instance metadata is 169.254.169.254, the agent of EKS Pod Identity
		// 169.254.170.23, credentials of ECS tasks 169.254.170.2.
		netip.MustParsePrefix("169.254.0.0/16"),
		// RFC 5771: the local network's own multicast.
		netip.MustParsePrefix("224.0.0.0/24"),
		// RFC 4291, section 2.5.6.
		netip.MustParsePrefix("fe80::/10"),
		// RFC 4291, section 2.7: multicast of the scopes interface and link.
		netip.MustParsePrefix("ff01::/16"), netip.MustParsePrefix("ff02::/16"),
		// What AWS serves inside of a VPC over IPv6: fd00:ec2::254 is instance metadata,
		// fd00:ec2::23 the agent of EKS Pod Identity.
		netip.MustParsePrefix("fd00:ec2::/32"),
	}
}

// embedding are the prefixes of IPv6 whose last 32 bits are an address of IPv4.
// Mapped addresses (::ffff:0:0/96) are unwrapped by net/netip.
func embedding() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("64:ff9b::/96"), // RFC 6052, for NAT64
		netip.MustParsePrefix("::/96"),        // RFC 4291, section 2.5.5.1
	}
}

// plain gives an address in the one form in which it is judged.
func plain(address netip.Addr) netip.Addr {
	address = address.Unmap().WithZone("")
	for _, p := range embedding() {
		if bytes := address.As16(); address.Is6() && p.Contains(address) && bytes[12] != 0 {
			return netip.AddrFrom4([4]byte(bytes[12:]))
		}
	}
	return address
}

func anyContains(prefixes []netip.Prefix, address netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(address) {
			return true
		}
	}
	return false
}

// Judge refuses an address that must not be connected to, with a *Refusal.
func (p Policy) Judge(address netip.Addr) error {
	judged := plain(address)
	if !anyContains(linkLocal(), judged) {
		return nil
	}
	for _, text := range p.Allow {
		if prefix, err := ParsePrefix(text); err == nil && prefix.Contains(judged) {
			return nil
		}
	}
	return &Refusal{Address: address}
}

// JudgeHost refuses the host of a URL or an address when it is an IP address that
// must not be connected to. A name is judged when it was resolved.
func (p Policy) JudgeHost(host string) error {
	if address, err := netip.ParseAddr(host); err == nil {
		return p.Judge(address)
	}
	return nil
}

// ParsePrefix reads an address or a prefix, as Allow has them.
func ParsePrefix(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		address = plain(address)
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("reading %q: it is neither an address nor a prefix", text)
	}
	return prefix.Masked(), nil
}

// Within tells whether a prefix has nothing but link-local addresses.
func Within(prefix netip.Prefix) bool {
	for _, p := range linkLocal() {
		if p.Bits() <= prefix.Bits() && p.Contains(prefix.Addr()) {
			return true
		}
	}
	return false
}

// Dialer gives a dialer that judges each address that a name resolves to, right
// before it connects: an answer of DNS that was good a moment ago counts for
// nothing.
func (p Policy) Dialer() *net.Dialer {
	return &net.Dialer{ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		// Never a name: net has resolved it.
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("reading the address to connect to: %w", err)
		}
		return p.Judge(at.Addr())
	}}
}

// DialContext connects by the Dialer.
func (p Policy) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return p.Dialer().DialContext(ctx, network, address)
}

// Proxy is http.ProxyFromEnvironment for transports that dial by this policy: what
// goes through a proxy is connected to by the proxy, so that an address in the URL
// itself is judged here. Which names the proxy resolves how is its own affair.
func (p Policy) Proxy(request *http.Request) (*url.URL, error) {
	if err := p.JudgeHost(request.URL.Hostname()); err != nil {
		return nil, err
	}
	return http.ProxyFromEnvironment(request)
}
