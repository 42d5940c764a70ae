package gather

import (
	"encoding/json"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

const (
	// ourManagers begins the names of the field managers that clusterswitch writes
	// with; what it writes is nobody's wish.
	ourManagers = "clusterswitch"
	// mostManagers bounds the managers that are told apart for one version of a
	// kind: names made up by a client must not fill the memory.
	mostManagers = 50
	// otherManagers stands for those beyond.
	otherManagers = "others"
	// mostFields bounds the fields that are kept of one kind.
	mostFields = 5000
)

// apis is which versions of the API are in use, and what CRDs are like. It reads
// every object, so a brief look does without.
func apis(o Options) []topic {
	return []topic{writings(o), fieldUse(o), crds(o), helm(o), deprecatedCalls(o), insights(o), identities(o)}
}

// writings counts the objects by the version in which they were last written.
func writings(o Options) topic {
	settings := o.Settings
	managers := map[facts.VersionKind]int{}
	return topic{meta: func(c *facts.Cluster, k facts.Kind, o metav1.Object) {
		if c.APIs.Written == nil {
			c.APIs.Written = map[facts.Writing]facts.Written{}
		}
		name := nameOf(o)
		if settings.Ignores(k.GroupKind, name) {
			return
		}
		for _, entry := range lastOfEach(o.GetManagedFields()) {
			gv, err := schema.ParseGroupVersion(entry.APIVersion)
			if err != nil {
				continue // it is no version that anybody could ask for
			}
			w := facts.Writing{
				VersionKind: facts.VersionKind{GroupKind: facts.GroupKind{Group: gv.Group, Kind: k.Kind}, Version: gv.Version},
				Manager:     entry.Manager,
			}
			if _, known := c.APIs.Written[w]; !known && managers[w.VersionKind] >= mostManagers {
				w.Manager = otherManagers
			} else if !known {
				managers[w.VersionKind]++
			}
			c.APIs.Written[w] = counted(c.APIs.Written[w], name, entry.Time)
		}
	}}
}

func counted(w facts.Written, name facts.Name, at *metav1.Time) facts.Written {
	if w.Objects == 0 || name.Compare(w.Example) < 0 {
		w.Example = name
	}
	w.Objects++
	if at != nil && at.After(w.Last) {
		w.Last = at.UTC()
	}
	return w
}

// lastOfEach gives each manager's newest entry: a controller that has moved on
// to a newer version leaves its old entry behind, which says nothing any more.
func lastOfEach(entries []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
	var last []metav1.ManagedFieldsEntry
next:
	for _, e := range entries {
		if e.APIVersion == "" || strings.HasPrefix(e.Manager, ourManagers) {
			continue
		}
		for i, had := range last {
			switch {
			case had.Manager != e.Manager:
				continue
			case had.APIVersion == e.APIVersion || older(e.Time, had.Time):
				continue next
			case older(had.Time, e.Time):
				last[i] = e
				continue next
			}
		}
		last = append(last, e)
	}
	return last
}

// older compares times; one that isn't recorded is the oldest.
func older(a, b *metav1.Time) bool { return b != nil && (a == nil || a.Before(b)) }

// fieldUse keeps which fields the objects of custom kinds have, so that a field
// that a CRD loses and nobody sets can be told from one that matters.
func fieldUse(Options) topic {
	recorders := map[facts.GroupKind]*fieldRecorder{}
	return topic{meta: func(c *facts.Cluster, k facts.Kind, o metav1.Object) {
		if scheme.Scheme.Recognizes(schema.GroupVersionKind{Group: k.Group, Version: k.Version, Kind: k.Kind}) {
			return
		}
		r := recorders[k.GroupKind]
		if r == nil {
			r = &fieldRecorder{room: mostFields, last: map[*facts.FieldTree]int{}}
			r.use.Fields, r.use.Versions = &facts.FieldTree{}, map[string]struct{}{}
			recorders[k.GroupKind] = r
		}
		r.object(o)
		if c.APIs.Fields == nil {
			c.APIs.Fields = map[facts.GroupKind]facts.FieldUse{}
		}
		c.APIs.Fields[k.GroupKind] = r.use
	}}
}

// fieldRecorder joins the recorded fields of the objects of one kind.
type fieldRecorder struct {
	use facts.FieldUse
	// room is how many fields more are kept.
	room int
	// last is the number of the object that was last counted at a field.
	last map[*facts.FieldTree]int
}

func (r *fieldRecorder) object(o metav1.Object) {
	r.use.Fields.Objects++
	known := len(o.GetManagedFields()) > 0
	for _, entry := range o.GetManagedFields() {
		gv, err := schema.ParseGroupVersion(entry.APIVersion)
		known = known && err == nil && r.entry(entry)
		r.use.Versions[gv.Version] = struct{}{}
	}
	if !known {
		r.use.Unknown++
	}
}

// entry adds the fields of one manager while there is room; false: not all could
// be added.
func (r *fieldRecorder) entry(entry metav1.ManagedFieldsEntry) bool {
	if entry.FieldsV1 == nil {
		return false
	}
	var tree map[string]any
	if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &tree); err != nil {
		return false
	}
	delete(tree, "f:metadata")
	return r.below(r.use.Fields, tree)
}

// below walks the notation of managedFields: "f:name" is a field, "k:…", "v:…"
// and "i:…" are an item, "." is the thing itself.
func (r *fieldRecorder) below(at *facts.FieldTree, tree map[string]any) bool {
	for key, value := range tree {
		if key == "." {
			continue
		}
		name, isField := strings.CutPrefix(key, "f:")
		if !isField {
			name = "[]"
		}
		field := at.Below[name]
		if field == nil {
			if r.room <= 0 {
				return false
			}
			r.room--
			if at.Below == nil {
				at.Below = map[string]*facts.FieldTree{}
			}
			field = &facts.FieldTree{}
			at.Below[name] = field
		}
		if now := r.use.Fields.Objects; r.last[field] != now {
			r.last[field] = now
			field.Objects++
		}
		deeper, _ := value.(map[string]any)
		field.Open = field.Open || len(deeper) == 0
		if !r.below(field, deeper) {
			return false
		}
	}
	return true
}
