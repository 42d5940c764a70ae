package line_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/line"
)

// end is a server that hands out what callers send it, and answers when told to.
type end struct {
	net.Listener
	conns chan net.Conn
}

func listen(t *testing.T) *end {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &end{l, make(chan net.Conn)}
	go func() {
		defer close(e.conns)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			e.conns <- c
		}
	}()
	t.Cleanup(func() { _ = l.Close() })
	return e
}

func open(t *testing.T, e *end) *line.Line {
	t.Helper()
	l, err := line.New(t.Context(), e.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func dial(t *testing.T, l *line.Line) net.Conn {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text+"\n"); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, c net.Conn, want string) {
	t.Helper()
	got, err := bufio.NewReader(c).ReadString('\n')
	if err != nil || got != want+"\n" {
		t.Fatalf("received %q (%v), want %q", got, err, want)
	}
}

// nothingComes looks for a moment that is long on loopback.
func nothingComes(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%d bytes came (%v), want none", n, err)
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
}

func TestAnOpenLinePassesBothWaysAndTheEnd(t *testing.T) {
	t.Parallel()
	server := listen(t)
	caller := dial(t, open(t, server))
	send(t, caller, "question")
	answering := <-server.conns
	receive(t, answering, "question")
	send(t, answering, "answer")
	receive(t, caller, "answer")
	if err := answering.Close(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(caller); len(rest) > 0 || err != nil {
		t.Errorf("the caller read %q (%v) after the end", rest, err)
	}
}

// What was sent outlives who sent it, as packets on their way do.
func TestWhatIsHeldArrivesThoughTheCallerIsGone(t *testing.T) {
	t.Parallel()
	for _, state := range []line.State{line.Mute, line.Silent} {
		t.Run(state.String(), func(t *testing.T) {
			t.Parallel()
			server := listen(t)
			l := open(t, server)
			l.Set(state)
			caller := dial(t, l)
			send(t, caller, "late")
			answering := <-server.conns
			if err := caller.Close(); err != nil {
				t.Fatal(err)
			}
			nothingComes(t, answering)
			l.Set(line.Open)
			if text, err := io.ReadAll(answering); string(text) != "late\n" || err != nil {
				t.Errorf("%q arrived (%v), want what was sent", text, err)
			}
		})
	}
}

func TestADeafLineCarriesRequestsAndHoldsAnswers(t *testing.T) {
	t.Parallel()
	server := listen(t)
	l := open(t, server)
	l.Set(line.Deaf)
	caller := dial(t, l)
	send(t, caller, "question")
	answering := <-server.conns
	receive(t, answering, "question")
	send(t, answering, "answer")
	nothingComes(t, caller)
	l.Set(line.Open)
	receive(t, caller, "answer")
}

func TestACutLoses(t *testing.T) {
	t.Parallel()
	server := listen(t)
	l := open(t, server)
	l.Set(line.Mute)
	caller := dial(t, l)
	send(t, caller, "lost")
	answering := <-server.conns
	l.Set(line.Cut)
	if text, err := io.ReadAll(answering); len(text) > 0 || err == nil {
		t.Errorf("the server read %q (%v), want a reset and nothing of what was held", text, err)
	}
	if text, err := io.ReadAll(caller); len(text) > 0 || err == nil {
		t.Errorf("the caller read %q (%v), want a reset", text, err)
	}
	if text, err := io.ReadAll(dial(t, l)); len(text) > 0 || err == nil {
		t.Errorf("who dials read %q (%v), want a reset", text, err)
	}
	l.Set(line.Open)
	again := dial(t, l)
	send(t, again, "again")
	receive(t, <-server.conns, "again")
}
