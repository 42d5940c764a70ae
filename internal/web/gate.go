package web

import (
	"net"
	"sync"
)

// gate lets in so many connections at a time, and so many of one address. What is
// too much is closed at once: a client that is kept waiting would take it for a
// daemon that hangs.
type gate struct {
	net.Listener
	most, mostOfOne int

	mu   sync.Mutex // guards all below
	open int
	from map[string]int
}

func newGate(l net.Listener, most, mostOfOne int) *gate {
	return &gate{Listener: l, most: most, mostOfOne: mostOfOne, from: map[string]int{}}
}

// Accept gives the next connection that may come in.
func (g *gate) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host, _, err := net.SplitHostPort(conn.RemoteAddr().String())
		if err != nil { // a socket without addresses
			host = ""
		}
		if g.enter(host) {
			return &passed{Conn: conn, leave: sync.OnceFunc(func() { g.leave(host) })}, nil
		}
		_ = conn.Close() // nobody waits for what it says
	}
}

func (g *gate) enter(host string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open >= g.most || g.from[host] >= g.mostOfOne {
		return false
	}
	g.open++
	g.from[host]++
	return true
}

func (g *gate) leave(host string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open--
	if g.from[host]--; g.from[host] == 0 {
		delete(g.from, host)
	}
}

// passed is a connection that counts until it is closed.
type passed struct {
	net.Conn
	leave func()
}

// Close closes the connection, and lets another in.
func (p *passed) Close() error {
	defer p.leave()
	return p.Conn.Close()
}
