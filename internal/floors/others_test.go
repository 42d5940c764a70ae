package floors_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

func containsAll(s string, parts ...string) bool {
	for _, p := range parts {
		if !strings.Contains(s, p) {
			return false
		}
	}
	return true
}

// What others do to a floor that is held: once it is held again, then they are
// named and nobody fights them; and what they want is what stays in the end.
func TestOthersSetTheFloorMeanwhile(t *testing.T) {
	t.Parallel()
	argo := func(w *world) { w.set(hpa, "argocd-controller", "minReplicas", 2) }
	for name, test := range map[string]struct {
		// meanwhile is what happens between rounds.
		meanwhile []func(w *world)
		// held is the floor after each of them and a round, and by whom it was set
		// back.
		held []shift.Autoscaler
		// left is the floor when all is given back.
		left int64
		// owner is who has it then.
		owner string
	}{
		"a tool sets it back once": {
			[]func(*world){argo}, []shift.Autoscaler{{Min: 7, Max: 20, Held: 7, Was: 2}}, 2, "argocd-controller Update",
		},
		"a tool sets it back twice": {
			[]func(*world){argo, argo, func(*world) {}},
			[]shift.Autoscaler{
				{Min: 7, Max: 20, Held: 7, Was: 2},
				{Min: 2, Max: 20, Held: 7, Was: 2, RevertedBy: "argocd-controller"},
				{Min: 2, Max: 20, Held: 7, Was: 2, RevertedBy: "argocd-controller"},
			},
			2, "argocd-controller Update",
		},
		"a tool applies it twice": {
			[]func(*world){
				func(w *world) { w.apply(w.object(hpa, map[string]any{"minReplicas": int64(2)}), hpa, "flux") },
				func(w *world) { w.apply(w.object(hpa, map[string]any{"minReplicas": int64(2)}), hpa, "flux") },
			},
			[]shift.Autoscaler{{Min: 7, Max: 20, Held: 7, Was: 2}, {Min: 2, Max: 20, Held: 7, Was: 2, RevertedBy: "flux"}},
			2, "flux Apply",
		},
		"a tool replaces all of it, three times": {
			[]func(*world){replaced, replaced, replaced},
			[]shift.Autoscaler{
				{Min: 7, Max: 20, Held: 7, Was: 2},
				{Min: 2, Max: 20, RevertedBy: "replacer"},
				{Min: 2, Max: 20, RevertedBy: "replacer"},
			},
			2, "replacer Update",
		},
		"a person wants fewer, and means it": {
			[]func(*world){
				func(w *world) { w.set(hpa, "kubectl-patch", "minReplicas", 3) },
				func(w *world) { w.set(hpa, "kubectl-patch", "minReplicas", 4) },
			},
			[]shift.Autoscaler{{Min: 7, Max: 20, Held: 7, Was: 3}, {Min: 4, Max: 20, Held: 7, Was: 3, RevertedBy: "kubectl-patch"}},
			4, "kubectl-patch Update",
		},
		"a person wants fewer once": {
			[]func(*world){func(w *world) { w.set(hpa, "kubectl-patch", "minReplicas", 3) }},
			[]shift.Autoscaler{{Min: 7, Max: 20, Held: 7, Was: 3}},
			3, "kubectl-patch Update",
		},
		"a person wants more": {
			[]func(*world){func(w *world) { w.set(hpa, "kubectl-patch", "minReplicas", 9) }},
			[]shift.Autoscaler{{Min: 9, Max: 20}},
			9, "kubectl-patch Update",
		},
		"a tool comes to want just what is held": {
			[]func(*world){func(w *world) { w.apply(w.object(hpa, map[string]any{"minReplicas": int64(7)}), hpa, "flux") }},
			[]shift.Autoscaler{{Min: 7, Max: 20}},
			7, "flux Apply",
		},
		"a person lets it scale further": {
			[]func(*world){func(w *world) { w.set(hpa, "kubectl-patch", "maxReplicas", 30) }},
			[]shift.Autoscaler{{Min: 7, Max: 30, Held: 7, Was: 2}},
			2, "helm Apply",
		},
		"a person lets it scale less far": {
			[]func(*world){func(w *world) {
				w.patch(hpa, "kubectl-patch", map[string]any{"spec": map[string]any{"minReplicas": 1, "maxReplicas": 5}})
			}},
			[]shift.Autoscaler{{Min: 5, Max: 5, Held: 5, Was: 1}},
			1, "kubectl-patch Update",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.apply(w.object(hpa, map[string]any{"minReplicas": int64(2)}), hpa, "helm")
			c := w.cluster("shop", nil)
			w.tend(c, w.least(7))
			var got []shift.Autoscaler
			for _, happens := range test.meanwhile {
				happens(w)
				a := w.read(w.tend(c, w.least(7)))
				a.Kind, a.Namespace, a.Name, a.Workload = "", "", "", ""
				got = append(got, a)
			}
			if diff := cmp.Diff(test.held, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			w.tend(c, giveBack)
			if left := w.floor(hpa); left != test.left {
				t.Errorf("the floor is left at %v, want %d", left, test.left)
			}
			w.untouched(hpa, test.owner)
		})
	}
}

