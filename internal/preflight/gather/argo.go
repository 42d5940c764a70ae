package gather

import (
	"context"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

const argoGroup = "argoproj.io"

func application() facts.GroupKind { return facts.GroupKind{Group: argoGroup, Kind: "Application"} }

func applicationSet() facts.GroupKind {
	return facts.GroupKind{Group: argoGroup, Kind: "ApplicationSet"}
}

// argo keeps the Applications of a cluster that has Argo CD.
func argo(Options) topic {
	return topic{
		whole: map[facts.GroupKind]take{
			application():    takingArgo(application(), addApplication),
			applicationSet(): takingArgo(applicationSet(), addApplicationSet),
		},
		also: func(_ context.Context, _ *reader, c *facts.Cluster) { c.Argo.Served = c.Serves(application()) != nil },
	}
}

func takingArgo(k facts.GroupKind, add func(*facts.Argo, *unstructured.Unstructured)) take {
	return func(c *facts.Cluster, o runtime.Object) {
		if u, ok := as[*unstructured.Unstructured](c, k, o); ok {
			add(&c.Argo, u)
		}
	}
}

// ManagementOptions say what to read of the management cluster.
type ManagementOptions struct {
	// Namespaces are those with Applications. Empty: all.
	Namespaces []string
	// Timeout bounds the reading; at least a second.
	Timeout time.Duration
}

// Management reads the Argo CD Applications and ApplicationSets of the
// management cluster, and nothing else of it. It needs the right to list both in
// the namespaces. A cluster without Argo CD has none, which is no gap.
func Management(ctx context.Context, from Source, o ManagementOptions) facts.Cluster {
	c := facts.Cluster{Name: from.Name, Fault: from.Fault}
	if from.Config == nil {
		return c
	}
	c.Address = from.Config.Host
	o.Timeout = max(o.Timeout, time.Second)
	ctx, done := context.WithTimeout(ctx, o.Timeout)
	defer done()
	r, err := newReader(from.Config, Options{Timeout: o.Timeout})
	if err != nil {
		c.Fault = why(err)
		return c
	}
	namespaces := o.Namespaces
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	limit := min(helloWithin, o.Timeout)
	asking, answered := context.WithTimeout(ctx, limit)
	defer answered()
	serves, err := r.servesArgo(asking)
	if err != nil {
		c.Fault = "asking whether it has Argo CD: " + within(asking, limit, err)
		return c
	}
	adding := map[string]func(*facts.Argo, *unstructured.Unstructured){"applications": addApplication, "applicationsets": addApplicationSet}
	for _, k := range serves {
		add, wanted := adding[k.Resource]
		if !wanted {
			continue
		}
		c.Argo.Served = true
		for _, namespace := range namespaces {
			err := r.pages(ctx, selection{Kind: k, namespace: namespace, whole: true}, func(page []runtime.Object) error {
				for _, o := range page {
					if u, ok := as[*unstructured.Unstructured](&c, k.GroupKind, o); ok {
						add(&c.Argo, u)
					}
				}
				return nil
			})
			if err != nil {
				what := k.Resource + dotted(k.Group)
				c.Note(facts.Gap{What: strings.TrimSuffix(what+" in "+namespace, " in "), Why: r.whyNotListed(ctx, what, err)})
			}
		}
	}
	slices.SortFunc(c.Gaps, func(a, b facts.Gap) int { return strings.Compare(a.What, b.What) })
	return c
}

// servesArgo gives the kinds of Argo CD's group; none: it isn't installed.
func (r *reader) servesArgo(ctx context.Context) ([]facts.Kind, error) {
	list, err := r.discovery.ServerResourcesForGroupVersionWithContext(ctx, argoGroup+"/v1alpha1")
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var c facts.Cluster
	kindsOf(&c)(list)
	return c.Kinds, nil
}

// addApplication keeps what says whether an Application got where it should.
func addApplication(to *facts.Argo, u *unstructured.Unstructured) {
	a := facts.Application{
		Name: nameOf(u), UID: string(u.GetUID()), Deleting: u.GetDeletionTimestamp() != nil,
		Project: textAt(u.Object, "spec", "project"),
		Destination: facts.Destination{
			Server:    textAt(u.Object, "spec", "destination", "server"),
			Cluster:   textAt(u.Object, "spec", "destination", "name"),
			Namespace: textAt(u.Object, "spec", "destination", "namespace"),
		},
		Sources:          sourcesIn(u.Object, "spec"),
		Sync:             textAt(u.Object, "status", "sync", "status"),
		Health:           textAt(u.Object, "status", "health", "status"),
		HealthMessage:    textAt(u.Object, "status", "health", "message"),
		Operation:        textAt(u.Object, "status", "operationState", "phase"),
		OperationMessage: textAt(u.Object, "status", "operationState", "message"),
	}
	for _, owner := range u.GetOwnerReferences() {
		if owner.Kind == "ApplicationSet" {
			a.Set = owner.Name
		}
	}
	compared := sourcesIn(u.Object, "status", "sync", "comparedTo")
	a.Stale = len(compared) > 0 && len(a.Sources) > 0 && !slices.Equal(compared, a.Sources)
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, c := range conditions {
		c, _ := c.(map[string]any)
		// Argo CD names them ComparisonError, SyncError, InvalidSpecError and so on;
		// what ends in Warning stops nothing.
		if kind := textAt(c, "type"); strings.HasSuffix(kind, "Error") {
			a.Errors = append(a.Errors, facts.ArgoError{Type: kind, Message: textAt(c, "message")})
		}
	}
	to.Applications = append(to.Applications, a)
}

// sourcesIn reads the field source or the list sources, which goes before it. An
// Application whose manifests are hydrated tells both in other words, so its
// sources can't be compared and are left out.
func sourcesIn(from map[string]any, path ...string) []facts.ArgoSource {
	found, _, _ := unstructured.NestedFieldNoCopy(from, path...)
	at, _ := found.(map[string]any)
	if _, hydrated := at["sourceHydrator"]; hydrated {
		return nil
	}
	list, _ := at["sources"].([]any)
	if source, ok := at["source"]; ok && len(list) == 0 {
		list = []any{source}
	}
	var sources []facts.ArgoSource
	for _, s := range list {
		s, _ := s.(map[string]any)
		sources = append(sources, facts.ArgoSource{
			Repo: textAt(s, "repoURL"), Path: textAt(s, "path"), Chart: textAt(s, "chart"), Revision: textAt(s, "targetRevision"),
		})
	}
	return sources
}

// addApplicationSet keeps an ApplicationSet that reports an error.
func addApplicationSet(to *facts.Argo, u *unstructured.Unstructured) {
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, c := range conditions {
		c, _ := c.(map[string]any)
		if textAt(c, "type") == "ErrorOccurred" && textAt(c, "status") == "True" {
			to.Sets = append(to.Sets, facts.ApplicationSet{Name: nameOf(u), UID: string(u.GetUID()), Message: sentence(textAt(c, "reason"), textAt(c, "message"))})
		}
	}
}
