package load

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"sync"
	"time"

	"github.com/miekg/dns"
)

const (
	// dnsWait is how long one question waits for its answer.
	dnsWait = time.Second
	// dnsTries is how often a question is asked when no answer comes, as
	// stub resolvers do, since UDP may lose packets.
	dnsTries = 2
)

// cache is a user's DNS cache. It keeps an answer for its TTL and not a moment
// longer; failures are not kept.
type cache struct {
	ask func(ctx context.Context, host string) (*dns.Msg, error)

	mu      sync.Mutex // held while asking: one question at a time
	entries map[string]entry
}

type entry struct {
	address string
	expires time.Time
}

func newCache(ask func(ctx context.Context, host string) (*dns.Msg, error)) *cache {
	return &cache{ask: ask, entries: map[string]entry{}}
}

// lookup returns an IPv4 address of the host, which may be an address itself.
func (c *cache) lookup(ctx context.Context, host string) (string, error) {
	if net.ParseIP(host) != nil {
		return host, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.entries[host]; ok && time.Now().Before(known.expires) {
		return known.address, nil
	}
	delete(c.entries, host)
	answer, err := c.ask(ctx, host)
	if err != nil {
		return "", fmt.Errorf("resolving %s: %w", host, err)
	}
	address, ttl, err := firstAddress(answer)
	if err != nil {
		return "", fmt.Errorf("resolving %s: %w", host, err)
	}
	c.entries[host] = entry{address: address, expires: time.Now().Add(ttl)}
	return address, nil
}

// nameServer asks one name server.
type nameServer struct {
	address string
	asked   func() // called for every question sent
	udp     dns.Client
	tcp     dns.Client
}

func newNameServer(address string, asked func()) *nameServer {
	return &nameServer{
		address: address,
		asked:   asked,
		udp:     dns.Client{Net: "udp", Timeout: dnsWait},
		tcp:     dns.Client{Net: "tcp", Timeout: dnsWait},
	}
}

// ask sends the question, by TCP too when the answer was cut short.
func (n *nameServer) ask(ctx context.Context, host string) (*dns.Msg, error) {
	question := new(dns.Msg).SetQuestion(dns.Fqdn(host), dns.TypeA)
	question.SetEdns0(dns.DefaultMsgSize, false)
	var faults error
	for range dnsTries {
		n.asked()
		answer, _, err := n.udp.ExchangeContext(ctx, question, n.address)
		if err == nil && answer.Truncated {
			answer, _, err = n.tcp.ExchangeContext(ctx, question, n.address)
		}
		if err == nil {
			return answer, nil
		}
		faults = errors.Join(faults, err)
	}
	return nil, faults
}

// firstAddress takes the first address of an answer. The answer lives as long
// as its shortest record, aliases included.
func firstAddress(answer *dns.Msg) (address string, ttl time.Duration, err error) {
	if answer.Rcode != dns.RcodeSuccess {
		return "", 0, fmt.Errorf("the name server answered %s", dns.RcodeToString[answer.Rcode])
	}
	ttl = math.MaxInt64
	for _, rr := range answer.Answer {
		ttl = min(ttl, time.Duration(rr.Header().Ttl)*time.Second)
		if a, ok := rr.(*dns.A); ok && address == "" {
			address = a.A.String()
		}
	}
	if address == "" {
		return "", 0, errors.New("the answer has no address")
	}
	return address, ttl, nil
}
