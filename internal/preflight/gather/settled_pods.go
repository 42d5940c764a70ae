package gather

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/workload"
)

const (
	// lately is how far back the end of a container still counts, and how short its
	// run must have been to count as one of a row. The longest pause between two
	// tries to start one is five minutes, so that one that ends again and again shows.
	lately = 10 * time.Minute
	// restartsAtLeast is how often such a container must have ended in all. A pod
	// that is old enough has ended some times.
	restartsAtLeast = 3
)

// pod counts the pod when something is wrong with it.
func (s *settling) pod(to *facts.Settled, p *corev1.Pod) {
	if p.DeletionTimestamp == nil && p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed {
		for _, v := range p.Spec.Volumes {
			if v.PersistentVolumeClaim != nil {
				s.wanted[facts.Name{Namespace: p.Namespace, Name: v.PersistentVolumeClaim.ClaimName}] = struct{}{}
			}
		}
	}
	at := belongsTo(p)
	t := troubleOf(p, at.Kind, s.now)
	if t.Reason == "" {
		return
	}
	t.Count = 1
	set(&to.Pods, at, addTrouble(to.Pods[at], t))
}

// addTrouble counts together what has the same reason.
func addTrouble(had []facts.Trouble, t facts.Trouble) []facts.Trouble {
	i := slices.IndexFunc(had, func(h facts.Trouble) bool { return h.Reason == t.Reason && h.Past == t.Past })
	if i < 0 {
		return append(had, t)
	}
	had[i].Count += t.Count
	if had[i].Message == "" {
		had[i].Message = t.Message
	}
	return had
}

// belongsTo names what the pod is part of; a pod of nobody is on its own.
func belongsTo(p *corev1.Pod) facts.Object {
	kind, name := workload.Owner(p)
	if kind == "" {
		return facts.Object{GroupKind: core("Pod"), Name: nameOf(p)}
	}
	at := facts.Object{
		GroupKind: facts.GroupKind{Group: groupOf(metav1.GetControllerOfNoCopy(p).APIVersion), Kind: kind},
		Name:      facts.Name{Namespace: p.Namespace, Name: name},
	}
	// Argo Rollouts names its ReplicaSets as Deployments do, with a label of its own.
	if hash := p.Labels["rollouts-pod-template-hash"]; hash != "" && kind == "ReplicaSet" {
		if rollout, ok := cutHash(name, hash); ok {
			at.GroupKind, at.Name.Name = facts.GroupKind{Group: "argoproj.io", Kind: "Rollout"}, rollout
		}
	}
	return at
}

func cutHash(name, hash string) (string, bool) {
	cut := len(name) - len(hash) - 1
	if cut < 1 || name[cut:] != "-"+hash {
		return "", false
	}
	return name[:cut], true
}

func groupOf(apiVersion string) string {
	gv, err := schema.ParseGroupVersion(apiVersion)
	if err != nil {
		return ""
	}
	return gv.Group
}

// troubleOf says what is wrong with a pod; no reason: nothing.
func troubleOf(p *corev1.Pod, owner string, now time.Time) facts.Trouble {
	alone, ofJob := owner == "Pod", owner == "Job"
	switch {
	case p.DeletionTimestamp != nil:
		// The time is that at which it should have been gone, its grace included.
		if late := now.Sub(p.DeletionTimestamp.Time); late > lately {
			return facts.Trouble{Reason: "StuckTerminating", Past: true}
		}
		return facts.Trouble{}
	case p.Status.Phase == corev1.PodSucceeded, p.Status.Phase == corev1.PodFailed && ofJob:
		return facts.Trouble{} // the Job counts what failed
	case p.Status.Phase == corev1.PodFailed:
		reason := p.Status.Reason
		if reason == "" {
			reason = "Failed"
		}
		return facts.Trouble{Reason: reason, Message: p.Status.Message, Past: !alone}
	}
	if reason := workload.Reason(p); reason != "" {
		return facts.Trouble{Reason: reason, Message: messageFor(p, reason)}
	}
	if ready, why := podReady(p); !ready && !ofJob {
		return why
	}
	return unsteady(p, now)
}

// messageFor finds what Kubernetes says about the reason.
func messageFor(p *corev1.Pod, reason string) string {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == reason {
			return c.Message
		}
	}
	for _, s := range containers(p) {
		if s.State.Waiting != nil && s.State.Waiting.Reason == reason {
			return s.State.Waiting.Message
		}
	}
	return ""
}

func containers(p *corev1.Pod) []corev1.ContainerStatus {
	return slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses)
}

func podReady(p *corev1.Pod) (bool, facts.Trouble) {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
			return true, facts.Trouble{}
		}
	}
	if p.Status.Phase == corev1.PodRunning {
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.PodReady {
				return false, facts.Trouble{Reason: "NotReady", Message: c.Message}
			}
		}
		return false, facts.Trouble{Reason: "NotReady"}
	}
	return false, facts.Trouble{Reason: "Pending"}
}

// unsteady looks at a pod that runs now for containers that ended lately.
func unsteady(p *corev1.Pod, now time.Time) facts.Trouble {
	for _, s := range containers(p) {
		end := s.LastTerminationState.Terminated
		if end == nil || now.Sub(end.FinishedAt.Time) > lately {
			continue
		}
		shortly := end.FinishedAt.Sub(end.StartedAt.Time) < lately
		switch {
		case s.RestartCount >= restartsAtLeast && shortly:
			message := fmt.Sprintf("container %s ended %d times, the last time with exit code %d (%s)", s.Name, s.RestartCount, end.ExitCode, end.Reason)
			return facts.Trouble{Reason: "Restarting", Message: message, Past: true}
		case end.Reason == "OOMKilled":
			return facts.Trouble{Reason: "OOMKilled", Message: fmt.Sprintf("container %s ran out of memory", s.Name), Past: true}
		}
	}
	return facts.Trouble{}
}