// replaced is what a tool does that writes whole objects.
func replaced(w *world) {
	w.t.Helper()
	o := w.object(hpa, map[string]any{"minReplicas": int64(2)})
	o.SetResourceVersion(w.get(hpa).GetResourceVersion())
	w.must(w.of(hpa).Update(w.t.Context(), o, metav1.UpdateOptions{FieldManager: "replacer"}))
}

// untouched wants no trace of us on the object, and its floor to be owned by
// one: a manager and how it wrote.
func (w *world) untouched(s sort, owner string) {
	w.t.Helper()
	o, owners := w.get(s), ""
	if text := annotation(o); text != "" {
		w.t.Errorf("the annotation is left: %s", text)
	}
	for _, e := range o.GetManagedFields() {
		if strings.HasPrefix(e.Manager, "clusterswitch") {
			w.t.Errorf("we are still a manager of %s", e.FieldsV1)
		}
		if strings.Contains(string(e.FieldsV1.GetRawBytes()), `"f:`+s.least+`"`) {
			owners += fmt.Sprintf("%s %s", e.Manager, e.Operation)
		}
	}
	if owners != owner {
		w.t.Errorf("its floor is owned by %q, want %q", owners, owner)
	}
}

// What somebody sets between our reading and our writing is neither lost nor
// taken for what was before.
func TestSomebodySetsTheFloorJustBeforeAWrite(t *testing.T) {
	t.Parallel()
	for write, name := range map[int]string{1: "that holds", 2: "that gives back", 3: "that cleans up"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.create(w.object(hpa, map[string]any{"minReplicas": int64(2)}), hpa, "helm")
			l := &line{before: func(n int) {
				if n == write {
					w.set(hpa, "kubectl-patch", "minReplicas", 5)
				}
			}}
			c := w.cluster("shop", l.around)
			if got := w.read(w.tend(c, w.least(7))); got.Min != 7 || got.Held != 7 {
				t.Errorf("it reads %+v", got)
			}
			if got := w.read(w.tend(c, giveBack)); got.Min != 5 || got.Held != 0 {
				t.Errorf("in the end it reads %+v", got)
			}
			w.untouched(hpa, "kubectl-patch Update")
		})
	}
}

// A new attempt begins anew with whoever set a floor back in the last one.
func TestANewAttemptHoldsAgainWhatWasSetBack(t *testing.T) {
	w := newWorld(t)
	w.create(w.object(hpa, nil), hpa, "helm")
	c := w.cluster("shop", nil)
	w.tend(c, w.least(7))
	for range 2 {
		w.set(hpa, "argocd-controller", "minReplicas", 2)
		w.tend(c, w.least(7))
	}
	next := w.least(7)
	next.Attempt = 2
	if got := w.read(w.tend(c, next)); got.Min != 7 || got.RevertedBy != "" {
		t.Errorf("it reads %+v", got)
	}
}

// What docs/readiness.md tells people to do by hand leaves nothing of us, and a
// daemon that comes after finds nothing to do.
func TestGivenBackByHand(t *testing.T) {
	t.Parallel()
	for _, s := range []sort{hpa, so} {
		for name, spec := range map[string]map[string]any{"with a floor": {s.least: int64(2)}, "without": nil} {
			t.Run(s.kind+" "+name, func(t *testing.T) {
				w := newWorld(t)
				w.create(w.object(s, spec), s, "helm")
				before := w.floor(s)
				w.tend(w.cluster("shop", nil), w.least(7))
				w.patch(s, "helm", map[string]any{
					"metadata": map[string]any{"annotations": map[string]any{"clusterswitch.io/held": nil}}, "spec": map[string]any{s.least: before},
				})
				owner := ""
				if before != nil {
					owner = "helm Update"
				}
				w.untouched(s, owner)
				if after := w.floor(s); after != before {
					t.Errorf("the floor is %v, it was %v", after, before)
				}
				if seen := w.tend(w.cluster("shop", nil), giveBack); len(seen.Done) != 0 || w.read(seen).Held != 0 {
					t.Errorf("the next daemon saw %+v", seen)
				}
			})
		}
	}
}

