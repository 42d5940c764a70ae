package floors_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// beginnings are the ways in which autoscalers come to be.
func beginnings() map[string]func(w *world, s sort) {
	two := func(s sort) map[string]any { return map[string]any{s.least: int64(2)} }
	return map[string]func(w *world, s sort){
		"made by kubectl apply": func(w *world, s sort) {
			o := w.object(s, two(s))
			o.SetAnnotations(map[string]string{"kubectl.kubernetes.io/last-applied-configuration": "{}"})
			w.create(o, s, "kubectl-client-side-apply")
		},
		"made by kubectl apply without a floor": func(w *world, s sort) { w.create(w.object(s, nil), s, "kubectl-client-side-apply") },
		"applied by Argo CD":                    func(w *world, s sort) { w.apply(w.object(s, two(s)), s, "argocd-controller") },
		"applied by Helm without a floor":       func(w *world, s sort) { w.apply(w.object(s, nil), s, "helm") },
		"applied by two that agree": func(w *world, s sort) {
			w.apply(w.object(s, two(s)), s, "argocd-controller")
			w.apply(w.object(s, two(s)), s, "flux")
		},
		"its floor set by somebody who set nothing else": func(w *world, s sort) {
			w.apply(w.object(s, map[string]any{s.least: int64(3)}), s, "helm")
			w.set(s, "tuner", s.least, 2)
		},
		"its floor taken away by somebody": func(w *world, s sort) {
			w.create(w.object(s, two(s)), s, "terraform")
			w.set(s, "tuner", s.least, nil)
		},
		"written by more managers than the API server keeps": func(w *world, s sort) {
			w.create(w.object(s, nil), s, "terraform")
			for i := range 12 {
				w.set(s, fmt.Sprintf("tuner-%d", i), s.most, 20+i)
			}
			w.set(s, "tuner-of-floors", s.least, 2)
		},
		"without any managers": func(w *world, s sort) {
			w.create(w.object(s, two(s)), s, "ancient")
			w.patch(s, "ancient", map[string]any{"metadata": map[string]any{"managedFields": []any{map[string]any{}}}})
		},
		"with a status that a controller writes": func(w *world, s sort) {
			w.create(w.object(s, two(s)), s, "terraform")
			if s.kind != hpa.kind {
				return
			}
			o := w.get(s)
			o.Object["status"] = map[string]any{"currentReplicas": int64(2), "desiredReplicas": int64(2), "conditions": []any{}}
			w.must(w.of(s).UpdateStatus(w.t.Context(), o, metav1.UpdateOptions{FieldManager: "kube-controller-manager"}))
		},
	}
}

// Whoever made an autoscaler, however its floor is written, and whether the
// floor moves meanwhile: in the end all of it is as before, managers and their
// times included.
func TestAFloorIsGivenBackFieldByField(t *testing.T) {
	t.Parallel()
	for name, begin := range beginnings() {
		for _, s := range []sort{hpa, so} {
			t.Run(s.kind+" "+name, func(t *testing.T) {
				w := newWorld(t)
				begin(w, s)
				before, was := w.snapshot(s), w.floor(s)
				c := w.cluster("shop", nil)
				seen := w.tend(c, w.least(7))
				want := shift.Autoscaler{Kind: s.kind, Namespace: w.namespace, Name: "web", Workload: w.workload(), Min: 7, Held: 7}
				got := w.read(seen)
				want.Max, want.Was = got.Max, got.Was
				if diff := cmp.Diff(want, got); diff != "" || len(seen.Done) != 1 {
					t.Fatalf("wrote %q (-want +got):\n%s", seen.Done, diff)
				}
				if n, isNumber := was.(int64); isNumber && int64(got.Was) != n {
					t.Errorf("it says that the floor was %d, it was %d", got.Was, n)
				}
				if seen := w.tend(c, w.least(7)); len(seen.Done) > 0 {
					t.Errorf("what is held was written again: %q", seen.Done)
				}
				if got := w.read(w.tend(c, w.least(9))); got.Min != 9 || got.Held != 9 {
					t.Errorf("raised to 9: %+v", got)
				}
				if got := w.read(w.tend(w.cluster("shop", nil), giveBack)); got.Held != 0 {
					t.Errorf("given back: %+v", got)
				}
				w.same(s, before)
				if seen := w.tend(c, giveBack); len(seen.Done) > 0 {
					t.Errorf("what is given back was written again: %q", seen.Done)
				}
			})
		}
	}
}

