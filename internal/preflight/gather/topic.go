package gather

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// topic is what one check needs of a cluster.
type topic struct {
	// whole are the kinds whose objects it needs entire. It is called once for
	// each object, never by two goroutines at a time for one cluster. Built-in
	// kinds come with their own type, others as *unstructured.Unstructured. The
	// object belongs to the caller: keep nothing of it but copies of strings and
	// numbers, so that a page can be thrown away.
	whole map[facts.GroupKind]func(c *facts.Cluster, o runtime.Object)
	// meta is called for each object of each kind, those of whole too.
	meta func(c *facts.Cluster, k facts.Kind, o metav1.Object)
	// also reads what is no object, after all lists.
	also func(ctx context.Context, r *reader, c *facts.Cluster)
}

// topics lists all that are read for the scope. A brief one lists no kind but
// those that its topics need whole.
func topics(o Options) []topic {
	return []topic{
		names(o),
		entrances(o),
		singletons(o),
	}
}

// names keeps the name of every object.
func names(Options) topic {
	return topic{meta: func(c *facts.Cluster, k facts.Kind, o metav1.Object) {
		c.Objects[k.GroupKind][facts.Name{Namespace: o.GetNamespace(), Name: o.GetName()}] = struct{}{}
	}}
}
