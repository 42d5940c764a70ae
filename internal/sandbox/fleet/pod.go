package fleet

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// podName follows the owner's way of naming; ReplicaSets and DaemonSets use
// random endings, ours are numbers, so that a failing test says which pod it was.
func (w Workload) podName(i int) string {
	if w.Kind == Deployment {
		return fmt.Sprintf("%s-%d", w.replicaSet(), i)
	}
	return fmt.Sprintf("%s-%d", w.Name, i)
}

func (f *Fleet) createPods(ctx context.Context, w *placed, owner metav1.OwnerReference) error {
	pods := f.client.CoreV1().Pods(w.Namespace)
	for i := range w.pods {
		p := &w.pods[i]
		spec := w.podSpec()
		spec.NodeName = p.node // as if a scheduler had bound it
		created, err := pods.Create(ctx, &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: w.Namespace, Name: p.name, Labels: w.labels(),
				OwnerReferences: []metav1.OwnerReference{owner},
			},
			Spec: spec,
		}, metav1.CreateOptions{})
		if err != nil {
			return fmt.Errorf("creating pod %s: %w", p.name, err)
		}
		p.uid = created.UID
	}
	return nil
}

// reportPods writes the status of those pods whose readiness changes.
func (f *Fleet) reportPods(ctx context.Context, w *placed) error {
	pods := f.client.CoreV1().Pods(w.Namespace)
	for i, address := range w.PodAddresses {
		pod, err := pods.Get(ctx, w.pods[i].name, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("reading pod %s: %w", w.pods[i].name, err)
		}
		if ready := i < w.Ready; pod.Status.PodIP == "" || ready != podReady(pod) {
			pod.Status = podStatus(pod, address, ready)
			if _, err := pods.UpdateStatus(ctx, pod, metav1.UpdateOptions{}); err != nil {
				return fmt.Errorf("setting status of pod %s: %w", pod.Name, err)
			}
		}
	}
	return nil
}

func podReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// podStatus is what a kubelet reports of a pod whose one container runs and whose
// readiness probe passes or fails.
func podStatus(pod *corev1.Pod, address string, ready bool) corev1.PodStatus {
	now := metav1.Now()
	started := pod.CreationTimestamp
	condition := func(kind corev1.PodConditionType, status bool) corev1.PodCondition {
		c := corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: now}
		if !status {
			c.Status, c.Reason = corev1.ConditionFalse, "ContainersNotReady"
			c.Message = "containers with unready status: [app]"
		}
		return c
	}
	return corev1.PodStatus{
		Phase:     corev1.PodRunning,
		PodIP:     address,
		PodIPs:    []corev1.PodIP{{IP: address}},
		StartTime: &started,
		Conditions: []corev1.PodCondition{
			condition(corev1.PodScheduled, true), condition(corev1.PodInitialized, true),
			condition(corev1.ContainersReady, ready), condition(corev1.PodReady, ready),
		},
		ContainerStatuses: []corev1.ContainerStatus{{
			Name: "app", Image: pod.Spec.Containers[0].Image, Ready: ready, Started: new(true),
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: started}},
		}},
	}
}

// portName is the name of the one port, which joins Service and EndpointSlice.
const portName = "http"

func (f *Fleet) createService(ctx context.Context, w *placed) error {
	if w.Port == 0 {
		return nil
	}
	_, err := f.client.CoreV1().Services(w.Namespace).Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: w.Name, Labels: w.labels()},
		Spec: corev1.ServiceSpec{
			Selector: w.labels(),
			Ports:    []corev1.ServicePort{{Name: portName, Port: int32(w.Port), TargetPort: intstr.FromString(portName)}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("creating service %s: %w", w.Name, err)
	}
	return nil
}
