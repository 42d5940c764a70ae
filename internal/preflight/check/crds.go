package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The codes of CustomResourceDefinitions.
const (
	CRDVersionGone        finding.Code = "CRDVersionGone"
	CRDVersionUnused      finding.Code = "CRDVersionUnused"
	CRDStoredVersionGone  finding.Code = "CRDStoredVersionGone"
	CRDScopeDiffers       finding.Code = "CRDScopeDiffers"
	CRDNamesDiffer        finding.Code = "CRDNamesDiffer"
	CRDNotEstablished     finding.Code = "CRDNotEstablished"
	CRDConversionBroken   finding.Code = "CRDConversionBroken"
	CRDConversionDiffers  finding.Code = "CRDConversionDiffers"
	CRDSubresourcesDiffer finding.Code = "CRDSubresourcesDiffer"
	CRDFieldRemoved       finding.Code = "CRDFieldRemoved"
	CRDUnknownFieldsLost  finding.Code = "CRDUnknownFieldsLost"
	CRDTypeNarrowed       finding.Code = "CRDTypeNarrowed"
	CRDFieldRequired      finding.Code = "CRDFieldRequired"
	CRDValuesNarrowed     finding.Code = "CRDValuesNarrowed"
	CRDDefaultDiffers     finding.Code = "CRDDefaultDiffers"
	CRDMoreDifferences    finding.Code = "CRDMoreDifferences"
	CRDAdditions          finding.Code = "CRDAdditions"
)

// mostDifferences bounds what is listed of one version of a CRD.
const mostDifferences = 20

func crdsCheck() Check {
	const alike = "Install the CRD of the same release in green, or update its users to what green's takes."
	return Check{
		Name: "crds", Answers: "Do green's CRDs take and keep all that blue's take?", Run: crds,
		Codes: []finding.Doc{
			{Code: CRDVersionGone, Meaning: "Blue serves a version of a CRD that green doesn't, and objects are stored or written in it.", Do: alike},
			{Code: CRDVersionUnused, Meaning: "Blue serves a version of a CRD that green doesn't, and nobody was seen to use it.", Do: "Nothing, unless you know of a user."},
			{Code: CRDStoredVersionGone, Meaning: "Some objects of blue may still be stored in a version that green's CRD doesn't have.", Do: "Nothing, unless a backup of blue's etcd is to be restored in green."},
			{Code: CRDScopeDiffers, Meaning: "A CRD's objects live in namespaces in one cluster and not in the other.", Do: alike},
			{Code: CRDNamesDiffer, Meaning: "A CRD gives its kind other names in green.", Do: alike},
			{Code: CRDNotEstablished, Meaning: "Green has the CRD, but its API server doesn't serve it.", Do: "Look at the conditions of the CRD in green."},
			{Code: CRDConversionBroken, Meaning: "A CRD in green is converted by a webhook that can't be called, so that its objects can't be read in all versions.", Do: "Install the webhook's service in green, or have its certificates injected into the CRD."},
			{Code: CRDConversionDiffers, Meaning: "Blue converts the versions of a CRD by a webhook, and green doesn't convert them.", Do: alike},
			{Code: CRDSubresourcesDiffer, Meaning: "A version of a CRD has other subresources in green.", Do: alike},
			{Code: CRDFieldRemoved, Meaning: "A field of blue's CRD is missing in green's, which drops it silently.", Do: alike},
			{Code: CRDUnknownFieldsLost, Meaning: "Blue's CRD keeps fields that it doesn't name, and green's drops them silently.", Do: alike},
			{Code: CRDTypeNarrowed, Meaning: "A field has another type in green, which refuses values that blue takes.", Do: alike},
			{Code: CRDFieldRequired, Meaning: "Green's CRD demands a field that blue's doesn't, and has no default for it.", Do: alike},
			{Code: CRDValuesNarrowed, Meaning: "Green's CRD takes fewer values of a field than blue's.", Do: alike},
			{Code: CRDDefaultDiffers, Meaning: "A field that is left out gets another value in green.", Do: alike},
			{Code: CRDMoreDifferences, Meaning: "A version of a CRD has more differences than are listed one by one.", Do: alike},
			{Code: CRDAdditions, Meaning: "Green's CRD has or takes more than blue's.", Do: "Nothing: what blue takes is taken in green. On the way back blue drops what it doesn't know."},
		},
	}
}

