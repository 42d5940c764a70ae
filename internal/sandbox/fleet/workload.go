package fleet

import (
	"context"
	"fmt"
	"hash/fnv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// create makes the workload and everything under it, then reports its status.
func (f *Fleet) create(ctx context.Context, w *placed) error {
	owner, err := f.createWorkload(ctx, w)
	if err != nil {
		return err
	}
	if err := f.createPods(ctx, w, owner); err != nil {
		return err
	}
	if err := f.createService(ctx, w); err != nil {
		return err
	}
	return f.report(ctx, w)
}

// createWorkload returns the reference that the pods carry to their owner.
func (f *Fleet) createWorkload(ctx context.Context, w *placed) (metav1.OwnerReference, error) {
	apps, create := f.client.AppsV1(), metav1.CreateOptions{}
	replicas := new(int32(w.Replicas))
	meta := metav1.ObjectMeta{Namespace: w.Namespace, Name: w.Name, Labels: w.labels()}
	selector := &metav1.LabelSelector{MatchLabels: w.labels()}
	template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: w.labels()}, Spec: w.podSpec()}
	switch w.Kind {
	case Deployment:
		d, err := apps.Deployments(w.Namespace).Create(ctx, &appsv1.Deployment{
			ObjectMeta: meta,
			Spec:       appsv1.DeploymentSpec{Replicas: replicas, Selector: selector, Template: template},
		}, create)
		if err != nil {
			return metav1.OwnerReference{}, err
		}
		return f.createReplicaSet(ctx, w, d)
	case StatefulSet:
		s, err := apps.StatefulSets(w.Namespace).Create(ctx, &appsv1.StatefulSet{
			ObjectMeta: meta,
			Spec:       appsv1.StatefulSetSpec{Replicas: replicas, Selector: selector, Template: template, ServiceName: w.Name},
		}, create)
		if err != nil {
			return metav1.OwnerReference{}, err
		}
		return ownedBy(s, StatefulSet), nil
	case DaemonSet:
		d, err := apps.DaemonSets(w.Namespace).Create(ctx, &appsv1.DaemonSet{
			ObjectMeta: meta,
			Spec:       appsv1.DaemonSetSpec{Selector: selector, Template: template},
		}, create)
		if err != nil {
			return metav1.OwnerReference{}, err
		}
		return ownedBy(d, DaemonSet), nil
	}
	return metav1.OwnerReference{}, fmt.Errorf("unknown kind %q", w.Kind)
}

// createReplicaSet makes what stands between a Deployment and its pods.
func (f *Fleet) createReplicaSet(ctx context.Context, w *placed, owner *appsv1.Deployment) (metav1.OwnerReference, error) {
	set, err := f.client.AppsV1().ReplicaSets(w.Namespace).Create(ctx, &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: w.Namespace, Name: w.replicaSet(), Labels: w.labels(),
			OwnerReferences: []metav1.OwnerReference{ownedBy(owner, Deployment)},
		},
		Spec: appsv1.ReplicaSetSpec{
			Replicas: owner.Spec.Replicas, Selector: owner.Spec.Selector, Template: owner.Spec.Template,
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return metav1.OwnerReference{}, err
	}
	return ownedBy(set, "ReplicaSet"), nil
}

func ownedBy(o metav1.Object, kind Kind) metav1.OwnerReference {
	return metav1.OwnerReference{
		APIVersion: "apps/v1", Kind: string(kind), Name: o.GetName(), UID: o.GetUID(),
		Controller: new(true), BlockOwnerDeletion: new(true),
	}
}

func (w Workload) labels() map[string]string {
	return map[string]string{"app.kubernetes.io/name": w.Name}
}

// replicaSet names the ReplicaSet after the image, as a Deployment controller
// names it after the pod template.
func (w Workload) replicaSet() string {
	sum := fnv.New32a()
	sum.Write([]byte(w.Image))
	return fmt.Sprintf("%s-%08x", w.Name, sum.Sum32())
}

func (w Workload) podSpec() corev1.PodSpec {
	container := corev1.Container{Name: "app", Image: w.Image}
	if w.Port != 0 {
		container.Ports = []corev1.ContainerPort{{Name: portName, ContainerPort: int32(w.Port)}}
	}
	return corev1.PodSpec{Containers: []corev1.Container{container}}
}
