package workload

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Trim keeps of each object what this package reads and what a cache needs, so
// that the caches of a large cluster stay small. It is a cache.TransformFunc.
func Trim(object any) (any, error) {
	switch o := object.(type) {
	case *corev1.Node:
		return trimNode(o), nil
	case *corev1.Pod:
		return trimPod(o), nil
	case *appsv1.Deployment:
		return &appsv1.Deployment{
			ObjectMeta: trimMeta(o.ObjectMeta),
			Spec:       appsv1.DeploymentSpec{Replicas: o.Spec.Replicas, Paused: o.Spec.Paused},
			Status:     o.Status,
		}, nil
	case *appsv1.StatefulSet:
		return &appsv1.StatefulSet{
			ObjectMeta: trimMeta(o.ObjectMeta),
			Spec:       appsv1.StatefulSetSpec{Replicas: o.Spec.Replicas, UpdateStrategy: o.Spec.UpdateStrategy},
			Status:     o.Status,
		}, nil
	case *appsv1.DaemonSet:
		return &appsv1.DaemonSet{
			ObjectMeta: trimMeta(o.ObjectMeta),
			Spec:       appsv1.DaemonSetSpec{UpdateStrategy: o.Spec.UpdateStrategy},
			Status:     o.Status,
		}, nil
	}
	return object, nil
}

// trimMeta keeps what a cache needs, and the generation for judging.
func trimMeta(m metav1.ObjectMeta) metav1.ObjectMeta {
	trimmed := metav1.ObjectMeta{
		Name: m.Name, Namespace: m.Namespace, UID: m.UID,
		ResourceVersion: m.ResourceVersion, Generation: m.Generation,
	}
	if single(m.Annotations) {
		trimmed.Annotations = map[string]string{Singleton: m.Annotations[Singleton]}
	}
	return trimmed
}

func trimNode(n *corev1.Node) *corev1.Node {
	trimmed := &corev1.Node{ObjectMeta: trimMeta(n.ObjectMeta)}
	for _, condition := range n.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			trimmed.Status.Conditions = []corev1.NodeCondition{{Type: condition.Type, Status: condition.Status}}
		}
	}
	return trimmed
}

func trimPod(p *corev1.Pod) *corev1.Pod {
	trimmed := &corev1.Pod{ObjectMeta: trimMeta(p.ObjectMeta)}
	trimmed.DeletionTimestamp = p.DeletionTimestamp
	if owner := metav1.GetControllerOfNoCopy(p); owner != nil {
		trimmed.OwnerReferences = []metav1.OwnerReference{*owner}
	}
	if hash, ok := p.Labels[appsv1.DefaultDeploymentUniqueLabelKey]; ok {
		trimmed.Labels = map[string]string{appsv1.DefaultDeploymentUniqueLabelKey: hash}
	}
	for _, condition := range p.Status.Conditions {
		if condition.Type == corev1.PodScheduled {
			trimmed.Status.Conditions = []corev1.PodCondition{
				{Type: condition.Type, Status: condition.Status, Reason: condition.Reason},
			}
		}
	}
	trimmed.Status.InitContainerStatuses = trimContainers(p.Status.InitContainerStatuses)
	trimmed.Status.ContainerStatuses = trimContainers(p.Status.ContainerStatuses)
	return trimmed
}

func trimContainers(statuses []corev1.ContainerStatus) []corev1.ContainerStatus {
	var trimmed []corev1.ContainerStatus
	for _, s := range statuses {
		if s.State.Waiting != nil {
			waiting := &corev1.ContainerStateWaiting{Reason: s.State.Waiting.Reason}
			trimmed = append(trimmed, corev1.ContainerStatus{State: corev1.ContainerState{Waiting: waiting}})
		}
	}
	return trimmed
}
