package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// serving runs a server until the test ends.
func serving(t *testing.T, o Options) string {
	t.Helper()
	o.Listen = "127.0.0.1:0"
	s, err := Listen(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Logf("clients of this test hold on to connections: %v", err)
		}
	})
	return s.Address()
}

func TestProfilesAreServedWhereTheyAreAskedFor(t *testing.T) {
	t.Parallel()
	health := NewHealth(time.Now)
	for name, c := range map[string]struct {
		options Options
		want    map[string]int
	}{
		"pages without profiles":  {Options{Health: health}, map[string]int{"/healthz": 200, "/debug/pprof/": 404, "/debug/pprof/cmdline": 404}},
		"pages with profiles":     {Options{Health: health, Profiles: true}, map[string]int{"/healthz": 200, "/debug/pprof/": 200, "/debug/pprof/goroutine?debug=1": 200}},
		"profiles without pages":  {Options{Profiles: true}, map[string]int{"/healthz": 404, "/metrics": 404, "/debug/pprof/heap": 200, "/debug/pprof/symbol": 200}},
		"profiles have their end": {Options{Profiles: true}, map[string]int{"/debug/pprof/profile?seconds=3600": 400, "/debug/pprof/trace?seconds=3600": 400}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := serving(t, c.options)
			for path, want := range c.want {
				if status, _ := get(t, "http://"+at+path); status != want {
					t.Errorf("%s answers %d, want %d", path, status, want)
				}
			}
		})
	}
}

func TestAnswersAreKeptByNobody(t *testing.T) {
	t.Parallel()
	at := serving(t, Options{Health: NewHealth(time.Now)})
	response, err := http.Get("http://" + at + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	for header, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Server": ""} {
		if got := response.Header.Get(header); got != want {
			t.Errorf("%s is %q, want %q", header, got, want)
		}
	}
}

// What is larger than a page needs is refused, before it is read to its end.
func TestLargeRequestsAreRefused(t *testing.T) {
	t.Parallel()
	at := serving(t, Options{Health: NewHealth(time.Now)})
	for name, c := range map[string]struct {
		head string
		want string
	}{
		"a header without end": {"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + strings.Repeat("x", maxHeader+8<<10) + "\r\n\r\n", "HTTP/1.1 431"},
		"another method":       {"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 405"},
		"no host":              {"GET /healthz HTTP/1.1\r\n\r\n", "HTTP/1.1 400"},
	} {
		conn := dial(t, at)
		go func() { _, _ = io.WriteString(conn, c.head) }() // the server may hang up before the end
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, c.want) {
			t.Errorf("%s: got %q, error %v, want %s", name, line, err, c.want)
		}
	}
}

func dial(t *testing.T, at string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// One address may hold so many connections and no more; the others still come in.
func TestOneClientDoesNotShutTheOthersOut(t *testing.T) {
	t.Parallel()
	at := serving(t, Options{Health: NewHealth(time.Now)})
	held := make([]net.Conn, maxFromOne)
	for i := range held {
		held[i] = dial(t, at)
		if !answers(held[i]) {
			t.Fatalf("connection %d of %d gets no answer", i+1, maxFromOne)
		}
	}
	if answers(dial(t, at)) {
		t.Errorf("connection %d of one address gets an answer", maxFromOne+1)
	}
	other := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	if conn, err := other.DialContext(t.Context(), "tcp", at); err != nil {
		t.Logf("this machine has no second loopback address: %v", err)
	} else {
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if !answers(conn) {
			t.Error("another address gets no answer")
		}
	}
	_ = held[0].Close()
	// The server notices that a connection ended when it reads it: soon, not at once.
	for end := time.Now().Add(10 * time.Second); !answers(dial(t, at)); {
		if time.Now().After(end) {
			t.Fatal("a connection that ended still counts")
		}
	}
}

// answers asks whether the daemon lives, and keeps the connection.
func answers(conn net.Conn) bool {
	if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return false
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err == nil && response.StatusCode == http.StatusOK
}

// pipes is a listener whose connections are made of memory, so that time can pass.
type pipes struct {
	incoming chan net.Conn
	closed   chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.incoming:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error   { close(p.closed); return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

// A client that sends slowly, or reads slowly, or says nothing, is left after a while.
func TestSlowClientsAreLeft(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		client func(net.Conn)
		within time.Duration
	}{
		"one that never speaks": {func(net.Conn) {}, 6 * time.Second},
		"one that sends its header byte by byte": {func(conn net.Conn) {
			go func() { _, _ = io.Copy(io.Discard, conn) }()
			for _, b := range []byte("GET /healthz HTTP/1.1\r\nHost: " + strings.Repeat("x", 1000)) {
				if _, err := conn.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(time.Second) // of the bubble's time
			}
		}, 6 * time.Second},
		"one that promises a body": {func(conn net.Conn) {
			_, _ = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
			_, _ = io.Copy(io.Discard, conn)
		}, 11 * time.Second},
		"one that takes no answer": {func(conn net.Conn) {
			_, _ = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		}, 31 * time.Second},
		"one that stays for nothing": {func(conn net.Conn) {
			_, _ = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
			_, _ = io.Copy(io.Discard, conn)
		}, 2*time.Minute + time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				listener := pipes{incoming: make(chan net.Conn), closed: make(chan struct{})}
				s, err := newServer(listener, Options{Health: NewHealth(time.Now)})
				if err != nil {
					t.Fatal(err)
				}
				gone := make(chan struct{})
				ours, theirs := net.Pipe()
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- s.Run(ctx) }()
				listener.incoming <- watched{theirs, gone}
				var client sync.WaitGroup
				client.Go(func() { c.client(ours) })
				began := time.Now()
				<-gone
				if took := time.Since(began); took > c.within {
					t.Errorf("it is left after %s, want %s at the latest", took, c.within)
				}
				_ = ours.Close()
				cancel()
				if err := <-ended; err != nil {
					t.Errorf("stopping: %v", err)
				}
				client.Wait()
			})
		})
	}
}

// watched tells when the server closes a connection.
type watched struct {
	net.Conn
	gone chan struct{}
}

func (w watched) Close() error {
	err := w.Conn.Close()
	if !errors.Is(err, os.ErrClosed) {
		select {
		case <-w.gone:
		default:
			close(w.gone)
		}
	}
	return err
}

func (w watched) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1} }

func TestTheGateCountsWhoIsInside(t *testing.T) {
	t.Parallel()
	g := newGate(nil, 3, 2)
	steps := []struct {
		enter, leave string
		want         bool
	}{
		{enter: "a", want: true},
		{enter: "a", want: true},
		{enter: "a"},
		{enter: "b", want: true},
		{enter: "c"},
		{leave: "a"},
		{enter: "c", want: true},
		{enter: "a"},
		{leave: "b"},
		{enter: "a", want: true},
	}
	for i, s := range steps {
		if s.leave != "" {
			g.leave(s.leave)
			continue
		}
		if got := g.enter(s.enter); got != s.want {
			t.Errorf("step %d, %s: got %t", i+1, s.enter, got)
		}
	}
	if got := fmt.Sprint(g.open, g.from); got != "3 map[a:2 c:1]" {
		t.Errorf("inside are %s", got)
	}
}
