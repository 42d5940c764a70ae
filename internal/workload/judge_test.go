package workload

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// deployment is one with three of three replicas ready; with changes it.
func deployment(with func(*appsv1.Deployment)) *appsv1.Deployment {
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", Generation: 4},
		Spec:       appsv1.DeploymentSpec{Replicas: new(int32(3))},
		Status: appsv1.DeploymentStatus{
			ObservedGeneration: 4, Replicas: 3, UpdatedReplicas: 3, ReadyReplicas: 3, AvailableReplicas: 3,
			Conditions: []appsv1.DeploymentCondition{
				{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue},
				{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionTrue},
			},
		},
	}
	with(d)
	return d
}

func setCondition(d *appsv1.Deployment, kind appsv1.DeploymentConditionType, status corev1.ConditionStatus, message string) {
	for i := range d.Status.Conditions {
		if d.Status.Conditions[i].Type == kind {
			d.Status.Conditions[i].Status, d.Status.Conditions[i].Message = status, message
			return
		}
	}
	d.Status.Conditions = append(d.Status.Conditions, appsv1.DeploymentCondition{Type: kind, Status: status, Message: message})
}

func TestDeploymentsAreJudgedByTheirStatus(t *testing.T) {
	for name, c := range map[string]struct {
		with          func(*appsv1.Deployment)
		wanted, ready int
		notReady      string
	}{
		"all replicas updated and available": {
			with: func(*appsv1.Deployment) {}, wanted: 3, ready: 3,
		},
		"no conditions yet, but all replicas are there": {
			with: func(d *appsv1.Deployment) { d.Status.Conditions = nil }, wanted: 3, ready: 3,
		},
		"no number of replicas means one": {
			with: func(d *appsv1.Deployment) {
				d.Spec.Replicas = nil
				d.Status = appsv1.DeploymentStatus{ObservedGeneration: 4, Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1, AvailableReplicas: 1}
			}, wanted: 1, ready: 1,
		},
		"just created, nobody wrote a status": {
			with:   func(d *appsv1.Deployment) { d.Status = appsv1.DeploymentStatus{} },
			wanted: 3, notReady: unseen,
		},
		"the status speaks of an older spec": {
			with: func(d *appsv1.Deployment) { d.Generation = 5 }, wanted: 3, ready: 3, notReady: unseen,
		},
		"scaled to zero on purpose": {
			with: func(d *appsv1.Deployment) {
				d.Spec.Replicas, d.Status = new(int32(0)), appsv1.DeploymentStatus{}
			},
		},
		"pods that can't be made don't show as pods": {
			with: func(d *appsv1.Deployment) {
				d.Status.ReadyReplicas, d.Status.AvailableReplicas = 1, 1
				setCondition(d, appsv1.DeploymentReplicaFailure, corev1.ConditionTrue, "exceeded quota: pods=3")
			}, wanted: 3, ready: 1, notReady: "its pods can't be made: exceeded quota: pods=3",
		},
		"the rollout passed its deadline": {
			with: func(d *appsv1.Deployment) {
				d.Status.UpdatedReplicas = 1
				setCondition(d, appsv1.DeploymentProgressing, corev1.ConditionFalse, "ReplicaSet web-2 has timed out")
			}, wanted: 3, ready: 3, notReady: "its rollout is stuck: ReplicaSet web-2 has timed out",
		},
		"in the middle of a rollout": {
			with:   func(d *appsv1.Deployment) { d.Status.UpdatedReplicas = 1 },
			wanted: 3, ready: 3, notReady: "1 of 3 replicas are updated",
		},
		"paused in the middle of a rollout": {
			with:   func(d *appsv1.Deployment) { d.Spec.Paused, d.Status.UpdatedReplicas = true, 1 },
			wanted: 3, ready: 3, notReady: "it is paused with 1 of 3 replicas updated",
		},
		"paused, but all is there": {
			with: func(d *appsv1.Deployment) { d.Spec.Paused = true }, wanted: 3, ready: 3,
		},
		"old replicas still end": {
			with:   func(d *appsv1.Deployment) { d.Status.Replicas = 4 },
			wanted: 3, ready: 3, notReady: "1 old replicas have not ended yet",
		},
		"a replica is not ready": {
			with:   func(d *appsv1.Deployment) { d.Status.ReadyReplicas, d.Status.AvailableReplicas = 2, 2 },
			wanted: 3, ready: 2, notReady: "2 of 3 replicas are ready",
		},
		"a replica is ready for too short a time": {
			with:   func(d *appsv1.Deployment) { d.Status.AvailableReplicas = 2 },
			wanted: 3, ready: 3, notReady: "2 of 3 replicas are available",
		},
		"the condition says that it is not available": {
			with: func(d *appsv1.Deployment) {
				setCondition(d, appsv1.DeploymentAvailable, corev1.ConditionFalse, "minimum availability")
			}, wanted: 3, ready: 3, notReady: "it is not available: minimum availability",
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := shift.Workload{Kind: "Deployment", Namespace: "shop", Name: "web", Wanted: c.wanted, Ready: c.ready, NotReady: c.notReady}
			compareTrimmed(t, want, deployment(c.with), Deployment)
		})
	}
}

