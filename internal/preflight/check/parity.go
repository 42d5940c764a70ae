package check

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func parityCheck() Check {
	return Check{
		Name: "parity", Answers: "Does green have everything that blue has, and alike?", Run: parity,
		Codes: parityDocs(),
	}
}

func releasesCheck() Check {
	return Check{
		Name: "releases", Answers: "Do both clusters run the same releases?", Brief: true, Run: releases,
		Codes: releaseDocs(),
	}
}

// parity compares all but what releases compares.
func parity(f *facts.Facts) []finding.Finding {
	if f.Blue.Fault != "" || f.Green.Fault != "" {
		return nil // coverage says so
	}
	p := newComparison(f)
	kinds := maps.Clone(p.kinds)
	for _, k := range facts.ReleaseKinds() {
		delete(kinds, k)
	}
	found := p.compare(kinds)
	found = append(found, dataBehind(p)...)
	found = append(found, deadHooks(p)...)
	if !associationsKnown(f) {
		found = append(found, identities(p)...)
	}
	return append(found, uncomparedSecrets(f)...)
}

// releases compares what a release changes. A release that reached only one side
// would be undone, or come too early, with the next step or the way back. It tells
// of whole namespaces, too: they are read at each step.
func releases(f *facts.Facts) []finding.Finding {
	if f.Blue.Fault != "" || f.Green.Fault != "" {
		return nil
	}
	p := newComparison(f)
	kinds := map[facts.GroupKind]struct{}{}
	for _, k := range facts.ReleaseKinds() {
		if _, ok := p.kinds[k]; ok {
			kinds[k] = struct{}{}
		}
	}
	found := append(p.namespaces(), p.compare(kinds)...)
	if f.Settings.Standby {
		for i := range found {
			if found[i].Severity == finding.Block {
				found[i].Severity = finding.Warn
			}
			if found[i].Severity == finding.Warn {
				found[i].Do = "Bring both clusters to one release: a way back would take users to another one than they use now."
			}
		}
	}
	return found
}

// comparison holds what the comparing of one pair needs again and again.
type comparison struct {
	f           *facts.Facts
	blue, green *facts.Cluster
	// kinds are those of which at least one list was read.
	kinds map[facts.GroupKind]struct{}
	// gone are the namespaces that only blue has, extra those that only green has.
	// Both are empty where a list of namespaces was not read.
	gone, extra map[string]struct{}
}

func newComparison(f *facts.Facts) *comparison {
	p := &comparison{
		f: f, blue: &f.Blue, green: &f.Green,
		kinds: map[facts.GroupKind]struct{}{}, gone: map[string]struct{}{}, extra: map[string]struct{}{},
	}
	for _, c := range []*facts.Cluster{p.blue, p.green} {
		for k := range c.Objects {
			p.kinds[k] = struct{}{}
		}
	}
	k := facts.KindNamespace()
	blue, knownBlue := p.blue.Objects[k]
	green, knownGreen := p.green.Objects[k]
	if !knownBlue || !knownGreen {
		return p
	}
	lacking := func(here, there map[facts.Name]struct{}, into map[string]struct{}) {
		for n := range here {
			if _, ok := there[n]; !ok {
				into[n.Name] = struct{}{}
			}
		}
	}
	lacking(blue, green, p.gone)
	lacking(green, blue, p.extra)
	return p
}

// counts tells whether an object of one side takes part in the comparison.
func (p *comparison) counts(c *facts.Cluster, k facts.GroupKind, n facts.Name) bool {
	if _, out := c.Workloads.LeftOut[k][n]; out {
		return false
	}
	if (k == facts.GroupKind{Kind: "Endpoints"}) {
		// Those of a Service with a selector are made from its pods; others without
		// a Service are locks.
		if _, byHand := c.Workloads.WithoutSelector[n]; !byHand {
			return false
		}
	}
	if k == facts.KindClaim() && statefulSetOf(c, n) != "" {
		return false // a StatefulSet makes one for each of its pods
	}
	return p.wanted(k, n)
}

