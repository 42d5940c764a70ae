// Package workload judges workloads and pods by what Kubernetes' controllers
// wrote into their status. It is pure; those who watch a cluster and those who
// list it share it.
package workload

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// Kinds of workloads, as shift.Workload names them.
const (
	kindDeployment  = "Deployment"
	kindStatefulSet = "StatefulSet"
	kindDaemonSet   = "DaemonSet"
)

// Singleton is the annotation that marks with the value true a workload of which
// one may run in the world: scaled to 0 in the other cluster it is as it should be.
const Singleton = "clusterswitch.io/singleton"

func single(annotations map[string]string) bool { return annotations[Singleton] == "true" }

// unseen: the status speaks of an older spec than the stored one, so nothing in
// it may be taken for good.
const unseen = "its controller has not seen its newest spec yet"

// Deployment judges a Deployment by the rules of Deployment status:
// https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
func Deployment(d *appsv1.Deployment) shift.Workload {
	wanted := replicas(d.Spec.Replicas)
	status := d.Status
	w := shift.Workload{
		Kind: kindDeployment, Namespace: d.Namespace, Name: d.Name,
		Wanted: int(wanted), Ready: int(status.ReadyReplicas), Single: single(d.Annotations),
	}
	switch {
	case wanted == 0: // nothing is wanted, so nothing can be missing
	case status.ObservedGeneration < d.Generation:
		w.NotReady = unseen
	case condition(d, appsv1.DeploymentReplicaFailure).Status == corev1.ConditionTrue:
		w.NotReady = "its pods can't be made: " + condition(d, appsv1.DeploymentReplicaFailure).Message
	case condition(d, appsv1.DeploymentProgressing).Status == corev1.ConditionFalse:
		w.NotReady = "its rollout is stuck: " + condition(d, appsv1.DeploymentProgressing).Message
	case status.UpdatedReplicas < wanted && d.Spec.Paused:
		w.NotReady = fmt.Sprintf("it is paused with %d of %d replicas updated", status.UpdatedReplicas, wanted)
	case status.UpdatedReplicas < wanted:
		w.NotReady = fmt.Sprintf("%d of %d replicas are updated", status.UpdatedReplicas, wanted)
	case status.Replicas > status.UpdatedReplicas:
		w.NotReady = fmt.Sprintf("%d old replicas have not ended yet", status.Replicas-status.UpdatedReplicas)
	default:
		w.NotReady = missing(wanted, status.ReadyReplicas, status.AvailableReplicas)
	}
	if available := condition(d, appsv1.DeploymentAvailable); w.NotReady == "" && wanted > 0 && available.Status == corev1.ConditionFalse {
		w.NotReady = "it is not available: " + available.Message
	}
	return w
}

func condition(d *appsv1.Deployment, kind appsv1.DeploymentConditionType) appsv1.DeploymentCondition {
	for _, c := range d.Status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return appsv1.DeploymentCondition{}
}

// StatefulSet judges a StatefulSet. It leaves out what an update may leave behind on purpose: pods
// below the partition, and all of them when the strategy is OnDelete.
func StatefulSet(s *appsv1.StatefulSet) shift.Workload {
	wanted := replicas(s.Spec.Replicas)
	status := s.Status
	w := shift.Workload{
		Kind: kindStatefulSet, Namespace: s.Namespace, Name: s.Name,
		Wanted: int(wanted), Ready: int(status.ReadyReplicas), Single: single(s.Annotations),
	}
	update := wanted
	switch rolling := s.Spec.UpdateStrategy.RollingUpdate; {
	case s.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType:
		update = 0
	case rolling != nil && rolling.Partition != nil:
		update = max(0, wanted-*rolling.Partition)
	}
	switch {
	case wanted == 0:
	case status.ObservedGeneration < s.Generation:
		w.NotReady = unseen
	case status.UpdatedReplicas < update:
		w.NotReady = fmt.Sprintf("%d of %d replicas are updated", status.UpdatedReplicas, update)
	default:
		w.NotReady = missing(wanted, status.ReadyReplicas, status.AvailableReplicas)
	}
	return w
}

// DaemonSet judges a DaemonSet. It takes what is wanted from the status, which alone knows how
// many nodes match; so a status that was never written says nothing.
func DaemonSet(d *appsv1.DaemonSet) shift.Workload {
	status := d.Status
	wanted := status.DesiredNumberScheduled
	w := shift.Workload{
		Kind: kindDaemonSet, Namespace: d.Namespace, Name: d.Name,
		Wanted: int(wanted), Ready: int(status.NumberReady),
	}
	switch {
	case status.ObservedGeneration < d.Generation:
		w.NotReady = unseen
	case d.Spec.UpdateStrategy.Type != appsv1.OnDeleteDaemonSetStrategyType && status.UpdatedNumberScheduled < wanted:
		w.NotReady = fmt.Sprintf("%d of %d replicas are updated", status.UpdatedNumberScheduled, wanted)
	default:
		w.NotReady = missing(wanted, status.NumberReady, status.NumberAvailable)
	}
	return w
}

// missing says how many replicas are not ready, or ready for too short a time
// (minReadySeconds); empty: none.
func missing(wanted, ready, available int32) string {
	switch {
	case ready < wanted:
		return fmt.Sprintf("%d of %d replicas are ready", ready, wanted)
	case available < wanted:
		return fmt.Sprintf("%d of %d replicas are available", available, wanted)
	}
	return ""
}

// replicas applies the default of the API: one.
func replicas(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}

// NodeReady tells whether the node's kubelet says that it takes pods.
func NodeReady(n *corev1.Node) bool {
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
