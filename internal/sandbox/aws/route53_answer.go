package aws

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// answerer looks up answers in one version of one zone.
type answerer struct {
	zoneVersion
	zone  string // id
	store *dnsStore
}

// find returns the version in force of the zone that a name belongs to.
func (s *dnsStore) find(name string) (answerer, string, bool) {
	// The view first, then the clock: a view's first version was in force when the
	// view was made, so it isn't later than any clock read after it.
	view := s.view.Load()
	now := s.opts.Now()
	for _, z := range view.zones {
		if !within(name, z.origin) {
			continue
		}
		if v, ok := z.current(now); ok {
			return answerer{zoneVersion: v, zone: z.id, store: s}, z.origin, true
		}
	}
	return answerer{}, "", false
}

func (s *dnsStore) zoneOf(name string) (string, bool) {
	name = queryName(name)
	if _, origin, ok := s.find(name); ok {
		return origin, true
	}
	for _, origin := range s.balancerOrigins() {
		if within(name, origin) {
			return origin, true
		}
	}
	return "", false
}

func (s *dnsStore) lookup(name, typ string) []routing.RecordSet {
	name = queryName(name)
	a, _, ok := s.find(name)
	if !ok {
		return s.balancerSets(name, typ)
	}
	if entry, found := a.names[name]; found {
		return a.answer(entry.groups[typ])
	}
	sets := slices.Clone(a.answer(a.names[a.wildcard(name)].groups[typ]))
	for i := range sets {
		sets[i].Name = name
	}
	return sets
}

func (s *dnsStore) hasName(name string) bool {
	name = queryName(name)
	a, _, ok := s.find(name)
	if !ok {
		_, known := s.balancers.named(name)
		return known || slices.Contains(s.balancerOrigins(), name)
	}
	_, found := a.names[name]
	return found || a.wildcard(name) != ""
}

// wildcard returns the wildcard name that covers a name that doesn't exist:
// the one directly below its closest existing ancestor (RFC 4592, 3.3.1).
func (v zoneVersion) wildcard(name string) string {
	for name = parent(name); name != ""; name = parent(name) {
		if _, found := v.names[name]; !found {
			continue
		}
		if _, found := v.names["*."+name]; found {
			return "*." + name
		}
		return ""
	}
	return ""
}

// answer completes the record sets of a group with what they depend on now.
func (a answerer) answer(group publishedGroup) []routing.RecordSet {
	if group.stored == nil {
		return group.sets
	}
	out := slices.Clone(group.sets)
	for i, r := range group.stored {
		out[i].Unhealthy = a.unhealthy(r)
		if r.isAlias() {
			out[i].Targets = a.targets(r)
		}
	}
	return out
}

// unhealthy reports whether the health check of a record set fails, or the
// target of an alias that evaluates it. Without either it is always healthy.
func (a answerer) unhealthy(r recordSet) bool {
	if r.healthCheck != "" && a.store.fails(r.healthCheck) {
		return true
	}
	if !r.alias.evaluate {
		return false
	}
	if r.alias.zone != a.zone {
		b, found := a.store.balancers.named(r.alias.name)
		return !found || b.unhealthy
	}
	// A group is as healthy as the best of its members.
	target := a.names[dnsName(r.alias.name)].groups[r.typ]
	if target.stored == nil {
		return len(target.sets) == 0
	}
	return !slices.ContainsFunc(target.stored, func(r recordSet) bool { return !a.unhealthy(r) })
}

func (a answerer) targets(r recordSet) []routing.RecordSet {
	if r.alias.zone == a.zone {
		return a.answer(a.names[dnsName(r.alias.name)].groups[r.typ])
	}
	b, _ := a.store.balancers.named(r.alias.name)
	return b.sets(r.alias.name, r.typ)
}

// sets returns the addresses of a load balancer under one of its names.
func (b namedBalancer) sets(name, typ string) []routing.RecordSet {
	address := map[string]string{"A": b.ipv4, "AAAA": b.ipv6}[typ]
	if ip, err := netip.ParseAddr(address); err != nil || ip.Is4() != (typ == "A") {
		return nil
	}
	return []routing.RecordSet{{Name: name, Type: typ, TTL: balancerTTL * time.Second, Values: []string{address}}}
}

// balancerOrigins are the zones of the load balancers' own names: application
// and network load balancers have one each.
func (s *dnsStore) balancerOrigins() []string {
	return []string{s.opts.Region + ".elb.amazonaws.com.", "elb." + s.opts.Region + ".amazonaws.com."}
}

// balancerSets answers from the zones of the load balancers' own names.
func (s *dnsStore) balancerSets(name, typ string) []routing.RecordSet {
	if typ == "SOA" && slices.Contains(s.balancerOrigins(), name) {
		return []routing.RecordSet{{Name: name, Type: typ, TTL: balancerTTL * time.Second, Values: []string{
			"ns-1.awsdns-00.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 60",
		}}}
	}
	b, _ := s.balancers.named(name)
	return b.sets(name, typ)
}

// queryName folds case and adds the final dot, as DNS compares names.
func queryName(name string) string {
	name = strings.ToLower(name)
	if !strings.HasSuffix(name, ".") {
		name += "."
	}
	return name
}
