package fleet

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// reportEndpoints writes the workload's EndpointSlice. The old Endpoints object
// isn't written: since Kubernetes 1.33 it is deprecated, and the API server's
// service proxy reads slices (1.37). The proxy passes an endpoint only if its
// targetRef names a pod in the same namespace that reports the same address.
func (f *Fleet) reportEndpoints(ctx context.Context, w *placed) error {
	if w.Port == 0 {
		return nil
	}
	wanted := endpointSlice(w)
	slices := f.client.DiscoveryV1().EndpointSlices(w.Namespace)
	current, err := slices.Get(ctx, wanted.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		_, err = slices.Create(ctx, wanted, metav1.CreateOptions{})
	case err == nil:
		wanted.ResourceVersion = current.ResourceVersion
		_, err = slices.Update(ctx, wanted, metav1.UpdateOptions{})
	}
	if err != nil {
		return fmt.Errorf("writing endpoints of service %s: %w", w.Name, err)
	}
	return nil
}

func endpointSlice(w *placed) *discoveryv1.EndpointSlice {
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: w.Namespace, Name: w.Name + "-0",
			Labels: map[string]string{
				discoveryv1.LabelServiceName: w.Name,
				discoveryv1.LabelManagedBy:   "endpointslice-controller.k8s.io",
			},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports: []discoveryv1.EndpointPort{{
			Name: new(portName), Port: new(int32(w.Port)), Protocol: new(corev1.ProtocolTCP),
		}},
	}
	for i, address := range w.PodAddresses {
		pod, ready := w.pods[i], i < w.Ready
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{address},
			Conditions: discoveryv1.EndpointConditions{
				Ready: new(ready), Serving: new(ready), Terminating: new(false),
			},
			NodeName:  new(pod.node),
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: w.Namespace, Name: pod.name, UID: pod.uid},
		})
	}
	return slice
}
