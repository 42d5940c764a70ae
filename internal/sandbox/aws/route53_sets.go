package aws

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// recordSet is one stored resource record set.
type recordSet struct {
	name   string // canonical
	order  string // sortName of the name
	typ    string
	id     string // set identifier; empty for a simple set
	weight *int64 // nil for a simple set
	ttl    int64
	values []string // as sent
}

// memberKey tells apart the record sets of one name.
type memberKey struct{ typ, id string }

func (r recordSet) member() memberKey { return memberKey{r.typ, r.id} }

// equal compares everything that a DELETE must match. The order of the values
// doesn't matter, and two spellings of an address or a name are the same value.
func (r recordSet) equal(other recordSet) bool {
	sameWeight := (r.weight == nil) == (other.weight == nil) && (r.weight == nil || *r.weight == *other.weight)
	return r.name == other.name && r.member() == other.member() && sameWeight && r.ttl == other.ttl &&
		slices.Equal(r.comparableValues(), other.comparableValues())
}

func (r recordSet) comparableValues() []string {
	out := make([]string, 0, len(r.values))
	for _, v := range r.values {
		canonical, err := canonicalValue(r.typ, v)
		if err != nil {
			canonical = v
		}
		out = append(out, canonical)
	}
	slices.Sort(out)
	return out
}

func (r recordSet) wire() xmlRecordSet {
	out := xmlRecordSet{Name: r.name, Type: r.typ, Weight: r.weight, TTL: &r.ttl}
	if r.id != "" {
		out.SetIdentifier = &r.id
	}
	out.ResourceRecords = &struct {
		Records []xmlRecord `xml:"ResourceRecord"`
	}{}
	for _, v := range r.values {
		out.ResourceRecords.Records = append(out.ResourceRecords.Records, xmlRecord{v})
	}
	return out
}

// compareSets orders a listing: reversed labels, then type, then identifier.
func compareSets(a, b recordSet) int {
	return cmp.Or(
		strings.Compare(a.order, b.order),
		strings.Compare(a.typ, b.typ),
		strings.Compare(a.id, b.id),
	)
}

// zoneSets are the record sets of a zone by name. What a zone holds is never
// changed in place: a batch works on a clone, so a refused one leaves no trace.
type zoneSets map[string]map[memberKey]recordSet

// clone returns a copy that put and remove may change.
func (s zoneSets) clone() zoneSets { return maps.Clone(s) }

func (s zoneSets) count() int {
	n := 0
	for _, members := range s {
		n += len(members)
	}
	return n
}

func (s zoneSets) get(r recordSet) (recordSet, bool) {
	found, ok := s[r.name][r.member()]
	return found, ok
}

// put stores r in place of what had its key. The members of the name are copied
// first, because a clone shares them.
func (s zoneSets) put(r recordSet) {
	members := maps.Clone(s[r.name])
	if members == nil {
		members = map[memberKey]recordSet{}
	}
	r.order = sortName(r.name)
	members[r.member()] = r
	s[r.name] = members
}

// remove takes away what has r's key.
func (s zoneSets) remove(r recordSet) {
	members := maps.Clone(s[r.name])
	delete(members, r.member())
	s[r.name] = members
	if len(members) == 0 {
		delete(s, r.name)
	}
}

// sorted returns all sets in the order of a listing.
func (s zoneSets) sorted() []recordSet {
	out := make([]recordSet, 0, s.count())
	for _, members := range s {
		out = slices.AppendSeq(out, maps.Values(members))
	}
	slices.SortFunc(out, compareSets)
	return out
}

// at returns the sets of one name in the order of a listing.
func (s zoneSets) at(name string) []recordSet {
	return slices.SortedFunc(maps.Values(s[name]), compareSets)
}