// compareTrimmed judges an object as it is and as the cache keeps it.
func compareTrimmed[T any](t *testing.T, want shift.Workload, object T, judge func(T) shift.Workload) {
	t.Helper()
	if diff := cmp.Diff(want, judge(object)); diff != "" {
		t.Errorf("judged as it is (-want +got):\n%s", diff)
	}
	trimmed, err := Trim(object)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, judge(trimmed.(T))); diff != "" {
		t.Errorf("judged as trimmed (-want +got):\n%s", diff)
	}
}

func TestStatefulSetsAreJudgedByTheirStatus(t *testing.T) {
	for name, c := range map[string]struct {
		with          func(*appsv1.StatefulSet)
		wanted, ready int
		notReady      string
	}{
		"all replicas updated and available": {
			with: func(*appsv1.StatefulSet) {}, wanted: 3, ready: 3,
		},
		"just created, nobody wrote a status": {
			with:   func(s *appsv1.StatefulSet) { s.Status = appsv1.StatefulSetStatus{} },
			wanted: 3, notReady: unseen,
		},
		"scaled to zero on purpose": {
			with: func(s *appsv1.StatefulSet) {
				s.Spec.Replicas, s.Status = new(int32(0)), appsv1.StatefulSetStatus{}
			},
		},
		"in the middle of an update": {
			with:   func(s *appsv1.StatefulSet) { s.Status.UpdatedReplicas = 2 },
			wanted: 3, ready: 3, notReady: "2 of 3 replicas are updated",
		},
		"updated down to its partition": {
			with: func(s *appsv1.StatefulSet) {
				s.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: new(int32(2))}
				s.Status.UpdatedReplicas = 1
			}, wanted: 3, ready: 3,
		},
		"not yet updated down to its partition": {
			with: func(s *appsv1.StatefulSet) {
				s.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: new(int32(2))}
				s.Status.UpdatedReplicas = 0
			}, wanted: 3, ready: 3, notReady: "0 of 1 replicas are updated",
		},
		"a partition over the number of replicas": {
			with: func(s *appsv1.StatefulSet) {
				s.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: new(int32(9))}
				s.Status.UpdatedReplicas = 0
			}, wanted: 3, ready: 3,
		},
		"updated only when pods are deleted by hand": {
			with: func(s *appsv1.StatefulSet) {
				s.Spec.UpdateStrategy.Type, s.Status.UpdatedReplicas = appsv1.OnDeleteStatefulSetStrategyType, 0
			}, wanted: 3, ready: 3,
		},
		"a replica is not ready": {
			with:   func(s *appsv1.StatefulSet) { s.Status.ReadyReplicas = 2 },
			wanted: 3, ready: 2, notReady: "2 of 3 replicas are ready",
		},
		"a replica is ready for too short a time": {
			with:   func(s *appsv1.StatefulSet) { s.Status.AvailableReplicas = 2 },
			wanted: 3, ready: 3, notReady: "2 of 3 replicas are available",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &appsv1.StatefulSet{
				ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "db", Generation: 1},
				Spec:       appsv1.StatefulSetSpec{Replicas: new(int32(3))},
				Status:     appsv1.StatefulSetStatus{ObservedGeneration: 1, Replicas: 3, UpdatedReplicas: 3, ReadyReplicas: 3, AvailableReplicas: 3},
			}
			c.with(s)
			want := shift.Workload{Kind: "StatefulSet", Namespace: "shop", Name: "db", Wanted: c.wanted, Ready: c.ready, NotReady: c.notReady}
			compareTrimmed(t, want, s, StatefulSet)
		})
	}
}

