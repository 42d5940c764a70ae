package aws

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// aliasFaults says why an alias can't lead where it should: to a record set of
// this zone that has its type, or to a load balancer of this cloud.
func (p *batchPlan) aliasFaults(r recordSet) []string {
	if !r.isAlias() {
		return nil
	}
	tried := fmt.Sprintf("Tried to create an alias that targets %s, type %s in zone %s", r.alias.name, r.typ, r.alias.zone)
	outside, missing := tried+", but the alias target name does not lie within the target zone", tried+", but that target was not found"
	if r.alias.zone != p.zone.id {
		b, found := p.balancer(r.alias.name)
		switch {
		case found && b.zone != r.alias.zone:
			return []string{outside}
		case found && r.typ != "A" && r.typ != "AAAA":
			return []string{missing} // a load balancer has addresses only
		case found:
			return nil
		}
		return []string{outside, missing}
	}
	switch {
	case !within(r.alias.name, p.zone.name):
		return []string{outside, missing}
	case p.leadsTo(r.alias.name, r.typ, r.name):
		// AWS doesn't document how it refuses a circle; these words are the sandbox's.
		return []string{tried + ", but that target leads back to the alias"}
	case len(p.group(r.alias.name, r.typ)) == 0:
		return []string{missing}
	}
	return nil
}

// leadsTo follows the aliases of one type from a name. Those that are planned
// already form no circle, so this ends.
func (p *batchPlan) leadsTo(from, typ, to string) bool {
	if from == to {
		return true
	}
	for _, r := range p.group(from, typ) {
		if r.alias.zone == p.zone.id && p.leadsTo(r.alias.name, typ, to) {
			return true
		}
	}
	return false
}

// danglingFaults keeps the target of an alias in place as long as there is the
// alias: of those at a touched name, and of others to it. The words are the
// sandbox's.
func (p *batchPlan) danglingFaults(name string) []string {
	var faults []string
	missing := func(target, typ, owner string) {
		if len(p.group(target, typ)) == 0 {
			faults = append(faults, fmt.Sprintf("Tried to delete resource record set [name='%s', type='%s'] but it is the target of the alias %s", target, typ, owner))
		}
	}
	for _, r := range p.touched[name] {
		if r.alias.zone == p.zone.id {
			missing(r.alias.name, r.typ, name)
		}
	}
	for _, typ := range []string{"A", "AAAA", "CNAME", "TXT"} {
		for _, owner := range slices.Sorted(maps.Keys(p.zone.sets.aliases[aliasedGroup{name, typ}])) {
			if _, touched := p.touched[owner]; !touched {
				missing(name, typ, owner)
			}
		}
	}
	return faults
}

// namedBalancer is what DNS knows of a load balancer.
type namedBalancer struct {
	zone      string // hosted zone id of its name
	ipv4      string
	ipv6      string // empty for none
	unhealthy bool
}

// balancerTTL is the TTL of a load balancer's name, and so of aliases to it.
const balancerTTL = 60

// balancerName takes the prefix off that a console puts before the name of a
// load balancer.
func balancerName(name string) string { return strings.TrimPrefix(name, "dualstack.") }

// namesLocked returns the load balancers by their DNS names; the caller holds
// mu. A load balancer is healthy when each target group that it forwards to, at
// whatever weight, has a healthy target; one without targets has none.
// API reference of Route 53, AliasTarget, EvaluateTargetHealth.
func (s *elbStore) namesLocked() map[string]namedBalancer {
	names := map[string]namedBalancer{}
	for _, a := range s.accounts {
		for _, b := range a.balancers.all {
			names[queryName(b.dnsName)] = namedBalancer{zone: canonicalZone(s.opts.Region, b.kind), ipv4: b.address, ipv6: s.opts.LoadBalancerIPv6(b.name)}
		}
		for _, g := range a.groups.all {
			if g.balancer == nil || slices.ContainsFunc(g.targets, func(t *target) bool { return t.state == routing.Healthy }) {
				continue
			}
			name := queryName(g.balancer.dnsName)
			b := names[name]
			b.unhealthy = true
			names[name] = b
		}
	}
	return names
}

// named returns the load balancer of a DNS name in lower case with a final dot.
func (s *elbStore) named(dnsName string) (namedBalancer, bool) {
	b, ok := s.snapshot().names[balancerName(dnsName)]
	return b, ok
}