// A floor that is high enough isn't touched, the greatest number of replicas is
// never exceeded, and what isn't to be written isn't.
func TestWhatIsNotHeld(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spec map[string]any
		mark map[string]string
		want int // the floor after it was to be 7
		says string
	}{
		"the floor is higher already":       {spec: map[string]any{"minReplicaCount": int64(8)}, want: 8},
		"the floor is the same already":     {spec: map[string]any{"minReplicaCount": int64(7)}, want: 7},
		"it may not scale so far":           {spec: map[string]any{"maxReplicaCount": int64(5)}, want: 5, says: "may scale to 5 replicas at most, 7 are needed"},
		"it scales something else":          {spec: map[string]any{"scaleTargetRef": map[string]any{"name": "api"}}},
		"its target is no workload":         {spec: map[string]any{"scaleTargetRef": map[string]any{"kind": "Rollout", "apiVersion": "argoproj.io/v1alpha1", "name": "web"}}},
		"its target is named in short":      {spec: map[string]any{"scaleTargetRef": map[string]any{"name": "web"}}, want: 7},
		"it goes below its floor when idle": {spec: map[string]any{"idleReplicaCount": int64(0)}, want: 7, says: "scales to 0 replicas while it is idle"},
		"it is paused":                      {mark: map[string]string{"autoscaling.keda.sh/paused-replicas": "1"}, want: 7, says: "is paused (autoscaling.keda.sh/paused-replicas: 1)"},
		"another pair holds it":             {mark: map[string]string{"clusterswitch.io/held": `{"pair":"blog","held":4}`}, says: "is held by pair blog"},
		"nobody can tell who holds it":      {mark: map[string]string{"clusterswitch.io/held": "{"}, says: "can't be read"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			o := w.object(so, test.spec)
			o.SetAnnotations(test.mark)
			w.create(o, so, "helm")
			before, c := w.snapshot(so), w.cluster("shop", nil)
			seen := w.tend(c, w.least(7))
			got, _ := w.floor(so).(int64)
			if int(got) != test.want {
				t.Errorf("its floor is %d, want %d", got, test.want)
			}
			said := ""
			if len(seen.Notes) == 1 {
				said = seen.Notes[0]
			}
			if len(seen.Notes) > 1 || test.says == "" && said != "" || !containsAll(said, test.says) {
				t.Errorf("it says %q, want %q", seen.Notes, test.says)
			}
			w.tend(c, giveBack)
			w.same(so, before)
		})
	}
}

// What is to be left is read, and nothing of it is written: not even what is held.
func TestWhatIsLeftIsOnlyRead(t *testing.T) {
	w := newWorld(t)
	w.create(w.object(hpa, nil), hpa, "helm")
	l := &line{}
	c := w.cluster("shop", l.around)
	leave := w.least(7)
	leave.Leave = true
	if got := w.read(w.tend(c, leave)); got.Held != 0 || got.Min != 1 || l.writes != 0 {
		t.Errorf("%d writes, and %+v", l.writes, got)
	}
	w.tend(c, w.least(7))
	written := l.writes
	if got := w.read(w.tend(c, shift.ClusterIntent{Leave: true})); got.Held != 7 || l.writes != written {
		t.Errorf("%d writes beside %d, and %+v", l.writes-written, written, got)
	}
}

// The autoscaler that KEDA makes is KEDA's: the floor is held at the ScaledObject.
func TestTheAutoscalerOfKEDAIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.create(w.object(so, nil), so, "helm")
	made := w.object(hpa, nil)
	made.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "keda.sh/v1alpha1", Kind: "ScaledObject", Name: "web", UID: w.get(so).GetUID(), Controller: new(true)}})
	w.create(made, hpa, "keda")
	before := w.snapshot(hpa)
	if got := w.read(w.tend(w.cluster("shop", nil), w.least(7))); got.Kind != so.kind || got.Min != 7 {
		t.Errorf("read %+v", got)
	}
	w.same(hpa, before)
}

