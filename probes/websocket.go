package probes

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/clusterswitch/clusterswitch/internal/reach"
)

// closing bounds how long a WebSocket's server is waited for when the probe says goodbye. It counts as a part of the run.
const closing = 250 * time.Millisecond

// WebSocketOptions say which WebSocket is opened.
type WebSocketOptions struct {
	// URL is an absolute ws or wss URL.
	URL string
	// Host replaces the URL's host in the Host header.
	Host string
	// ServerName is the name that TLS asks for (SNI) and that the certificate must carry. Empty takes the name in Host,
	// else the URL's.
	ServerName string
	// Subprotocol is asked for, and must be chosen by the server; empty asks for none.
	Subprotocol string
	// Headers are sent with the request.
	Headers map[string]string
	// InsecureSkipVerify takes any certificate.
	InsecureSkipVerify bool
	TLSFiles
	// Reach says which link-local addresses may be connected to; the zero one: none.
	Reach reach.Policy
}

// WebSocket makes a Check that opens a WebSocket as RFC 6455 has it, and closes it in good order. It is opened straight at
// the URL's host, without a proxy, and a redirect is not followed. A slow goodbye is no failure.
func WebSocket(opts WebSocketOptions) Check {
	return Check{identity: identity("websocket", opts), run: func(ctx context.Context) error {
		secured := &tls.Config{
			ServerName: serverName(opts.ServerName, opts.Host),
			// The configuration says so in as many words.
			InsecureSkipVerify: opts.InsecureSkipVerify, //nolint:gosec // asked for by the user
		}
		if err := opts.load(secured); err != nil {
			return err
		}
		// The upgrade is one of HTTP/1.1, so HTTP/2 is not offered.
		var below net.Conn
		dial := func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := opts.Reach.DialContext(ctx, network, address)
			below = conn
			return conn, err
		}
		transport := &http.Transport{
			DialContext: dial, TLSClientConfig: secured, MaxResponseHeaderBytes: maxHeaders, DisableKeepAlives: true,
		}
		defer transport.CloseIdleConnections()
		dialing := &websocket.DialOptions{
			HTTPClient: &http.Client{Transport: transport, CheckRedirect: keepRedirect},
			HTTPHeader: http.Header{}, Host: opts.Host,
		}
		for name, value := range opts.Headers {
			dialing.HTTPHeader.Set(name, value)
		}
		if opts.Subprotocol != "" {
			dialing.Subprotocols = []string{opts.Subprotocol}
		}
		conn, answer, err := websocket.Dial(ctx, opts.URL, dialing) //nolint:bodyclose // the library closes it
		if err != nil {
			return upgradeFault(err, answer)
		}
		defer goodbye(ctx, conn, below)
		if got := conn.Subprotocol(); !strings.EqualFold(got, opts.Subprotocol) {
			return fmt.Errorf("the server opened the WebSocket without the subprotocol %q", opts.Subprotocol)
		}
		return nil
	}}
}

// goodbye closes a WebSocket in good order, within a moment, and well before the run would be too late. The library would
// wait for five seconds, unless the connection below goes.
func goodbye(ctx context.Context, conn *websocket.Conn, below net.Conn) {
	wait := closing
	if end, bounded := ctx.Deadline(); bounded {
		wait = min(wait, time.Until(end)/2)
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = below.Close() })()
	// The WebSocket was opened, which was the question.
	_ = conn.Close(websocket.StatusNormalClosure, "")
}

// upgradeFault says why a WebSocket was not opened. The URL and the library's own words are left out.
func upgradeFault(err error, answer *http.Response) error {
	if answer != nil && answer.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("got status %d, want 101 (Switching Protocols)", answer.StatusCode)
	}
	if answer != nil {
		return fmt.Errorf("the answer is no upgrade to a WebSocket: %s",
			strings.TrimPrefix(err.Error(), "failed to WebSocket dial: WebSocket protocol violation: "))
	}
	return withoutURL(err)
}
