// Package line is a TCP line from somebody to a server, which can be cut and can
// fall silent in each direction, as networks do.
package line

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// State is what a line does with what it is given.
type State int

// The states of a line.
const (
	// Open passes everything on, at once.
	Open State = iota
	// Cut breaks every connection off and refuses new ones. What was held is lost.
	Cut
	// Mute holds what the caller sends: connections open, and nothing arrives at the
	// server.
	Mute
	// Deaf holds what the server answers: requests arrive and are carried out, and
	// nobody learns of it.
	Deaf
	// Silent holds both.
	Silent
)

func (s State) String() string { return [...]string{"open", "cut", "mute", "deaf", "silent"}[s] }

// Line is one line. What is held arrives when it is open again, also if the caller
// is gone by then: packets on their way outlive who sent them.
type Line struct {
	target   string
	listener net.Listener
	there    gate // what callers send
	back     gate // what the server answers

	mu    sync.Mutex // guards all below
	state State
	pairs map[*pair]struct{}
	over  bool

	running sync.WaitGroup
}

// dialTimeout bounds the way to the server, which is on the same machine.
const dialTimeout = 5 * time.Second

// New opens a line to a server, host:port. The caller must call Close.
func New(ctx context.Context, target string) (*Line, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("opening a line to %s: %w", target, err)
	}
	l := &Line{target: target, listener: listener, pairs: map[*pair]struct{}{}}
	l.there.set(true)
	l.back.set(true)
	calls := context.WithoutCancel(ctx) // Close ends them
	l.running.Go(func() { l.accept(calls) })
	return l, nil
}

// Address is where callers dial, host:port.
func (l *Line) Address() string { return l.listener.Addr().String() }

// Set changes what the line does from now on.
func (l *Line) Set(s State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = s
	if s == Cut {
		// Before the gates open: nothing that was held slips through.
		l.breakOff()
	}
	l.there.set(s == Open || s == Deaf || s == Cut)
	l.back.set(s == Open || s == Mute || s == Cut)
}

// Close ends the line and waits for its connections.
func (l *Line) Close() error {
	l.mu.Lock()
	l.over = true
	l.breakOff()
	l.mu.Unlock()
	err := l.listener.Close()
	l.running.Wait()
	return err
}

// breakOff breaks every connection off; the caller holds mu.
func (l *Line) breakOff() {
	for p := range l.pairs {
		p.breakOff()
	}
	clear(l.pairs)
}

func (l *Line) accept(ctx context.Context) {
	for {
		caller, err := l.listener.Accept()
		if err != nil {
			return // it was closed
		}
		l.running.Go(func() { l.serve(ctx, caller) })
	}
}

func (l *Line) serve(ctx context.Context, caller net.Conn) {
	p := &pair{caller: caller, cut: make(chan struct{})}
	if !l.enter(p) {
		p.breakOff()
		return
	}
	defer l.leave(p)
	server, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", l.target)
	if err != nil || !p.join(server) {
		p.breakOff() // as a server does that isn't there
		return
	}
	var both sync.WaitGroup
	both.Go(func() { pump(p, server, caller, &l.there) })
	both.Go(func() { pump(p, caller, server, &l.back) })
	both.Wait()
}

func (l *Line) enter(p *pair) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over || l.state == Cut {
		return false
	}
	l.pairs[p] = struct{}{}
	return true
}

func (l *Line) leave(p *pair) {
	l.mu.Lock()
	delete(l.pairs, p)
	l.mu.Unlock()
	p.close()
}

// pump passes on what one side sends, and its end. That one direction has ended
// doesn't end the other.
func pump(p *pair, to, from net.Conn, way *gate) {
	chunk := make([]byte, 32<<10)
	for {
		n, err := from.Read(chunk)
		if !way.wait(p.cut) {
			return
		}
		if n > 0 {
			if _, err := to.Write(chunk[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if tcp, ok := to.(*net.TCPConn); ok {
				_ = tcp.CloseWrite()
			}
			return
		}
	}
}

// pair is the two connections of one call.
type pair struct {
	caller net.Conn
	cut    chan struct{} // closed when it is broken off

	mu     sync.Mutex
	server net.Conn // nil until there is one
	broken bool
}

// join adds the connection to the server, unless the pair was broken off meanwhile.
func (p *pair) join(server net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server = server
	return !p.broken
}

// breakOff resets both connections.
func (p *pair) breakOff() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.broken {
		p.broken = true
		close(p.cut)
	}
	for _, c := range []net.Conn{p.caller, p.server} {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = errors.Join(tcp.SetLinger(0), tcp.Close())
		}
	}
}

func (p *pair) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.caller.Close()
	if p.server != nil {
		_ = p.server.Close()
	}
}

// gate lets through, or holds.
type gate struct {
	mu   sync.Mutex
	open chan struct{} // closed while it lets through
}

func (g *gate) set(open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	isOpen := g.open != nil && closed(g.open)
	switch {
	case open == isOpen && g.open != nil:
	case open && g.open != nil:
		close(g.open)
	default:
		g.open = make(chan struct{})
		if open {
			close(g.open)
		}
	}
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// wait waits until the gate lets through; false: the pair was broken off first.
func (g *gate) wait(cut chan struct{}) bool {
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	select {
	case <-cut:
		return false
	case <-open:
		return !closed(cut)
	}
}
