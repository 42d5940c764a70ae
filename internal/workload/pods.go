package workload

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Trouble counts, for one workload, the pods that have a reason not to run.
type Trouble map[string]int // by reason

// String gives "2 pods ImagePullBackOff, 1 pod Unschedulable", the most frequent
// reason first, or nothing.
func (t Trouble) String() string {
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

// Owner names what controls a pod: its StatefulSet, DaemonSet or Job, or
// whatever else does. A Deployment's pods belong to a ReplicaSet whose name is
// the Deployment's name and the pod-template-hash. Both are empty for a pod of
// nobody.
func Owner(p *corev1.Pod) (kind, name string) {
	owner := metav1.GetControllerOfNoCopy(p)
	if owner == nil {
		return "", ""
	}
	hash := p.Labels[appsv1.DefaultDeploymentUniqueLabelKey]
	if deployment, ok := strings.CutSuffix(owner.Name, "-"+hash); ok && hash != "" && owner.Kind == "ReplicaSet" {
		return kindDeployment, deployment
	}
	return owner.Kind, owner.Name
}

// Reason gives the reason why a pod doesn't run, in Kubernetes' own word;
// empty when there is none, or when it is merely starting or ending.
func Reason(p *corev1.Pod) string {
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
