package fleet

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
)

func nodeName(i int) string { return fmt.Sprintf("node-%d", i) }

func (f *Fleet) createNodes(ctx context.Context, count int) error {
	if count == 0 {
		return nil
	}
	version, err := f.client.Discovery().ServerVersion()
	if err != nil {
		return fmt.Errorf("reading the server's version: %w", err)
	}
	for i := range count {
		if err := f.createNode(ctx, nodeName(i), version.GitVersion); err != nil {
			return fmt.Errorf("creating node %s: %w", nodeName(i), err)
		}
	}
	return nil
}

// createNode registers a node and reports it Ready. Its last heartbeat is its
// first: no kubelet renews it, and no node controller minds.
func (f *Fleet) createNode(ctx context.Context, name, version string) error {
	nodes := f.client.CoreV1().Nodes()
	node, err := nodes.Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{
		Name: name,
		Labels: map[string]string{
			corev1.LabelHostname: name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64",
		},
	}}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil // made by another Apply; it stays as it is
	}
	if err != nil {
		return err
	}
	// Admission taints every new node as not ready; the node controller would take
	// that away once the node has reported.
	node.Spec.Taints = slices.DeleteFunc(node.Spec.Taints, func(t corev1.Taint) bool {
		return t.Key == corev1.TaintNodeNotReady
	})
	if node, err = nodes.Update(ctx, node, metav1.UpdateOptions{}); err != nil {
		return err
	}
	size := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("4"),
		corev1.ResourceMemory: resource.MustParse("16Gi"),
		corev1.ResourcePods:   resource.MustParse("110"),
	}
	now := metav1.Now()
	node.Status.Capacity, node.Status.Allocatable = size, size
	node.Status.NodeInfo.KubeletVersion = version
	node.Status.Conditions = []corev1.NodeCondition{{
		Type: corev1.NodeReady, Status: corev1.ConditionTrue,
		Reason: "KubeletReady", Message: "kubelet is posting ready status",
		LastHeartbeatTime: now, LastTransitionTime: now,
	}}
	_, err = nodes.UpdateStatus(ctx, node, metav1.UpdateOptions{})
	return err
}

func (f *Fleet) createNamespaces(ctx context.Context) error {
	wanted := sets.New[string]()
	for k := range f.workloads {
		wanted.Insert(k.namespace)
	}
	for _, name := range sets.List(wanted) {
		_, err := f.client.CoreV1().Namespaces().Create(ctx,
			&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("creating namespace %s: %w", name, err)
		}
	}
	return nil
}
