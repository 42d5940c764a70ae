package baton_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/clusterswitch/clusterswitch/internal/baton"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

var controlPlane = cptest.Shared{Options: cptest.Options{Name: "baton"}}

func TestMain(m *testing.M) { os.Exit(controlPlane.Run(m)) }

const (
	cronJob = `
apiVersion: batch/v1
kind: CronJob
metadata: {name: report, labels: {app: report}}
spec:
  schedule: "0 3 * * *"
  startingDeadlineSeconds: 600
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: report, image: "registry.example.com/report:1"}]}}}}
`
	workload = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: mailer, annotations: {team: post}}
spec:
  selector: {matchLabels: {app: mailer}}
  template:
    metadata: {labels: {app: mailer}}
    spec: {containers: [{name: mailer, image: "registry.example.com/mailer:1"}]}
`
)

// world is a namespace of a real API server, in which no controller runs.
type world struct {
	t         *testing.T
	config    *rest.Config
	client    kubernetes.Interface
	dynamic   dynamic.Interface
	namespace string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	cp := controlPlane.Start(t)
	config := rest.CopyConfig(cp.RESTConfig())
	config.QPS = -1
	d, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, config: config, client: cptest.Client(t, cp), dynamic: d, namespace: cptest.Namespace(t, cp)}
}

// now is when all readings and writes of the tests are made.
func now() time.Time { return time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC) }

// side is this cluster's side, as a daemon that just started has it.
func (w *world) side() *baton.Side {
	return baton.New(baton.Options{Client: w.client, Pair: "shop", Now: now})
}

func (w *world) resource(kind string) dynamic.ResourceInterface {
	resource := map[string]schema.GroupVersionResource{
		"CronJob":     {Group: "batch", Version: "v1", Resource: "cronjobs"},
		"Deployment":  {Group: "apps", Version: "v1", Resource: "deployments"},
		"StatefulSet": {Group: "apps", Version: "v1", Resource: "statefulsets"},
	}[kind]
	return w.dynamic.Resource(resource).Namespace(w.namespace)
}

func parse(t *testing.T, manifest string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(manifest), &o.Object); err != nil {
		t.Fatal(err)
	}
	return o
}

// create makes an object as somebody who uploads it whole, and gives its key.
func (w *world) create(o *unstructured.Unstructured, manager string) (key string) {
	w.t.Helper()
	if _, err := w.resource(o.GetKind()).Create(w.t.Context(), o, metav1.CreateOptions{FieldManager: manager}); err != nil {
		w.t.Fatal(err)
	}
	return o.GetKind() + " " + w.namespace + "/" + o.GetName()
}

// apply applies an object as a GitOps tool does.
func (w *world) apply(o *unstructured.Unstructured, manager string) (key string) {
	w.t.Helper()
	if _, err := w.resource(o.GetKind()).Apply(w.t.Context(), o.GetName(), o, metav1.ApplyOptions{FieldManager: manager, Force: true}); err != nil {
		w.t.Fatal(err)
	}
	return o.GetKind() + " " + w.namespace + "/" + o.GetName()
}

// patch merges into an object as somebody.
func (w *world) patch(kind, name, manager, content string, subresources ...string) {
	w.t.Helper()
	_, err := w.resource(kind).Patch(w.t.Context(), name, types.MergePatchType, []byte(content), metav1.PatchOptions{FieldManager: manager}, subresources...)
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) get(kind, name string) *unstructured.Unstructured {
	w.t.Helper()
	o, err := w.resource(kind).Get(w.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

// kept is all of an object that must be as it was once it is given back.
func kept(o *unstructured.Unstructured) map[string]any {
	o = o.DeepCopy()
	o.SetResourceVersion("")
	o.SetGeneration(0)
	unstructured.RemoveNestedField(o.Object, "status")
	return o.Object
}

func order(attempt int, wishes ...baton.Wish) baton.Order {
	return baton.Order{Attempt: attempt, Wishes: wishes}
}

// settle gives what is read of one key.
func settle(t *testing.T, s *baton.Side, o baton.Order, key string) shift.SingletonSide {
	t.Helper()
	return s.Settle(t.Context(), o).Of(key)
}

func field(t *testing.T, o *unstructured.Unstructured, path ...string) any {
	t.Helper()
	value, _, err := unstructured.NestedFieldNoCopy(o.Object, path...)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

var errKilled = errors.New("killed")

// line is the way to the API server of a process that is killed at one of its
// writes: nothing of it is sent any more from then on.
type line struct {
	through http.RoundTripper

	mu     sync.Mutex
	writes int
	// at is the write at which it is killed, from 1; 0: at none. after: the API
	// server carries that write out, and nobody hears of it.
	at    int
	after bool
	dead  bool
	// hold keeps that write back, to be sent later.
	hold bool
	held *http.Request
}

func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return nil, errKilled
	}
	if r.Method == http.MethodGet {
		return l.through.RoundTrip(r)
	}
	l.writes++
	switch {
	case l.writes != l.at:
		return l.through.RoundTrip(r)
	case l.hold:
		l.held, l.dead = r.Clone(context.WithoutCancel(r.Context())), true
		return nil, errKilled
	case l.after:
		response, err := l.through.RoundTrip(r)
		if err == nil {
			_ = response.Body.Close()
		}
	}
	l.dead = true
	return nil, errKilled
}

// sideBy is a side whose requests take the given way.
func (w *world) sideBy(l *line) *baton.Side {
	w.t.Helper()
	config := rest.CopyConfig(w.config)
	config.Wrap(func(rt http.RoundTripper) http.RoundTripper { l.through = rt; return l })
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		w.t.Fatal(err)
	}
	return baton.New(baton.Options{Client: client, Pair: "shop", Now: now})
}

func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func text(t *testing.T, value any) string {
	t.Helper()
	content, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