// wanted tells whether the configuration lets an object take part.
func (p *comparison) wanted(k facts.GroupKind, n facts.Name) bool {
	return !p.f.Settings.Ignores(k, n)
}

// counted lists the objects of a kind that take part, sorted.
func (p *comparison) counted(c *facts.Cluster, k facts.GroupKind) []facts.Name {
	var names []facts.Name
	for n := range c.Objects[k] {
		if p.counts(c, k, n) {
			names = append(names, n)
		}
	}
	slices.SortFunc(names, facts.Name.Compare)
	return names
}

// namespaces tells of namespaces that only one side has, with all that is in
// them.
func (p *comparison) namespaces() []finding.Finding {
	k := facts.KindNamespace()
	var found []finding.Finding
	blue, green := p.sizes(p.blue, p.gone), p.sizes(p.green, p.extra)
	for _, name := range slices.Sorted(maps.Keys(p.gone)) {
		n := facts.Name{Name: name}
		if !p.counts(p.blue, k, n) {
			continue
		}
		x := finding.New(NamespaceMissing, finding.Block, finding.Of(k, n), "")
		x.Side, x.Message = shift.Green, fmt.Sprintf("namespace %s is in blue and not in green", name)
		if p.f.Scope == facts.Full {
			x.Message += ", with " + quantity(blue[name], "object")
		}
		found = append(found, described(x))
	}
	for _, name := range slices.Sorted(maps.Keys(p.extra)) {
		n := facts.Name{Name: name}
		if !p.counts(p.green, k, n) {
			continue
		}
		message := fmt.Sprintf("namespace %s is only in green", name)
		if p.f.Scope == facts.Full {
			message += ", with " + quantity(green[name], "object")
		}
		found = append(found, p.extraFinding(k, n, message))
	}
	return found
}

// sizes counts the objects in some namespaces.
func (p *comparison) sizes(c *facts.Cluster, namespaces map[string]struct{}) map[string]int {
	sizes := map[string]int{}
	if len(namespaces) == 0 {
		return sizes
	}
	for k, list := range c.Objects {
		for n := range list {
			if _, ok := namespaces[n.Namespace]; ok && p.counts(c, k, n) {
				sizes[n.Namespace]++
			}
		}
	}
	return sizes
}

// compare compares every object of some kinds.
func (p *comparison) compare(kinds map[facts.GroupKind]struct{}) []finding.Finding {
	var found []finding.Finding
	sorted := slices.SortedFunc(maps.Keys(kinds), func(a, b facts.GroupKind) int { return cmp.Compare(a.String(), b.String()) })
	for _, k := range sorted {
		if k == facts.KindNamespace() {
			continue
		}
		_, knownBlue := p.blue.Objects[k]
		_, knownGreen := p.green.Objects[k]
		switch {
		case knownBlue && knownGreen:
			found = append(found, p.compareKind(k)...)
		case knownBlue && !p.maybeServed(p.green, k):
			found = append(found, p.notServed(k)...)
		case knownGreen && !p.maybeServed(p.blue, k):
			if names := p.counted(p.green, k); len(names) > 0 {
				found = append(found, p.extraFinding(k, facts.Name{}, fmt.Sprintf("only green serves %s, and has %s of it", k, quantity(len(names), "object"))))
			}
		}
	}
	return found
}

// maybeServed tells whether a cluster serves a kind, as far as it could say.
func (p *comparison) maybeServed(c *facts.Cluster, k facts.GroupKind) bool {
	_, unknown := c.Undiscovered[k.Group]
	return unknown || c.Serves(k) != nil
}

