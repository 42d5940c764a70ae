package config

import (
	"fmt"
	"strings"
)

func (c *checker) probes(path string, p *Pair) {
	seen := unique{}
	for i := range p.Probes {
		probe, at := &p.Probes[i], fmt.Sprintf("%s.probes[%d]", path, i)
		c.label(at+".name", probe.Name)
		c.unique(seen, at+".name", probe.Name, "is the name of another probe of this pair", "choose a name of its own")
		c.exactlyOne(at, map[string]bool{
			"http": probe.HTTP != nil, "tcp": probe.TCP != nil, "tls": probe.TLS != nil, "grpc": probe.GRPC != nil,
			"dns": probe.DNS != nil, "websocket": probe.WebSocket != nil, "service": probe.Service != nil,
		}, "http, tcp, tls, grpc, dns, websocket or service")
		if probe.Timeout > probe.Interval && !c.faulty[at+".interval"] {
			c.faultf(at+".timeout", "%s is longer than the interval of %s; shorten it or lengthen the interval", probe.Timeout, probe.Interval)
		}
		if l := probe.Latency; l != nil && l.P95 >= probe.Timeout && probe.Timeout > 0 {
			c.faultf(at+".latency.p95", "%s has no effect beside the timeout of %s, which ends a run before; shorten it or lengthen the timeout", l.P95, probe.Timeout)
		}
		c.staleAfter(path, at, p, probe)
		c.probeKind(at, probe)
	}
	if p.StaleAfter < c.config.Interval && !c.faulty["interval"] {
		c.faultf(path+".staleAfter", "%s is shorter than the interval of %s; use at least that", p.StaleAfter, c.config.Interval)
	}
}

func (c *checker) probeKind(at string, probe *Probe) {
	switch {
	case probe.HTTP != nil:
		c.httpProbe(at+".http", probe.HTTP)
	case probe.TCP != nil:
		c.sideAddresses(at+".tcp", "address", probe.TCP.Address, probe.TCP.BlueAddress)
	case probe.TLS != nil:
		c.tlsProbe(at+".tls", probe.TLS)
	case probe.GRPC != nil:
		c.grpcProbe(at+".grpc", probe.GRPC)
	case probe.DNS != nil:
		c.dnsProbe(at+".dns", probe.DNS)
	case probe.WebSocket != nil:
		c.webSocketProbe(at+".websocket", probe.WebSocket)
	case probe.Service != nil:
		c.label(at+".service.namespace", probe.Service.Namespace)
		c.label(at+".service.name", probe.Service.Name)
		c.httpPath(at+".service.path", probe.Service.Path)
		c.expect(at+".service.expect", probe.Service.Expect)
	}
}

// staleAfter checks that a healthy probe's reading never gets stale between two of its runs.
func (c *checker) staleAfter(pair, path string, p *Pair, probe *Probe) {
	if c.faulty["interval"] || c.faulty[path+".interval"] || c.faulty[path+".timeout"] {
		return
	}
	if apart := probe.Interval + probe.Interval/10 + probe.Timeout; p.StaleAfter < apart {
		c.faultf(pair+".staleAfter", "%s is shorter than the %s that two readings of probe %s may lie apart; use at least that",
			p.StaleAfter, apart, probe.Name)
	}
}

// sideAddresses checks an address of green's and, where there is one, blue's. Its key is key, and blue's begins with blue.
func (c *checker) sideAddresses(path, key, address, blue string) {
	c.dialAddress(path+"."+key, address)
	if blue == "" {
		return
	}
	at := path + ".blue" + strings.ToUpper(key[:1]) + key[1:]
	c.dialAddress(at, blue)
	if blue == address {
		c.faultf(at, "is green's %s, so that it would say nothing of blue; use one that leads to blue alone, or remove it", key)
	}
}

func (c *checker) expect(path string, e Expect) {
	if len(e.Status) == 0 {
		c.faultf(path+".status", "is an empty list, so that no answer is good; list the good codes, such as [200]")
	}
}
