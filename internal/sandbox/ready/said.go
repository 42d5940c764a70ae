package ready

import (
	"context"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// status is what the daemon says of a pair, as any user with kubectl could read it.
func (g *ground) status(ctx context.Context, namespace, pair string) (map[string]any, error) {
	client, err := dynamic.NewForConfig(g.management.RESTConfig())
	if err != nil {
		return nil, err
	}
	object, err := client.Resource(schema.GroupVersionResource{Group: "clusterswitch.io", Version: "v1alpha1", Resource: "trafficswitches"}).
		Namespace(namespace).Get(ctx, pair, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("reading what the daemon says: %w", err)
	}
	status, _, err := unstructured.NestedMap(object.Object, "status")
	return status, err
}

// failingGates names the gates that don't pass.
func (st *stage) failingGates(ctx context.Context) (string, error) {
	status, err := st.status(ctx, st.namespace, pair)
	if err != nil {
		return "", err
	}
	gates, _, err := unstructured.NestedSlice(map[string]any{"status": status}, "status", "gates")
	if err != nil {
		return "", err
	}
	var failing []string
	for _, each := range gates {
		gate, _ := each.(map[string]any)
		if name, _ := gate["gate"].(string); gate["judgement"] != "pass" {
			failing = append(failing, name)
		}
	}
	return strings.Join(failing, ", "), nil
}
