package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/promql"
)

// maxRequestGates bounds a pair's requests gates, so that what they remember fits into the journal.
const maxRequestGates = 8

func (c *checker) gates(path string, p *Pair) {
	c.usersTraffic(path, p)
	seen := unique{}
	requests := 0
	for i := range p.Gates {
		gate, at := &p.Gates[i], fmt.Sprintf("%s.gates[%d]", path, i)
		c.label(at+".name", gate.Name)
		c.unique(seen, at+".name", gate.Name, "is the name of another gate of this pair", "choose a name of its own")
		c.exactlyOne(at, map[string]bool{
			"requests": gate.Requests != nil, "cloudwatch": gate.CloudWatch != nil, "prometheus": gate.Prometheus != nil,
			"alertmanager": gate.Alertmanager != nil, "webhook": gate.Webhook != nil,
		}, "requests, cloudwatch, prometheus, alertmanager or webhook")
		switch {
		case gate.Requests != nil:
			if requests++; requests == maxRequestGates+1 {
				c.faultf(at+".requests", "is one requests gate too many; a pair takes up to %d, so sum up what belongs together", maxRequestGates)
			}
			c.requests(at+".requests", gate.Requests, p)
		case gate.CloudWatch != nil:
			c.cloudWatch(at+".cloudwatch", gate.CloudWatch, p)
		case gate.Prometheus != nil:
			c.prometheusGate(at+".prometheus", gate.Prometheus)
		case gate.Alertmanager != nil:
			c.alertmanager(at+".alertmanager", gate.Alertmanager)
		case gate.Webhook != nil:
			c.webhook(at+".webhook", gate.Webhook)
		}
	}
}

// usersTraffic checks that a pair has a gate on users' traffic or says that it does without, and not both.
func (c *checker) usersTraffic(path string, p *Pair) {
	users := -1
	for i, gate := range p.Gates {
		if gate.usersTraffic(c, fmt.Sprintf("%s.gates[%d]", path, i)) {
			users = i
			break
		}
	}
	switch {
	case len(p.Gates) == 0 && !p.SoakOnly:
		c.faultf(path+".gates", "has no gate on users' traffic; add one, or set soakOnly: true to shift on time, probes and workloads alone")
	case users < 0 && !p.SoakOnly:
		c.faultf(path+".gates", "has no gate on users' traffic, for all of them only hold; add a requests gate, set onFail: rollback where a gate judges what users feel, or set soakOnly: true")
	case users >= 0 && p.SoakOnly:
		c.faultf(path+".soakOnly", "is true although there are gates on users' traffic, such as %s; remove it, or these gates", p.Gates[users].Name)
	}
}

// usersTraffic tells whether the gate is on users' traffic. One of a kind that could not be read may be.
func (g Gate) usersTraffic(c *checker, path string) bool {
	for _, kind := range []string{"requests", "cloudwatch", "prometheus", "alertmanager", "webhook"} {
		if c.faulty[path+"."+kind] || c.faulty[path+"."+kind+".onFail"] {
			return true
		}
	}
	switch {
	case g.Prometheus != nil:
		return g.Prometheus.OnFail == "rollback"
	case g.Alertmanager != nil:
		return g.Alertmanager.OnFail == "rollback"
	case g.Webhook != nil:
		return g.Webhook.OnFail == "rollback"
	}
	return g.Requests != nil || g.CloudWatch != nil
}

func (c *checker) cloudWatch(path string, g *CloudWatch, p *Pair) {
	c.loadBalancerDimension(path+".loadBalancer", g.LoadBalancer)
	c.targetGroupDimension(path+".targetGroup", g.TargetGroup)
	for _, e := range p.Traffic {
		if e.ALB != nil && g.TargetGroup != "" && strings.HasSuffix(e.ALB.BlueTargetGroupARN, ":"+g.TargetGroup) {
			c.faultf(path+".targetGroup", "is blue's target group; use green's, whose users the gate is for")
		}
	}
	c.roleARN(path+".roleARN", g.RoleARN)
	c.region(path+".region", g.Region)
	c.cloudWatchPeriod(path+".period", g.Period)
	if g.Period > 0 && (g.Window < g.Period || g.Window%g.Period != 0) && !c.faulty[path+".period"] {
		c.faultf(path+".window", "%s is not a multiple of the period of %s; make it one", g.Window, g.Period)
	}
}

