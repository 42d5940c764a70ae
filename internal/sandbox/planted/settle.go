package planted

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
)

// settleWithin is how long the controllers may take to bring everything to rest.
const settleWithin = 60 * time.Second

// settle waits until every workload of both clusters has what it wants, but for
// those that shall not: their names are in restless as SIDE/NAMESPACE/NAME.
func (w *world) settle(ctx context.Context, restless map[string]bool) error {
	ctx, done := context.WithTimeout(ctx, settleWithin)
	defer done()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	var moving []string
	for {
		var now []string
		for _, c := range w.clusters() {
			more, err := c.moving(ctx, restless)
			if err != nil {
				return fmt.Errorf("waiting for %s to settle: %w", strings.Join(moving, ", "), err)
			}
			now = append(now, more...)
		}
		if moving = now; len(moving) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s to settle: %w", strings.Join(moving, ", "), context.Cause(ctx))
		case <-again.C:
		}
	}
}

// moving lists what is not at rest yet.
func (c *cluster) moving(ctx context.Context, restless map[string]bool) ([]string, error) {
	var moving []string
	note := func(o metav1.Object, atRest bool) {
		name := string(c.side) + "/" + o.GetNamespace() + "/" + o.GetName()
		if !atRest && !restless[name] {
			moving = append(moving, name)
		}
	}
	deployments, err := c.client.AppsV1().Deployments("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("looking at %s: %w", c.side, err)
	}
	for _, d := range deployments.Items {
		note(&d, deploymentAtRest(d))
	}
	sets, err := c.client.AppsV1().StatefulSets("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("looking at %s: %w", c.side, err)
	}
	for _, s := range sets.Items {
		note(&s, s.Status.ObservedGeneration == s.Generation && s.Status.ReadyReplicas == *s.Spec.Replicas && s.Status.UpdatedReplicas == *s.Spec.Replicas)
	}
	daemons, err := c.client.AppsV1().DaemonSets("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("looking at %s: %w", c.side, err)
	}
	for _, d := range daemons.Items {
		s := d.Status
		note(&d, s.ObservedGeneration == d.Generation && s.DesiredNumberScheduled == s.NumberReady && s.DesiredNumberScheduled == s.UpdatedNumberScheduled && s.DesiredNumberScheduled > 0)
	}
	jobs, err := c.client.BatchV1().Jobs("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("looking at %s: %w", c.side, err)
	}
	for _, j := range jobs.Items {
		note(&j, j.Status.CompletionTime != nil)
	}
	for _, look := range []func(context.Context, map[string]bool) ([]string, error){c.passing, c.unconnected} {
		more, err := look(ctx, restless)
		if err != nil {
			return nil, err
		}
		moving = append(moving, more...)
	}
	return moving, nil
}

func deploymentAtRest(d appsv1.Deployment) bool {
	s := d.Status
	return s.ObservedGeneration == d.Generation && s.Replicas == *d.Spec.Replicas && s.UpdatedReplicas == s.Replicas && s.ReadyReplicas == s.Replicas
}

// passing lists pods that come or go, and namespaces on their way out.
func (c *cluster) passing(ctx context.Context, restless map[string]bool) ([]string, error) {
	pods, err := c.client.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("looking at %s: %w", c.side, err)
	}
	var passing []string
	for _, p := range pods.Items {
		name := string(c.side) + "/" + p.Namespace + "/" + p.Name
		alone := len(p.OwnerReferences) == 0 && p.Status.Phase != corev1.PodRunning && p.Annotations[controlplane.WaitingAnnotation] == ""
		if (p.DeletionTimestamp != nil || alone) && !restless[name] {
			passing = append(passing, name)
		}
	}
	namespaces, err := c.client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("looking at %s: %w", c.side, err)
	}
	for _, n := range namespaces.Items {
		if name := string(c.side) + "/" + n.Name; n.Status.Phase == corev1.NamespaceTerminating && !restless[name] {
			passing = append(passing, name)
		}
	}
	return passing, nil
}

// unconnected lists Services whose endpoints are not yet those of their ready
// pods.
func (c *cluster) unconnected(ctx context.Context, _ map[string]bool) ([]string, error) {
	services, err := c.client.CoreV1().Services("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("looking at %s: %w", c.side, err)
	}
	pods, err := c.client.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("looking at %s: %w", c.side, err)
	}
	parts, err := c.client.DiscoveryV1().EndpointSlices("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("looking at %s: %w", c.side, err)
	}
	ready := map[string]int{}
	for _, s := range parts.Items {
		for _, e := range s.Endpoints {
			if e.Conditions.Ready == nil || *e.Conditions.Ready {
				ready[s.Namespace+"/"+s.Labels[discoveryv1.LabelServiceName]]++
			}
		}
	}
	var unconnected []string
	for _, s := range services.Items {
		if len(s.Spec.Selector) == 0 || s.Spec.Type == corev1.ServiceTypeExternalName {
			continue
		}
		chosen, n := labels.SelectorFromSet(s.Spec.Selector), 0
		for _, p := range pods.Items {
			if p.Namespace == s.Namespace && chosen.Matches(labels.Set(p.Labels)) && podReady(p) {
				n++
			}
		}
		if name := s.Namespace + "/" + s.Name; ready[name] != n {
			unconnected = append(unconnected, string(c.side)+"/"+name)
		}
	}
	return unconnected, nil
}

func podReady(p corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}
