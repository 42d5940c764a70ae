package gather

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/pager"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

// pageSize is how many objects one answer holds; kubectl's own. largePageSize is
// that for kinds of whose objects each may have a megabyte.
const (
	pageSize      = 500
	largePageSize = 10
)

// reader reads one cluster.
type reader struct {
	options   Options
	discovery *discovery.DiscoveryClient
	dynamic   dynamic.Interface
	metadata  metadata.Interface
	rest      rest.Interface
	cloud     Cloud // nil: there is none
}

func newReader(config *rest.Config, o Options) (*reader, error) {
	// Every kind is read, deprecated ones too; that is no news for anybody's log.
	config = rest.CopyConfig(config)
	config.WarningHandler = rest.NoWarnings{}
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	d, err := discovery.NewDiscoveryClientForConfigAndClient(config, httpClient)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	all, err := dynamic.NewForConfigAndClient(config, httpClient)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	names, err := metadata.NewForConfigAndClient(config, httpClient)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	return &reader{options: o, discovery: d, dynamic: all, metadata: names, rest: d.RESTClient()}, nil
}

// discover asks what the cluster serves; the answer says why it is unreadable.
func (r *reader) discover(_ context.Context, c *facts.Cluster) (fault string) {
	version, err := r.discovery.ServerVersion()
	if err != nil {
		return "asking its version: " + why(err)
	}
	c.Versions.Server = version.GitVersion
	groups, lists, err := r.discovery.ServerGroupsAndResources()
	if failed, ok := discovery.GroupDiscoveryFailedErrorGroups(err); ok {
		for g, err := range failed {
			c.Note(facts.Gap{What: g.String(), Why: why(err)})
		}
	} else if err != nil {
		return "asking what it serves: " + why(err)
	}
	preferred := map[string]string{}
	for _, g := range groups {
		preferred[g.Name] = g.PreferredVersion.Version
	}
	for _, list := range lists {
		r.addKinds(c, list, preferred)
	}
	slices.SortFunc(c.Kinds, func(a, b facts.Kind) int { return strings.Compare(a.String(), b.String()) })
	return ""
}

func (r *reader) addKinds(c *facts.Cluster, list *metav1.APIResourceList, preferred map[string]string) {
	gv, err := schema.ParseGroupVersion(list.GroupVersion)
	if err != nil {
		c.Note(facts.Gap{What: list.GroupVersion, Why: why(err)})
		return
	}
	for _, resource := range list.APIResources {
		if strings.Contains(resource.Name, "/") || !slices.Contains([]string(resource.Verbs), "list") {
			continue
		}
		k := facts.GroupKind{Group: gv.Group, Kind: resource.Kind}
		if had := c.Serves(k); had != nil {
			had.Served = append(had.Served, gv.Version)
			if gv.Version == preferred[gv.Group] {
				had.Version = gv.Version
			}
			continue
		}
		c.Kinds = append(c.Kinds, facts.Kind{
			GroupKind: k, Version: gv.Version, Served: []string{gv.Version}, Resource: resource.Name, Namespaced: resource.Namespaced,
		})
	}
}

// readAll lists every kind once, and hands each object to the topics.
func (r *reader) readAll(ctx context.Context, topics []topic, c *facts.Cluster) {
	for _, k := range c.Kinds {
		var whole []func(*facts.Cluster, runtime.Object)
		for _, t := range topics {
			if t.whole[k.GroupKind] != nil {
				whole = append(whole, t.whole[k.GroupKind])
			}
		}
		if r.options.Scope == facts.Brief && whole == nil {
			continue
		}
		c.Objects[k.GroupKind] = map[facts.Name]struct{}{}
		err := r.list(ctx, k, whole != nil, func(o runtime.Object) error {
			m, err := meta.Accessor(o)
			if err != nil {
				return err
			}
			for _, t := range topics {
				if t.meta != nil {
					t.meta(c, k, m)
				}
			}
			for _, take := range whole {
				take(c, o)
			}
			return nil
		})
		if err != nil {
			delete(c.Objects, k.GroupKind)
			c.Note(facts.Gap{What: k.Resource + dotted(k.Group), Why: why(err)})
		}
	}
}

func dotted(group string) string {
	if group == "" {
		return ""
	}
	return "." + group
}

func (r *reader) list(ctx context.Context, k facts.Kind, whole bool, each func(runtime.Object) error) error {
	resource := schema.GroupVersionResource{Group: k.Group, Version: k.Version, Resource: k.Resource}
	pages := pager.New(func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
		if !whole {
			return r.metadata.Resource(resource).List(ctx, o)
		}
		return r.dynamic.Resource(resource).List(ctx, o)
	})
	pages.PageSize, pages.PageBufferSize = pageSize, 1
	if whole && large(k.GroupKind) {
		pages.PageSize, pages.PageBufferSize = largePageSize, 0
	}
	return pages.EachListItem(ctx, metav1.ListOptions{}, func(o runtime.Object) error {
		if u, ok := o.(*unstructured.Unstructured); ok {
			return each(typed(u))
		}
		return each(o)
	})
}

// large tells of kinds whose pages must be small, so that they don't fill the
// memory.
func large(k facts.GroupKind) bool { return k.Kind == "CustomResourceDefinition" }

// typed gives a built-in object its own type.
func typed(u *unstructured.Unstructured) runtime.Object {
	o, err := scheme.Scheme.New(u.GroupVersionKind())
	if err != nil {
		return u
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, o); err != nil {
		return u
	}
	return o
}