// crds compares the CRDs that both clusters have. One that green lacks is the
// parity's to tell.
func crds(f *facts.Facts) []finding.Finding {
	if !listedCRDs(&f.Blue) || !listedCRDs(&f.Green) {
		return nil // coverage says so
	}
	var found []finding.Finding
	for _, name := range sortedKeys(f.Blue.CRDs, strings.Compare) {
		green, there := f.Green.CRDs[name]
		if !there || f.Settings.Ignores(crdKind(), facts.Name{Name: name}) {
			continue
		}
		p := crdPair{f: f, name: name, blue: f.Blue.CRDs[name], green: green}
		for _, judge := range []func() []finding.Finding{p.identity, p.versions, p.conversion, p.schemas} {
			found = append(found, judge()...)
		}
	}
	return found
}

func listedCRDs(c *facts.Cluster) bool {
	_, known := c.Objects[crdKind()]
	return known && c.Fault == ""
}

func crdKind() facts.GroupKind {
	return facts.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}
}

// crdPair is one CRD in both clusters.
type crdPair struct {
	f           *facts.Facts
	name        string
	blue, green facts.CRD
}

func (p crdPair) finding(code finding.Code, severity finding.Severity, detail, message string) finding.Finding {
	x := finding.New(code, severity, finding.Of(crdKind(), facts.Name{Name: p.name}), detail)
	x.Side, x.Message = shift.Green, message
	for _, doc := range crdsCheck().Codes {
		if doc.Code == code {
			x.Do = doc.Do
		}
	}
	return x
}

// identity compares scope and names.
func (p crdPair) identity() []finding.Finding {
	var found []finding.Finding
	if p.blue.Namespaced != p.green.Namespaced {
		found = append(found, p.finding(CRDScopeDiffers, finding.Block, "", fmt.Sprintf("%s is %s in blue and %s in green", p.name, scopeText(p.blue), scopeText(p.green))))
	}
	for _, n := range []struct{ what, blue, green string }{
		{"kind", p.blue.Kind, p.green.Kind}, {"listKind", p.blue.ListKind, p.green.ListKind}, {"plural", p.blue.Plural, p.green.Plural},
	} {
		if n.blue != n.green {
			found = append(found, p.finding(CRDNamesDiffer, finding.Block, n.what, fmt.Sprintf("the %s of %s is %s in blue and %s in green", n.what, p.name, n.blue, n.green)))
		}
	}
	// People and scripts use these; clients don't.
	short := lacking(append(slices.Clone(p.blue.ShortNames), p.blue.Singular), append(slices.Clone(p.green.ShortNames), p.green.Singular))
	if len(short) > 0 {
		found = append(found, p.finding(CRDNamesDiffer, finding.Warn, "shortNames", fmt.Sprintf("blue knows %s as %s too, and green doesn't", p.name, named(short))))
	}
	if p.blue.Established && !p.green.Established {
		found = append(found, p.finding(CRDNotEstablished, finding.Block, "", fmt.Sprintf("%s is established in blue and not in green", p.name)))
	}
	return found
}

// served lists the versions that are served.
func served(c facts.CRD) []string {
	var names []string
	for _, name := range sortedKeys(c.Versions, strings.Compare) {
		if c.Versions[name].Served {
			names = append(names, name)
		}
	}
	return names
}

func scopeText(c facts.CRD) string {
	if c.Namespaced {
		return "namespaced"
	}
	return "cluster-wide"
}

// lacking lists what the second lacks, in the order of the first.
func lacking(of, in []string) []string {
	var lacks []string
	for _, s := range of {
		if !slices.Contains(in, s) {
			lacks = append(lacks, s)
		}
	}
	return lacks
}

// versions compares which versions are served.
func (p crdPair) versions() []finding.Finding {
	var found []finding.Finding
	for _, name := range sortedKeys(p.blue.Versions, strings.Compare) {
		blue, green := p.blue.Versions[name], p.green.Versions[name]
		if !blue.Served || green.Served {
			continue
		}
		serving := "green serves only " + strings.Join(served(p.green), " and ")
		writers := p.writers(name)
		switch {
		case len(writers) > 0:
			found = append(found, p.finding(CRDVersionGone, finding.Block, name,
				fmt.Sprintf("objects of %s in blue were last written in %s by %s, and %s", p.name, name, writersText(writers), serving)))
		case p.blue.Storage == name:
			found = append(found, p.finding(CRDVersionGone, finding.Block, name,
				fmt.Sprintf("blue stores %s in %s, and %s", p.name, name, serving)))
		default:
			found = append(found, p.finding(CRDVersionUnused, finding.Note, name,
				fmt.Sprintf("blue serves %s in %s, which nobody was seen to use, and %s", p.name, name, serving)))
		}
	}
	for _, name := range p.blue.Stored {
		if _, there := p.green.Versions[name]; !there && name != p.blue.Storage {
			found = append(found, p.finding(CRDStoredVersionGone, finding.Note, name,
				fmt.Sprintf("some objects of %s may still be stored in %s in blue, which green's CRD doesn't have", p.name, name)))
		}
	}
	return found
}

