package aws

import (
	"slices"
	"strings"
)

// zoneSets are the record sets of a zone. They are kept in the order of a
// listing, and a batch touches only its own names, so that neither costs more in
// a large zone.
type zoneSets struct {
	members map[string][]recordSet // by name; sorted by type and identifier, never changed in place
	order   []orderedName          // all names in the order of a listing
	total   int
	aliases map[aliasedGroup]map[string]struct{} // the names with an alias to that group of this zone
}

type orderedName struct{ order, name string }

// aliasedGroup is a group of record sets that an alias of the same zone names.
type aliasedGroup struct{ name, typ string }

func newZoneSets() *zoneSets {
	return &zoneSets{members: map[string][]recordSet{}, aliases: map[aliasedGroup]map[string]struct{}{}}
}

// at returns the sets of one name in the order of a listing; not to be changed.
func (s *zoneSets) at(name string) []recordSet { return s.members[name] }

// page returns up to n sets in the order of a listing, from the first at or
// after start.
func (s *zoneSets) page(start recordSet, n int) []recordSet {
	out := make([]recordSet, 0, min(n, s.total))
	from, _ := slices.BinarySearchFunc(s.order, start.order, func(o orderedName, order string) int {
		return strings.Compare(o.order, order)
	})
	for _, at := range s.order[from:] {
		for _, r := range s.members[at.name] {
			if len(out) == n {
				return out
			}
			if at.order != start.order || compareSets(r, start) >= 0 {
				out = append(out, r)
			}
		}
	}
	return out
}

// apply makes the planned members of some names those of the zone with this id.
func (s *zoneSets) apply(id string, planned map[string][]recordSet) {
	var added []orderedName
	gone := map[string]struct{}{}
	for name, sets := range planned {
		old, existed := s.members[name]
		s.total += len(sets) - len(old)
		s.forgetAliases(id, name, old)
		switch {
		case len(sets) == 0:
			delete(s.members, name)
			if existed {
				gone[name] = struct{}{}
			}
			continue
		case !existed:
			added = append(added, orderedName{sets[0].order, name})
		}
		s.members[name] = sets
		s.rememberAliases(id, name, sets)
	}
	if len(added)+len(gone) > 0 {
		s.reorder(added, gone)
	}
}

func (s *zoneSets) forgetAliases(id, name string, sets []recordSet) {
	for _, r := range sets {
		if r.alias.zone == id {
			delete(s.aliases[aliasedGroup{r.alias.name, r.typ}], name)
		}
	}
}

func (s *zoneSets) rememberAliases(id, name string, sets []recordSet) {
	for _, r := range sets {
		if r.alias.zone != id {
			continue
		}
		target := aliasedGroup{r.alias.name, r.typ}
		if s.aliases[target] == nil {
			s.aliases[target] = map[string]struct{}{}
		}
		s.aliases[target][name] = struct{}{}
	}
}

// reorder merges new names into the order and leaves those out that went.
func (s *zoneSets) reorder(added []orderedName, gone map[string]struct{}) {
	slices.SortFunc(added, func(a, b orderedName) int { return strings.Compare(a.order, b.order) })
	merged := make([]orderedName, 0, len(s.order)+len(added)-len(gone))
	for _, old := range s.order {
		for len(added) > 0 && added[0].order < old.order {
			merged, added = append(merged, added[0]), added[1:]
		}
		if _, went := gone[old.name]; !went {
			merged = append(merged, old)
		}
	}
	s.order = append(merged, added...)
}

// batchPlan is what a batch would make of the names that it touches. The zone
// itself is only read, so a refused batch leaves no trace.
type batchPlan struct {
	zone     *hostedZone
	balancer func(dnsName string) (namedBalancer, bool)
	touched  map[string][]recordSet
}

func (p *batchPlan) at(name string) []recordSet {
	if sets, ok := p.touched[name]; ok {
		return sets
	}
	return p.zone.sets.at(name)
}

// group returns the planned sets of one name and type.
func (p *batchPlan) group(name, typ string) []recordSet {
	sets := p.at(name)
	from, _ := slices.BinarySearchFunc(sets, memberKey{typ: typ}, compareMembers)
	to := from
	for to < len(sets) && sets[to].typ == typ {
		to++
	}
	return sets[from:to]
}

func (p *batchPlan) get(r recordSet) (recordSet, bool) {
	sets := p.at(r.name)
	if i, ok := slices.BinarySearchFunc(sets, r.member(), compareMembers); ok {
		return sets[i], true
	}
	return recordSet{}, false
}

// put stores r in place of what had its key.
func (p *batchPlan) put(r recordSet) {
	sets := p.own(r.name)
	r.order = sortName(r.name)
	i, exists := slices.BinarySearchFunc(sets, r.member(), compareMembers)
	if exists {
		sets[i] = r
		return
	}
	p.touched[r.name] = slices.Insert(sets, i, r)
}

// remove takes away what has r's key.
func (p *batchPlan) remove(r recordSet) {
	sets := p.own(r.name)
	if i, exists := slices.BinarySearchFunc(sets, r.member(), compareMembers); exists {
		p.touched[r.name] = slices.Delete(sets, i, i+1)
	}
}

// own returns members that the plan may change: a copy at the first touch.
func (p *batchPlan) own(name string) []recordSet {
	sets, ok := p.touched[name]
	if !ok {
		sets = slices.Clone(p.zone.sets.at(name))
		p.touched[name] = sets
	}
	return sets
}
