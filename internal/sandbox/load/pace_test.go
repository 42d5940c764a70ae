package load_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/load"
)

// pipes is a network within a synctest bubble: every dial reaches a server
// that answers after the delay that the request's number has.
type pipes struct {
	delay func(request int) time.Duration
	count int // bubbles run one request at a time here, or count nothing
}

func (p *pipes) DialContext(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	go func() {
		defer server.Close()
		reader := bufio.NewReader(server)
		for {
			if _, err := http.ReadRequest(reader); err != nil {
				return
			}
			if p.delay != nil {
				p.count++
				time.Sleep(p.delay(p.count))
			}
			fmt.Fprint(server, "HTTP/1.1 200 OK\r\nX-Cluster: blue\r\nContent-Length: 0\r\n\r\n")
		}
	}()
	return client, nil
}

func TestRequestsGoOutAtAnEvenRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, err := load.Start(load.Options{
			Targets: []string{"http://192.0.2.40/"}, DNSAddress: "unused", Network: &pipes{},
			Rate: 200, Workers: 7,
		})
		if err != nil {
			t.Fatal(err)
		}
		for second := range 3 {
			// Requests are due every 5 ms from 0 on; look between two of them.
			time.Sleep(time.Second - 2*time.Millisecond)
			synctest.Wait()
			if s := g.Snapshot(); s.Sent != int64(second+1)*200 || s.Late != 0 || s.MaxLate != 0 {
				t.Errorf("after second %d: %d sent, %d late", second+1, s.Sent, s.Late)
			}
			time.Sleep(2 * time.Millisecond)
		}
		g.Stop()
	})
}

func TestAStallShowsInFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// One user with one request at a time, due every 10 ms. The first
		// takes 100 ms, so those after it wait: the second is 90 ms late, the
		// third 80, and so on down to the tenth with 10 ms.
		g, err := load.Start(load.Options{
			Targets: []string{"http://192.0.2.40/"}, DNSAddress: "unused",
			Rate: 100, Workers: 1, InFlight: 1,
			Network: &pipes{delay: func(request int) time.Duration {
				if request == 1 {
					return 100 * time.Millisecond
				}
				return 0
			}},
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(195 * time.Millisecond)
		synctest.Wait()
		s := g.Stop()
		// Late is only what is above 10 ms.
		if s.Requests != 20 || s.Late != 8 || s.MaxLate != 90*time.Millisecond {
			t.Errorf("%d requests, %d late by up to %v", s.Requests, s.Late, s.MaxLate)
		}
		// Counted from when they were due, not from when they went out.
		if s.P99 < 100*time.Millisecond || s.P50 < time.Microsecond || s.P50 > 15*time.Millisecond {
			t.Errorf("p50 %v, p99 %v", s.P50, s.P99)
		}
	})
}
