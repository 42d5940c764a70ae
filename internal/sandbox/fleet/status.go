package fleet

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
)

// reportWorkload writes the status that the workload's controller would write.
// It reads first, because users may change the object's spec meanwhile, and it
// claims to have observed just what it read.
func (f *Fleet) reportWorkload(ctx context.Context, w *placed) error {
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		switch w.Kind {
		case Deployment:
			if err := f.reportReplicaSet(ctx, w); err != nil {
				return err
			}
			return f.reportDeployment(ctx, w)
		case StatefulSet:
			return f.reportStatefulSet(ctx, w)
		case DaemonSet:
			return f.reportDaemonSet(ctx, w)
		}
		return fmt.Errorf("unknown kind %q", w.Kind)
	})
}

func (f *Fleet) reportDeployment(ctx context.Context, w *placed) error {
	deployments := f.client.AppsV1().Deployments(w.Namespace)
	d, err := deployments.Get(ctx, w.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	pods, ready := int32(len(w.PodAddresses)), int32(w.Ready)
	before := d.Status.Conditions
	d.Status = appsv1.DeploymentStatus{
		ObservedGeneration: d.Generation,
		Replicas:           pods,
		UpdatedReplicas:    pods,
		ReadyReplicas:      ready,
		AvailableReplicas:  ready,
		// Counted from what is wanted, like the real controller does: pods that were
		// never created are unavailable too.
		UnavailableReplicas: int32(w.Replicas) - ready,
		Conditions:          deploymentConditions(w, before),
	}
	_, err = deployments.UpdateStatus(ctx, d, metav1.UpdateOptions{})
	return err
}

// deploymentConditions follows the Deployment controller: Available allows for
// the default maxUnavailable of 25 % (rounded down), and Progressing stays
// complete once a rollout was complete. A rollout that never ends keeps
// Progressing=True here, as a real one does until its deadline of ten minutes.
// https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
func deploymentConditions(w *placed, before []appsv1.DeploymentCondition) []appsv1.DeploymentCondition {
	available := appsv1.DeploymentCondition{
		Type: appsv1.DeploymentAvailable, Status: corev1.ConditionTrue,
		Reason: "MinimumReplicasAvailable", Message: "Deployment has minimum availability.",
	}
	if w.Ready < w.Replicas-w.Replicas/4 {
		available.Status, available.Reason = corev1.ConditionFalse, "MinimumReplicasUnavailable"
		available.Message = "Deployment does not have minimum availability."
	}
	progressing := appsv1.DeploymentCondition{
		Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue,
		Reason: "NewReplicaSetAvailable", Message: fmt.Sprintf("ReplicaSet %q has successfully progressed.", w.replicaSet()),
	}
	if !w.complete {
		progressing.Reason = "ReplicaSetUpdated"
		progressing.Message = fmt.Sprintf("ReplicaSet %q is progressing.", w.replicaSet())
	}
	conditions := []appsv1.DeploymentCondition{available, progressing}
	if len(w.PodAddresses) < w.Replicas {
		conditions = append(conditions, appsv1.DeploymentCondition{
			Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate",
			Message: fmt.Sprintf("%d of %d pods could not be created", w.Replicas-len(w.PodAddresses), w.Replicas),
		})
	}
	now := metav1.Now()
	for i := range conditions {
		c := &conditions[i]
		c.LastUpdateTime, c.LastTransitionTime = now, now
		for _, old := range before {
			if old.Type == c.Type && old.Status == c.Status {
				c.LastTransitionTime = old.LastTransitionTime
			}
		}
	}
	return conditions
}

func (f *Fleet) reportReplicaSet(ctx context.Context, w *placed) error {
	sets := f.client.AppsV1().ReplicaSets(w.Namespace)
	s, err := sets.Get(ctx, w.replicaSet(), metav1.GetOptions{})
	if err != nil {
		return err
	}
	pods, ready := int32(len(w.PodAddresses)), int32(w.Ready)
	s.Status = appsv1.ReplicaSetStatus{
		ObservedGeneration: s.Generation,
		Replicas:           pods, FullyLabeledReplicas: pods,
		ReadyReplicas: ready, AvailableReplicas: ready,
	}
	_, err = sets.UpdateStatus(ctx, s, metav1.UpdateOptions{})
	return err
}

// reportStatefulSet: the real controller writes no conditions either.
func (f *Fleet) reportStatefulSet(ctx context.Context, w *placed) error {
	sets := f.client.AppsV1().StatefulSets(w.Namespace)
	s, err := sets.Get(ctx, w.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	pods, ready := int32(len(w.PodAddresses)), int32(w.Ready)
	s.Status = appsv1.StatefulSetStatus{
		ObservedGeneration: s.Generation,
		Replicas:           pods, CurrentReplicas: pods, UpdatedReplicas: pods,
		ReadyReplicas: ready, AvailableReplicas: ready,
		CurrentRevision: w.replicaSet(), UpdateRevision: w.replicaSet(),
	}
	_, err = sets.UpdateStatus(ctx, s, metav1.UpdateOptions{})
	return err
}

// reportDaemonSet: the real controller writes no conditions either.
func (f *Fleet) reportDaemonSet(ctx context.Context, w *placed) error {
	sets := f.client.AppsV1().DaemonSets(w.Namespace)
	s, err := sets.Get(ctx, w.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	pods, ready := int32(len(w.PodAddresses)), int32(w.Ready)
	s.Status = appsv1.DaemonSetStatus{
		ObservedGeneration:     s.Generation,
		DesiredNumberScheduled: int32(w.Replicas),
		CurrentNumberScheduled: pods, UpdatedNumberScheduled: pods,
		NumberReady: ready, NumberAvailable: ready,
		NumberUnavailable: int32(w.Replicas) - ready,
	}
	_, err = sets.UpdateStatus(ctx, s, metav1.UpdateOptions{})
	return err
}
