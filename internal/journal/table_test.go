package journal_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// TestKubectlGetShowsWhereThePairStands asks as kubectl does: the API server
// makes the table.
func TestKubectlGetShowsWhereThePairStands(t *testing.T) {
	w := newWorld(t)
	j := w.journal()
	w.load(j)
	said := shift.Readiness{Wanted: 90, Blue: shift.SideCapacity{Known: true, Percent: 40, Ready: 4, Need: 10}}
	if err := j.Save(t.Context(), pair, shiftingState(), shift.Said{Reason: shift.Holding, BlueReady: "3/3", Readiness: said}); err != nil {
		t.Fatal(err)
	}
	client, err := discovery.NewDiscoveryClientForConfig(w.config)
	if err != nil {
		t.Fatal(err)
	}
	content, err := client.RESTClient().Get().
		AbsPath("/apis", v1alpha1.Group, v1alpha1.Version, "namespaces", w.namespace, v1alpha1.Resource).
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var table metav1.Table
	if err := json.Unmarshal(content, &table); err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	for i, column := range table.ColumnDefinitions {
		got[column.Name] = table.Rows[0].Cells[i]
	}
	delete(got, "Age")
	want := map[string]any{
		"Name": pair, "Phase": "Shifting", "Green": 25.0, "Step": "1/2", "Blue ready": "3/3", "Can take": 40.0, "Reason": "Holding",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
}