func TestDaemonSetsAreJudgedByTheirStatus(t *testing.T) {
	for name, c := range map[string]struct {
		with          func(*appsv1.DaemonSet)
		wanted, ready int
		notReady      string
	}{
		"ready on all nodes that it wants": {
			with: func(*appsv1.DaemonSet) {}, wanted: 2, ready: 2,
		},
		"no node matches": {
			with: func(d *appsv1.DaemonSet) { d.Status = appsv1.DaemonSetStatus{ObservedGeneration: 1} },
		},
		"just created: wanting nothing is not yet an answer": {
			with:     func(d *appsv1.DaemonSet) { d.Status = appsv1.DaemonSetStatus{} },
			notReady: unseen,
		},
		"in the middle of an update": {
			with:   func(d *appsv1.DaemonSet) { d.Status.UpdatedNumberScheduled = 1 },
			wanted: 2, ready: 2, notReady: "1 of 2 replicas are updated",
		},
		"updated only when pods are deleted by hand": {
			with: func(d *appsv1.DaemonSet) {
				d.Spec.UpdateStrategy.Type, d.Status.UpdatedNumberScheduled = appsv1.OnDeleteDaemonSetStrategyType, 0
			}, wanted: 2, ready: 2,
		},
		"not ready on one node": {
			with:   func(d *appsv1.DaemonSet) { d.Status.NumberReady, d.Status.NumberAvailable = 1, 1 },
			wanted: 2, ready: 1, notReady: "1 of 2 replicas are ready",
		},
		"ready on one node for too short a time": {
			with:   func(d *appsv1.DaemonSet) { d.Status.NumberAvailable = 1 },
			wanted: 2, ready: 2, notReady: "1 of 2 replicas are available",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := &appsv1.DaemonSet{
				ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "logs", Generation: 1},
				Status: appsv1.DaemonSetStatus{
					ObservedGeneration: 1, DesiredNumberScheduled: 2, UpdatedNumberScheduled: 2, NumberReady: 2, NumberAvailable: 2,
				},
			}
			c.with(d)
			want := shift.Workload{Kind: "DaemonSet", Namespace: "shop", Name: "logs", Wanted: c.wanted, Ready: c.ready, NotReady: c.notReady}
			compareTrimmed(t, want, d, DaemonSet)
		})
	}
}

// The mark of a workload of which one may run survives the cache's trimming.
func TestASingletonIsToldAsSuch(t *testing.T) {
	for value, want := range map[string]bool{"true": true, "false": false, "": false} {
		object := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "mailer", Annotations: map[string]string{Singleton: value, "note": "long"}}}
		trimmed, err := Trim(object)
		if err != nil {
			t.Fatal(err)
		}
		if got := Deployment(trimmed.(*appsv1.Deployment)).Single; got != want {
			t.Errorf("with the value %q: %t", value, got)
		}
	}
}
