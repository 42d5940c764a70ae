package archive

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/record"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
)

var cluster cptest.Shared

func TestMain(m *testing.M) {
	crd, err := v1alpha1.CRD()
	if err != nil {
		panic(err)
	}
	cluster.Options = cptest.Options{Name: "record", CRDs: []*apiextensionsv1.CustomResourceDefinition{crd}}
	os.Exit(cluster.Run(m))
}

// daemon is one that keeps records, at a place of some kind.
type daemon struct {
	*testing.T
	shelf *Shelf
	place *Volume
}

func (d *daemon) ok(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

func started(attempt int) time.Time {
	return time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC).Add(time.Duration(attempt) * time.Hour)
}

// finds looks for the attempt, and checks what the record says so far.
func (d *daemon) finds(attempt int, want string) {
	d.Helper()
	place, old, err := d.shelf.Find(d.Context(), "shop", attempt, started(attempt))
	d.ok(err)
	got := ""
	if old != nil {
		got = old.Message
	}
	if got != want {
		d.Errorf("of attempt %d it finds %q, want %q", attempt, got, want)
	}
	d.place = place
}

// writes keeps that the attempt stands so.
func (d *daemon) writes(attempt int, message string) error {
	d.Helper()
	return d.shelf.Put(d.Context(), d.place, record.Record{Schema: record.Schema, Pair: "shop", Attempt: attempt, StartedAt: started(attempt), Message: message})
}

// reads gives what a person gets; attempt 0: the newest.
func (d *daemon) reads(attempt int) string {
	d.Helper()
	r, err := d.shelf.Get(d.Context(), "shop", attempt)
	if errors.Is(err, ErrNone) {
		return "none"
	}
	d.ok(err)
	return r.Message
}

// expect compares what a person gets of each attempt.
func (d *daemon) expect(want map[int]string) {
	d.Helper()
	got := map[int]string{}
	for attempt := range want {
		got[attempt] = d.reads(attempt)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		d.Errorf("records by attempt (-want +got):\n%s", diff)
	}
}

// Two daemons take turns with the record of an attempt, and later ones take the place
// of the oldest.
func keeps(first, second *daemon) {
	first.Helper()
	first.expect(map[int]string{0: "none", 1: "none"})
	first.finds(1, "")
	first.ok(first.writes(1, "one began"))
	first.ok(first.writes(1, "one is at 10 %"))
	second.finds(1, "one is at 10 %")
	second.ok(second.writes(1, "another goes on with one"))
	for attempt := 2; attempt <= Places; attempt++ {
		second.finds(attempt, "")
		second.ok(second.writes(attempt, "later"))
	}
	second.expect(map[int]string{0: "later", 1: "another goes on with one", Places: "later", Places + 1: "none"})
	second.finds(Places+1, "")
	second.ok(second.writes(Places+1, "the newest"))
	second.expect(map[int]string{0: "the newest", 1: "none", 2: "later", Places + 1: "the newest"})
}

func TestRecordsInAManagementCluster(t *testing.T) {
	cp := cluster.Start(t)
	namespace := cptest.Namespace(t, cp)
	shelf := inCluster(t, cp, namespace)
	objects, err := v1alpha1.RESTClient(cp.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	var owner v1alpha1.TrafficSwitch
	fresh := &v1alpha1.TrafficSwitch{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}
	if err := objects.Post().Namespace(namespace).Resource(v1alpha1.Resource).Body(fresh).Do(t.Context()).Into(&owner); err != nil {
		t.Fatal(err)
	}
	first, second := &daemon{T: t, shelf: shelf}, &daemon{T: t, shelf: inCluster(t, cp, namespace)}
	keeps(first, second)

	// The first, whose lease is long gone, can't write over what came after.
	if err := first.writes(1, "late"); !errors.Is(err, ErrConflict) {
		t.Errorf("a late write of a former leader: %v, want %v", err, ErrConflict)
	}
	maps, err := cptest.Client(t, cp).CoreV1().ConfigMaps(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: PairLabel + "=shop"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, m := range maps.Items {
		got[m.Name] = m.Labels[AttemptLabel]
		if len(m.OwnerReferences) != 1 || m.OwnerReferences[0].UID != owner.UID {
			t.Errorf("%s would outlive its TrafficSwitch: %+v", m.Name, m.OwnerReferences)
		}
	}
	want := map[string]string{
		"clusterswitch-record-shop-1": "6", "clusterswitch-record-shop-2": "2", "clusterswitch-record-shop-3": "3",
		"clusterswitch-record-shop-4": "4", "clusterswitch-record-shop-5": "5",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attempts by ConfigMap (-want +got):\n%s", diff)
	}
}

func inCluster(t *testing.T, cp *controlplane.ControlPlane, namespace string) *Shelf {
	t.Helper()
	shelf, err := New(Options{Config: cp.RESTConfig(), Namespace: namespace, FieldManager: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return shelf
}

func TestRecordsInADirectory(t *testing.T) {
	dir := t.TempDir()
	keeps(&daemon{T: t, shelf: NewFolder(dir)}, &daemon{T: t, shelf: NewFolder(dir)})
	if err := os.WriteFile(dir+"/"+FileName("shop", 2), []byte("no record"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &daemon{T: t, shelf: NewFolder(dir)}
	d.expect(map[int]string{0: "the newest", 2: "none", 3: "later"})
	if _, err := d.shelf.Get(t.Context(), "../shop", 0); err == nil {
		t.Error("a name that leads out of the directory is read")
	}
}

// The number of an attempt may come again where a journal was lost. What ended before
// it began is another's.
func TestAnEndedRecordIsNotContinuedByALaterAttemptOfItsNumber(t *testing.T) {
	d := &daemon{T: t, shelf: NewFolder(t.TempDir())}
	d.finds(3, "")
	ended := started(3).Add(-time.Minute)
	d.ok(d.shelf.Put(t.Context(), d.place, record.Record{Schema: record.Schema, Pair: "shop", Attempt: 3, StartedAt: started(1), EndedAt: &ended, Message: "long ago"}))
	d.finds(3, "")
	d.ok(d.writes(3, "anew"))
	d.expect(map[int]string{0: "anew", 3: "anew"})
}