// guest gives a world whose client may do only what the rules say.
func (w *world) guest(rules ...rbacv1.PolicyRule) *world {
	w.t.Helper()
	cp := controlPlane.Start(w.t)
	path, err := cp.UserKubeconfig("guest-of-"+w.namespace, "guests")
	if err != nil {
		w.t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		w.t.Fatal(err)
	}
	config.QPS = -1
	api := cptest.Client(w.t, cp).RbacV1()
	if _, err := api.Roles(w.namespace).Create(w.t.Context(), &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "guest"}, Rules: rules}, metav1.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
	if _, err := api.RoleBindings(w.namespace).Create(w.t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "guest"}, RoleRef: rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "Role", Name: "guest"},
		Subjects: []rbacv1.Subject{{APIGroup: "rbac.authorization.k8s.io", Kind: "User", Name: "guest-of-" + w.namespace}},
	}, metav1.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
	other := *w
	other.config = config
	return &other
}

// What is forbidden is named; what was read all the same is told, and what may be
// written is.
func TestWhatIsForbiddenIsNamed(t *testing.T) {
	t.Parallel()
	allowed := func(group, resource string, verbs ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: []string{resource}, Verbs: verbs}
	}
	for name, test := range map[string]struct {
		rules []rbacv1.PolicyRule
		read  int // autoscalers
		says  []string
		held  int64 // the floor of the ScaledObject
	}{
		"nothing may be read":          {nil, 0, []string{"listing horizontalpodautoscalers", "forbidden"}, 2},
		"ScaledObjects may not be":     {[]rbacv1.PolicyRule{allowed("autoscaling", "horizontalpodautoscalers", "list")}, 0, []string{"listing scaledobjects", "forbidden"}, 2},
		"one kind may not be written":  {[]rbacv1.PolicyRule{allowed("autoscaling", "horizontalpodautoscalers", "list"), allowed("keda.sh", "scaledobjects", "list", "patch")}, 2, []string{"writing the floor of HorizontalPodAutoscaler", "forbidden"}, 7},
		"both may be read and written": {[]rbacv1.PolicyRule{allowed("autoscaling", "horizontalpodautoscalers", "list", "patch"), allowed("keda.sh", "scaledobjects", "list", "patch")}, 2, nil, 7},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for _, s := range []sort{hpa, so} {
				w.create(w.object(s, map[string]any{s.least: int64(2)}), s, "helm")
			}
			c := w.guest(test.rules...).cluster("shop", nil)
			// The API server's authorizer hears of new roles a little later.
			for try := 0; ; try++ {
				seen, err := c.Tend(t.Context(), w.least(7))
				said := ""
				if err != nil {
					said = err.Error()
				}
				held := w.floor(so)
				if len(seen.Autoscalers) == test.read && containsAll(said, test.says...) && (len(test.says) > 0) == (err != nil) && held == test.held {
					return
				}
				if try == 200 {
					t.Fatalf("it read %+v, holds %v, and says %q", seen.Autoscalers, held, said)
				}
				<-time.After(20 * time.Millisecond)
			}
		})
	}
}

// Hundreds take one write each and few reads, in one round.
func TestHundredsOfAutoscalersTakeOneWriteEach(t *testing.T) {
	const n = 501 // more than one page of a listing
	w := newWorld(t)
	work := make(chan int)
	done := make(chan error)
	for range 8 {
		go func() {
			for i := range work {
				o := w.object(hpa, nil)
				o.SetName(fmt.Sprintf("web-%d", i))
				_, err := w.of(hpa).Create(t.Context(), o, metav1.CreateOptions{FieldManager: "helm"})
				done <- err
			}
		}()
	}
	go func() {
		defer close(work)
		for i := range n {
			work <- i
		}
	}()
	for range n {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	l := &line{}
	c := w.cluster("shop", func(next http.RoundTripper) http.RoundTripper { return l.around(next) })
	seen := w.tend(c, w.least(7))
	for _, a := range seen.Autoscalers {
		if a.Held != 7 || a.Min != 7 {
			t.Fatalf("it reads %+v", a)
		}
	}
	// Both before and after, two pages of the one kind and one of the other.
	if len(seen.Autoscalers) != n || l.writes != n || l.reads != 6 {
		t.Errorf("%d autoscalers took %d writes and %d reads, want %d, %d and 6", len(seen.Autoscalers), l.writes, l.reads, n, n)
	}
}

// A namespace that is being deleted, or is gone, stops nobody.
func TestANamespaceThatGoes(t *testing.T) {
	w := newWorld(t)
	w.create(w.object(hpa, nil), hpa, "helm")
	c := w.cluster("shop", nil)
	w.tend(c, w.least(7))
	if err := cptest.Client(t, controlPlane.Start(t)).CoreV1().Namespaces().Delete(t.Context(), w.namespace, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := w.read(w.tend(c, giveBack)); got.Held != 0 || got.Min != 1 {
		t.Errorf("it reads %+v", got)
	}
	if err := w.of(hpa).Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if seen := w.tend(c, w.least(7)); len(seen.Autoscalers) != 0 {
		t.Errorf("it reads %+v", seen)
	}
}