// Each pair gives back only its own: the second leaves alone what the first
// holds, says so, and holds it when the first has given it back.
func TestTwoPairsOfOneAutoscaler(t *testing.T) {
	w := newWorld(t)
	w.create(w.object(hpa, map[string]any{"minReplicas": int64(2)}), hpa, "helm")
	before := w.snapshot(hpa)
	shop, blog := w.cluster("shop", nil), w.cluster("blog", nil)
	w.tend(shop, w.least(7))
	if got := w.read(w.tend(blog, w.least(9))); got.HeldBy != "pair shop" || got.Held != 0 || got.Min != 7 {
		t.Errorf("the second pair reads %+v", got)
	}
	w.tend(blog, giveBack)
	if got := w.floor(hpa); got != int64(7) {
		t.Errorf("the second pair gave back what isn't its own: %v", got)
	}
	w.tend(blog, w.least(9))
	w.tend(shop, giveBack)
	if got := w.read(w.tend(blog, w.least(9))); got.Held != 9 || got.Was != 2 || got.Min != 9 {
		t.Errorf("the second pair, after the first gave back, reads %+v", got)
	}
	w.tend(blog, giveBack)
	w.same(hpa, before)
}

// One that is made anew is held anew, as often as it is made.
func TestOneThatIsMadeAnewIsHeldAnew(t *testing.T) {
	w := newWorld(t)
	c := w.cluster("shop", nil)
	for range 3 {
		w.create(w.object(hpa, nil), hpa, "helm")
		if got := w.read(w.tend(c, w.least(7))); got.Min != 7 || got.RevertedBy != "" {
			t.Fatalf("it reads %+v", got)
		}
		if err := w.of(hpa).Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if seen := w.tend(c, w.least(7)); len(seen.Autoscalers) != 0 || len(seen.Done) != 0 {
			t.Fatalf("of one that is gone it reads %+v", seen)
		}
	}
}

// A process that is killed before or after any write leaves nothing that the next
// one doesn't bring to the same end, whether it goes on with the same intent or
// has another one by then.
func TestKilledAtAnyWrite(t *testing.T) {
	t.Parallel()
	var points atomic.Int64
	t.Cleanup(func() { t.Logf("killed at %d points around the writes: the same end after each", points.Load()) })
	for _, after := range []bool{false, true} {
		for _, on := range []bool{false, true} {
			t.Run(fmt.Sprintf("after %t, on %t", after, on), func(t *testing.T) {
				w := newWorld(t)
				intents, writes := []shift.ClusterIntent{w.least(7), w.least(9), giveBack}, 8
				if on {
					intents, writes = []shift.ClusterIntent{w.least(7), giveBack, w.least(8), w.least(2), giveBack}, 12
				}
				for _, s := range []sort{hpa, so} {
					w.create(w.object(s, nil), s, "terraform")
					w.set(s, "tuner", s.least, 2)
				}
				beforeHPA, beforeSO := w.snapshot(hpa), w.snapshot(so)
				killed := 0
				for w.live(&line{cutAt: killed + 1, after: after}, on, intents) {
					killed++
					w.same(hpa, beforeHPA)
					w.same(so, beforeSO)
				}
				points.Add(int64(killed))
				if killed != writes {
					t.Errorf("killed at %d writes, want %d: one to hold and two to give back, of each of two autoscalers", killed, writes)
				}
			})
		}
	}
}

// live goes through intents with one process after the other. on: the second
// doesn't repeat the intent that the first was killed at, but has the next one.
func (w *world) live(l *line, on bool, intents []shift.ClusterIntent) (killed bool) {
	w.t.Helper()
	c := w.cluster("shop", l.around)
	for n, i := range intents {
		seen, err := c.Tend(w.t.Context(), i)
		if l.dead {
			killed, l = true, &line{}
			c = w.cluster("shop", l.around)
			if on && n < len(intents)-1 {
				continue
			}
			seen, err = c.Tend(w.t.Context(), i)
		}
		if err != nil {
			w.t.Fatal(err)
		}
		for _, a := range seen.Autoscalers {
			want := 2
			if i.Hold {
				want = i.Blue[0].Least
			}
			if a.Min != want || a.RevertedBy != "" || a.Held > 0 && a.Was != 2 {
				w.t.Errorf("after %+v it reads %+v", i, a)
			}
		}
	}
	return killed
}

func annotation(o *unstructured.Unstructured) string {
	return o.GetAnnotations()["clusterswitch.io/held"]
}
