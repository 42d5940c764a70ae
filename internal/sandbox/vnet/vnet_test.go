package vnet_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/vnet"
)

// echo answers every line with "NAME: line" until its listener closes.
func echo(t *testing.T, n *vnet.Network, address, name string) net.Listener {
	t.Helper()
	l, err := n.Listen(address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				lines := bufio.NewScanner(c)
				for lines.Scan() {
					fmt.Fprintf(c, "%s: %s\n", name, lines.Text())
				}
			}()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l
}

func dial(t *testing.T, n *vnet.Network, address string) net.Conn {
	t.Helper()
	c, err := n.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func ask(t *testing.T, c io.ReadWriter, line string) string {
	t.Helper()
	if _, err := fmt.Fprintln(c, line); err != nil {
		t.Fatal(err)
	}
	answer, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return answer[:len(answer)-1]
}

func TestDialReachesTheListenerOfThatAddress(t *testing.T) {
	n := vnet.New()
	echo(t, n, "10.20.0.5:8080", "five")
	echo(t, n, "10.20.0.6:8080", "six")

	c := dial(t, n, "10.20.0.6:8080")
	if got := ask(t, c, "hello"); got != "six: hello" {
		t.Errorf("got %q", got)
	}
	if got := c.RemoteAddr().String(); got != "10.20.0.6:8080" {
		t.Errorf("remote address %s", got)
	}
	if loopback, ok := n.Loopback("10.20.0.6:8080"); !ok || !netip.MustParseAddrPort(loopback).Addr().IsLoopback() {
		t.Errorf("Loopback = %q, %v", loopback, ok)
	}
}

func TestDialErrorsAreThoseOfARealNetwork(t *testing.T) {
	n := vnet.New()
	closed := echo(t, n, "10.20.0.5:8080", "five")
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	echo(t, n, "10.30.0.1:80", "behind the cut")
	n.Cut(netip.MustParsePrefix("10.30.7.7/16"))

	tests := map[string]struct {
		address string
		want    error
	}{
		"nobody ever listened":             {"192.0.2.1:80", syscall.ECONNREFUSED},
		"the listener has closed":          {"10.20.0.5:8080", syscall.ECONNREFUSED},
		"the destination is behind a cut":  {"10.30.0.1:80", syscall.EHOSTUNREACH},
		"loopback where nobody is at home": {"127.0.0.1:1", syscall.ECONNREFUSED},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := n.DialContext(t.Context(), "tcp", test.address)
			op, ok := errors.AsType[*net.OpError](err)
			if !ok || op.Op != "dial" || !errors.Is(err, test.want) {
				t.Errorf("got %v, want a dial error with %v", err, test.want)
			}
		})
	}
}

func TestAnAddressHasOneListenerAtATime(t *testing.T) {
	n := vnet.New()
	first := echo(t, n, "192.0.2.10:80", "first")
	if _, err := n.Listen("192.0.2.10:80"); !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("second listener: %v", err)
	}
	first.Close()
	echo(t, n, "192.0.2.10:80", "second")
	first.Close() // a late second Close must not free the address of another
	if got := ask(t, dial(t, n, "192.0.2.10:80"), "x"); got != "second: x" {
		t.Errorf("got %q", got)
	}
}

func TestLoopbackAddressesAreThemselves(t *testing.T) {
	n := vnet.New()
	l := echo(t, n, "127.0.0.1:0", "loop")
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for _, address := range []string{l.Addr().String(), "localhost:" + port} {
		if got := ask(t, dial(t, n, address), "x"); got != "loop: x" {
			t.Errorf("%s: got %q", address, got)
		}
	}
}

func TestACutBreaksConnectionsAndHealMendsTheNetwork(t *testing.T) {
	n := vnet.New()
	echo(t, n, "10.20.0.5:8080", "cut")
	echo(t, n, "10.21.0.5:8080", "spared")
	cut, spared := dial(t, n, "10.20.0.5:8080"), dial(t, n, "10.21.0.5:8080")
	prefix := netip.MustParsePrefix("10.20.0.0/16")

	n.Cut(prefix)
	if _, err := cut.Read(make([]byte, 1)); err == nil {
		t.Error("the kept connection survived the cut")
	}
	if got := ask(t, spared, "x"); got != "spared: x" {
		t.Errorf("got %q", got)
	}
	n.Heal(prefix)
	if got := ask(t, dial(t, n, "10.20.0.5:8080"), "x"); got != "cut: x" {
		t.Errorf("after healing: got %q", got)
	}
}

// connectProxy serves CONNECT on a Unix socket, as kube-apiserver would use
// it. Socket paths are short because macOS allows 104 bytes.
func connectProxy(t *testing.T, n *vnet.Network) (socket string, stop func() error) {
	t.Helper()
	dir, err := os.MkdirTemp("", "vnet")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- n.ServeConnect(ctx, l) }()
	stop = func() error {
		cancel()
		err := <-served
		served <- nil // so that stopping twice is harmless
		return err
	}
	t.Cleanup(func() { _ = stop() })
	return socket, stop
}

func connect(t *testing.T, socket, method, address string) (net.Conn, int) {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", method, address)
	response, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return c, response.StatusCode
}

func TestConnectTunnelsToVirtualAddresses(t *testing.T) {
	n := vnet.New()
	echo(t, n, "10.20.0.5:8080", "pod")
	socket, stop := connectProxy(t, n)

	c, status := connect(t, socket, http.MethodConnect, "10.20.0.5:8080")
	if status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	if got := ask(t, c, "x"); got != "pod: x" {
		t.Errorf("got %q", got)
	}
	if err := stop(); err != nil {
		t.Errorf("serving: %v", err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the tunnel outlived its proxy")
	}
}

func TestConnectPassesOnTheEndOfOneDirection(t *testing.T) {
	n := vnet.New()
	echo(t, n, "10.20.0.5:8080", "pod")
	socket, _ := connectProxy(t, n)
	c, _ := connect(t, socket, http.MethodConnect, "10.20.0.5:8080")

	fmt.Fprintln(c, "last words")
	if err := c.(*net.UnixConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(c)
	if err != nil || string(rest) != "pod: last words\n" {
		t.Errorf("got %q, %v", rest, err)
	}
}

func TestConnectAnswersWhatItCannotReach(t *testing.T) {
	n := vnet.New()
	echo(t, n, "10.20.0.5:8080", "pod")
	socket, _ := connectProxy(t, n)

	if _, status := connect(t, socket, http.MethodConnect, "10.20.0.9:8080"); status != http.StatusBadGateway {
		t.Errorf("unknown address: status %d", status)
	}
	if _, status := connect(t, socket, http.MethodGet, "/"); status != http.StatusMethodNotAllowed {
		t.Errorf("GET: status %d", status)
	}
	n.Cut(netip.MustParsePrefix("10.20.0.0/16"))
	if _, status := connect(t, socket, http.MethodConnect, "10.20.0.5:8080"); status != http.StatusBadGateway {
		t.Errorf("behind a cut: status %d", status)
	}
}
