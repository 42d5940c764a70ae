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
			"http": probe.HTTP != nil, "tcp": probe.TCP != nil, "tls": probe.TLS != nil, "service": probe.Service != nil,
		}, "http, tcp, tls or service")
		if probe.Timeout > probe.Interval && !c.faulty[at+".interval"] {
			c.faultf(at+".timeout", "%s is longer than the interval of %s; shorten it or lengthen the interval", probe.Timeout, probe.Interval)
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

func (c *checker) httpProbe(path string, p *HTTPProbe) {
	plain := c.probeURLs(path, p)
	if plain && p.ServerName != "" {
		c.faultf(path+".serverName", "has no effect on an http URL; remove it or use https")
	}
	if plain && p.InsecureSkipVerify {
		c.faultf(path+".insecureSkipVerify", "has no effect on an http URL; remove it or use https")
	}
	if strings.ContainsAny(p.Host, "/ @") {
		c.faultf(path+".host", "%q is not a host; use a name such as shop.example.com, without scheme and path", p.Host)
	}
	c.headers(path+".headers", p.Headers)
	if p.Method == "HEAD" && p.Expect.Body != "" {
		c.faultf(path+".expect.body", "cannot be found in the answer to HEAD, which has no body; use GET or remove it")
	}
	c.expect(path+".expect", p.Expect)
}

// probeURLs checks the URLs of both sides, and tells whether both are known and neither speaks TLS.
func (c *checker) probeURLs(path string, p *HTTPProbe) (plain bool) {
	u, ok := c.url(path+".url", p.URL)
	plain = ok && u.Scheme == "http"
	if p.BlueURL == "" {
		return plain
	}
	blue, ok := c.url(path+".blueURL", p.BlueURL)
	if ok && p.BlueURL == p.URL {
		c.faultf(path+".blueURL", "is green's url, so that it would say nothing of blue; use an address that leads to blue alone, or remove it")
	}
	return plain && ok && blue.Scheme == "http"
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
