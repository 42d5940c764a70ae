package ready

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
)

// utilization is what the autoscalers aim at, in percent of what pods asked for.
const utilization = 60

// application is one Deployment with its autoscaler.
type application struct {
	name     string
	replicas int32
	// carries users; else its pods use the given CPU, in thousandths.
	carries bool
	uses    int
	// least and most bound the autoscaler; least 0 leaves it to the API server.
	least, most int32
	// appliedBy is who applied the autoscaler; empty: somebody created it.
	appliedBy string
}

// web is what carries the users.
func web(replicas, least int32) application {
	return application{name: "web", replicas: replicas, carries: true, least: least, most: 20}
}

// others are autoscalers of other shapes, which no users move.
func others() []application {
	return []application{
		{name: "search", replicas: 4, uses: 60, least: 2, most: 8},
		{name: "mailer", replicas: 1, uses: 60, most: 3},
		{name: "images", replicas: 3, uses: 5, least: 3, most: 6, appliedBy: "helm"},
	}
}

// starting is how long a pod of web takes until it is ready.
const starting = 2 * time.Second

// deploy makes the namespace's applications, yet without autoscalers.
func (c *cluster) deploy(ctx context.Context, namespace string, applications ...application) error {
	meta := metav1.ObjectMeta{Name: namespace}
	if _, err := c.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: meta}, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("creating namespace %s in %s: %w", namespace, c.name, err)
	}
	for _, a := range applications {
		if _, err := c.client.AppsV1().Deployments(namespace).Create(ctx, a.deployment(), metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("deploying %s to %s: %w", a.name, c.name, err)
		}
		service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: a.name}, Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": a.name}, Ports: []corev1.ServicePort{{Port: port}},
		}}
		if _, err := c.client.CoreV1().Services(namespace).Create(ctx, service, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("creating Service %s in %s: %w", a.name, c.name, err)
		}
	}
	return nil
}

func (a application) deployment() *appsv1.Deployment {
	labels := map[string]string{"app": a.name}
	annotations := map[string]string{controlplane.StartingAnnotation: starting.String()}
	if a.carries {
		labels[carriesLabel] = "users"
	} else {
		annotations[usesAnnotation] = fmt.Sprint(a.uses)
	}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: a.name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &a.replicas, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": a.name}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: annotations},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name: a.name, Image: "shop.example/" + a.name + ":1", Ports: []corev1.ContainerPort{{ContainerPort: port}},
					Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
						corev1.ResourceCPU: *resource.NewMilliQuantity(podMilli, resource.DecimalSI),
					}},
				}}},
			},
		},
	}
}

// autoscale makes the autoscalers.
func (c *cluster) autoscale(ctx context.Context, namespace string, applications ...application) error {
	for _, a := range applications {
		autoscaler := a.autoscaler()
		var err error
		if a.appliedBy == "" {
			_, err = c.client.AutoscalingV2().HorizontalPodAutoscalers(namespace).Create(ctx, autoscaler, metav1.CreateOptions{FieldManager: "kubectl-create"})
		} else {
			autoscaler.TypeMeta = metav1.TypeMeta{APIVersion: "autoscaling/v2", Kind: "HorizontalPodAutoscaler"}
			var text []byte
			if text, err = json.Marshal(autoscaler); err == nil {
				_, err = c.client.AutoscalingV2().HorizontalPodAutoscalers(namespace).Patch(ctx, a.name, types.ApplyPatchType, text, metav1.PatchOptions{FieldManager: a.appliedBy, Force: new(true)})
			}
		}
		if err != nil {
			return fmt.Errorf("making the autoscaler of %s in %s: %w", a.name, c.name, err)
		}
	}
	return nil
}

// autoscaler follows the load within seconds: it grows at once, and shrinks when the
// load was low for three seconds.
func (a application) autoscaler() *autoscalingv2.HorizontalPodAutoscaler {
	var least *int32
	if a.least > 0 {
		least = &a.least
	}
	policy := []autoscalingv2.HPAScalingPolicy{{Type: autoscalingv2.PercentScalingPolicy, Value: 100, PeriodSeconds: 1}}
	return &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: a.name},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: a.name},
			MinReplicas:    least, MaxReplicas: a.most,
			Metrics: []autoscalingv2.MetricSpec{{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
				Name:   corev1.ResourceCPU,
				Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: new(int32(utilization))},
			}}},
			Behavior: &autoscalingv2.HorizontalPodAutoscalerBehavior{
				ScaleUp:   &autoscalingv2.HPAScalingRules{StabilizationWindowSeconds: new(int32(0)), Policies: policy},
				ScaleDown: &autoscalingv2.HPAScalingRules{StabilizationWindowSeconds: new(int32(3)), Policies: policy},
			},
		},
	}
}

// awaitReady waits until a Deployment has as many ready replicas.
func (c *cluster) awaitReady(ctx context.Context, namespace, name string, replicas int32) error {
	return eventually(ctx, func() (string, error) {
		d, err := c.client.AppsV1().Deployments(namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil || d.Status.ReadyReplicas == replicas && d.Status.Replicas == replicas {
			return "", err
		}
		return fmt.Sprintf("%s of %s to have %d replicas ready; %d of %d are", name, c.name, replicas, d.Status.ReadyReplicas, d.Status.Replicas), nil
	})
}

// awaitScaling waits until an autoscaler has read metrics and wants so many.
func (c *cluster) awaitScaling(ctx context.Context, namespace, name string, replicas int32) error {
	return eventually(ctx, func() (string, error) {
		a, err := c.client.AutoscalingV2().HorizontalPodAutoscalers(namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil || a.Status.DesiredReplicas == replicas && len(a.Status.CurrentMetrics) > 0 && a.Status.CurrentMetrics[0].Resource != nil {
			return "", err
		}
		return fmt.Sprintf("the autoscaler %s of %s to want %d; its status is %+v", name, c.name, replicas, a.Status), nil
	})
}

// eventually asks until nothing is missing any more. What it waits for stands behind
// an API.
func eventually(ctx context.Context, missing func() (string, error)) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var last string
	for {
		what, err := missing()
		switch {
		case err != nil && (ctx.Err() == nil || last == ""):
			return err
		case err == nil && what == "":
			return nil
		case err == nil:
			last = what
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", last, context.Cause(ctx))
		case <-tick.C:
		}
	}
}
