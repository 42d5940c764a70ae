package kube

import (
	"cmp"
	"iter"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/clusterswitch/clusterswitch/internal/workload"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// cached gives all objects of one type. They belong to the caches: read only.
func cached[T any](c *Cluster) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, s := range c.sources {
			if _, ok := s.holds.(T); !ok {
				continue
			}
			for _, object := range s.informer.GetStore().List() {
				if !yield(object.(T)) {
					return
				}
			}
		}
	}
}

func (c *Cluster) countNodes() (all, ready int) {
	for node := range cached[*corev1.Node](c) {
		all++
		if workload.NodeReady(node) {
			ready++
		}
	}
	return all, ready
}

// workloads judges every workload by its own status; pods only add a reason to
// what is not ready.
func (c *Cluster) workloads() []shift.Workload {
	var all []shift.Workload
	for d := range cached[*appsv1.Deployment](c) {
		all = append(all, workload.Deployment(d))
	}
	for s := range cached[*appsv1.StatefulSet](c) {
		all = append(all, workload.StatefulSet(s))
	}
	for d := range cached[*appsv1.DaemonSet](c) {
		all = append(all, workload.DaemonSet(d))
	}
	all = slices.DeleteFunc(all, func(w shift.Workload) bool { return c.ignored(w.Namespace, w.Name) })
	slices.SortFunc(all, func(a, b shift.Workload) int { return cmp.Compare(a.Key(), b.Key()) })
	trouble := c.podTrouble()
	for i := range all {
		if reasons := trouble[all[i].Key()].String(); all[i].NotReady != "" && reasons != "" {
			all[i].NotReady += " (" + reasons + ")"
		}
	}
	return all
}

// podTrouble counts the pods that don't run, by the key of their workload.
func (c *Cluster) podTrouble() map[string]workload.Trouble {
	trouble := map[string]workload.Trouble{}
	for pod := range cached[*corev1.Pod](c) {
		reason := workload.Reason(pod)
		if reason == "" {
			continue
		}
		kind, name := workload.Owner(pod)
		owner := shift.Workload{Kind: kind, Namespace: pod.Namespace, Name: name}.Key()
		if trouble[owner] == nil {
			trouble[owner] = workload.Trouble{}
		}
		trouble[owner][reason]++
	}
	return trouble
}
