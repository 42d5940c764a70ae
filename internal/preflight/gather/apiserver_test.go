package gather

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// TestARealServerIsReadWhole: more objects than two pages hold, of kinds that
// are read as metadata and of kinds that a topic needs whole.
func TestARealServerIsReadWhole(t *testing.T) {
	t.Parallel()
	cp := cluster.Start(t)
	client, namespace := cptest.Client(t, cp), cptest.Namespace(t, cp)
	want := map[facts.Name]struct{}{}
	for i := range 2*firstPage + 7 {
		name := fmt.Sprintf("c-%03d", i)
		want[facts.Name{Namespace: namespace, Name: name}] = struct{}{}
		_, err := client.CoreV1().ConfigMaps(namespace).Create(t.Context(), &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"k": name},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
	}
	configMaps := facts.GroupKind{Kind: "ConfigMap"}
	whole := map[string]string{}
	r, c := readerOf(t, Source{Config: cp.RESTConfig()}, Options{Scope: facts.Full, Timeout: time.Minute})
	r.readAll(t.Context(), []topic{{whole: map[facts.GroupKind]func(*facts.Cluster, runtime.Object){
		configMaps: func(c *facts.Cluster, o runtime.Object) {
			if m, ok := as[*corev1.ConfigMap](c, configMaps, o); ok && m.Namespace == namespace {
				whole[m.Name] = m.Data["k"]
			}
		},
	}}}, c)
	if len(c.Gaps) > 0 {
		t.Errorf("gaps: %v", c.Gaps)
	}
	got := maps.Clone(c.Objects[configMaps])
	maps.DeleteFunc(got, func(n facts.Name, _ struct{}) bool { return n.Namespace != namespace })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	for n := range want {
		if whole[n.Name] != n.Name {
			t.Errorf("%s was handed out as %q", n, whole[n.Name])
		}
	}
	if there, known := c.Has(facts.GroupKind{Kind: "Namespace"}, facts.Name{Name: namespace}); !there || !known {
		t.Errorf("namespace %s: there %t, known %t", namespace, there, known)
	}
	for k := range c.Objects {
		if _, also := twice(k); also || facts.LeftOutWhole(k) {
			t.Errorf("%s was listed, which nobody compares", k)
		}
	}
}

func TestARealServersKindsAreFound(t *testing.T) {
	t.Parallel()
	_, c := readerOf(t, Source{Config: cluster.Start(t).RESTConfig()}, Options{Scope: facts.Full, Timeout: time.Minute})
	want := facts.Kind{
		GroupKind: facts.GroupKind{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}, Version: "v2", Served: []string{"v2", "v1"},
		Resource: "horizontalpodautoscalers", Namespaced: true,
	}
	if diff := cmp.Diff(&want, c.Serves(want.GroupKind)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, k := range c.Kinds {
		if strings.Contains(k.Resource, "/") || k.Kind == "TokenReview" || k.Kind == "Scale" {
			t.Errorf("%s can't be listed", k.Resource)
		}
	}
	if !slices.IsSortedFunc(c.Kinds, func(a, b facts.Kind) int { return strings.Compare(a.String(), b.String()) }) {
		t.Error("the kinds are not sorted")
	}
	if !strings.HasPrefix(c.Versions.Server, "v1.") {
		t.Errorf("version %q", c.Versions.Server)
	}
}

// readerOf discovers a cluster.
func readerOf(t *testing.T, from Source, o Options) (*reader, *facts.Cluster) {
	t.Helper()
	r, err := newReader(from.Config, o)
	if err != nil {
		t.Fatal(err)
	}
	c := &facts.Cluster{Side: shift.Blue, Objects: map[facts.GroupKind]map[facts.Name]struct{}{}}
	if fault := r.discover(t.Context(), c); fault != "" {
		t.Fatal(fault)
	}
	return r, c
}

func contextFor(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), d)
}
