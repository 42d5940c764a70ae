//go:build e2e

package controlplane_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
)

func TestE2EControllersBringAClusterToLife(t *testing.T) {
	cp, err := controlplane.Start(t.Context(), controlplane.Options{
		Name: "alive", Assets: repositoryAssets(t), UnsafeNoFsync: true,
		Controllers: &controlplane.Controllers{PodCIDR: "10.30.0.1/16", Nodes: []controlplane.Node{
			{Name: "old", Kubelet: "v1.36.5-eks-1a2b3c4", Arch: "arm64", Labels: map[string]string{"pool": "web"}},
			{Name: "new", Kubelet: "v1.37.2-eks-5d6e7f8"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cp.Stop(); err != nil {
			t.Error(err)
		}
	})
	client := cptest.Client(t, cp)
	node, err := client.CoreV1().Nodes().Get(t.Context(), "old", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	claims := []string{node.Status.NodeInfo.KubeletVersion, node.Status.NodeInfo.Architecture, node.Labels["pool"], node.Labels[corev1.LabelArchStable]}
	if diff := cmp.Diff([]string{"v1.36.5-eks-1a2b3c4", "arm64", "web", "arm64"}, claims); diff != "" {
		t.Errorf("what the node claims (-want +got):\n%s", diff)
	}

	create := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	deployments, jobs, pods := client.AppsV1().Deployments("default"), client.BatchV1().Jobs("default"), client.CoreV1().Pods("default")
	_, err = deployments.Create(t.Context(), deployment("web", nil), metav1.CreateOptions{})
	create(err)
	broken := map[string]string{controlplane.WaitingAnnotation: "ImagePullBackOff"}
	_, err = deployments.Create(t.Context(), deployment("broken", broken), metav1.CreateOptions{})
	create(err)
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "once"}, Spec: batchv1.JobSpec{Template: template("once", nil)}}
	job.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyNever
	_, err = jobs.Create(t.Context(), job, metav1.CreateOptions{})
	create(err)

	eventually(t, func() bool {
		web, err := deployments.Get(t.Context(), "web", metav1.GetOptions{})
		once, jobErr := jobs.Get(t.Context(), "once", metav1.GetOptions{})
		return err == nil && jobErr == nil && web.Status.ReadyReplicas == 2 && once.Status.Succeeded == 1
	})
	eventually(t, func() bool {
		list, err := pods.List(t.Context(), metav1.ListOptions{LabelSelector: "app=broken"})
		if err != nil || len(list.Items) != 2 || len(list.Items[0].Status.ContainerStatuses) != 1 {
			return false
		}
		waiting := list.Items[0].Status.ContainerStatuses[0].State.Waiting
		return waiting != nil && waiting.Reason == "ImagePullBackOff"
	})

	// A namespace goes away with all that is in it, and so do a Deployment's pods.
	create(deployments.Delete(t.Context(), "web", metav1.DeleteOptions{}))
	eventually(t, func() bool {
		list, err := pods.List(t.Context(), metav1.ListOptions{LabelSelector: "app=web"})
		return err == nil && len(list.Items) == 0
	})
	namespace := cptest.Namespace(t, cp)
	create(client.CoreV1().Namespaces().Delete(t.Context(), namespace, metav1.DeleteOptions{}))
	eventually(t, func() bool {
		_, err := client.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
}

func deployment(name string, annotations map[string]string) *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(2)), Template: template(name, annotations),
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}},
		},
	}
}

func template(name string, annotations map[string]string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": name}, Annotations: annotations},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: name, Image: "registry.example.com/" + name + ":1.0"}}},
	}
}
