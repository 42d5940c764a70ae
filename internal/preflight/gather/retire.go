package gather

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// ownAnnotations begin the annotations by which clusterswitch notes what it has
// changed of an object.
func ownAnnotations() []string { return []string{"clusterswitch.io/held", "clusterswitch.io/handed"} }

// retiring keeps what would be lost or left behind with a cluster.
func retiring(o Options) topic {
	if o.Scope != facts.Retire {
		return topic{}
	}
	t := topic{retire: true, meta: addHeld, whole: map[facts.GroupKind]take{
		core("Node"): retired(core("Node"), func(c *facts.Cluster, n *corev1.Node) {
			for _, at := range n.Status.Addresses {
				if at.Type == corev1.NodeInternalIP || at.Type == corev1.NodeExternalIP {
					set(&c.Retiring.Addresses, at.Address, struct{}{})
				}
			}
		}),
		{Group: "discovery.k8s.io", Kind: "EndpointSlice"}: retired(facts.GroupKind{Group: "discovery.k8s.io", Kind: "EndpointSlice"}, addPointers),
		{Group: "batch", Kind: "Job"}:                      retired(facts.GroupKind{Group: "batch", Kind: "Job"}, addOpenJob),
		core("PersistentVolume"):                           retired(core("PersistentVolume"), addVolume),
		apps("StatefulSet"): retired(apps("StatefulSet"), func(c *facts.Cluster, s *appsv1.StatefulSet) {
			if len(s.Spec.VolumeClaimTemplates) > 0 {
				c.Retiring.Claims = append(c.Retiring.Claims, facts.Object{GroupKind: apps("StatefulSet"), Name: nameOf(s)})
			}
		}),
		// Listed for what clusterswitch may have written on them.
		{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}: func(*facts.Cluster, runtime.Object) {},
		{Group: "keda.sh", Kind: "ScaledObject"}:                func(*facts.Cluster, runtime.Object) {},
	}}
	return t
}

func retired[T runtime.Object](k facts.GroupKind, add func(*facts.Cluster, T)) take {
	return func(c *facts.Cluster, o runtime.Object) {
		if t, ok := as[T](c, k, o); ok {
			add(c, t)
		}
	}
}

func addHeld(c *facts.Cluster, k facts.Kind, o metav1.Object) {
	for _, annotation := range ownAnnotations() {
		if _, has := o.GetAnnotations()[annotation]; has {
			c.Retiring.Held = append(c.Retiring.Held, facts.HeldObject{Object: facts.Object{GroupKind: k.GroupKind, Name: nameOf(o)}, Annotation: annotation})
		}
	}
}

// addPointers keeps addresses. Slices that the control plane makes from a
// Service's pods hold a cluster's own; the others are pointed to by people.
func addPointers(c *facts.Cluster, e *discoveryv1.EndpointSlice) {
	own := e.Labels[discoveryv1.LabelManagedBy] == "endpointslice-controller.k8s.io"
	server := e.Namespace == metav1.NamespaceDefault && e.Labels[discoveryv1.LabelServiceName] == "kubernetes"
	if !own && (c.Side != shift.Green || server) {
		return
	}
	for _, endpoint := range e.Endpoints {
		for _, at := range endpoint.Addresses {
			if own {
				set(&c.Retiring.Addresses, at, struct{}{})
				continue
			}
			o := facts.Object{GroupKind: facts.GroupKind{Group: "discovery.k8s.io", Kind: "EndpointSlice"}, Name: nameOf(e)}
			c.Retiring.Pointers = append(c.Retiring.Pointers, facts.Pointer{Object: o, Address: strings.ToLower(at)})
		}
	}
}

// addOpenJob keeps a Job that isn't over: it has neither of the conditions by
// which Kubernetes ends one, and isn't suspended.
func addOpenJob(c *facts.Cluster, j *batchv1.Job) {
	if j.Spec.Suspend != nil && *j.Spec.Suspend && j.Status.Active == 0 {
		return
	}
	for _, condition := range j.Status.Conditions {
		if condition.Status == corev1.ConditionTrue && (condition.Type == batchv1.JobComplete || condition.Type == batchv1.JobFailed) {
			return
		}
	}
	open := facts.OpenJob{Name: nameOf(j), Active: int(j.Status.Active)}
	if owner := metav1.GetControllerOfNoCopy(j); owner != nil && owner.Kind == "CronJob" {
		open.CronJob = owner.Name
	}
	c.Retiring.Jobs = append(c.Retiring.Jobs, open)
}

func addVolume(c *facts.Cluster, v *corev1.PersistentVolume) {
	if v.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimDelete {
		return
	}
	kept := facts.DoomedVolume{Name: v.Name}
	if claim := v.Spec.ClaimRef; claim != nil {
		kept.Claim = facts.Name{Namespace: claim.Namespace, Name: claim.Name}
	}
	c.Retiring.Volumes = append(c.Retiring.Volumes, kept)
}
