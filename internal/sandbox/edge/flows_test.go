package edge_test

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/backend"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

const flowFront = "192.0.2.20:443"

// flows gives the world a listener of a network load balancer.
func (w *world) flows(blue, green int) {
	w.Helper()
	l := listener(flowFront, forward(blue, green))
	l.TCP = true
	w.control.SetListeners(listener(front, forward(100, 0)), l)
	w.sync()
}

// askFlow sends one request through an open flow and returns who answered.
func (w *world) askFlow(conn net.Conn) string {
	w.Helper()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: shop\r\n\r\n"); err != nil {
		w.Fatal(err)
	}
	var head strings.Builder
	for one := make([]byte, 1); !strings.HasSuffix(head.String(), "\r\n\r\n"); {
		if _, err := conn.Read(one); err != nil {
			w.Fatalf("after %q: %v", head.String(), err)
		}
		head.Write(one)
	}
	for line := range strings.Lines(head.String()) {
		if name, value, _ := strings.Cut(line, ": "); http.CanonicalHeaderKey(name) == backend.ClusterHeader {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (w *world) open() net.Conn {
	w.Helper()
	conn, err := w.network.DialContext(w.Context(), "tcp", flowFront)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestNewFlowsFollowTheWeightsAndOldOnesStay(t *testing.T) {
	w := newWorld(t, nil)
	w.flows(75, 25)
	const flows = 400
	greens := 0.0
	for range flows {
		conn := w.open()
		if w.askFlow(conn) == "green" {
			greens++
		}
		_ = conn.Close()
	}
	bound := 5 * math.Sqrt(0.25*0.75/flows)
	if got := greens / flows; math.Abs(got-0.25) > bound {
		t.Errorf("green got %v of the flows, want 0.25 ± %v", got, bound)
	}
	w.flows(100, 0)
	old := w.open()
	if got := w.askFlow(old); got != "blue" {
		t.Fatalf("%s answered, want blue", got)
	}
	w.flows(0, 100)
	if got := w.askFlow(w.open()); got != "green" {
		t.Errorf("a new flow goes to %q, want green", got)
	}
	if cluster, _ := w.get("http://" + front + "/"); cluster != "blue" {
		t.Errorf("the application load balancer beside it answers by %q", cluster)
	}
	w.control.SetListeners(listener(front, forward(100, 0)))
	w.sync()
	// The system may have given its port to somebody else by now, so a connection
	// alone proves nothing: nobody may answer as the pods do.
	if conn, err := w.network.DialContext(t.Context(), "tcp", flowFront); err == nil {
		_ = conn.SetDeadline(time.Now().Add(time.Second))
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
		answer := make([]byte, 512)
		if n, _ := conn.Read(answer); strings.Contains(string(answer[:n]), "green") || strings.Contains(string(answer[:n]), "blue") {
			t.Error("a listener that is gone takes flows")
		}
		_ = conn.Close()
	}
	if err := old.Close(); err != nil {
		t.Error(err)
	}
}

func TestAFlowWithoutATargetIsClosed(t *testing.T) {
	for name, arrange := range map[string]func(*world){
		"without a weight": func(w *world) { w.flows(0, 0) },
		"without targets": func(w *world) {
			w.control.SetGroups(group(blueGroup, routing.Healthy))
			w.flows(100, 0)
		},
		"with a target that is gone": func(w *world) {
			w.control.SetGroups(group(blueGroup, routing.Healthy, "10.20.0.99:1"))
			w.flows(100, 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			arrange(w)
			if n, err := w.open().Read(make([]byte, 1)); n != 0 || (!errors.Is(err, io.EOF) && err == nil) {
				t.Errorf("it read %d bytes, error %v", n, err)
			}
		})
	}
}

func TestClosingTheEdgeBreaksFlowsWhenItsTimeIsUp(t *testing.T) {
	w := newWorld(t, nil)
	w.flows(100, 0)
	conn := w.open()
	w.askFlow(conn)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.edge.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want what cut it short", err)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil && !errors.Is(err, net.ErrClosed) && !strings.Contains(err.Error(), "reset") {
		t.Errorf("the flow ended with %v", err)
	}
}

func TestTargetsAreCheckedByConnectionAlone(t *testing.T) {
	w := newWorld(t, nil)
	w.setFaults(w.blue, backend.Faults{Unhealthy: true})
	checked := func(target string) routing.TargetGroup {
		g := group(blueGroup, routing.Initial, target)
		g.HealthCheck = routing.HealthCheck{Interval: 10 * time.Millisecond, Timeout: time.Second, Healthy: 2, Unhealthy: 2, TCP: true}
		return g
	}
	w.control.SetGroups(checked(bluePod))
	w.sync()
	w.awaitHealth(blueGroup, bluePod, routing.Healthy, "")
	w.control.SetGroups(checked("10.20.0.99:1"))
	w.sync()
	w.awaitHealth(blueGroup, "10.20.0.99:1", routing.Unhealthy, "Target.FailedHealthChecks")
}

func TestRedirectsGoWhereTheRuleSays(t *testing.T) {
	for name, c := range map[string]struct{ to, url, want string }{
		"all as it came but the host":          {"#{protocol}://new.example.com:#{port}/#{path}?#{query}", "/a%20b/c?x=1&y=2", "http://new.example.com:80/a%20b/c?x=1&y=2"},
		"no query where there is none":         {"#{protocol}://#{host}:8080/#{path}?#{query}", "/", "http://192.0.2.10:8080/"},
		"to HTTPS and another path":            {"https://#{host}:443/shop/#{path}", "/cart", "https://192.0.2.10:443/shop/cart"},
		"a query that the rule has of its own": {"https://#{host}:#{port}/?from=#{path}", "/cart?x=1", "https://192.0.2.10:80/?from=cart"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			w.rule(routing.Rule{FixedStatus: http.StatusFound, Redirect: c.to})
			_, response := w.get("http://" + front + c.url)
			if got := response.Header.Get("Location"); response.StatusCode != http.StatusFound || got != c.want {
				t.Errorf("status %d to %q, want %q", response.StatusCode, got, c.want)
			}
		})
	}
}
