package gather

import (
	"context"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/workload"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// settling is what has to be kept until all lists were read, because the lists
// come in no useful order.
type settling struct {
	now time.Time
	// cronJob names the CronJob of each Job that has one.
	cronJob map[facts.Name]string
	// wanted are the claims that pods mount.
	wanted map[facts.Name]struct{}
}

// settled keeps how the workloads fare.
func settled(Options) topic {
	s := &settling{now: time.Now(), cronJob: map[facts.Name]string{}, wanted: map[facts.Name]struct{}{}}
	job, scaler := facts.GroupKind{Group: "batch", Kind: "Job"}, facts.GroupKind{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}
	slice, service := facts.GroupKind{Group: "discovery.k8s.io", Kind: "EndpointSlice"}, facts.GroupKind{Group: "apiregistration.k8s.io", Kind: "APIService"}
	return topic{
		brief: true,
		whole: map[facts.GroupKind]take{
			apps("Deployment"):            judged(apps("Deployment"), workload.Deployment),
			apps("StatefulSet"):           judged(apps("StatefulSet"), workload.StatefulSet),
			apps("DaemonSet"):             judged(apps("DaemonSet"), workload.DaemonSet),
			core("Pod"):                   taking(core("Pod"), s.pod),
			core("Service"):               taking(core("Service"), addService),
			core("Namespace"):             taking(core("Namespace"), addNamespace),
			core("PersistentVolumeClaim"): taking(core("PersistentVolumeClaim"), addClaim),
			job:                           taking(job, s.job),
			scaler:                        taking(scaler, addAutoscaler),
			slice:                         taking(slice, addEndpoints),
			service:                       taking(service, addAPIService),
		},
		also: func(_ context.Context, _ *reader, c *facts.Cluster) { s.finish(c) },
	}
}

// taking hands on the objects of a kind.
func taking[T runtime.Object](k facts.GroupKind, add func(*facts.Settled, T)) take {
	return func(c *facts.Cluster, o runtime.Object) {
		if o, ok := as[T](c, k, o); ok {
			add(&c.Settled, o)
		}
	}
}

func judged[T runtime.Object](k facts.GroupKind, judge func(T) shift.Workload) take {
	return taking(k, func(s *facts.Settled, o T) {
		w := judge(o)
		at := facts.Object{GroupKind: k, Name: facts.Name{Namespace: w.Namespace, Name: w.Name}}
		set(&s.Workloads, at, facts.Workload{Wanted: w.Wanted, Ready: w.Ready, NotReady: w.NotReady})
	})
}

// job keeps the Job, or of a CronJob's Jobs the newest that ended: the older
// ones stay in the history however well the newest did.
func (s *settling) job(to *facts.Settled, j *batchv1.Job) {
	began := j.CreationTimestamp.Time
	if j.Status.StartTime != nil {
		began = j.Status.StartTime.Time
	}
	kept := facts.Job{Began: began, Suspended: j.Spec.Suspend != nil && *j.Spec.Suspend}
	for _, c := range j.Status.Conditions {
		if c.Status != corev1.ConditionTrue {
			continue
		}
		switch c.Type {
		case batchv1.JobComplete, batchv1.JobSuccessCriteriaMet:
			kept.Complete = true
		case batchv1.JobFailed, batchv1.JobFailureTarget:
			kept.Failed = sentence(c.Reason, c.Message)
		default: // JobSuspended follows from the spec
		}
	}
	at := facts.Object{GroupKind: facts.GroupKind{Group: "batch", Kind: "Job"}, Name: nameOf(j)}
	if owner := metav1.GetControllerOfNoCopy(j); owner != nil && owner.Kind == "CronJob" {
		s.cronJob[at.Name] = owner.Name
		at.Kind, at.Name.Name = "CronJob", owner.Name
		if had, ok := to.Jobs[at]; !ended(kept) || ok && had.Began.After(kept.Began) {
			return
		}
	}
	set(&to.Jobs, at, kept)
}

func ended(j facts.Job) bool { return j.Complete || j.Failed != "" }

// sentence joins Kubernetes' word with what it says about it.
func sentence(reason, message string) string {
	switch {
	case message == "":
		return reason
	case reason == "":
		return message
	}
	return reason + ": " + message
}

func addService(to *facts.Settled, s *corev1.Service) {
	if len(s.Spec.Selector) > 0 && s.Spec.Type != corev1.ServiceTypeExternalName {
		set(&to.Selecting, nameOf(s), struct{}{})
	}
}

func addEndpoints(to *facts.Settled, e *discoveryv1.EndpointSlice) {
	service := e.Labels[discoveryv1.LabelServiceName]
	if service == "" {
		return
	}
	at := facts.Name{Namespace: e.Namespace, Name: service}
	ready := to.Endpoints[at]
	for _, endpoint := range e.Endpoints {
		// An endpoint whose readiness nobody knows is to be taken for ready, says the API.
		if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
			ready++
		}
	}
	set(&to.Endpoints, at, ready)
}

