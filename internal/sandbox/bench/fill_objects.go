package bench

import (
	"context"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func named(kind string, i int) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: fmt.Sprintf("%s-%05d", kind, i), Namespace: team(i), Labels: map[string]string{
		"app.kubernetes.io/name": fmt.Sprintf("app-%05d", i), "app.kubernetes.io/managed-by": "Helm", "team": team(i),
	}}
}

// text is a text of so many bytes that belongs to i.
func text(i, size int) string {
	line := fmt.Sprintf("key-%05d = a value of a setting, as it stands in a file\n", i)
	return strings.Repeat(line, size/len(line)+1)[:size]
}

func (f *filler) configMap(ctx context.Context, i int) error {
	object := &corev1.ConfigMap{ObjectMeta: named("settings", i), Data: map[string]string{"app.conf": text(i, 800), "log.level": "info"}}
	_, err := f.client.CoreV1().ConfigMaps(object.Namespace).Create(ctx, object, metav1.CreateOptions{})
	return err
}

func (f *filler) secret(ctx context.Context, i int) error {
	object := &corev1.Secret{ObjectMeta: named("credentials", i), Data: map[string][]byte{"password": []byte(text(i, 40)), "ca.crt": []byte(text(i, 1200))}}
	_, err := f.client.CoreV1().Secrets(object.Namespace).Create(ctx, object, metav1.CreateOptions{})
	return err
}

func (f *filler) account(ctx context.Context, i int) error {
	object := &corev1.ServiceAccount{ObjectMeta: named("app", i)}
	_, err := f.client.CoreV1().ServiceAccounts(object.Namespace).Create(ctx, object, metav1.CreateOptions{})
	return err
}

// service is headless: a test API server has few addresses to give away.
func (f *filler) service(ctx context.Context, i int) error {
	object := &corev1.Service{ObjectMeta: named("app", i), Spec: corev1.ServiceSpec{
		ClusterIP: corev1.ClusterIPNone, Selector: map[string]string{"app": fmt.Sprintf("app-%05d", i)},
		Ports: []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromString("http")}, {Name: "metrics", Port: 9090}},
	}}
	_, err := f.client.CoreV1().Services(object.Namespace).Create(ctx, object, metav1.CreateOptions{})
	return err
}

func (f *filler) custom(ctx context.Context, i int) error {
	about := named("thing", i)
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": customGroup + "/v1", "kind": customKind(i),
		"metadata": map[string]any{"name": about.Name, "namespace": about.Namespace, "labels": map[string]any{"team": about.Namespace}},
		"spec": map[string]any{
			"host": about.Name + ".example.com", "owner": text(i, 200),
			"routes": []any{map[string]any{"path": "/", "service": "web"}, map[string]any{"path": "/api", "service": "api"}},
		},
	}}
	of := schema.GroupVersionResource{Group: customGroup, Version: "v1", Resource: customPlural(i)}
	_, err := f.dynamic.Resource(of).Namespace(about.Namespace).Create(ctx, object, metav1.CreateOptions{})
	return err
}

// template is a pod of usual size.
func template(i int) corev1.PodTemplateSpec {
	probe := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromString("http")}}}
	environment := make([]corev1.EnvVar, 12)
	for k := range environment {
		environment[k] = corev1.EnvVar{Name: fmt.Sprintf("SETTING_%02d", k), Value: text(i, 40)}
	}
	quantities := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("128Mi")}
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": fmt.Sprintf("app-%05d", i)}},
		Spec: corev1.PodSpec{
			ServiceAccountName: "default",
			Containers: []corev1.Container{{
				Name: "app", Image: fmt.Sprintf("registry.example.com/team/app-%05d:v1.2.3", i), Env: environment,
				Ports:     []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}, {Name: "metrics", ContainerPort: 9090}},
				Resources: corev1.ResourceRequirements{Requests: quantities, Limits: quantities}, LivenessProbe: probe, ReadinessProbe: probe,
				VolumeMounts: []corev1.VolumeMount{{Name: "settings", MountPath: "/etc/app"}},
			}},
			Volumes: []corev1.Volume{{Name: "settings", VolumeSource: corev1.VolumeSource{
				ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: fmt.Sprintf("settings-%05d", i)}},
			}}},
		},
	}
}