func (p *comparison) notServed(k facts.GroupKind) []finding.Finding {
	names := p.counted(p.blue, k)
	if len(names) == 0 {
		return nil
	}
	x := finding.New(KindNotServed, finding.Block, finding.Of(k, facts.Name{}), "")
	x.Side, x.Message = shift.Green, fmt.Sprintf("green doesn't serve %s, of which blue has %s, such as %s", k, quantity(len(names), "object"), names[0])
	x = described(x)
	if served := p.blue.Serves(k); served != nil {
		if gone := (facts.VersionKind{GroupKind: k, Version: served.Version}); removalOf(gone) != nil {
			x.Do = "Move its users in blue on: " + instead(gone, p.green) + "."
		}
	}
	return []finding.Finding{x}
}

// compareKind compares a kind of which both lists were read.
func (p *comparison) compareKind(k facts.GroupKind) []finding.Finding {
	var found []finding.Finding
	for _, n := range p.counted(p.blue, k) {
		_, gone := p.gone[n.Namespace]
		switch _, there := p.green.Objects[k][n]; {
		case there:
			found = append(found, p.aspects(k, n)...)
		case !gone && !p.toldWithKind(k, n) && !anyway(p.blue, k, n):
			found = append(found, p.missing(k, n))
		}
	}
	return append(found, p.onlyInGreen(k)...)
}

func anyway(c *facts.Cluster, k facts.GroupKind, n facts.Name) bool {
	_, there := c.Workloads.Anyway[facts.Object{GroupKind: k, Name: n}]
	return there
}

// toldWithKind tells whether a missing CRD is told of as a kind that green
// doesn't serve.
func (p *comparison) toldWithKind(k facts.GroupKind, n facts.Name) bool {
	if (k != facts.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}) {
		return false
	}
	at := slices.IndexFunc(p.blue.Kinds, func(served facts.Kind) bool { return served.Resource+"."+served.Group == n.Name })
	return at >= 0 && !p.maybeServed(p.green, p.blue.Kinds[at].GroupKind) && len(p.counted(p.blue, p.blue.Kinds[at].GroupKind)) > 0
}

func (p *comparison) missing(k facts.GroupKind, n facts.Name) finding.Finding {
	o := finding.Of(k, n)
	x := finding.New(MissingInGreen, finding.Block, o, "")
	x.Side, x.Message = shift.Green, fmt.Sprintf("%s is in blue and not in green", o)
	if _, ended := p.blue.Workloads.Ended[facts.Object{GroupKind: k, Name: n}]; ended {
		x.Severity, x.Message = finding.Note, fmt.Sprintf("%s ran to its end in blue and is not in green", o)
	}
	return described(x)
}

// mostListed is how many objects of one kind and namespace are told of one by
// one where they are only in green.
const mostListed = 3

func (p *comparison) onlyInGreen(k facts.GroupKind) []finding.Finding {
	by := map[string][]facts.Name{}
	for _, n := range p.counted(p.green, k) {
		_, there := p.blue.Objects[k][n]
		if _, extra := p.extra[n.Namespace]; !there && !extra && !anyway(p.green, k, n) {
			by[n.Namespace] = append(by[n.Namespace], n)
		}
	}
	var found []finding.Finding
	for _, namespace := range slices.Sorted(maps.Keys(by)) {
		names := by[namespace]
		if len(names) > mostListed {
			where := ""
			if namespace != "" {
				where = " in namespace " + namespace
			}
			message := fmt.Sprintf("%s of %s%s are only in green, such as %s", quantity(len(names), "object"), k, where, names[0].Name)
			found = append(found, p.extraFinding(k, facts.Name{Namespace: namespace}, message))
			continue
		}
		for _, n := range names {
			found = append(found, p.extraFinding(k, n, fmt.Sprintf("%s is only in green", finding.Of(k, n))))
		}
	}
	return found
}

func (p *comparison) extraFinding(k facts.GroupKind, n facts.Name, message string) finding.Finding {
	severity := finding.Note
	if p.f.Settings.Standby {
		severity, message = finding.Warn, message+": a way back would lose it"
	}
	x := finding.New(OnlyInGreen, severity, finding.Of(k, n), "")
	x.Side, x.Message = shift.Blue, message
	return described(x)
}