func (c *checker) prometheusGate(path string, g *PrometheusGate) {
	c.prometheus(path+".server", &g.Server)
	c.numberQuery(path+".query", g.Query)
	c.reach(path, g)
	given := func(key string, limit *float64) bool { return limit != nil || c.faulty[path+"."+key] }
	switch {
	case !given("max", g.Max) && !given("min", g.Min):
		c.faultf(path, "has no limit; set max, min or both")
	case g.Max != nil && g.Min != nil && *g.Min > *g.Max && !c.faulty[path+".max"] && !c.faulty[path+".min"]:
		c.faultf(path+".min", "%g is more than the max of %g, so that no value is good; turn them round", *g.Min, *g.Max)
	}
}

// longestWindow is the longest that a query may look back: the end of the range of window.
const longestWindow = 24 * time.Hour

// reach checks that the window covers all that the query looks at: a value of the time before the last change would pass
// otherwise.
func (c *checker) reach(path string, g *PrometheusGate) {
	if c.faulty[path+".query"] || c.faulty[path+".window"] {
		return
	}
	back, known, err := promql.Reach(g.Query)
	switch {
	case err != nil || !known:
	case back > longestWindow:
		c.faultf(path+".query", "looks back %s, so that nothing would rise for so long after each change; use up to %s", back, longestWindow)
	case back > g.Window:
		c.faultf(path+".window", "%s is shorter than the %s that the query looks back; use at least that", g.Window, back)
	}
}

func (c *checker) alertmanager(path string, g *Alertmanager) {
	server := path + ".server"
	c.prometheus(server, &g.Server)
	if strings.HasSuffix(strings.TrimRight(g.Server.URL, "/"), "/api/v2") {
		c.faultf(server+".url", "ends in /api/v2, which is appended; remove that")
	}
	if len(g.Server.Match) > 0 {
		c.faultf(server+".match", "has no effect on alerts; write the labels into matchers")
	}
	seen := unique{}
	for i, matcher := range g.Matchers {
		at := fmt.Sprintf("%s.matchers[%d]", path, i)
		if err := promql.Matcher(matcher); err != nil {
			c.faultf(at, "%v", err)
		}
		c.unique(seen, at, matcher, "is listed twice", "keep one")
	}
}

func (c *checker) webhook(path string, g *Webhook) {
	u, ok := c.url(path+".url", g.URL)
	if ok && u.Scheme == "http" && g.CAFile != "" {
		c.faultf(path+".caFile", "has no effect on an http URL; remove it or use https")
	}
	c.headers(path+".headers", g.Headers)
	for name := range g.Headers {
		switch strings.ToLower(name) {
		case "authorization":
			c.faultf(join(path+".headers", name), "is a secret; use secretFile, which signs each request with a secret from a file")
		case "clusterswitch-signature", "idempotency-key", "content-type", "content-length":
			c.faultf(join(path+".headers", name), "is set by the daemon; remove it")
		}
	}
	if g.Timeout > g.Interval && !c.faulty[path+".timeout"] && !c.faulty[path+".interval"] {
		c.faultf(path+".timeout", "%s is longer than the interval of %s; shorten it or lengthen the interval", g.Timeout, g.Interval)
	}
}

func (c *checker) observedShare(path string, p *Pair) {
	o := p.ObservedShare
	if !o.Required {
		return
	}
	measured := len(p.Standby.Capacity.Loads) > 0
	for _, e := range p.Traffic {
		measured = measured || e.ALB != nil
	}
	switch {
	case o.OnBreach == "off":
		c.faultf(path+".required", "has no effect beside onBreach: off; remove one of the two")
	case !measured:
		c.faultf(path+".required", "can't be met, for nothing measures the load of both sides; name it in standby.capacity.loads, or remove this")
	}
}
