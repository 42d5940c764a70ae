package kube_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

// line is a TCP connection to an API server that tests can cut and freeze. It
// stands for networks and restarts: the server behind it keeps running.
type line struct {
	t      *testing.T
	target string
	addr   string

	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]bool
	frozen   chan struct{} // closed while bytes may pass
	running  sync.WaitGroup
}

func newLine(t *testing.T, target string) *line {
	t.Helper()
	l := &line{t: t, target: target, addr: "127.0.0.1:0", conns: map[net.Conn]bool{}, frozen: make(chan struct{})}
	close(l.frozen)
	l.mend()
	t.Cleanup(func() {
		l.thaw()
		l.cut()
		l.running.Wait()
	})
	return l
}

// mend listens again, at the address of the first time.
func (l *line) mend() {
	l.t.Helper()
	listener, err := new(net.ListenConfig).Listen(context.WithoutCancel(l.t.Context()), "tcp", l.addr)
	if err != nil {
		l.t.Fatal(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.addr, l.listener = listener.Addr().String(), listener
	l.running.Go(func() { l.serve(listener) })
}

// cut ends every connection and refuses new ones.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.listener != nil {
		l.listener.Close()
		l.listener = nil
	}
	for conn := range l.conns {
		conn.Close()
	}
	clear(l.conns)
}

// freeze holds every byte back without ending anything.
func (l *line) freeze() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frozen = make(chan struct{})
}

// thaw lets bytes pass again, those held back first.
func (l *line) thaw() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.frozen:
	default:
		close(l.frozen)
	}
}

func (l *line) serve(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", l.target)
		if err != nil {
			client.Close()
			continue
		}
		if !l.keep(listener, client, server) {
			client.Close()
			server.Close()
			return
		}
		l.running.Go(func() { l.pass(client, server) })
		l.running.Go(func() { l.pass(server, client) })
	}
}

// keep remembers connections for cut; false: it was cut already.
func (l *line) keep(listener net.Listener, conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.listener != listener {
		return false
	}
	for _, conn := range conns {
		l.conns[conn] = true
	}
	return true
}

func (l *line) pass(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		l.mu.Lock()
		frozen := l.frozen
		l.mu.Unlock()
		<-frozen
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
				l.t.Logf("line to %s: %v", l.target, err)
			}
			return
		}
	}
}
