package edge

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

const (
	// statusClientGone is ALB's "460": the client closed before the answer.
	statusClientGone = 460
	// copyBuffer is the size of the buffers that answers are copied through.
	copyBuffer = 32 << 10
	// idleTargets bounds the idle connections kept to one target.
	idleTargets = 512
)

// balancer forwards the requests of all load balancers.
type balancer struct {
	reports   Reports
	dice      *dice
	transport *http.Transport
	buffers   *bufferPool
	errors    *log.Logger
	table     atomic.Pointer[table]
}

func newBalancer(o Options, d *dice) *balancer {
	b := &balancer{
		reports: o.Reports,
		dice:    d,
		transport: &http.Transport{
			DialContext:           o.Network.DialContext,
			DisableCompression:    true, // a load balancer hands bodies on as they are
			MaxIdleConnsPerHost:   idleTargets,
			IdleConnTimeout:       time.Minute,
			ResponseHeaderTimeout: o.TargetTimeout,
		},
		buffers: &bufferPool{},
		errors:  zap.NewStdLog(o.Log),
	}
	b.table.Store(newTable(nil, nil, nil))
	return b
}

// load puts a new reading into effect for the requests that come from now on.
func (b *balancer) load(listeners []routing.Listener, groups []routing.TargetGroup) {
	b.table.Store(newTable(listeners, groups, b.table.Load()))
}

// handler serves the listener at one address.
func (b *balancer) handler(address string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		table := b.table.Load()
		x := &exchange{started: time.Now(), listener: table.listeners[address]}
		// Deferred, because the proxy aborts by a panic when a target breaks
		// off in the middle of its body.
		defer b.report(x)
		b.serve(x, table, w, r)
	})
}

// serve routes one request: rule, then group, then target.
func (b *balancer) serve(x *exchange, table *table, w http.ResponseWriter, r *http.Request) {
	rule, ok := match(x.listener.Rules, r)
	if !ok {
		x.answer(w, http.StatusServiceUnavailable)
		return
	}
	if rule.Redirect != "" {
		w.Header().Set("Location", location(rule.Redirect, x.listener.Port, r))
	}
	if rule.FixedStatus != 0 {
		x.answer(w, rule.FixedStatus)
		return
	}
	chosen := b.chooseGroup(rule, r, x.started)
	if chosen < 0 {
		x.answer(w, http.StatusServiceUnavailable)
		return
	}
	x.groupARN = rule.Forward[chosen].TargetGroupARN
	if rule.Stickiness > 0 {
		x.cookie = newSticky(x.groupARN, rule.Stickiness, x.started)
	}
	x.target, ok = table.groups[x.groupARN].target()
	if !ok {
		x.answer(w, http.StatusServiceUnavailable)
		return
	}
	proxy := httputil.ReverseProxy{
		Transport:      b.transport,
		BufferPool:     b.buffers,
		ErrorLog:       b.errors,
		Rewrite:        x.rewrite,
		ModifyResponse: x.answered,
		ErrorHandler:   x.failed,
	}
	proxy.ServeHTTP(w, r)
}

// chooseGroup returns an index into the groups of the rule, -1 for none.
func (b *balancer) chooseGroup(rule routing.Rule, r *http.Request, now time.Time) int {
	if rule.Stickiness > 0 {
		if stuck := stuckGroup(r, rule.Forward, now); stuck >= 0 {
			return stuck
		}
	}
	return b.dice.pick(weightsOf(rule.Forward))
}

func (b *balancer) report(x *exchange) {
	now := time.Now()
	b.reports.RecordRequest(routing.Request{
		At:              now,
		LoadBalancerARN: x.listener.LoadBalancerARN,
		TargetGroupARN:  x.groupARN,
		Status:          x.status,
		FromTarget:      x.fromTarget,
		Duration:        now.Sub(x.started),
		Unreached:       x.unreached,
	})
}

// exchange is one request on its way through, and what became of it.
type exchange struct {
	started    time.Time
	listener   routing.Listener
	groupARN   string
	target     string
	cookie     *http.Cookie
	status     int
	fromTarget bool
	unreached  bool // no connection to the target could be made
}

// rewrite turns the client's request into the target's: host, path and query
// as they came, the client's address appended to X-Forwarded-For.
func (x *exchange) rewrite(p *httputil.ProxyRequest) {
	p.Out.URL.Scheme = "http"
	p.Out.URL.Host = x.target
	p.Out.URL.RawQuery = p.In.URL.RawQuery
	p.Out.Host = p.In.Host
	p.Out.Header["X-Forwarded-For"] = p.In.Header["X-Forwarded-For"]
	p.SetXForwarded()
}

// answered notes the target's answer and adds the stickiness cookie.
func (x *exchange) answered(response *http.Response) error {
	x.status, x.fromTarget = response.StatusCode, true
	if x.cookie != nil {
		response.Header.Add("Set-Cookie", x.cookie.String())
	}
	return nil
}

// failed answers for a target that didn't: 504 when it took too long, 502 when
// it refused or broke the connection.
func (x *exchange) failed(w http.ResponseWriter, r *http.Request, err error) {
	timeout, isNet := errors.AsType[net.Error](err)
	connecting, isOp := errors.AsType[*net.OpError](err)
	x.unreached = isOp && connecting.Op == "dial" && r.Context().Err() == nil
	switch {
	case errors.Is(r.Context().Err(), context.Canceled):
		x.answer(w, statusClientGone)
	case errors.Is(err, context.DeadlineExceeded), isNet && timeout.Timeout():
		x.answer(w, http.StatusGatewayTimeout)
	default:
		x.answer(w, http.StatusBadGateway)
	}
}

// answer is the load balancer's own answer.
func (x *exchange) answer(w http.ResponseWriter, status int) {
	x.status, x.fromTarget = status, false
	w.Header().Set("Server", "awselb/2.0")
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	// A client that went away is the only one who could be told.
	_, _ = fmt.Fprintf(w, "<html><head><title>%[1]d %[2]s</title></head><body>%[1]d %[2]s</body></html>\n",
		status, http.StatusText(status))
}

// bufferPool spares the garbage collector a buffer for every answer.
type bufferPool struct{ pool sync.Pool }

// Get returns a buffer for one copy.
func (p *bufferPool) Get() []byte {
	if buffer, ok := p.pool.Get().(*[copyBuffer]byte); ok {
		return buffer[:]
	}
	return make([]byte, copyBuffer)
}

// Put takes a buffer back.
func (p *bufferPool) Put(buffer []byte) { p.pool.Put((*[copyBuffer]byte)(buffer)) }
