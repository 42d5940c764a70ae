package ready

import (
	"context"
	"fmt"

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
