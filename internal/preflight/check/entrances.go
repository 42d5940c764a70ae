package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The codes of entrances.
const (
	EntranceNotDeclared        finding.Code = "EntranceNotDeclared"
	EntrancesNotMatched        finding.Code = "EntrancesNotMatched"
	NodePortOpen               finding.Code = "NodePortOpen"
	HostNotDeclared            finding.Code = "HostNotDeclared"
	DeclaredEntranceMissing    finding.Code = "DeclaredEntranceMissing"
	TargetGroupOfOtherSide     finding.Code = "TargetGroupOfOtherSide"
	GreenTargetsNotBound       finding.Code = "GreenTargetsNotBound"
	GreenTargetsOfOtherService finding.Code = "GreenTargetsOfOtherService"
)

func entrancesCheck() Check {
	return Check{
		Name: "entrances", Answers: "Do all ways into blue move, and not only some?", Brief: true, Run: entrances,
		Codes: []finding.Doc{
			{Code: EntranceNotDeclared, Meaning: "Users can enter blue by an object that no `traffic` entry of the pair leads to, so they would stay on blue.", Do: "Declare it in `traffic`, or name it in `preflight.entrances` if a declared entrance serves it or nobody comes by it."},
			{Code: EntrancesNotMatched, Meaning: "Where declared entrances lead can't be read, so it isn't known whether they lead to these objects.", Do: "Let AWS be read; the check `traffic` says what is missing."},
			{Code: NodePortOpen, Meaning: "A Service is open on every node's port, although what is in front of it goes to the pods directly.", Do: "Make it ClusterIP, or name it in `preflight.entrances` if nobody comes by its node port."},
			{Code: HostNotDeclared, Meaning: "Blue serves a host name that no declared entrance has, so its users would stay on blue.", Do: "Declare the name in `traffic`, or waive the finding if nobody asks for it or another declared entrance serves it."},
			{Code: DeclaredEntranceMissing, Meaning: "`preflight.entrances` names an object that blue doesn't have.", Do: "Remove it from `preflight.entrances`, or correct its name."},
			{Code: TargetGroupOfOtherSide, Meaning: "A TargetGroupBinding registers one cluster's pods in the other's target group.", Do: "Give each cluster's binding the target group of its own side."},
			{Code: GreenTargetsNotBound, Meaning: "Blue's target group is bound by a TargetGroupBinding, and green has none for its own.", Do: "Create in green a TargetGroupBinding of green's target group."},
			{Code: GreenTargetsOfOtherService, Meaning: "The bindings of blue's and green's target groups name different Services or ports.", Do: "Let both name the same Service, or waive the finding if that is meant."},
		},
	}
}

// entrances looks for ways into blue that would not move.
func entrances(f *facts.Facts) []finding.Finding {
	w := ways{f: f, net: &f.Blue.Network, reach: reachOf(&f.Traffic, shift.Blue), ofServices: map[string]bool{}, fronts: map[facts.Name]front{}}
	if f.Blue.Fault == "" {
		w.index()
		w.services()
		w.ingresses()
		w.gateways()
		w.bindings()
		w.missing()
		w.hosts()
		w.unmatched()
	}
	return slices.Concat(w.found, otherSides(f), greenTargets(f))
}

// ways looks at the ways into blue.
type ways struct {
	f     *facts.Facts
	net   *facts.Network
	reach reach
	// ofServices are the addresses of blue's Services, fronts what is in front of them.
	ofServices map[string]bool
	fronts     map[facts.Name]front
	found      []finding.Finding
	// unclear are objects that may be declared: it isn't known where all entrances
	// lead.
	unclear []string
}

// served tells whether people declared that declared traffic serves an object.
func (w *ways) served(kind string, n facts.Name) bool {
	return slices.ContainsFunc(w.f.Settings.Entrances, func(o facts.Object) bool { return o.Kind == kind && o.Name == n })
}

// undeclared reports a way into blue, or keeps it for later where unknown isn't
// empty.
func (w *ways) undeclared(o finding.Object, unknown []string, how string, internal bool) {
	if len(unknown) > 0 {
		w.unclear = append(w.unclear, o.String())
		return
	}
	x := finding.New(EntranceNotDeclared, finding.Block, o, "")
	x.Side = shift.Blue
	who := "its users"
	if internal {
		who = "it is internal, but whoever comes by it"
	}
	x.Message = fmt.Sprintf("%s of blue %s, and no traffic entry of the pair leads there: %s would stay on blue", o, how, who)
	x.Do = "Declare it in `traffic`, or name it in `preflight.entrances` if a declared entrance serves it or nobody comes by it."
	w.found = append(w.found, x)
}

// carried tells whether blue has anything by which an ingress controller inside
// of it could be reached; that is then judged by itself.
func (w *ways) carried() bool {
	return len(w.net.Services) > 0 || slices.ContainsFunc(w.net.Bindings, func(b facts.Binding) bool { return b.Maker.Kind == "" })
}

// ownBalancer tells of addresses which load balancer they are: that of the object
// itself (true), or that of a Service, or of nodes, which is looked at by itself.
func (w *ways) ownBalancer(addresses []string) bool {
	return slices.ContainsFunc(addresses, func(at string) bool {
		if isAddress(at) || ofCluster(at) {
			return false
		}
		return !w.ofServices[placeOf(at)]
	})
}

