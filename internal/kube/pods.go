package kube

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// podTrouble counts, for one workload, the pods that have a reason not to run.
type podTrouble map[string]int // by reason

// String gives "2 pods ImagePullBackOff, 1 pod Unschedulable", the most frequent
// reason first, or nothing.
func (t podTrouble) String() string {
	reasons := make([]string, 0, len(t))
	for reason := range t {
		reasons = append(reasons, reason)
	}
	slices.SortFunc(reasons, func(a, b string) int {
		return cmp.Or(cmp.Compare(t[b], t[a]), cmp.Compare(a, b))
	})
	for i, reason := range reasons {
		noun := "pods"
		if t[reason] == 1 {
			noun = "pod"
		}
		reasons[i] = fmt.Sprintf("%d %s %s", t[reason], noun, reason)
	}
	return strings.Join(reasons, ", ")
}

// podOwner names the workload that a pod belongs to, as shift.Workload.Key
// does; empty for pods of nobody that we watch. A Deployment's pods belong to a
// ReplicaSet whose name is the Deployment's name and the pod-template-hash.
func podOwner(p *corev1.Pod) string {
	owner := metav1.GetControllerOfNoCopy(p)
	if owner == nil {
		return ""
	}
	switch owner.Kind {
	case kindStatefulSet, kindDaemonSet:
		return key(owner.Kind, p.Namespace, owner.Name)
	case "ReplicaSet":
		hash := p.Labels[appsv1.DefaultDeploymentUniqueLabelKey]
		if name, ok := strings.CutSuffix(owner.Name, "-"+hash); ok && hash != "" {
			return key(kindDeployment, p.Namespace, name)
		}
	}
	return ""
}

// podReason gives the reason why a pod doesn't run, in Kubernetes' own word;
// empty when there is none, or when it is merely starting or ending.
func podReason(p *corev1.Pod) string {
	if p.DeletionTimestamp != nil {
		return ""
	}
	for _, condition := range p.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			return condition.Reason
		}
	}
	for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		if s.State.Waiting == nil {
			continue
		}
		switch reason := s.State.Waiting.Reason; reason {
		case "", "ContainerCreating", "PodInitializing":
		default:
			return reason
		}
	}
	return ""
}
