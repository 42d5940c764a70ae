package app

import (
	"context"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const pinned = "    standby: {capacity: {pinAutoscalers: true}}\n"

// hold holds the floors of the guest's own autoscalers and gives them back, as
// the steward does.
func (g *guest) hold(reach *rest.Config) (faults []string) {
	g.t.Helper()
	if !g.pair.Standby.Capacity.PinAutoscalers {
		return nil
	}
	g.scale("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "maxReplicas")
	g.scale("keda.sh", "v1alpha1", "scaledobjects", "ScaledObject", "maxReplicaCount")
	k, err := newKeepers(reach, shift.Blue, g.pair)
	if err != nil {
		g.t.Fatal(err)
	}
	floor := shift.Floor{Workload: "Deployment shop/" + g.pair.Name, Least: 7}
	for _, i := range []shift.ClusterIntent{{Hold: true, Blue: []shift.Floor{floor}}, {}} {
		seen, err := k.floors.Tend(g.t.Context(), i)
		if err != nil {
			faults = append(faults, err.Error())
			continue
		}
		for _, a := range seen.Autoscalers {
			if a.Workload == floor.Workload && (a.Held == 7) != i.Hold {
				faults = append(faults, a.Key()+" is not as intended")
			}
		}
	}
	return faults
}

// scale makes an autoscaler of the guest's own, unless it is there.
func (g *guest) scale(group, version, resource, kind, most string) {
	g.t.Helper()
	client, err := dynamic.NewForConfig(g.admin)
	if err != nil {
		g.t.Fatal(err)
	}
	o := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": group + "/" + version, "kind": kind, "metadata": map[string]any{"name": g.pair.Name},
		"spec": map[string]any{"scaleTargetRef": map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "name": g.pair.Name}, most: int64(9)},
	}}
	ctx := context.WithoutCancel(g.t.Context())
	_, err = client.Resource(schema.GroupVersionResource{Group: group, Version: version, Resource: resource}).Namespace("shop").Create(ctx, o, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) && !strings.Contains(err.Error(), "already exists") {
		g.t.Fatal(err)
	}
}
