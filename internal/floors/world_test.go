package floors_test

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/floors"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

var controlPlane = cptest.Shared{Options: cptest.Options{Name: "floors", CRDs: []*apiextensionsv1.CustomResourceDefinition{scaledObjects()}}}

func TestMain(m *testing.M) { os.Exit(controlPlane.Run(m)) }

// scaledObjects is what counts here of KEDA's definition.
func scaledObjects() *apiextensionsv1.CustomResourceDefinition {
	number := apiextensionsv1.JSONSchemaProps{Type: "integer", Format: "int32"}
	text := apiextensionsv1.JSONSchemaProps{Type: "string"}
	spec := apiextensionsv1.JSONSchemaProps{Type: "object", Required: []string{"scaleTargetRef"}, Properties: map[string]apiextensionsv1.JSONSchemaProps{
		"minReplicaCount": number, "maxReplicaCount": number, "idleReplicaCount": number, "pollingInterval": number,
		"scaleTargetRef": {Type: "object", Properties: map[string]apiextensionsv1.JSONSchemaProps{"apiVersion": text, "kind": text, "name": text}},
	}}
	return &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "scaledobjects.keda.sh"},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: "keda.sh", Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "scaledobjects", Singular: "scaledobject", Kind: "ScaledObject"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{Name: "v1alpha1", Served: true, Storage: true, Schema: &apiextensionsv1.CustomResourceValidation{
				OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object", Properties: map[string]apiextensionsv1.JSONSchemaProps{"spec": spec}},
			}}},
		},
	}
}

// sort is a kind of autoscalers as the tests write it.
type sort struct {
	resource                   schema.GroupVersionResource
	version, kind, least, most string
}

var (
	hpa = sort{schema.GroupVersionResource{Group: "autoscaling", Version: "v2", Resource: "horizontalpodautoscalers"}, "autoscaling/v2", "HorizontalPodAutoscaler", "minReplicas", "maxReplicas"}
	so  = sort{schema.GroupVersionResource{Group: "keda.sh", Version: "v1alpha1", Resource: "scaledobjects"}, "keda.sh/v1alpha1", "ScaledObject", "minReplicaCount", "maxReplicaCount"}
)

// world is a namespace of a real API server.
type world struct {
	t         *testing.T
	client    dynamic.Interface
	namespace string
	config    *rest.Config
}

func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	cp := controlPlane.Start(t)
	config := cp.RESTConfig()
	config.QPS = -1
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, client: client, namespace: cptest.Namespace(t, cp), config: config}
}

// object is an autoscaler of the Deployment web, with more fields of its spec.
func (w *world) object(s sort, spec map[string]any) *unstructured.Unstructured {
	all := map[string]any{"scaleTargetRef": map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, s.most: int64(20)}
	maps.Copy(all, spec)
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": s.version, "kind": s.kind,
		"metadata": map[string]any{"namespace": w.namespace, "name": "web", "labels": map[string]any{"app": "web"}}, "spec": all,
	}}
}

func (w *world) of(s sort) dynamic.ResourceInterface {
	return w.client.Resource(s.resource).Namespace(w.namespace)
}

