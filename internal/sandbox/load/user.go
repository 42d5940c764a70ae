package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"
)

// clusterHeader tells which cluster answered; a load balancer's own answer
// has none.
const clusterHeader = "X-Cluster"

// user is one user: a DNS cache, kept connections, cookies.
type user struct {
	cache     *cache
	transport *http.Transport
	cookies   *cookiejar.Jar
	ledger    *ledger
	timeout   time.Duration
}

func newUser(o Options, l *ledger) (*user, error) {
	cookies, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("making a cookie jar: %w", err)
	}
	return &user{
		cache:   newCache(newNameServer(o.DNSAddress, l.asked).ask),
		cookies: cookies,
		ledger:  l,
		timeout: o.Timeout,
		transport: &http.Transport{
			DialContext:         o.Network.DialContext,
			DisableCompression:  true,
			MaxIdleConnsPerHost: o.InFlight,
			// Below the 60 s of a load balancer, so that the users close
			// idle connections first, as browsers do.
			IdleConnTimeout: 30 * time.Second,
		},
	}, nil
}

func (u *user) close() { u.transport.CloseIdleConnections() }

// request sends one GET and enters what became of it.
//
// On keep-alive races: a server may close a kept connection at the very moment
// a request goes out on it. http.Transport repeats a GET that fails on a kept
// connection before the first byte of an answer, as RFC 9110 section 9.2.2
// allows and browsers do, so the race is not counted as a failure. Nothing real
// is hidden by it: a request that fails on a fresh connection is not repeated,
// and the repeated ones are counted in Snapshot.Repeated.
func (u *user) request(target *url.URL, due time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), u.timeout)
	defer cancel()
	o := outcome{host: target.Host}
	var connections atomic.Int64
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connections.Add(1) },
	})
	o.cluster, o.cause = u.get(ctx, target)
	o.repeated = max(connections.Load()-1, 0)
	now := time.Now()
	o.latency = now.Sub(due)
	u.ledger.enter(now, o)
}

// get returns the cluster that answered, if one did, and why it failed, if it
// did. It resolves the name itself and puts the address into the URL: kept
// connections then belong to an address and not to a name, so a changed record
// sends the next request elsewhere as soon as its TTL has passed.
func (u *user) get(ctx context.Context, target *url.URL) (cluster string, cause Cause) {
	address, err := u.cache.lookup(ctx, target.Hostname())
	if err != nil {
		return "", DNSError
	}
	port := target.Port()
	if port == "" {
		port = "80"
	}
	byAddress := *target
	byAddress.Host = net.JoinHostPort(address, port)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, byAddress.String(), http.NoBody)
	if err != nil {
		return "", OtherError
	}
	request.Host = target.Host
	for _, cookie := range u.cookies.Cookies(target) {
		request.AddCookie(cookie)
	}
	response, err := u.transport.RoundTrip(request)
	if err != nil {
		return "", causeOf(err)
	}
	defer response.Body.Close()
	u.cookies.SetCookies(target, response.Cookies())
	cluster = response.Header.Get(clusterHeader)
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return cluster, causeOf(err)
	}
	return cluster, causeOfStatus(response.StatusCode, cluster)
}

// causeOf names the cause of a request without a whole answer.
func causeOf(err error) Cause {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return ConnectError
	}
	if fault, ok := errors.AsType[net.Error](err); ok && fault.Timeout() {
		return Timeout
	}
	return OtherError
}

// causeOfStatus names the cause of an answer that tells of a failure.
func causeOfStatus(status int, cluster string) Cause {
	switch {
	case status < http.StatusBadRequest:
		return ""
	case status < http.StatusInternalServerError:
		return OtherError
	}
	switch cluster {
	case "green":
		return GreenError
	case "blue":
		return BlueError
	case "":
		return EdgeError
	}
	return OtherError
}