func (p crdPair) kind() facts.GroupKind {
	return facts.GroupKind{Group: p.blue.Group, Kind: p.blue.Kind}
}

func (p crdPair) writers(version string) []writer {
	return writersOf(&p.f.Blue, facts.VersionKind{GroupKind: p.kind(), Version: version})
}

// conversion judges whether green can convert between its versions.
func (p crdPair) conversion() []finding.Finding {
	service := facts.GroupKind{Kind: "Service"}
	switch {
	case p.blue.Webhook && !p.green.Webhook && len(p.green.Versions) > 1:
		return []finding.Finding{p.finding(CRDConversionDiffers, finding.Warn, "",
			fmt.Sprintf("blue converts the versions of %s by a webhook, and green changes nothing but the version", p.name))}
	case p.green.Converter == nil:
		return nil
	}
	webhook := *p.green.Converter
	if there, known := p.f.Green.Has(service, webhook.Name); known && !there {
		return []finding.Finding{p.finding(CRDConversionBroken, finding.Block, "",
			fmt.Sprintf("green converts %s by the service %s, which green doesn't have", p.name, webhook.Name))}
	}
	if !webhook.Trusted && p.blue.Converter != nil && p.blue.Converter.Trusted {
		return []finding.Finding{p.finding(CRDConversionBroken, finding.Block, "caBundle",
			fmt.Sprintf("the conversion webhook of %s has a caBundle in blue and none in green, so green's API server can't trust it", p.name))}
	}
	return nil
}

// schemas compares the schemas of the versions that both serve.
func (p crdPair) schemas() []finding.Finding {
	var found []finding.Finding
	more := additions{versions: lacking(served(p.green), served(p.blue))}
	for _, name := range sortedKeys(p.blue.Versions, strings.Compare) {
		blue, green := p.blue.Versions[name], p.green.Versions[name]
		if !blue.Served || !green.Served {
			continue
		}
		found = append(found, p.subresources(name, blue, green)...)
		w := walk{}
		w.root(blue.Schema, green.Schema, p.usage(name))
		found = append(found, p.differences(name, w.differences)...)
		more.fields, more.wider = more.fields+w.fields, more.wider+w.wider
	}
	if text := more.text(); text != "" {
		found = append(found, p.finding(CRDAdditions, finding.Note, "", fmt.Sprintf("green's %s has more than blue's: %s", p.name, text)))
	}
	return found
}

func (p crdPair) subresources(version string, blue, green facts.CRDVersion) []finding.Finding {
	var found []finding.Finding
	for _, s := range []struct {
		name        string
		blue, green bool
	}{{"status", blue.Status, green.Status}, {"scale", blue.Scale, green.Scale}} {
		switch {
		case s.blue && !s.green:
			found = append(found, p.finding(CRDSubresourcesDiffer, finding.Block, version+"/"+s.name,
				fmt.Sprintf("%s in %s has the subresource %s in blue and not in green", p.name, version, s.name)))
		case !s.blue && s.green && s.name == "status":
			found = append(found, p.finding(CRDSubresourcesDiffer, finding.Warn, version+"/"+s.name,
				fmt.Sprintf("%s in %s has the subresource status in green alone, which then ignores a status that is written with the rest", p.name, version)))
		}
	}
	return found
}

// differences makes findings, the worst first, and bounds their number.
func (p crdPair) differences(version string, all []difference) []finding.Finding {
	slices.SortStableFunc(all, func(a, b difference) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.path, b.path), cmp.Compare(a.code, b.code))
	})
	var found []finding.Finding
	for _, d := range all[:min(len(all), mostDifferences)] {
		found = append(found, p.finding(d.code, d.severity, version+":"+d.path, fmt.Sprintf("%s of %s in %s: %s", d.path, p.name, version, d.message)))
	}
	if rest := all[len(found):]; len(rest) > 0 {
		var paths []string
		for _, d := range rest {
			paths = append(paths, d.path)
		}
		found = append(found, p.finding(CRDMoreDifferences, rest[0].severity, version,
			fmt.Sprintf("%s in %s has %s more, at %s", p.name, version, quantity(len(rest), "difference"), named(slices.Compact(paths)))))
	}
	return found
}

// additions counts what green has more.
type additions struct {
	versions      []string
	fields, wider int
}

func (a additions) text() string {
	var parts []string
	if len(a.versions) > 0 {
		parts = append(parts, "the version "+named(a.versions))
	}
	if a.fields > 0 {
		parts = append(parts, quantity(a.fields, "field"))
	}
	if a.wider > 0 {
		parts = append(parts, quantity(a.wider, "field")+" with more values")
	}
	return strings.Join(parts, ", ")
}