func (w *world) must(o *unstructured.Unstructured, err error) *unstructured.Unstructured {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

func (w *world) get(s sort) *unstructured.Unstructured {
	w.t.Helper()
	return w.must(w.of(s).Get(w.t.Context(), "web", metav1.GetOptions{}))
}

// create makes the object as kubectl create does.
func (w *world) create(o *unstructured.Unstructured, s sort, manager string) {
	w.t.Helper()
	w.must(w.of(s).Create(w.t.Context(), o, metav1.CreateOptions{FieldManager: manager}))
}

// apply is a server-side apply by a tool that insists.
func (w *world) apply(o *unstructured.Unstructured, s sort, manager string) {
	w.t.Helper()
	w.must(w.of(s).Apply(w.t.Context(), o.GetName(), o, metav1.ApplyOptions{FieldManager: manager, Force: true}))
}

// patch is what kubectl apply sends, or kubectl patch.
func (w *world) patch(s sort, manager string, document map[string]any) {
	w.t.Helper()
	text, err := json.Marshal(document)
	if err != nil {
		w.t.Fatal(err)
	}
	w.must(w.of(s).Patch(w.t.Context(), "web", types.MergePatchType, text, metav1.PatchOptions{FieldManager: manager}))
}

// set is a patch of one field of the spec.
func (w *world) set(s sort, manager, field string, n any) {
	w.t.Helper()
	w.patch(s, manager, map[string]any{"spec": map[string]any{field: n}})
}

// floor is what the stored object says; nil: nothing.
func (w *world) floor(s sort) any {
	w.t.Helper()
	n, _, _ := unstructured.NestedFieldNoCopy(w.get(s).Object, "spec", s.least)
	return n
}

// snapshot is the object but for what every write changes.
func (w *world) snapshot(s sort) map[string]any {
	w.t.Helper()
	o := w.get(s)
	o.SetResourceVersion("")
	o.SetGeneration(0)
	return o.Object
}

// same wants the object to be as it was, field by field.
func (w *world) same(s sort, before map[string]any) {
	w.t.Helper()
	if diff := cmp.Diff(before, w.snapshot(s)); diff != "" {
		w.t.Errorf("the %s is not as it was (-before +after):\n%s", s.kind, diff)
	}
}

// cluster is what tends the world for a pair; around sees its requests.
func (w *world) cluster(pair string, around func(http.RoundTripper) http.RoundTripper) *floors.Cluster {
	w.t.Helper()
	config := rest.CopyConfig(w.config)
	if around != nil {
		config.Wrap(around)
	}
	c, err := floors.New(floors.Options{Config: config, Pair: pair, Side: shift.Blue, Namespaces: []string{w.namespace}})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// least is the intent to keep that many replicas of the workload web.
func (w *world) least(n int) shift.ClusterIntent {
	return shift.ClusterIntent{Attempt: 1, Hold: true, Blue: []shift.Floor{{Workload: w.workload(), Least: n}}, Green: []shift.Floor{{Workload: w.workload(), Least: 99}}}
}

func (w *world) workload() string { return "Deployment " + w.namespace + "/web" }

var giveBack = shift.ClusterIntent{Attempt: 1}

// tend makes a round that must go well.
func (w *world) tend(c *floors.Cluster, i shift.ClusterIntent) floors.Seen {
	w.t.Helper()
	seen, err := c.Tend(w.t.Context(), i)
	if err != nil {
		w.t.Fatal(err)
	}
	return seen
}

// read gives the only autoscaler of a round.
func (w *world) read(seen floors.Seen) shift.Autoscaler {
	w.t.Helper()
	if len(seen.Autoscalers) != 1 {
		w.t.Fatalf("it saw %v, want one autoscaler", seen.Autoscalers)
	}
	return seen.Autoscalers[0]
}

// line carries requests, counts them, and is cut at one of the writes.
type line struct {
	next http.RoundTripper
	// cutAt is the number of the write, from 1, before or after which all ends; 0:
	// none.
	cutAt int
	after bool
	// before happens before each write, by its number; nil: nothing.
	before func(write int)

	mu            sync.Mutex
	reads, writes int
	dead          bool
}

var errKilled = errors.New("the process was killed")

func (l *line) around(next http.RoundTripper) http.RoundTripper {
	l.next = next
	return l
}

// RoundTrip sends a request on, unless the line was cut.
func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return nil, errKilled
	}
	if r.Method == http.MethodGet {
		l.reads++
		return l.next.RoundTrip(r)
	}
	l.writes++
	if l.before != nil {
		l.before(l.writes)
	}
	l.dead = l.writes == l.cutAt
	if l.dead && !l.after {
		return nil, errKilled
	}
	answer, err := l.next.RoundTrip(r)
	if l.dead {
		if err == nil {
			_ = answer.Body.Close()
		}
		return nil, errKilled
	}
	return answer, err
}
