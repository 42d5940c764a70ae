package planted

import (
	"context"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	for {
		var moving []string
		for _, c := range w.clusters() {
			more, err := c.moving(ctx, restless)
			if err != nil {
				return err
			}
			moving = append(moving, more...)
		}
		if len(moving) == 0 {
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
	more, err := c.leaving(ctx)
	return append(moving, more...), err
}

func deploymentAtRest(d appsv1.Deployment) bool {
	s := d.Status
	return s.ObservedGeneration == d.Generation && s.Replicas == *d.Spec.Replicas && s.UpdatedReplicas == s.Replicas && s.ReadyReplicas == s.Replicas
}

// leaving lists pods and namespaces that are on their way out.
func (c *cluster) leaving(ctx context.Context) ([]string, error) {
	pods, err := c.client.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("looking at %s: %w", c.side, err)
	}
	var leaving []string
	for _, p := range pods.Items {
		if p.DeletionTimestamp != nil {
			leaving = append(leaving, string(c.side)+"/"+p.Namespace+"/"+p.Name)
		}
	}
	namespaces, err := c.client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("looking at %s: %w", c.side, err)
	}
	for _, n := range namespaces.Items {
		if n.Status.Phase == corev1.NamespaceTerminating {
			leaving = append(leaving, string(c.side)+"/"+n.Name)
		}
	}
	return leaving, nil
}
