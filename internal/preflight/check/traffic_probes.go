package check

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// probed looks for a probe that comes to green on the way that users will come:
// by green's target group without the users' rule, or by green's record.
func probed(f *facts.Facts, e facts.Entrance) []finding.Finding {
	way := "green's target group"
	var known, tried bool
	if e.Balancer != nil {
		b := balancerOf(&f.Traffic, e)
		known = b != nil && b.Known
		tried = known && slices.ContainsFunc(f.Settings.Probes, func(p facts.Probe) bool { return throughGreen(p, *b, e) })
	} else {
		way, known = "what green's record leads to", e.Known
		tried = slices.ContainsFunc(f.Settings.Probes, func(p facts.Probe) bool { return throughRecord(&f.Traffic, p, e) })
	}
	if tried || !known { // what isn't known is a finding already
		return nil
	}
	x := ofEntrance(NoProbeThroughGreenTargets, finding.Warn, e, "")
	x.Side = shift.Green
	has := "there are no probes"
	if n := len(f.Settings.Probes); n > 0 {
		proxied := 0
		for _, p := range f.Settings.Probes {
			if p.Kind == "service" {
				proxied++
			}
		}
		has = fmt.Sprintf("none of the %d probes does", n)
		if proxied == n {
			has = fmt.Sprintf("all %d probes go through green's API server", n)
		}
	}
	x.Message = fmt.Sprintf("no probe enters by %s of entrance %s (%s), so that green isn't tried on the way that users will come", way, e.Name, has)
	x.Do = "Add a listener on a port of its own that forwards to green's target group alone, and an http or tcp probe for it."
	if e.Balancer == nil {
		x.Do = "Add an http or tcp probe whose address is that of green's record, with the users' name as its host."
	}
	return []finding.Finding{x}
}

// throughGreen tells whether a probe enters by a rule that sends all to green's
// target group, and isn't the users' own.
func throughGreen(p facts.Probe, b facts.Balancer, e facts.Entrance) bool {
	for _, l := range b.Listeners {
		for _, r := range l.Rules {
			if r.ARN != e.Balancer.ActionARN() && sendsOnlyTo(r, e.Balancer.GreenTargetGroupARN) && enters(p, b, l, r) {
				return true
			}
		}
	}
	return false
}

// sendsOnlyTo tells whether a rule sends all to one target group.
func sendsOnlyTo(r facts.ListenerRule, group string) bool {
	sends := false
	for _, to := range r.Forwards {
		if to.Weight > 0 && to.Group != group {
			return false
		}
		sends = sends || to.Weight > 0
	}
	return sends
}

// enters tells whether a probe's requests come to a rule of a load balancer. A
// connection or a handshake alone comes to the targets only where the load balancer passes it
// on: through a TCP listener.
func enters(p facts.Probe, b facts.Balancer, l facts.Listener, r facts.ListenerRule) bool {
	host, port, ok := dialled(p)
	if !ok || port != l.Port || !(placeOf(host) == b.DNSName || dialsOneOf(p, host, b.Addresses)) {
		return false
	}
	if p.Kind == "tcp" || p.Kind == "tls" {
		return l.Protocol == "TCP"
	}
	return r.Default || !r.Others && asks(p, r)
}

// asks tells whether a probe's request fulfils a rule's conditions. Of headers
// only the names are known.
func asks(p facts.Probe, r facts.ListenerRule) bool {
	u, err := url.Parse(p.URL)
	if err != nil {
		return false
	}
	host := p.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if host == "" {
		host = u.Hostname()
	}
	path := u.Path
	if path == "" {
		path = "/"
	}
	anyOf := func(patterns []string, text string) bool {
		return len(patterns) == 0 || slices.ContainsFunc(patterns, func(pattern string) bool { return matchesGlob(pattern, text) })
	}
	hosts := make([]string, len(r.Hosts))
	for i, h := range r.Hosts {
		hosts[i] = strings.ToLower(h)
	}
	for _, name := range r.Headers {
		if !slices.ContainsFunc(p.Headers, func(sent string) bool { return strings.EqualFold(sent, name) }) {
			return false
		}
	}
	return anyOf(hosts, strings.ToLower(host)) && anyOf(r.Paths, path)
}

// throughRecord tells whether a probe goes where a green record leads.
func throughRecord(t *facts.Traffic, p facts.Probe, e facts.Entrance) bool {
	host, _, ok := dialled(p)
	if !ok {
		return false
	}
	return slices.ContainsFunc(e.Records, func(r facts.Record) bool {
		if r.Side != shift.Green {
			return false
		}
		places := slices.Clone(r.Targets)
		for _, arn := range r.Balancers {
			places = append(append(places, t.Balancers[arn].DNSName), t.Balancers[arn].Addresses...)
		}
		return slices.Contains(places, placeOf(host)) || dialsOneOf(p, host, places)
	})
}

// dialsOneOf tells whether a probe dials one of the addresses.
func dialsOneOf(p facts.Probe, host string, addresses []string) bool {
	return slices.ContainsFunc(addresses, func(a string) bool { return isAddress(a) && (a == host || slices.Contains(p.Addresses, a)) })
}

// dialled gives what a probe dials; false for one that goes through the API server.
func dialled(p facts.Probe) (host string, port int, ok bool) {
	if p.Address == "" {
		return "", 0, false
	}
	host, digits, err := net.SplitHostPort(p.Address)
	if err != nil {
		return "", 0, false
	}
	port, err = strconv.Atoi(digits)
	return host, port, err == nil
}