func selector(i int) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"app": fmt.Sprintf("app-%05d", i)}}
}

func controlledBy(apiVersion, kind, name string, i int) []metav1.OwnerReference {
	return []metav1.OwnerReference{{APIVersion: apiVersion, Kind: kind, Name: name, UID: types.UID(fmt.Sprintf("%s-%d", kind, i)), Controller: new(true)}}
}

func nodeName(i int) string { return fmt.Sprintf("node-%03d", i%nodes) }

// Every node, workload and pod is as healthy as its controllers would report it: green
// is compared with blue, and its troubles are not what is measured.

func (f *filler) node(ctx context.Context, i int) error {
	api := f.client.CoreV1().Nodes()
	made, err := api.Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: nodeName(i)}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	made.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady"}}
	made.Status.NodeInfo.KubeletVersion = "v1.37.2"
	_, err = api.UpdateStatus(ctx, made, metav1.UpdateOptions{})
	return err
}

func (f *filler) deployment(ctx context.Context, i int) error {
	object := &appsv1.Deployment{ObjectMeta: named("app", i), Spec: appsv1.DeploymentSpec{Replicas: new(int32(4)), Selector: selector(i), Template: template(i)}}
	api := f.client.AppsV1().Deployments(object.Namespace)
	made, err := api.Create(ctx, object, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	made.Status = appsv1.DeploymentStatus{
		ObservedGeneration: made.Generation, Replicas: 4, UpdatedReplicas: 4, ReadyReplicas: 4, AvailableReplicas: 4,
		Conditions: []appsv1.DeploymentCondition{
			{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionTrue, Reason: "MinimumReplicasAvailable"},
			{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: "NewReplicaSetAvailable"},
		},
	}
	_, err = api.UpdateStatus(ctx, made, metav1.UpdateOptions{})
	return err
}

func (f *filler) replicaSet(ctx context.Context, i int) error {
	about := named("app-6f8d", i)
	about.OwnerReferences = controlledBy("apps/v1", "Deployment", fmt.Sprintf("app-%05d", i), i)
	object := &appsv1.ReplicaSet{ObjectMeta: about, Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(4)), Selector: selector(i), Template: template(i)}}
	api := f.client.AppsV1().ReplicaSets(object.Namespace)
	made, err := api.Create(ctx, object, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	made.Status = appsv1.ReplicaSetStatus{ObservedGeneration: made.Generation, Replicas: 4, ReadyReplicas: 4, AvailableReplicas: 4, FullyLabeledReplicas: 4}
	_, err = api.UpdateStatus(ctx, made, metav1.UpdateOptions{})
	return err
}

func (f *filler) pod(ctx context.Context, i int) error {
	t := template(i)
	about := named("app-6f8d-x", i)
	about.OwnerReferences = controlledBy("apps/v1", "ReplicaSet", fmt.Sprintf("app-6f8d-%05d", i/4), i/4)
	about.Labels["pod-template-hash"] = "6f8d"
	object := &corev1.Pod{ObjectMeta: about, Spec: t.Spec}
	object.Spec.NodeName = nodeName(i)
	api := f.client.CoreV1().Pods(object.Namespace)
	made, err := api.Create(ctx, object, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	now := metav1.Now()
	made.Status = corev1.PodStatus{
		Phase: corev1.PodRunning, HostIP: "10.0.0.1", PodIP: fmt.Sprintf("10.1.%d.%d", i/250%250, i%250), StartTime: &now,
		ContainerStatuses: []corev1.ContainerStatus{{
			Name: "app", Image: t.Spec.Containers[0].Image, ImageID: "sha256:" + text(i, 64), Ready: true, Started: new(true),
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		}},
	}
	for _, kind := range []corev1.PodConditionType{corev1.PodScheduled, corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		made.Status.Conditions = append(made.Status.Conditions, corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	_, err = api.UpdateStatus(ctx, made, metav1.UpdateOptions{})
	return err
}
