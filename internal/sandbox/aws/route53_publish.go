package aws

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/routing"
)

// dnsView is what the name servers know: an immutable snapshot that is swapped
// whole, since every DNS query reads it.
type dnsView struct {
	zones []publishedZone // the deepest origins first
}

// publishedZone is the published history of a zone: the version in force, then
// those that are still PENDING. A version comes into force by the passing of
// time alone, so publishing needs no timer.
type publishedZone struct {
	id, origin string
	versions   []zoneVersion
}

type zoneVersion struct {
	from  time.Time
	names map[string]publishedName // with the empty ones above them
}

// publishedName is what a name has. One without groups is empty, but exists.
type publishedName struct {
	below  int // how many names with record sets it stands for, itself included
	groups map[string]publishedGroup
}

// publishedGroup has the record sets of one name and type, in the order of their
// identifiers.
type publishedGroup struct {
	sets []routing.RecordSet
	// stored are the sets as they are stored, or nil where the answer never depends
	// on health or on another record set.
	stored []recordSet
}

// publishLocked schedules the newest state of a zone for the given time; only
// the touched names are built anew. The caller holds mu.
func (s *dnsStore) publishLocked(z *hostedZone, touched []string, from time.Time) {
	if z.vpc != nil {
		return
	}
	view := s.view.Load()
	next := publishedZone{id: z.id, origin: dnsName(z.name)}
	names := map[string]publishedName{}
	if i := slices.IndexFunc(view.zones, func(p publishedZone) bool { return p.id == z.id }); i >= 0 {
		next.versions = view.zones[i].due(s.opts.Now())
		names = maps.Clone(next.versions[len(next.versions)-1].names)
	}
	for _, name := range touched {
		publishName(names, next.origin, dnsName(name), publishedGroups(z.sets.at(name)))
	}
	next.versions = append(next.versions, zoneVersion{from: from, names: names})
	s.replaceLocked(z, &next)
}

// publishName replaces what a name has, and keeps the count of the names above
// it up to the origin, which always exists.
func publishName(names map[string]publishedName, origin, name string, groups map[string]publishedGroup) {
	entry := names[name]
	had, has := len(entry.groups) > 0, len(groups) > 0
	entry.groups = groups
	names[name] = entry
	if had == has && had {
		return
	}
	for at := name; ; at = parent(at) {
		entry := names[at]
		switch {
		case has && !had:
			entry.below++
		case had && !has:
			entry.below--
		}
		names[at] = entry
		if entry.below == 0 && at != origin {
			delete(names, at)
		}
		if at == origin {
			return
		}
	}
}

// withdrawLocked takes a deleted zone out of the view; the caller holds mu.
func (s *dnsStore) withdrawLocked(z *hostedZone) { s.replaceLocked(z, nil) }

func (s *dnsStore) replaceLocked(z *hostedZone, next *publishedZone) {
	zones := slices.DeleteFunc(slices.Clone(s.view.Load().zones), func(p publishedZone) bool { return p.id == z.id })
	if next != nil {
		zones = append(zones, *next)
	}
	slices.SortStableFunc(zones, func(a, b publishedZone) int {
		return cmp.Or(cmp.Compare(strings.Count(b.origin, "."), strings.Count(a.origin, ".")), strings.Compare(a.origin, b.origin), strings.Compare(a.id, b.id))
	})
	s.view.Store(&dnsView{zones: zones})
}

// due returns a copy of the versions that are in force now or will be.
func (p publishedZone) due(now time.Time) []zoneVersion {
	inForce := 0
	for i, v := range p.versions {
		if !v.from.After(now) {
			inForce = i
		}
	}
	return slices.Clone(p.versions[inForce:])
}

// current returns the version in force; false for a zone that is still PENDING.
func (p publishedZone) current(now time.Time) (zoneVersion, bool) {
	for _, v := range slices.Backward(p.versions) {
		if !v.from.After(now) {
			return v, true
		}
	}
	return zoneVersion{}, false
}

func publishedGroups(sets []recordSet) map[string]publishedGroup {
	if len(sets) == 0 {
		return nil
	}
	groups := map[string]publishedGroup{}
	for start := 0; start < len(sets); {
		end := start
		var group publishedGroup
		depends := false
		for end < len(sets) && sets[end].typ == sets[start].typ {
			group.sets = append(group.sets, sets[end].published())
			depends = depends || sets[end].isAlias() || sets[end].healthCheck != ""
			end++
		}
		if depends {
			group.stored = sets[start:end]
		}
		groups[sets[start].typ] = group
		start = end
	}
	return groups
}

// published is the part of an answer that doesn't depend on health.
func (r recordSet) published() routing.RecordSet {
	out := routing.RecordSet{
		Name: dnsName(r.name), Type: r.typ, SetIdentifier: r.id, Alias: r.isAlias(),
		MultiValue: r.multi, Secondary: r.failover == "SECONDARY", TTL: time.Duration(r.ttl) * time.Second,
	}
	if r.weight != nil {
		out.Weighted, out.Weight = true, *r.weight
	}
	for _, v := range r.values {
		out.Values = append(out.Values, zoneFileValue(r.typ, v))
	}
	return out
}

// parent cuts the first label off.
func parent(name string) string {
	_, rest, _ := strings.Cut(name, ".")
	return rest
}
