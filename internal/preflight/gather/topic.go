package gather

import (
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// topic is what one check needs of a cluster.
//
// Its functions are never called by two goroutines at a time for one cluster,
// and each object is handed out once, even where a list had to be begun again. A
// list that breaks off leaves behind what was handed out until then: its kind
// has no entry in Objects, and a gap.
type topic struct {
	// brief says that it is wanted in a brief scope too, where nothing is listed
	// but the kinds that such topics need whole. They must be cheap: the brief
	// scope is read at each step of a shift.
	brief bool
	// retire says that it is wanted in a scope of Retire.
	retire bool
	// every is called for each object of each kind that is listed, as whole is, after
	// all of these. It makes a scope of Retire list every kind.
	every func(c *facts.Cluster, k facts.GroupKind, o runtime.Object)
	// whole are the kinds whose objects it needs entire. Built-in kinds come with
	// their own type, others as *unstructured.Unstructured. The object belongs to
	// the caller: keep nothing of it but strings, numbers and copies, so that a
	// page can be thrown away.
	whole map[facts.GroupKind]func(c *facts.Cluster, o runtime.Object)
	// meta is called for each object of each kind that is listed, those of whole
	// too.
	meta func(c *facts.Cluster, k facts.Kind, o metav1.Object)
	// also reads what is no object, after all lists.
	also func(ctx context.Context, r *reader, c *facts.Cluster)
}

// topics lists all that are ever read.
func topics(o Options) []topic {
	return append([]topic{
		marks(o), // first: the others pass by what it leaves out
		releases(o),
		parity(o),
		entrances(o),
		singletons(o),
		versions(o),
		settled(o),
		argo(o),
		metricsInUse(o),
		retiring(o),
		references(o), // last: the others may need of an object what this takes off
	}, apis(o)...)
}

// wanted gives the topics of the scope.
func wanted(o Options) []topic {
	return slices.DeleteFunc(topics(o), func(t topic) bool {
		return o.Scope == facts.Brief && !t.brief || o.Scope == facts.Retire && !t.retire
	})
}

// as gives a built-in object its type. A server that prefers a version which
// this program doesn't know hands out something else: then the kind counts as
// not read.
func as[T runtime.Object](c *facts.Cluster, k facts.GroupKind, o runtime.Object) (T, bool) {
	t, ok := o.(T)
	if !ok {
		what := k.String() + " in " + o.GetObjectKind().GroupVersionKind().Version
		if !slices.ContainsFunc(c.Gaps, func(g facts.Gap) bool { return g.What == what }) {
			c.Note(facts.Gap{What: what, Why: "this program doesn't know that version"})
		}
	}
	return t, ok
}