// ofCluster tells whether an address is a name of the cluster itself.
func ofCluster(at string) bool {
	return strings.HasSuffix(at, ".svc") || strings.HasSuffix(at, ".cluster.local")
}

func (w *ways) ingresses() {
	for _, i := range w.net.Ingresses {
		o := finding.Of(facts.GroupKind{Group: "networking.k8s.io", Kind: "Ingress"}, i.Name)
		alb := w.makesBalancer(i)
		switch {
		case w.served("Ingress", i.Name) || w.reach.leads(i.Addresses):
		case w.ownBalancer(i.Addresses):
			w.undeclared(o, w.reach.noPlaces, "has the load balancer "+strings.Join(i.Addresses, ", "), i.Internal || w.internal(i.Addresses))
		case alb && len(i.Addresses) == 0:
			w.undeclared(o, w.reach.noPlaces, "asks for a load balancer of its own, which it doesn't name yet", i.Internal)
		case !w.carried():
			w.undeclared(o, w.reach.noPlaces, "lets users in by none of blue's Services and TargetGroupBindings", false)
		}
	}
}

// internal tells whether one of the addresses is a load balancer inside of the
// network. The names of internal application load balancers begin so.
func (w *ways) internal(addresses []string) bool {
	return slices.ContainsFunc(addresses, func(at string) bool {
		if strings.HasPrefix(placeOf(at), "internal-") {
			return true
		}
		for _, b := range w.f.Traffic.Balancers {
			if b.DNSName == placeOf(at) {
				return b.Internal
			}
		}
		return false
	})
}

func (w *ways) gateways() {
	for _, g := range w.net.Gateways {
		o := finding.Of(facts.GroupKind{Group: "gateway.networking.k8s.io", Kind: "Gateway"}, g.Name)
		switch {
		case w.served("Gateway", g.Name) || w.reach.leads(g.Addresses):
		case w.ownBalancer(g.Addresses):
			w.undeclared(o, w.reach.noPlaces, "has the load balancer "+strings.Join(g.Addresses, ", "), w.internal(g.Addresses))
		case len(g.Addresses) == 0:
			w.undeclared(o, w.reach.noPlaces, "names no address yet", false)
		case !slices.ContainsFunc(g.Addresses, func(at string) bool { return !ofCluster(at) }): // nobody enters the cluster by it
		case !w.carried():
			w.undeclared(o, w.reach.noPlaces, "has the address "+strings.Join(g.Addresses, ", "), false)
		}
	}
}

// bindings looks at the TargetGroupBindings that people made. Those that a
// controller made are of an Ingress, Service or Gateway, which is looked at.
func (w *ways) bindings() {
	for _, b := range w.net.Bindings {
		if w.made(b) || w.served("TargetGroupBinding", b.Name) || binds(b, w.reach.groups) {
			continue
		}
		group := b.GroupARN
		if group == "" {
			group = b.GroupName
		}
		w.undeclared(finding.Of(b.GroupKind, b.Name), w.reach.noGroups, "serves the target group "+group, false)
	}
}

// made tells whether the object is there that a binding was made for. People copy
// the labels, so the object must be there.
func (w *ways) made(b facts.Binding) bool {
	m := b.Maker
	switch m.Kind {
	case "Service":
		return slices.ContainsFunc(w.net.Services, func(s facts.Service) bool { return s.Type == "LoadBalancer" && s.Name == m.Name })
	case "Gateway":
		return slices.ContainsFunc(w.net.Gateways, func(g facts.Gateway) bool { return g.Name == m.Name })
	case "Ingress": // of a group of Ingresses in any namespaces where none is named
		return slices.ContainsFunc(w.net.Ingresses, func(i facts.Ingress) bool { return i.Name == m.Name || m.Namespace == "" })
	}
	return false
}

// unmatched says once which objects couldn't be matched.
func (w *ways) unmatched() {
	if len(w.unclear) == 0 {
		return
	}
	x := finding.New(EntrancesNotMatched, finding.Block, finding.Object{Kind: "Cluster", Name: string(shift.Blue)}, "")
	x.Side = shift.Blue
	unknown := slices.Concat(w.reach.noGroups, w.reach.noPlaces)
	slices.Sort(unknown)
	x.Message = fmt.Sprintf("where blue's side of %s leads is not known, so that these ways into blue can't be matched: %s",
		listNames(slices.Compact(unknown)), listNames(w.unclear))
	x.Do = "Let AWS be read; the check `traffic` says what is missing."
	w.found = append(w.found, x)
}

// missing says which objects of `preflight.entrances` aren't there.
func (w *ways) missing() {
	for _, o := range w.f.Settings.Entrances {
		there, known := false, false
		for k, names := range w.f.Blue.Objects {
			if k.Kind == o.Kind {
				_, has := names[o.Name]
				there, known = there || has, true
			}
		}
		if there || !known {
			continue
		}
		x := finding.New(DeclaredEntranceMissing, finding.Note, finding.Of(o.GroupKind, o.Name), "")
		x.Side = shift.Blue
		x.Message = fmt.Sprintf("preflight.entrances names %s, which blue doesn't have", x.Object)
		x.Do = "Remove it from `preflight.entrances`, or correct its name."
		w.found = append(w.found, x)
	}
}

// maxListed is how many names a sentence lists.
const maxListed = 5

// listNames joins names for a sentence, the first ones only where there are many.
func listNames(names []string) string {
	if len(names) > maxListed {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListed], ", "), len(names)-maxListed)
	}
	return strings.Join(names, ", ")
}
