package check

import "github.com/clusterswitch/clusterswitch/internal/preflight/facts"

// usage is what is known of a field's use by blue's objects.
type usage struct {
	// set are the places where it is set; there may be several below a map.
	set []*facts.FieldTree
	// unknown: it may be set for all that is known.
	unknown bool
	// many: an object may have several of it.
	many bool
}

// usage tells which fields objects have in a version. It is known only if there
// are objects, all of them are recorded, and in this version alone, or in others
// alone. Without any object nothing is known: clients may make some at any time.
func (p crdPair) usage(version string) usage {
	use := p.f.Blue.APIs.Fields[p.kind()]
	_, here := use.Versions[version]
	switch {
	case use.Fields == nil, use.Unknown > 0, here && len(use.Versions) > 1, !here && p.blue.Storage == version:
		return usage{unknown: true}
	case !here:
		return usage{}
	}
	return usage{set: []*facts.FieldTree{use.Fields}}
}

// none tells that surely no object has the field.
func (u usage) none() bool { return !u.unknown && len(u.set) == 0 }

// always tells that surely every object that has this has the field below too.
func (u usage) always(name string) bool {
	if u.unknown || u.many || len(u.set) != 1 {
		return false
	}
	below := u.set[0].Below[name]
	return below != nil && below.Objects == u.set[0].Objects
}

// field goes down to a field, or to the items by "[]".
func (u usage) field(name string) usage {
	return u.down(name == "[]", func(t *facts.FieldTree) []*facts.FieldTree {
		if below := t.Below[name]; below != nil {
			return []*facts.FieldTree{below}
		}
		return nil
	})
}

// values goes down to all values of a map.
func (u usage) values() usage {
	return u.down(true, func(t *facts.FieldTree) []*facts.FieldTree {
		var all []*facts.FieldTree
		for _, below := range t.Below {
			all = append(all, below)
		}
		return all
	})
}

func (u usage) down(many bool, next func(*facts.FieldTree) []*facts.FieldTree) usage {
	if u.unknown {
		return u
	}
	below := usage{many: u.many || many}
	for _, t := range u.set {
		if t.Open {
			return usage{unknown: true}
		}
		below.set = append(below.set, next(t)...)
	}
	return below
}
