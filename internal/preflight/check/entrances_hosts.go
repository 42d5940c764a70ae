package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// hosts looks for host names that blue serves and that no declared entrance has.
func (w *ways) hosts() {
	declared, all := declaredHosts(&w.f.Traffic)
	if all {
		return
	}
	users := w.hostUsers()
	exact, patterns := map[string]bool{}, []string{}
	for _, d := range declared {
		if exact[d] = true; strings.ContainsAny(d, "*?") {
			patterns = append(patterns, d)
		}
	}
	for _, host := range slices.Sorted(maps.Keys(users)) {
		// A wildcard record answers for names of any depth below it. RFC 4592, 2.2.1.
		if exact[host] || slices.ContainsFunc(patterns, func(d string) bool { return matchesGlob(d, host) }) {
			continue
		}
		slices.Sort(users[host])
		x := finding.New(HostNotDeclared, finding.Warn, finding.Object{Kind: "Host", Name: host}, "")
		x.Side = shift.Blue
		x.Message = fmt.Sprintf("%s of blue serves the host %s, which no declared entrance has (they have %s): whoever asks for it would stay on blue",
			listNames(slices.Compact(users[host])), host, listNames(declared))
		x.Do = "Declare the name in `traffic`, or waive the finding if nobody asks for it or another declared entrance serves it."
		w.found = append(w.found, x)
	}
}

// declaredHosts are the names of records, and the host patterns of rules. all: an
// entrance takes every host, or isn't known well enough to tell. Without records
// nothing is said of names.
func declaredHosts(t *facts.Traffic) (hosts []string, all bool) {
	records := false
	for _, e := range t.Entrances {
		if e.Route53 != nil {
			records = true
			hosts = append(hosts, e.Route53.Names...)
			continue
		}
		rule := declaredRule(t, e)
		if rule == nil || len(rule.Hosts) == 0 {
			return nil, true
		}
		hosts = append(hosts, rule.Hosts...)
	}
	for i := range hosts {
		hosts[i] = placeOf(hosts[i])
	}
	slices.Sort(hosts)
	return slices.Compact(hosts), !records
}

// hostUsers gives for each host of blue the objects that serve it, but for those
// that people declared.
func (w *ways) hostUsers() map[string][]string {
	users := map[string][]string{}
	add := func(o finding.Object, hosts []string) {
		if w.served(o.Kind, facts.Name{Namespace: o.Namespace, Name: o.Name}) {
			return
		}
		for _, h := range hosts {
			if h = placeOf(h); h != "" && h != "*" && h != "localhost" && !strings.HasSuffix(h, ".local") {
				users[h] = append(users[h], o.String())
			}
		}
	}
	for _, i := range w.net.Ingresses {
		add(finding.Of(facts.GroupKind{Group: "networking.k8s.io", Kind: "Ingress"}, i.Name), i.Hosts)
	}
	for _, g := range w.net.Gateways {
		// A listener for all names below one says nothing of the names that there are.
		hosts := slices.DeleteFunc(slices.Clone(g.Hosts), func(h string) bool { return strings.HasPrefix(h, "*.") })
		add(finding.Of(facts.GroupKind{Group: "gateway.networking.k8s.io", Kind: "Gateway"}, g.Name), hosts)
	}
	for _, r := range w.net.Routes {
		declared := func(g facts.Name) bool { return w.served("Gateway", g) }
		if len(r.Gateways) > 0 && !slices.ContainsFunc(r.Gateways, func(g facts.Name) bool { return !declared(g) }) {
			continue
		}
		add(finding.Of(r.GroupKind, r.Name), r.Hosts)
	}
	return users
}
