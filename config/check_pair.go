package config

import (
	"fmt"
	"regexp"
	"strings"
)

// pair checks everything of a pair but its traffic.
func (c *checker) pair(path string, p *Pair) {
	c.cluster(path+".blue", p.Blue)
	c.cluster(path+".green", p.Green)
	c.sameCluster(path+".green", p.Blue, p.Green)
	c.preflight(path+".preflight", p.Preflight)
	c.workloads(path+".workloads", p.Workloads)
	c.probes(path, p)
	c.steps(path+".steps", p.Steps)
	c.singletons(path+".singletons", p)
	c.gates(path, p)
	c.observedShare(path+".observedShare", p)
	c.windows(path+".windows", p.Windows)
	c.freezes(path+".freezes", p.Freezes)
	c.capacity(path+".standby.capacity", p)
	c.retire(path+".retire", p.Retire)
}

func (c *checker) workloads(path string, w Workloads) {
	seen := unique{}
	for i, namespace := range w.Namespaces {
		at := fmt.Sprintf("%s.namespaces[%d]", path, i)
		c.label(at, namespace)
		c.unique(seen, at, namespace, "is listed twice", "keep one")
	}
	// Names of workloads are DNS subdomains: labels joined by dots.
	pattern := regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?/(\*|[a-z0-9]([-.a-z0-9]*[a-z0-9])?)$`)
	for i, ignored := range w.Ignore {
		c.matches(fmt.Sprintf("%s.ignore[%d]", path, i), ignored, pattern, "a workload", "namespace/name, or namespace/* for a whole namespace")
	}
}

func (c *checker) probes(path string, p *Pair) {
	seen := unique{}
	for i := range p.Probes {
		probe, at := &p.Probes[i], fmt.Sprintf("%s.probes[%d]", path, i)
		c.label(at+".name", probe.Name)
		c.unique(seen, at+".name", probe.Name, "is the name of another probe of this pair", "choose a name of its own")
		c.exactlyOne(at, map[string]bool{"http": probe.HTTP != nil, "tcp": probe.TCP != nil, "service": probe.Service != nil}, "http, tcp or service")
		if probe.Timeout > probe.Interval && !c.faulty[at+".interval"] {
			c.faultf(at+".timeout", "%s is longer than the interval of %s; shorten it or lengthen the interval", probe.Timeout, probe.Interval)
		}
		c.staleAfter(path, at, p, probe)
		switch {
		case probe.HTTP != nil:
			c.httpProbe(at+".http", probe.HTTP)
		case probe.TCP != nil:
			c.tcpProbe(at+".tcp", probe.TCP)
		case probe.Service != nil:
			c.label(at+".service.namespace", probe.Service.Namespace)
			c.label(at+".service.name", probe.Service.Name)
			c.httpPath(at+".service.path", probe.Service.Path)
			c.expect(at+".service.expect", probe.Service.Expect)
		}
	}
	if p.StaleAfter < c.config.Interval && !c.faulty["interval"] {
		c.faultf(path+".staleAfter", "%s is shorter than the interval of %s; use at least that", p.StaleAfter, c.config.Interval)
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

// exactlyOne notes a fault unless exactly one of the kinds is given. A kind that is given but could not be read counts.
func (c *checker) exactlyOne(path string, given map[string]bool, kinds string) {
	count := 0
	for kind, ok := range given {
		if ok || c.faulty[path+"."+kind] {
			count++
		}
	}
	switch {
	case count == 0:
		c.faultf(path, "has no kind; give it one of %s", kinds)
	case count > 1:
		c.faultf(path, "has %d kinds; give it exactly one of %s", count, kinds)
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

func (c *checker) tcpProbe(path string, p *TCPProbe) {
	c.dialAddress(path+".address", p.Address)
	if p.BlueAddress == "" {
		return
	}
	c.dialAddress(path+".blueAddress", p.BlueAddress)
	if p.BlueAddress == p.Address {
		c.faultf(path+".blueAddress", "is green's address, so that it would say nothing of blue; use one that leads to blue alone, or remove it")
	}
}

// headers checks headers that are sent with a request.
func (c *checker) headers(path string, headers map[string]string) {
	token := regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
	for name, value := range headers {
		at := join(path, name)
		switch {
		case strings.EqualFold(name, "Host"):
			c.faultf(at, "cannot be sent as a header; use the key host instead")
		case !token.MatchString(name):
			c.faultf(at, "is not a header name; use letters, digits and -")
		case strings.ContainsAny(value, "\r\n\x00"):
			c.faultf(at, "holds a line break; keep the value on one line")
		}
	}
}

func (c *checker) expect(path string, e Expect) {
	if len(e.Status) == 0 {
		c.faultf(path+".status", "is an empty list, so that no answer is good; list the good codes, such as [200]")
	}
}

// steps checks that shares rise strictly up to 100.
func (c *checker) steps(path string, steps []Step) {
	before := 0
	for i, step := range steps {
		at := fmt.Sprintf("%s[%d].share", path, i)
		if c.faulty[at] || step.Share == 0 {
			continue
		}
		if step.Share <= before {
			c.faultf(at, "%d is not more than the %d of the step before; let the shares rise from step to step", step.Share, before)
		}
		before = max(before, step.Share)
	}
	last := len(steps) - 1
	if last >= 0 && steps[last].Share != 100 {
		c.faultf(fmt.Sprintf("%s[%d].share", path, last), "%d leaves traffic on blue for ever; let the last step be 100", steps[last].Share)
	}
}
