package baton

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// The fields of the spec that switch singletons.
const (
	suspend  = "suspend"
	replicas = "replicas"
)

// found is a singleton that is there, and what it is like.
type found struct {
	*object
	side shift.SingletonSide
	// mayStart tells whether work may still begin although it was switched off at
	// the given time.
	mayStart func(off time.Time) bool
}

// reader reads one cluster. Lists are asked of etcd, never of a cache: what runs
// must not be missed.
type reader struct {
	client kubernetes.Interface
	now    func() time.Time
}

func (r reader) cronJobs(ctx context.Context, namespace string) ([]found, error) {
	at := r.now()
	list, err := r.client.BatchV1().CronJobs(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("listing CronJobs of %s: %w", namespace, err)
	}
	if len(list.Items) == 0 {
		return nil, nil
	}
	// After the CronJobs, so that what they started by then is among them.
	jobs, err := r.client.BatchV1().Jobs(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("listing Jobs of %s: %w", namespace, err)
	}
	pods, err := r.pods(ctx, namespace, batchv1.JobNameLabel)
	if err != nil {
		return nil, err
	}
	started := batch{jobs: jobs.Items, pods: pods}
	all := make([]found, len(list.Items))
	for i := range list.Items {
		c := &list.Items[i]
		work := started.runningJobs(c, at)
		all[i] = found{
			object:   r.cronJob(c),
			mayStart: func(off time.Time) bool { return mayStillStart(c, off, at) },
			side: shift.SingletonSide{
				At: at, On: c.Spec.Suspend == nil || !*c.Spec.Suspend, Running: work.count, EndsBy: work.until(),
				NextRun: nextRun(c, at), StartingDeadline: startingDeadline(c),
			},
		}
		all[i].side.LastRun = all[i].last
	}
	return all, nil
}

func (r reader) cronJob(c *batchv1.CronJob) *object {
	o := &object{Object: c, key: key{kindCronJob, c.Namespace, c.Name}, group: "batch/v1", field: suspend, value: raw(c.Spec.Suspend)}
	if t := c.Status.LastScheduleTime; t != nil {
		o.last = t.UTC()
	}
	o.patch = func(ctx context.Context, t types.PatchType, body []byte, options metav1.PatchOptions, subresources ...string) (*object, error) {
		c, err := r.client.BatchV1().CronJobs(c.Namespace).Patch(ctx, c.Name, t, body, options, subresources...)
		if err != nil {
			return nil, err
		}
		return r.cronJob(c), nil
	}
	return o
}

// pods are those with a label that are not over.
func (r reader) pods(ctx context.Context, namespace, selector string) ([]corev1.Pod, error) {
	list, err := r.client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{
		LabelSelector: selector,
		FieldSelector: fields.AndSelectors(
			fields.OneTermNotEqualSelector("status.phase", string(corev1.PodSucceeded)),
			fields.OneTermNotEqualSelector("status.phase", string(corev1.PodFailed))).String(),
	})
	if err != nil {
		return nil, fmt.Errorf("listing pods of %s: %w", namespace, err)
	}
	return list.Items, nil
}

// workload is what Deployments and StatefulSets have in common.
type workload struct {
	metav1.Object
	replicas *int32
	selector *metav1.LabelSelector
	// left is what its controller has counted, observed the generation by then.
	left     int32
	observed int64
}

// workload reads a Deployment or StatefulSet; nil: it isn't there.
func (r reader) workload(ctx context.Context, k key) (*found, error) {
	at := r.now()
	w, err := r.getWorkload(ctx, k)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil //nolint:nilnil // absent is a valid answer
	case err != nil:
		return nil, fmt.Errorf("reading %s: %w", k, err)
	}
	selector, err := metav1.LabelSelectorAsSelector(w.selector)
	if err != nil {
		return nil, fmt.Errorf("reading the selector of %s: %w", k, err)
	}
	pods, err := r.pods(ctx, k.namespace, selector.String())
	if err != nil {
		return nil, err
	}
	work := runningPods(pods, at)
	wanted := 1 // what Kubernetes takes where nothing is said
	if w.replicas != nil {
		wanted = int(*w.replicas)
	}
	for work.count < int(w.left) { // pods that were just made, or are just gone
		work.add(time.Time{}, at)
	}
	unseen := w.observed < w.GetGeneration()
	return &found{
		object:   r.workloadObject(k, w),
		mayStart: func(time.Time) bool { return unseen },
		side:     shift.SingletonSide{At: at, On: wanted > 0, Replicas: wanted, Running: work.count, EndsBy: work.until()},
	}, nil
}

func (r reader) getWorkload(ctx context.Context, k key) (w workload, err error) {
	if k.kind == kindStatefulSet {
		s, err := r.client.AppsV1().StatefulSets(k.namespace).Get(ctx, k.name, metav1.GetOptions{})
		return ofStatefulSet(s), err
	}
	d, err := r.client.AppsV1().Deployments(k.namespace).Get(ctx, k.name, metav1.GetOptions{})
	return ofDeployment(d), err
}

func ofDeployment(d *appsv1.Deployment) workload {
	return workload{Object: d, replicas: d.Spec.Replicas, selector: d.Spec.Selector, left: d.Status.Replicas, observed: d.Status.ObservedGeneration}
}

func ofStatefulSet(s *appsv1.StatefulSet) workload {
	return workload{Object: s, replicas: s.Spec.Replicas, selector: s.Spec.Selector, left: s.Status.Replicas, observed: s.Status.ObservedGeneration}
}

func (r reader) workloadObject(k key, w workload) *object {
	o := &object{Object: w, key: k, group: "apps/v1", field: replicas, value: raw(w.replicas)}
	o.patch = func(ctx context.Context, t types.PatchType, body []byte, options metav1.PatchOptions, subresources ...string) (*object, error) {
		var w workload
		if k.kind == kindStatefulSet {
			s, err := r.client.AppsV1().StatefulSets(k.namespace).Patch(ctx, k.name, t, body, options, subresources...)
			if err != nil {
				return nil, err
			}
			w = ofStatefulSet(s)
		} else {
			d, err := r.client.AppsV1().Deployments(k.namespace).Patch(ctx, k.name, t, body, options, subresources...)
			if err != nil {
				return nil, err
			}
			w = ofDeployment(d)
		}
		return r.workloadObject(k, w), nil
	}
	return o
}

// raw is a value as JSON has it; null: it is absent.
func raw[T bool | int32](value *T) json.RawMessage {
	content, err := json.Marshal(value)
	if err != nil {
		return json.RawMessage("null") // such values have no error
	}
	return content
}
