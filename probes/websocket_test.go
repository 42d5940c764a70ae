package probes

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
)

// sockets is a server that opens WebSockets, and tells how each was asked for and closed.
func sockets(t *testing.T, options *websocket.AcceptOptions) (*httptest.Server, <-chan []string) {
	t.Helper()
	heard := make(chan []string, 10)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, options)
		if err != nil {
			return
		}
		_, _, err = conn.Read(r.Context())
		heard <- []string{r.Host, r.URL.String(), r.Header.Get("X-Team"), websocket.CloseStatus(err).String()}
	}))
	t.Cleanup(server.Close)
	return server, heard
}

func TestWebSocketIsOpenedAndClosed(t *testing.T) {
	t.Parallel()
	server, heard := sockets(t, &websocket.AcceptOptions{Subprotocols: []string{"chat"}})
	server.Start()
	target := "ws" + strings.TrimPrefix(server.URL, "http")
	tests := map[string]struct {
		opts  WebSocketOptions
		want  string
		heard []string
	}{
		"as it is": {WebSocketOptions{URL: target + "/live?room=1"}, "", []string{strings.TrimPrefix(server.URL, "http://"), "/live?room=1", "", "StatusNormalClosure"}},
		"with a host, a header and a subprotocol": {
			WebSocketOptions{URL: target, Host: "shop.example.com", Headers: map[string]string{"x-team": "web"}, Subprotocol: "chat"},
			"",
			[]string{"shop.example.com", "/", "web", "StatusNormalClosure"},
		},
		"with a subprotocol that the server doesn't speak": {
			WebSocketOptions{URL: target, Subprotocol: "news", Host: "a"},
			`the server opened the WebSocket without the subprotocol "news"`,
			[]string{"a", "/", "", "StatusNormalClosure"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := verdict(t, WebSocket(test.opts)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if diff := cmp.Diff(test.heard, <-heard); diff != "" {
				t.Errorf("the server heard (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWebSocketThatIsNotOpened(t *testing.T) {
	t.Parallel()
	upgrade := func(accept string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "websocket")
			w.Header().Set("Sec-WebSocket-Accept", accept)
			w.WriteHeader(http.StatusSwitchingProtocols)
		}
	}
	tests := map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"it isn't there":          {http.NotFound, "got status 404, want 101 (Switching Protocols)"},
		"a page instead":          {func(http.ResponseWriter, *http.Request) {}, "got status 200, want 101 (Switching Protocols)"},
		"it is elsewhere":         {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) }, "got status 302, want 101 (Switching Protocols)"},
		"it doesn't know the key": {upgrade("bm90IGl0"), `the answer is no upgrade to a WebSocket: invalid Sec-WebSocket-Accept "bm90IGl0"`},
		"another protocol altogether": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "h2c")
			w.WriteHeader(http.StatusSwitchingProtocols)
		}, `the answer is no upgrade to a WebSocket: Upgrade header "h2c" does not contain websocket`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(test.answer)
			t.Cleanup(server.Close)
			got := verdict(t, WebSocket(WebSocketOptions{URL: "ws" + strings.TrimPrefix(server.URL, "http") + "/?token=secret"}))
			if !strings.HasPrefix(got, test.want) || strings.Contains(got, "secret") {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	closed := answer(t, 200, "")
	closed.Close()
	got := verdict(t, WebSocket(WebSocketOptions{URL: "ws" + strings.TrimPrefix(closed.URL, "http") + "/?token=secret"}))
	if !strings.Contains(got, "connection refused") || strings.Contains(got, "secret") {
		t.Errorf("of no server got %q", got)
	}
}

func TestWebSocketOverTLS(t *testing.T) {
	t.Parallel()
	later := time.Now().Add(100 * testDay)
	root := newAuthority(t, "Root", later, nil)
	server, _ := sockets(t, nil)
	names := make(chan string, 20)
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{root.issue(t, later, []string{"shop.example.com"})},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: root.pool(),
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			names <- hello.ServerName
			return nil, nil
		},
	}
	server.Config.ErrorLog = zap.NewStdLog(zap.NewNop())
	server.EnableHTTP2 = true // it would be no way to open a WebSocket
	server.StartTLS()
	certFile, keyFile := store(t, t.TempDir(), root.issue(t, later, nil))
	good := TLSFiles{CAFile: root.file(t), CertFile: certFile, KeyFile: keyFile}
	tests := map[string]struct {
		opts  WebSocketOptions
		asked string
		want  string
	}{
		"a name of its own":              {WebSocketOptions{ServerName: "shop.example.com", Host: "other", TLSFiles: good}, "shop.example.com", ""},
		"else the name in host":          {WebSocketOptions{Host: "shop.example.com:443", TLSFiles: good}, "shop.example.com", ""},
		"another name":                   {WebSocketOptions{Host: "other.example.com", TLSFiles: good}, "other.example.com", "certificate is valid for shop.example.com, not other.example.com"},
		"without a client's certificate": {WebSocketOptions{TLSFiles: TLSFiles{CAFile: good.CAFile}}, "", ": "},
		"any certificate will do":        {WebSocketOptions{InsecureSkipVerify: true, TLSFiles: TLSFiles{CertFile: certFile, KeyFile: keyFile}}, "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.opts.URL = "wss" + strings.TrimPrefix(server.URL, "https")
			if got := verdict(t, WebSocket(test.opts)); (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if asked := newest(names); asked != test.asked {
				t.Errorf("asked for %q, want %q", asked, test.asked)
			}
		})
	}
}

// A server that never says goodbye is left after a moment: the WebSocket was opened.
func TestWebSocketThatIsNotClosed(t *testing.T) {
	t.Parallel()
	left := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = conn.CloseNow() }()
		<-left // reads nothing, so that it answers nothing
	}))
	t.Cleanup(server.Close)
	defer close(left)
	const within = 20 * closing
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	if err := WebSocket(WebSocketOptions{URL: "ws" + strings.TrimPrefix(server.URL, "http")}).run(ctx); err != nil || ctx.Err() != nil {
		t.Errorf("got %v and %v", err, ctx.Err())
	}
}
