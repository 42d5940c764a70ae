package retire

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The codes of references.
const (
	RefersToBlue       finding.Code = "RefersToBlue"
	AddressOfBlue      finding.Code = "AddressOfBlue"
	MoreReferences     finding.Code = "MoreReferences"
	SecretsNotSearched finding.Code = "SecretsNotSearched"
	NoWords            finding.Code = "NoWords"
)

func referencesCheck() Check {
	return Check{
		Name: "references", Answers: "Does nothing in green refer to blue?", run: references,
		Codes: []finding.Doc{
			{Code: RefersToBlue, Meaning: "An object in green names blue: its API server, a load balancer, its name, or one of `retire.names`.", Do: "Let it lead to green, or name it in `retire.ignore`."},
			{Code: AddressOfBlue, Meaning: "An EndpointSlice in green points to an address of blue.", Do: "Let it lead to green, or name it in `retire.ignore`."},
			{Code: MoreReferences, Meaning: "More objects refer to blue than are listed.", Do: "Mend those that are listed, and run the check again."},
			{Code: SecretsNotSearched, Meaning: "Secrets of green were not searched.", Do: "Set `preflight.secrets: digests` to have them searched."},
			{Code: NoWords, Meaning: "Nothing is known by which green could refer to blue.", Do: "Configure `retire.names`."},
		},
	}
}

// shortestWord is the least length, in bytes, of a cluster's own name that is
// looked for: blue is a word of any text. What people name counts as it is.
const shortestWord = 6

// WordsOptions say by what objects may refer to a cluster.
type WordsOptions struct {
	// Address is the URL of its API server, Names are the cluster's.
	Address string
	Names   []string
	// Extra are those of `retire.names`.
	Extra []string
	// Network has the addresses of its objects.
	Network *facts.Network
	// Entrances are those of the pairs, for their blue records.
	Entrances []facts.Entrance
}

// Words gives the texts by which objects may refer to a cluster.
func Words(o WordsOptions) []facts.Word {
	var words []facts.Word
	add := func(text, means string, least int) {
		text = strings.ToLower(strings.TrimSpace(text))
		if len(text) >= least && !slices.ContainsFunc(words, func(w facts.Word) bool { return w.Text == text }) {
			words = append(words, facts.Word{Text: text, Means: means})
		}
	}
	if u, err := url.Parse(o.Address); err == nil && !loopback(u.Hostname()) {
		add(u.Hostname(), "the address of blue's API server", shortestWord)
	}
	for _, name := range o.Names {
		add(name, "the name of the cluster", shortestWord)
		add(path.Base(name), "the name of the cluster", shortestWord)
	}
	for _, name := range o.Extra {
		add(name, "a name of `retire.names`", 1)
	}
	for _, open := range openObjects(o.Network) {
		for _, at := range open.addresses {
			add(at, "the address of "+open.about.String(), shortestWord)
		}
	}
	for _, e := range o.Entrances {
		for _, r := range e.Records {
			if r.Side != shift.Blue {
				continue
			}
			for _, at := range r.Targets {
				add(at, "where blue's record of entrance "+e.Name+" leads", shortestWord)
			}
		}
	}
	return words
}

// loopback tells of an address that is the same in every cluster.
func loopback(host string) bool {
	return host == "localhost" || strings.HasPrefix(host, "127.") || host == "::1"
}

func references(f *Facts) outcome {
	var o outcome
	for i := range f.Greens {
		g := &f.Greens[i]
		if g.Fault != "" {
			continue // which is a finding of its own
		}
		before := len(o.findings)
		for _, r := range g.Retiring.References {
			about := finding.Of(r.GroupKind, r.Name)
			x := of(RefersToBlue, finding.Block, about, r.Word.Text, fmt.Sprintf("%s in %s names %q, %s, at %s", about, g.Name, r.Word.Text, r.Word.Means, strings.Join(r.Places, ", ")),
				"Let it lead to green, or name it in `retire.ignore` if it may stay.")
			x.Side = shift.Green
			o.add(x)
		}
		if n := g.Retiring.MoreReferences; n > 0 {
			o.add(of(MoreReferences, finding.Block, finding.Object{Kind: "Cluster", Name: g.Name}, "", fmt.Sprintf("%d more references to blue in %s are not listed", n, g.Name), "Mend those that are listed, and run the check again."))
		}
		o.pointers(f, g)
		if len(o.findings) == before {
			o.show(fmt.Sprintf("None of %d objects searched in %s refers to blue.", g.Retiring.Searched, g.Name))
		}
	}
	if !f.SecretsSearched && len(f.Greens) > 0 {
		o.add(of(SecretsNotSearched, finding.Warn, finding.Object{Kind: "Secret"}, "", "Secrets of green were not searched for references to blue", "Set `preflight.secrets: digests` to have their values searched; no value is kept or printed."))
	}
	return o
}

// pointers judges addresses that people pointed to. One that green has itself,
// too, says nothing: networks of pods overlap.
func (o *outcome) pointers(f *Facts, g *facts.Cluster) {
	blue := f.Blue.Retiring.Addresses
	for _, p := range g.Retiring.Pointers {
		_, theirs := blue[p.Address]
		if _, own := g.Retiring.Addresses[p.Address]; !theirs || own {
			continue
		}
		about := finding.Of(p.GroupKind, p.Name)
		x := of(AddressOfBlue, finding.Block, about, p.Address, fmt.Sprintf("%s in %s points to %s, an address of a node or pod of blue", about, g.Name, p.Address), "Let it lead to green, or name it in `retire.ignore` if it may stay.")
		x.Side = shift.Green
		o.add(x)
	}
}

// sortFindings puts the worst first, what is known before what isn't, then by what
// they are about.
func sortFindings(found []Finding) {
	rank := func(x Finding) int {
		switch {
		case x.Severity == finding.Block && !x.Unknown:
			return 0
		case x.Unknown:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), a.Compare(b.Finding), cmp.Compare(a.Message, b.Message))
	})
}
