package backend_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/backend"
)

// pipes is a network without sockets, so that it works within a synctest
// bubble. It has room for one listener.
type pipes struct {
	accept chan net.Conn
	closed chan struct{}
}

func (p *pipes) Listen(string) (net.Listener, error) {
	p.accept, p.closed = make(chan net.Conn), make(chan struct{})
	return p, nil
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	p.accept <- server
	return client, nil
}

type result struct {
	status int
	err    error
	after  time.Duration
}

// underWay runs a pod whose answers take an hour and one request to it, which
// is with the pod when underWay returns.
func underWay(t *testing.T) (*backend.Pod, <-chan result) {
	t.Helper()
	network := new(pipes)
	pod, err := backend.Start(backend.Options{Cluster: "green", Address: address, Network: network})
	if err != nil {
		t.Fatal(err)
	}
	if err := pod.SetFaults(backend.Faults{Latency: time.Hour}); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DialContext: network.dial}}
	got := make(chan result, 1)
	go func() {
		start := time.Now()
		response, err := get(t.Context(), client, "/")
		r := result{err: err, after: time.Since(start)}
		if err == nil {
			response.Body.Close()
			r.status = response.StatusCode
		}
		client.CloseIdleConnections()
		got <- r
	}()
	synctest.Wait()
	return pod, got
}

func TestCloseWaitsForTheRequestsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pod, got := underWay(t)
		if err := pod.Close(t.Context()); err != nil {
			t.Errorf("closing: %v", err)
		}
		r := <-got
		if r.err != nil || r.status != http.StatusOK || r.after != time.Hour {
			t.Errorf("status %d, %v after %v; want 200 after an hour", r.status, r.err, r.after)
		}
	})
}

func TestRefusalFinishesTheRequestsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pod, got := underWay(t)
		if err := pod.SetFaults(backend.Faults{Refuse: true}); err != nil {
			t.Errorf("refusing: %v", err)
		}
		if r := <-got; r.err != nil || r.status != http.StatusOK {
			t.Errorf("status %d, %v", r.status, r.err)
		}
		if err := pod.Close(t.Context()); err != nil {
			t.Errorf("closing: %v", err)
		}
		if err := pod.SetFaults(backend.Faults{}); err == nil {
			t.Error("a closed pod came back")
		}
	})
}

func TestCloseBreaksOffWhatOutlastsItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pod, got := underWay(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := pod.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("closing: %v", err)
		}
		if r := <-got; r.err == nil {
			t.Errorf("the request was answered by %d", r.status)
		}
	})
}
