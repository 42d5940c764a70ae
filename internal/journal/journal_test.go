package journal_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/zap"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/journal"
	"github.com/clusterswitch/clusterswitch/internal/journal/status"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

var cluster cptest.Shared

func TestMain(m *testing.M) {
	crd, err := v1alpha1.CRD()
	if err != nil {
		panic(err)
	}
	cluster.Options = cptest.Options{Name: "journal", CRDs: []*apiextensionsv1.CustomResourceDefinition{crd}}
	os.Exit(cluster.Run(m))
}

const pair = "shop"

// world is a namespace of the real API server, with what people do there.
type world struct {
	t         *testing.T
	config    *rest.Config
	namespace string
	objects   dynamic.ResourceInterface
}

func newWorld(t *testing.T) *world {
	t.Helper()
	cp := cluster.Start(t)
	namespace := cptest.Namespace(t, cp)
	client, err := dynamic.NewForConfig(cp.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	return &world{
		t: t, config: cp.RESTConfig(), namespace: namespace,
		objects: client.Resource(v1alpha1.GroupVersion().WithResource(v1alpha1.Resource)).Namespace(namespace),
	}
}

func (w *world) journal() *journal.Journal {
	w.t.Helper()
	j, err := journal.New(journal.Options{Config: w.config, Namespace: w.namespace, Logger: zap.NewNop()})
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

func (w *world) object() *v1alpha1.TrafficSwitch {
	w.t.Helper()
	u, err := w.objects.Get(w.t.Context(), pair, metav1.GetOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	object := &v1alpha1.TrafficSwitch{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, object); err != nil {
		w.t.Fatal(err)
	}
	return object
}

// edit merges a person's change into the object.
func (w *world) edit(patch string, subresource ...string) {
	w.t.Helper()
	_, err := w.objects.Patch(w.t.Context(), pair, types.MergePatchType, []byte(patch), metav1.PatchOptions{}, subresource...)
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) load(j *journal.Journal) shift.Found {
	w.t.Helper()
	found, err := j.Load(w.t.Context(), pair)
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

func (w *world) save(j *journal.Journal, s shift.State) {
	w.t.Helper()
	if err := j.Save(w.t.Context(), pair, s, shift.Said{Reason: shift.Holding}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) saveFailsWith(j *journal.Journal, s shift.State, want error) {
	w.t.Helper()
	before := w.object()
	if err := j.Save(w.t.Context(), pair, s, shift.Said{}); !errors.Is(err, want) {
		w.t.Errorf("Save: %v, want %v", err, want)
	}
	if diff := cmp.Diff(before, w.object()); diff != "" {
		w.t.Errorf("the refused save changed the object:\n%s", diff)
	}
}

func at(minute int) time.Time { return time.Date(2026, 3, 2, 10, minute, 0, 0, time.UTC) }

func shiftingState() shift.State {
	return shift.State{
		Schema: shift.Schema, Attempt: 1, Epoch: 1 << 60, Version: 5, Phase: shift.Shifting,
		Steps: []shift.Step{{Share: 25, Hold: time.Minute}, {Share: 100, Hold: time.Minute, Approval: true}},
		Entrances: []shift.EntranceState{{
			Entrance: shift.Entrance{Name: "shop", Route53: &shift.Route53Entrance{HostedZoneID: "Z1", Names: []string{"shop.example.com"}, Types: []string{"A"}}},
			Share:    25, Pending: true, Was: shift.Weights{Blue: 100},
		}},
		Step: 1, Share: 25, StartedAt: at(0), ChangedAt: at(1), Baseline: shift.Baseline{Ready: 3},
		Rollback: &shift.RollbackRecord{By: "spec.rollback", Why: "a person asked & said <why>", At: at(2)},
		Question: &shift.Question{ID: "1-2", Reason: shift.Drift, Entrance: "shop", Message: "somebody else wrote", At: at(2)},
	}
}

func TestTheFirstLoadMakesTheResource(t *testing.T) {
	w := newWorld(t)
	if diff := cmp.Diff(shift.Found{}, w.load(w.journal())); diff != "" {
		t.Errorf("the first load (-want +got):\n%s", diff)
	}
	if got := w.object().Spec; got != (v1alpha1.TrafficSwitchSpec{}) {
		t.Errorf("its spec asks for something: %+v", got)
	}
	if diff := cmp.Diff(shift.Found{}, w.load(w.journal())); diff != "" {
		t.Errorf("the second load (-want +got):\n%s", diff)
	}
}

func TestWhatWasSavedIsLoadedByTheNextDaemon(t *testing.T) {
	w := newWorld(t)
	j := w.journal()
	w.load(j)
	w.save(j, shift.NewState())
	w.save(j, shiftingState())

	want := shift.Found{Present: true, State: shiftingState()}
	if diff := cmp.Diff(want, w.load(w.journal())); diff != "" {
		t.Errorf("the next daemon's load (-want +got):\n%s", diff)
	}
}

func TestTheStatusSpeaksToPeople(t *testing.T) {
	w := newWorld(t)
	j := w.journal()
	w.load(j)
	w.edit(`{"spec": {"paused": true}}`)
	began := time.Now()
	err := j.Save(t.Context(), pair, shiftingState(), shift.Said{
		Reason: shift.GateFailed, Message: "green's web: 1 of 3 replicas are available", BlueReady: "3/3",
		Verdicts: []shift.Verdict{
			{Gate: "workloads", Judgement: shift.Fail, Message: "green's web: 1 of 3 replicas are available"},
			{Gate: "hold", Judgement: shift.Pass},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := w.object().Status
	if got.UpdatedAt.Time.Before(began.Truncate(time.Second)) || got.UpdatedAt.After(time.Now()) {
		t.Errorf("updatedAt is %s, the save began at %s", got.UpdatedAt, began)
	}
	want := v1alpha1.TrafficSwitchStatus{
		Phase: "Shifting", Share: 25, Step: "1/2", Attempt: 1, BlueReady: "3/3",
		Reason: "GateFailed", Message: "green's web: 1 of 3 replicas are available",
		ObservedGeneration: 2,
		Question:           &v1alpha1.Question{ID: "1-2", Reason: "Drift", Message: "somebody else wrote"},
		Gates: []v1alpha1.Gate{
			{Gate: "workloads", Judgement: "fail", Message: "green's web: 1 of 3 replicas are available"},
			{Gate: "hold", Judgement: "pass"},
		},
		Rollback: &v1alpha1.Rollback{By: "spec.rollback", Why: "a person asked & said <why>", At: metav1.NewTime(at(2))},
		Conditions: []metav1.Condition{{
			Type: "BlueReady", Status: metav1.ConditionUnknown, Reason: "NothingToGoBack", Message: "no shift has users on green", ObservedGeneration: 2,
		}},
	}
	ignored := []cmp.Option{cmpopts.IgnoreFields(want, "Journal", "UpdatedAt"), cmpopts.IgnoreFields(metav1.Condition{}, "LastTransitionTime")}
	if diff := cmp.Diff(want, got, ignored...); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

func TestASecondWriterIsAConflict(t *testing.T) {
	w := newWorld(t)
	first, second := w.journal(), w.journal()
	w.load(first)
	w.save(first, shift.NewState())
	w.load(second)
	w.save(second, shiftingState())

	w.saveFailsWith(first, shift.NewState(), journal.ErrConflict)
	w.saveFailsWith(first, shift.NewState(), journal.ErrConflict)
	if got := w.load(first).State; !cmp.Equal(got, shiftingState()) {
		t.Errorf("after the conflict the first daemon loads %+v", got)
	}
	w.save(first, shift.NewState())
	w.saveFailsWith(second, shift.NewState(), journal.ErrConflict)
}

func TestTwoFirstWritersConflict(t *testing.T) {
	w := newWorld(t)
	first, second := w.journal(), w.journal()
	w.load(first)
	w.load(second)
	w.save(first, shiftingState())
	w.saveFailsWith(second, shift.NewState(), journal.ErrConflict)
}

func TestAPersonsEditIsNoConflict(t *testing.T) {
	for name, before := range map[string]func(*world, *journal.Journal){
		"between load and the first save": func(*world, *journal.Journal) {},
		"between two saves":               func(w *world, j *journal.Journal) { w.save(j, shift.NewState()) },
		"after the load of a stored journal": func(w *world, j *journal.Journal) {
			w.save(j, shift.NewState())
			w.load(j)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			j := w.journal()
			w.load(j)
			before(w, j)
			w.edit(`{"metadata": {"labels": {"team": "shop"}}, "spec": {"rollback": true}}`)
			w.save(j, shiftingState())
			object := w.object()
			if !object.Spec.Rollback || object.Labels["team"] != "shop" {
				t.Errorf("the save took the person's edit away: %+v", object)
			}
			if got := w.load(j).State; !cmp.Equal(got, shiftingState()) {
				t.Errorf("stored: %+v", got)
			}
		})
	}
}

func TestALostStatusIsAbsent(t *testing.T) {
	w := newWorld(t)
	j := w.journal()
	w.load(j)
	w.save(j, shiftingState())
	u, err := w.objects.Get(t.Context(), pair, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	delete(u.Object, "status") // as backup tools restore it
	if _, err := w.objects.UpdateStatus(t.Context(), u, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	w.saveFailsWith(j, shiftingState(), journal.ErrConflict)
	if diff := cmp.Diff(shift.Found{}, w.load(j)); diff != "" {
		t.Errorf("load (-want +got):\n%s", diff)
	}
	w.save(j, shift.NewState())
}

func TestADeletedResourceIsAConflictUntilLoaded(t *testing.T) {
	for name, restored := range map[string]bool{"gone": false, "made anew": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			j := w.journal()
			w.load(j) // nothing was saved, so the journals alone look the same
			if err := w.objects.Delete(t.Context(), pair, metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
			if restored {
				w.load(w.journal())
			}
			if err := j.Save(t.Context(), pair, shift.NewState(), shift.Said{}); !errors.Is(err, journal.ErrConflict) {
				t.Errorf("Save: %v, want %v", err, journal.ErrConflict)
			}
			if diff := cmp.Diff(shift.Found{}, w.load(j)); diff != "" {
				t.Errorf("load (-want +got):\n%s", diff)
			}
			w.save(j, shift.NewState())
		})
	}
}

func TestATooLargeStateIsRefusedAndTheOldOneStays(t *testing.T) {
	w := newWorld(t)
	j := w.journal()
	w.load(j)
	w.save(j, shift.NewState())
	large := shiftingState()
	large.Question.Message = strings.Repeat("x", status.MaxSize)
	w.saveFailsWith(j, large, status.ErrTooLarge)
	w.save(j, shiftingState())
}

func TestASaveWithoutALoadIsRefused(t *testing.T) {
	w := newWorld(t)
	w.load(w.journal())
	if err := w.journal().Save(t.Context(), pair, shift.NewState(), shift.Said{}); err == nil {
		t.Error("a save without knowing what is there went through")
	}
}

func TestWithoutTheNamespaceTheErrorSaysSo(t *testing.T) {
	w := newWorld(t)
	w.namespace = "nowhere"
	_, err := w.journal().Load(t.Context(), pair)
	if err == nil || !strings.Contains(err.Error(), "namespace nowhere") {
		t.Errorf("Load: %v, want an error that names the namespace", err)
	}
}

func TestAnUnreachableClusterIsAnErrorAndNotAbsence(t *testing.T) {
	w := newWorld(t)
	w.config.Host = "https://127.0.0.1:1" // nobody listens there
	if found, err := w.journal().Load(t.Context(), pair); err == nil {
		t.Errorf("Load found %+v", found)
	}
}

func TestTheAPIRefusesNonsense(t *testing.T) {
	w := newWorld(t)
	for name, spec := range map[string]string{
		"a negative attempt":              `{"attempt": -1}`,
		"a rollback that is no boolean":   `{"rollback": 7}`,
		"an approval without its attempt": `{"approved": {"step": 1}}`,
		"a step 0":                        `{"approved": {"attempt": 1, "step": 0}}`,
		"another way out":                 `{"resolve": {"id": "1", "how": "ignore"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			object := map[string]any{
				"apiVersion": v1alpha1.GroupVersion().String(), "kind": v1alpha1.Kind,
				"metadata": map[string]any{"generateName": "x-"},
			}
			var parsed map[string]any
			if err := json.Unmarshal([]byte(spec), &parsed); err != nil {
				t.Fatal(err)
			}
			object["spec"] = parsed
			_, err := w.objects.Create(t.Context(), &unstructured.Unstructured{Object: object}, metav1.CreateOptions{})
			if err == nil {
				t.Errorf("%s was taken", spec)
			}
		})
	}
}
