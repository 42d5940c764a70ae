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
	from   time.Time
	names  map[string]map[string][]routing.RecordSet // by name, then type
	exists map[string]struct{}                       // the names and the empty ones above them
}

// publishLocked schedules the newest state of a zone for the given time; only
// the touched names are built anew. The caller holds mu.
func (s *dnsStore) publishLocked(z *hostedZone, touched []string, from time.Time) {
	view := s.view.Load()
	next := publishedZone{id: z.id, origin: dnsName(z.name)}
	names := map[string]map[string][]routing.RecordSet{}
	if i := slices.IndexFunc(view.zones, func(p publishedZone) bool { return p.id == z.id }); i >= 0 {
		next.versions = view.zones[i].due(s.opts.Now())
		names = maps.Clone(next.versions[len(next.versions)-1].names)
	}
	for _, name := range touched {
		delete(names, dnsName(name))
		if sets := z.sets.at(name); len(sets) > 0 {
			names[dnsName(name)] = publishedSets(sets)
		}
	}
	next.versions = append(next.versions, zoneVersion{from: from, names: names, exists: existing(names, next.origin)})
	s.replaceLocked(z, &next)
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

func publishedSets(sets []recordSet) map[string][]routing.RecordSet {
	byType := map[string][]routing.RecordSet{}
	for _, r := range sets {
		out := routing.RecordSet{
			Name: dnsName(r.name), Type: r.typ, SetIdentifier: r.id,
			TTL: time.Duration(r.ttl) * time.Second,
		}
		if r.weight != nil {
			out.Weighted, out.Weight = true, *r.weight
		}
		for _, v := range r.values {
			out.Values = append(out.Values, zoneFileValue(r.typ, v))
		}
		byType[r.typ] = append(byType[r.typ], out)
	}
	return byType
}

func existing(names map[string]map[string][]routing.RecordSet, origin string) map[string]struct{} {
	out := make(map[string]struct{}, len(names))
	for name := range names {
		for name != origin && name != "" {
			out[name] = struct{}{}
			name = parent(name)
		}
	}
	out[origin] = struct{}{}
	return out
}

// parent cuts the first label off.
func parent(name string) string {
	_, rest, _ := strings.Cut(name, ".")
	return rest
}

// find returns the version in force of the zone that a name belongs to.
func (s *dnsStore) find(name string) (zoneVersion, string, bool) {
	// The view first, then the clock: a view's first version was in force when the
	// view was made, so it isn't later than any clock read after it.
	view := s.view.Load()
	now := s.opts.Now()
	for _, z := range view.zones {
		if !within(name, z.origin) {
			continue
		}
		if v, ok := z.current(now); ok {
			return v, z.origin, true
		}
	}
	return zoneVersion{}, "", false
}

func (s *dnsStore) zoneOf(name string) (string, bool) {
	_, origin, ok := s.find(queryName(name))
	return origin, ok
}

func (s *dnsStore) lookup(name, typ string) []routing.RecordSet {
	name = queryName(name)
	v, _, ok := s.find(name)
	if !ok {
		return nil
	}
	if _, found := v.exists[name]; found {
		return v.names[name][typ]
	}
	sets := slices.Clone(v.names[v.wildcard(name)][typ])
	for i := range sets {
		sets[i].Name = name
	}
	return sets
}

func (s *dnsStore) hasName(name string) bool {
	name = queryName(name)
	v, _, ok := s.find(name)
	if !ok {
		return false
	}
	_, found := v.exists[name]
	return found || v.wildcard(name) != ""
}

// wildcard returns the wildcard name that covers a name that doesn't exist:
// the one directly below its closest existing ancestor (RFC 4592, 3.3.1).
func (v zoneVersion) wildcard(name string) string {
	for name = parent(name); name != ""; name = parent(name) {
		if _, found := v.exists[name]; !found {
			continue
		}
		if _, found := v.names["*."+name]; found {
			return "*." + name
		}
		return ""
	}
	return ""
}

// queryName folds case and adds the final dot, as DNS compares names.
func queryName(name string) string {
	name = strings.ToLower(name)
	if !strings.HasSuffix(name, ".") {
		name += "."
	}
	return name
}
