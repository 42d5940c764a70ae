// Package vnet is the little network of the demo world. Programs in it listen
// at made-up addresses such as 192.0.2.10:80; each is really a listener on a
// free loopback port, so any number of worlds fit on one machine and nobody
// needs to be root.
package vnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
)

// Network maps virtual addresses to loopback listeners. All methods may be
// called from any goroutine.
type Network struct {
	dialer net.Dialer

	mu        sync.Mutex
	listeners map[netip.AddrPort]*listener
	cut       map[netip.Prefix]struct{}
	conns     map[*conn]struct{}
}

// New returns an empty network.
func New() *Network {
	return &Network{
		listeners: map[netip.AddrPort]*listener{},
		cut:       map[netip.Prefix]struct{}{},
		conns:     map[*conn]struct{}{},
	}
}

// Listen opens a listener at the virtual address, an IP and a port above 0.
// Closing the listener frees the address. A loopback address is listened on as
// it is, port 0 included.
func (n *Network) Listen(address string) (net.Listener, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, fmt.Errorf("listening at %s: %w", address, err)
	}
	if at.Addr().IsLoopback() {
		return net.Listen("tcp", address)
	}
	if at.Port() == 0 {
		return nil, fmt.Errorf("listening at %s: a virtual address needs its port", address)
	}
	loopback, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("opening the loopback port for %s: %w", address, err)
	}
	l := &listener{Listener: loopback, network: n, at: at}
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, taken := n.listeners[at]; taken {
		return nil, errors.Join(
			&net.OpError{Op: "listen", Net: "tcp", Addr: l.Addr(), Err: syscall.EADDRINUSE},
			loopback.Close())
	}
	n.listeners[at] = l
	return l, nil
}

// DialContext connects to a virtual address, or to a loopback address as it
// is. Like a real network it answers "connection refused" where nobody
// listens, and "no route to host" behind a cut; both come as *net.OpError with
// Op "dial". Host names are not resolved, localhost excepted.
func (n *Network) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if host == "localhost" {
		return n.dialer.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, fmt.Errorf("dialling %s: %w", address, err)
	}
	loopback, err := n.route(to)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: net.TCPAddrFromAddrPort(to), Err: err}
	}
	c, err := n.dialer.DialContext(ctx, network, loopback)
	if err != nil {
		return nil, err
	}
	return n.track(c, to)
}

// Loopback tells the real address behind a virtual one, for programs that
// don't dial through the network.
func (n *Network) Loopback(address string) (string, bool) {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return "", false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	l, ok := n.listeners[at]
	if !ok {
		return "", false
	}
	return l.Listener.Addr().String(), true
}

// Cut partitions the network: until Heal of the same prefix, dials to
// addresses within it fail, and connections that were dialled to them break,
// so that kept connections don't hide the partition.
func (n *Network) Cut(prefix netip.Prefix) {
	prefix = prefix.Masked()
	n.mu.Lock()
	n.cut[prefix] = struct{}{}
	var broken []*conn
	for c := range n.conns {
		if prefix.Contains(c.to.Addr()) {
			broken = append(broken, c)
		}
	}
	n.mu.Unlock()
	for _, c := range broken {
		// Its owner sees the broken connection; that closing it here may
		// come second, after the owner's own, is of no interest.
		_ = c.Close()
	}
}

// Heal takes back the Cut of the same prefix.
func (n *Network) Heal(prefix netip.Prefix) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.cut, prefix.Masked())
}

// route finds the loopback address to dial for a destination.
func (n *Network) route(to netip.AddrPort) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.isCutLocked(to) {
		return "", syscall.EHOSTUNREACH
	}
	if l, ok := n.listeners[to]; ok {
		return l.Listener.Addr().String(), nil
	}
	if to.Addr().IsLoopback() {
		return to.String(), nil
	}
	return "", syscall.ECONNREFUSED
}

// track remembers a fresh connection for Cut. A cut that came while the dial
// was under way breaks it at once.
func (n *Network) track(c net.Conn, to netip.AddrPort) (net.Conn, error) {
	tracked := &conn{Conn: c, network: n, to: to}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.isCutLocked(to) {
		return nil, errors.Join(
			&net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(to), Err: syscall.EHOSTUNREACH},
			c.Close())
	}
	n.conns[tracked] = struct{}{}
	return tracked, nil
}

func (n *Network) isCutLocked(to netip.AddrPort) bool {
	for prefix := range n.cut {
		if prefix.Contains(to.Addr()) {
			return true
		}
	}
	return false
}

// listener is a loopback listener that answers for a virtual address.
type listener struct {
	net.Listener
	network *Network
	at      netip.AddrPort
}

// Addr returns the virtual address.
func (l *listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.at) }

// Close closes the loopback listener and frees the virtual address.
func (l *listener) Close() error {
	l.network.mu.Lock()
	if l.network.listeners[l.at] == l {
		delete(l.network.listeners, l.at)
	}
	l.network.mu.Unlock()
	return l.Listener.Close()
}

// conn is a dialled connection that a Cut can break.
type conn struct {
	net.Conn
	network *Network
	to      netip.AddrPort
}

// RemoteAddr returns the virtual address that was dialled.
func (c *conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.to) }

// CloseWrite sends the end of the stream and keeps the reading side open.
func (c *conn) CloseWrite() error { return closeWrite(c.Conn) }

// Close closes the connection.
func (c *conn) Close() error {
	c.network.mu.Lock()
	delete(c.network.conns, c)
	c.network.mu.Unlock()
	return c.Conn.Close()
}

// closeWrite half-closes a stream where its kind allows that, and closes it
// whole where it doesn't.
func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Close()
}
