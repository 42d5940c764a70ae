package planted

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

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
	for _, look := range []func(context.Context) ([]string, error){
		c.deployments, c.statefulSets, c.daemonSets, c.jobs, c.pods, c.claims, c.namespaces, c.services,
	} {
		names, err := look(ctx)
		if err != nil {
			return nil, fmt.Errorf("looking at %s: %w", c.side, err)
		}
		for _, name := range names {
			if name = string(c.side) + "/" + name; !restless[name] {
				moving = append(moving, name)
			}
		}
	}
	return moving, nil
}

func (c *cluster) deployments(ctx context.Context) (moving []string, err error) {
	list, err := c.client.AppsV1().Deployments("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for _, d := range list.Items {
		s := d.Status
		if s.ObservedGeneration != d.Generation || s.Replicas != *d.Spec.Replicas || s.UpdatedReplicas != s.Replicas || s.ReadyReplicas != s.Replicas {
			moving = append(moving, d.Namespace+"/"+d.Name)
		}
	}
	return moving, nil
}

func (c *cluster) statefulSets(ctx context.Context) (moving []string, err error) {
	list, err := c.client.AppsV1().StatefulSets("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for _, s := range list.Items {
		if s.Status.ObservedGeneration != s.Generation || s.Status.ReadyReplicas != *s.Spec.Replicas || s.Status.UpdatedReplicas != *s.Spec.Replicas {
			moving = append(moving, s.Namespace+"/"+s.Name)
		}
	}
	return moving, nil
}

func (c *cluster) daemonSets(ctx context.Context) (moving []string, err error) {
	list, err := c.client.AppsV1().DaemonSets("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for _, d := range list.Items {
		s := d.Status
		if s.ObservedGeneration != d.Generation || s.DesiredNumberScheduled != s.NumberReady || s.DesiredNumberScheduled != s.UpdatedNumberScheduled || s.DesiredNumberScheduled == 0 {
			moving = append(moving, d.Namespace+"/"+d.Name)
		}
	}
	return moving, nil
}

func (c *cluster) jobs(ctx context.Context) (moving []string, err error) {
	list, err := c.client.BatchV1().Jobs("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for _, j := range list.Items {
		if j.Status.CompletionTime == nil {
			moving = append(moving, j.Namespace+"/"+j.Name)
		}
	}
	return moving, nil
}

// pods lists those that are on their way out, and those of nobody that don't run
// yet.
func (c *cluster) pods(ctx context.Context) (moving []string, err error) {
	list, err := c.client.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for _, p := range list.Items {
		starting := len(p.OwnerReferences) == 0 && p.Status.Phase != corev1.PodRunning && p.Annotations[controlplane.WaitingAnnotation] == ""
		if p.DeletionTimestamp != nil || starting {
			moving = append(moving, p.Namespace+"/"+p.Name)
		}
	}
	return moving, nil
}

func (c *cluster) claims(ctx context.Context) (moving []string, err error) {
	list, err := c.client.CoreV1().PersistentVolumeClaims("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for _, p := range list.Items {
		if p.Status.Phase != corev1.ClaimBound {
			moving = append(moving, p.Namespace+"/"+p.Name)
		}
	}
	return moving, nil
}

func (c *cluster) namespaces(ctx context.Context) (moving []string, err error) {
	list, err := c.client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for _, n := range list.Items {
		if n.Status.Phase == corev1.NamespaceTerminating {
			moving = append(moving, n.Name)
		}
	}
	return moving, nil
}

// services lists those whose endpoints are not yet those of their ready pods.
func (c *cluster) services(ctx context.Context) (moving []string, err error) {
	list, err := c.client.CoreV1().Services("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	pods, err := c.client.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	parts, err := c.client.DiscoveryV1().EndpointSlices("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	ready := readyEndpoints(parts.Items)
	for _, s := range list.Items {
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
			moving = append(moving, name)
		}
	}
	return moving, nil
}

// readyEndpoints counts by Service.
func readyEndpoints(parts []discoveryv1.EndpointSlice) map[string]int {
	ready := map[string]int{}
	for _, s := range parts {
		for _, e := range s.Endpoints {
			if e.Conditions.Ready == nil || *e.Conditions.Ready {
				ready[s.Namespace+"/"+s.Labels[discoveryv1.LabelServiceName]]++
			}
		}
	}
	return ready
}

func podReady(p corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}
