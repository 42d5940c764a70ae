package config

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/promql"
)

func (c *checker) preflightMetrics(at string, m PreflightMetrics) {
	for side, p := range map[string]*Prometheus{"blue": m.Blue, "green": m.Green} {
		if p != nil {
			c.prometheus(at+"."+side, p)
		}
	}
	switch blue, green := m.given(c, at, "blue"), m.given(c, at, "green"); {
	case blue && !green:
		c.faultf(at+".green", "is missing, so that there is nothing to compare with blue; name the Prometheus that has green's series")
	case green && !blue:
		c.faultf(at+".blue", "is missing, so that there is nothing to compare with green; name the Prometheus that has blue's series")
	case !blue && len(m.Queries) > 0:
		c.faultf(at+".queries", "are given without blue and green; name the Prometheus servers to look them up in")
	case m.Blue != nil && m.Green != nil:
		c.sameSeries(at, m.Blue, m.Green)
	}
	if d := m.Dashboards; d.Label == "" && d.Value != "" {
		c.faultf(at+".dashboards.value", "has no effect without a label; set label too")
	}
	seen := unique{}
	for i, q := range m.Queries {
		path := fmt.Sprintf("%s.queries[%d]", at, i)
		c.label(path+".name", q.Name)
		c.unique(seen, path+".name", q.Name, "is the name of another query", "choose a name of its own")
		if _, err := promql.Parse(q.Query); err != nil && !c.faulty[path+".query"] {
			c.faultf(path+".query", "is not PromQL: %v", err)
		}
	}
}

// given tells whether a side's server stands in the document, readable or not.
func (m PreflightMetrics) given(c *checker, at, side string) bool {
	return c.faulty[at+"."+side] || (side == "blue" && m.Blue != nil) || (side == "green" && m.Green != nil)
}

// sameSeries notes a fault where both sides would be asked for the same series, so that green would seem to have all.
func (c *checker) sameSeries(at string, blue, green *Prometheus) {
	if !blue.sameServer(green) || c.faulty[at+".blue.url"] || c.faulty[at+".green.url"] {
		return
	}
	switch {
	case len(green.Match) == 0:
		c.faultf(at+".green", "is the same server as blue, and has no match; give each side a match that selects its cluster, such as {cluster: shop-green}")
	case len(blue.Match) == 0:
		c.faultf(at+".blue", "is the same server as green, and has no match; give each side a match that selects its cluster, such as {cluster: shop-blue}")
	case maps.Equal(blue.Match, green.Match):
		c.faultf(at+".green.match", "selects the same series as blue's match; let it select green's cluster")
	}
}

// sameServer tells whether both are answered from the same series, apart from match: the headers or the user may choose a
// tenant.
func (p *Prometheus) sameServer(o *Prometheus) bool {
	if p.BearerTokenFile != o.BearerTokenFile || (p.BasicAuth == nil) != (o.BasicAuth == nil) {
		return false
	}
	if p.BasicAuth != nil && *p.BasicAuth != *o.BasicAuth {
		return false
	}
	return base(p.URL) == base(o.URL) && maps.Equal(canonical(p.Headers), canonical(o.Headers))
}

// base gives an address in one form.
func base(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	host := strings.ToLower(u.Host)
	if port := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]; u.Port() != "" {
		host = strings.TrimSuffix(host, port)
	}
	return u.Scheme + "://" + host + strings.TrimRight(u.Path, "/")
}

func canonical(headers map[string]string) map[string]string {
	out := make(map[string]string, len(headers))
	for name, value := range headers {
		out[http.CanonicalHeaderKey(name)] = value
	}
	return out
}

func (c *checker) prometheus(path string, p *Prometheus) {
	c.prometheusURL(path, p)
	if p.CAFile != "" && p.InsecureSkipVerify {
		c.faultf(path+".caFile", "has no effect beside insecureSkipVerify, which takes any certificate; keep one of the two")
	}
	if p.BasicAuth != nil && p.BearerTokenFile != "" {
		c.faultf(path+".bearerTokenFile", "is given beside basicAuth; keep one of the two")
	}
	if p.BasicAuth != nil && strings.Contains(p.BasicAuth.Username, ":") {
		c.faultf(path+".basicAuth.username", "holds a colon, which ends the name; remove it")
	}
	c.headers(path+".headers", p.Headers)
	for name := range p.Headers {
		if strings.EqualFold(name, "Authorization") {
			c.faultf(join(path+".headers", name), "is a secret; use bearerTokenFile or basicAuth, which read it from a file")
		}
	}
	c.match(path+".match", p.Match)
}

func (c *checker) prometheusURL(path string, p *Prometheus) {
	u, ok := c.url(path+".url", p.URL)
	if !ok {
		return
	}
	if u.RawQuery != "" || u.ForceQuery {
		c.faultf(path+".url", "has a query (what follows the ?); remove it, and use match or headers")
	}
	if strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/api/v1") {
		c.faultf(path+".url", "ends in /api/v1, which is appended; remove that")
	}
	for key, given := range map[string]bool{"caFile": p.CAFile != "", "serverName": p.ServerName != "", "insecureSkipVerify": p.InsecureSkipVerify} {
		if u.Scheme == "http" && given {
			c.faultf(path+"."+key, "has no effect on an http URL; remove it or use https")
		}
	}
}

// match checks labels that select a cluster's series.
func (c *checker) match(path string, labels map[string]string) {
	label := regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	for name, value := range labels {
		at := join(path, name)
		switch {
		case name == "__name__":
			c.faultf(at, "selects a metric and not a cluster; use a label such as cluster")
		case !label.MatchString(name):
			c.faultf(at, "is not the name of a label; use letters, digits and _")
		case value == "":
			c.faultf(at, "is empty, which selects the series without the label; give the label's value")
		}
	}
}
