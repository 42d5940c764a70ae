package vnet

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// connectHeaderTimeout bounds the wait for the CONNECT request of an accepted
// connection.
const connectHeaderTimeout = 10 * time.Second

// ServeConnect answers HTTP CONNECT on l by tunnels through the network, until
// ctx ends or l fails; then it closes l and every tunnel, and returns when all
// have ended. The cause is returned unless it is the end of ctx.
//
// It lets a kube-apiserver with an egress selector of type HTTPConnect reach
// pods at virtual addresses. A kube-apiserver insists on mutual TLS when the
// proxy is reached by TCP; a Unix socket needs none.
func (n *Network) ServeConnect(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var tunnels sync.WaitGroup
	defer tunnels.Wait()
	defer cancel()
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = c.Close()
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("serving CONNECT at %s: %w", l.Addr(), err)
		}
		tunnels.Go(func() { n.serveTunnel(ctx, c) })
	}
}

// serveTunnel reads the CONNECT of one client and joins it with its
// destination until both directions have ended. Errors end the tunnel, which
// is all that a client can be told once the tunnel stands.
func (n *Network) serveTunnel(ctx context.Context, client net.Conn) {
	defer client.Close()
	stop := context.AfterFunc(ctx, func() { _ = client.Close() })
	defer stop()

	buffered := bufio.NewReader(client)
	_ = client.SetReadDeadline(time.Now().Add(connectHeaderTimeout))
	request, err := http.ReadRequest(buffered)
	if err != nil {
		return
	}
	_ = client.SetReadDeadline(time.Time{})
	if request.Method != http.MethodConnect {
		refuse(client, http.StatusMethodNotAllowed, "only CONNECT is served here")
		return
	}
	pod, err := n.DialContext(ctx, "tcp", request.Host)
	if err != nil {
		refuse(client, http.StatusBadGateway, err.Error())
		return
	}
	defer pod.Close()
	stopPod := context.AfterFunc(ctx, func() { _ = pod.Close() })
	defer stopPod()
	if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	var copies sync.WaitGroup
	copies.Go(func() { pump(pod, client, buffered) })
	copies.Go(func() { pump(client, pod, pod) })
	copies.Wait()
}

// pump copies what from sends, read through reader, and passes on its end.
func pump(to, from net.Conn, reader io.Reader) {
	if _, err := io.Copy(to, reader); err != nil {
		_, _ = to.Close(), from.Close()
		return
	}
	_ = closeWrite(to)
}

// refuse answers a request that gets no tunnel.
func refuse(client io.Writer, status int, message string) {
	fmt.Fprintf(client, "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		status, http.StatusText(status), len(message), message)
}
