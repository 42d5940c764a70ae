package ready

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

func TestJudgeSeesEachOverlapAndEachGap(t *testing.T) {
	t.Parallel()
	type sides struct{ blue, green int32 }
	// Each story begins with blue on, and says what each write leads to.
	tests := map[string]struct {
		writes  []sides
		running bool // a pod of blue stays, whatever blue wants
		want    [2]int
	}{
		"handed over, and taken back":      {writes: []sides{{0, 0}, {0, 1}, {0, 0}, {1, 0}}, want: [2]int{0, 2}},
		"green is on before blue is off":   {writes: []sides{{1, 1}, {0, 1}}, want: [2]int{1, 0}},
		"green is on before blue is empty": {writes: []sides{{0, 0}, {0, 1}}, running: true, want: [2]int{1, 1}},
		"off for good":                     {writes: []sides{{0, 0}}, want: [2]int{0, 0}},
		"a write that changes nothing":     {writes: []sides{{1, 0}, {1, 0}}, want: [2]int{0, 0}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			blue, green := fakeSide(t, "blue", 1), fakeSide(t, "green", 0)
			if test.running {
				pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "worker-0", Labels: map[string]string{"app": "worker"}}}
				if _, err := blue.client.CoreV1().Pods("shop").Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			j, now := newJudge(&ground{blue: blue, green: green}), sides{1, 0}
			for _, next := range test.writes {
				c, replicas := blue, next.blue
				if next.green != now.green {
					c, replicas = green, next.green
				}
				request := httptest.NewRequestWithContext(t.Context(), http.MethodPatch, "/apis/apps/v1/namespaces/shop/deployments/worker", nil)
				if !j.take(write{c, request}, func() { scaleFake(t, c, replicas) }) {
					t.Error("a write got no answer")
				}
				now = next
			}
			if diff := cmp.Diff(test.want, [2]int{len(j.overlaps), len(j.gaps())}); diff != "" || len(j.errs) > 0 {
				t.Errorf("overlaps and gaps (-want +got), errors %v:\n%s", j.errs, diff)
			}
		})
	}
}

func fakeSide(t *testing.T, name string, replicas int32) *cluster {
	t.Helper()
	c := &cluster{name: name, client: fake.NewClientset()}
	worker := application{name: "worker", replicas: replicas}.deployment()
	worker.Namespace = "shop"
	if _, err := c.client.AppsV1().Deployments("shop").Create(t.Context(), worker, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	return c
}

func scaleFake(t *testing.T, c *cluster, replicas int32) {
	t.Helper()
	worker, err := c.client.AppsV1().Deployments("shop").Get(t.Context(), "worker", metav1.GetOptions{})
	if err == nil {
		worker.Spec = appsv1.DeploymentSpec{Replicas: &replicas, Selector: worker.Spec.Selector, Template: worker.Spec.Template}
		_, err = c.client.AppsV1().Deployments("shop").Update(t.Context(), worker, metav1.UpdateOptions{})
	}
	if err != nil {
		t.Error(err)
	}
}