func addNamespace(to *facts.Settled, n *corev1.Namespace) {
	if n.DeletionTimestamp != nil {
		set(&to.Terminating, n.Name, n.DeletionTimestamp.Time)
	}
}

func addClaim(to *facts.Settled, p *corev1.PersistentVolumeClaim) {
	if p.Status.Phase == corev1.ClaimBound {
		return
	}
	claim := facts.Claim{Phase: string(p.Status.Phase)}
	if p.Spec.StorageClassName != nil {
		claim.Class = *p.Spec.StorageClassName
	}
	set(&to.Claims, nameOf(p), claim)
}

// addAutoscaler reads the conditions as the controller writes them:
// https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale-walkthrough/#appendix-horizontal-pod-autoscaler-status-conditions
func addAutoscaler(to *facts.Settled, h *autoscalingv2.HorizontalPodAutoscaler) {
	kept := facts.Autoscaler{
		Target: facts.Object{
			GroupKind: facts.GroupKind{Group: groupOf(h.Spec.ScaleTargetRef.APIVersion), Kind: h.Spec.ScaleTargetRef.Kind},
			Name:      facts.Name{Namespace: h.Namespace, Name: h.Spec.ScaleTargetRef.Name},
		},
		Min: 1, Max: int(h.Spec.MaxReplicas), Seen: len(h.Status.Conditions) > 0,
	}
	if h.Spec.MinReplicas != nil {
		kept.Min = int(*h.Spec.MinReplicas)
	}
	for _, c := range h.Status.Conditions {
		// ScalingDisabled: its target is scaled to zero on purpose.
		stuck := c.Type == autoscalingv2.ScalingActive && c.Reason != "ScalingDisabled" || c.Type == autoscalingv2.AbleToScale
		if stuck && c.Status == corev1.ConditionFalse && kept.Broken == "" {
			kept.Broken = sentence(c.Reason, c.Message)
		}
	}
	set(&to.Autoscalers, nameOf(h), kept)
}

func addAPIService(to *facts.Settled, a *unstructured.Unstructured) {
	conditions, _, _ := unstructured.NestedSlice(a.Object, "status", "conditions")
	for _, c := range conditions {
		c, _ := c.(map[string]any)
		if textAt(c, "type") == "Available" && textAt(c, "status") == "False" {
			set(&to.Unavailable, a.GetName(), sentence(textAt(c, "reason"), textAt(c, "message")))
		}
	}
}

// finish puts together what came from several lists.
func (s *settling) finish(c *facts.Cluster) {
	to := &c.Settled
	for at, claim := range to.Claims {
		_, claim.Used = s.wanted[at]
		to.Claims[at] = claim
	}
	for at, trouble := range to.Pods {
		if cronJob, ok := s.cronJob[at.Name]; ok && at.Kind == "Job" {
			delete(to.Pods, at)
			at.Kind, at.Name.Name = "CronJob", cronJob
			for _, t := range trouble {
				to.Pods[at] = addTrouble(to.Pods[at], t)
			}
		}
	}
}
