package ready

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func autoscalerObject(least any, owners ...metav1.ManagedFieldsEntry) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"name": "web", "resourceVersion": "7", "generation": int64(3)},
		"spec":     map[string]any{"maxReplicas": int64(9), "metrics": []any{map[string]any{"type": "Resource"}}},
		"status":   map[string]any{"desiredReplicas": int64(4)},
	}}
	if least != nil {
		o.Object["spec"].(map[string]any)["minReplicas"] = least
	}
	o.SetManagedFields(owners)
	return o
}

func owner(name, subresource, fields string, at time.Time) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{
		Manager: name, Operation: metav1.ManagedFieldsOperationApply, APIVersion: "autoscaling/v2", Subresource: subresource,
		FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(fields), Time: &metav1.Time{Time: at},
	}
}

// The counts are of an object with a name, two bounds, a metric, and an owner.
func TestWhatIsGivenBackIsComparedFieldByField(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	helm := owner("helm", "", `{"f:spec":{"f:minReplicas":{}}}`, noon)
	type outcome struct {
		Same, All   int
		Differences []string
	}
	tests := map[string]struct {
		now  *unstructured.Unstructured
		want outcome
	}{
		"the same object, written again meanwhile": {
			now:  autoscalerObject(int64(2), owner("helm", "", `{"f:spec":{"f:minReplicas":{}}}`, noon.Add(time.Hour))),
			want: outcome{Same: 5, All: 5},
		},
		"owners of the status don't count": {
			now:  autoscalerObject(int64(2), helm, owner("kube-controller-manager", "status", `{"f:status":{}}`, noon)),
			want: outcome{Same: 5, All: 5},
		},
		"another value": {
			now:  autoscalerObject(int64(10), helm),
			want: outcome{Same: 4, All: 5, Differences: []string{"hpa .spec .minReplicas was 2 and is 10"}},
		},
		"a value that was taken away": {
			now:  autoscalerObject(nil, helm),
			want: outcome{Same: 4, All: 5, Differences: []string{"hpa .spec .minReplicas is gone; it was 2"}},
		},
		"a trace of another owner": {
			now: autoscalerObject(int64(2), helm, owner("clusterswitch", "", "{}", noon)),
			want: outcome{Same: 5, All: 6, Differences: []string{
				"hpa owned by clusterswitch (Apply, autoscaling/v2) was added: {}",
			}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, now := fields{}, fields{}
			before.add("hpa", autoscalerObject(int64(2), helm))
			now.add("hpa", test.now)
			var got outcome
			got.Same, got.All, got.Differences = before.restored(now)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("comparison (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMeterGivesTheRateOfTheLastSecondAndAHalf(t *testing.T) {
	t.Parallel()
	var served map[string]int64
	m := newMeter(func() map[string]int64 { return served })
	noon := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for i, s := range []map[string]int64{
		{"old": 0}, {"old": 40}, {"old": 60, "new": 0}, {"old": 80, "new": 5}, {"old": 100, "new": 10},
	} {
		served = s
		m.read(noon.Add(time.Duration(i) * 500 * time.Millisecond))
	}
	got := map[string]float64{"old": m.rate("old"), "new": m.rate("new"), "never seen": m.rate("never seen")}
	if diff := cmp.Diff(map[string]float64{"old": 40, "new": 10, "never seen": 0}, got); diff != "" {
		t.Errorf("requests a second (-want +got):\n%s", diff)
	}
	served = map[string]int64{"new": 15}
	m.read(noon.Add(2500 * time.Millisecond))
	if got := m.rate("old"); got != 0 {
		t.Errorf("a pod that is gone serves %v a second", got)
	}
}

func TestPercent(t *testing.T) {
	t.Parallel()
	got := []int{percent(10, 120), percent(6, 120), percent(5, 120), percent(0, 12)}
	if diff := cmp.Diff([]int{166, 100, 83, 0}, got); diff != "" {
		t.Errorf("what pods can serve of a load (-want +got):\n%s", diff)
	}
	if percent(0, 0) < 100 {
		t.Error("a load of nothing needs pods")
	}
}

func TestKindOf(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/web": "horizontalpodautoscalers",
		"/apis/batch/v1/namespaces/shop/cronjobs/report/status":             "cronjobs/status",
		"/api/v1/namespaces/shop/events":                                    "events",
		"/apis/keda.sh/v1alpha1":                                            "/apis/keda.sh/v1alpha1",
	} {
		if got := kindOf(path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}
