package gather

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
)

func noon() time.Time { return time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) }

// readyPod runs, and is part of a Deployment.
func readyPod() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: "web-5d9c7-x1", Labels: map[string]string{"pod-template-hash": "5d9c7"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web-5d9c7", Controller: new(true)}},
		},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning,
			Conditions: []corev1.PodCondition{
				{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}, {Type: corev1.PodReady, Status: corev1.ConditionTrue},
			},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "web", Ready: true}},
		},
	}
}

func endedBefore(p *corev1.Pod, ago time.Duration, times int32, reason string) {
	s := &p.Status.ContainerStatuses[0]
	s.RestartCount = times
	end := noon().Add(-ago)
	s.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{
		Reason: reason, ExitCode: 137, StartedAt: metav1.NewTime(end.Add(-time.Minute)), FinishedAt: metav1.NewTime(end),
	}
}

func TestWhatIsWrongWithAPod(t *testing.T) {
	t.Parallel()
	notReady := func(p *corev1.Pod, phase corev1.PodPhase) {
		p.Status.Phase = phase
		p.Status.Conditions[1] = corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse, Message: "containers with unready status: [web]"}
	}
	ofJob := func(p *corev1.Pod) {
		p.OwnerReferences[0] = metav1.OwnerReference{APIVersion: "batch/v1", Kind: "Job", Name: "migrate", Controller: new(true)}
	}
	for name, c := range map[string]struct {
		with func(*corev1.Pod)
		want facts.Trouble
	}{
		"nothing": {func(*corev1.Pod) {}, facts.Trouble{}},
		"no node takes it": {
			func(p *corev1.Pod) {
				p.Status = corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/3 nodes are available"}}}
			},
			facts.Trouble{Reason: "Unschedulable", Message: "0/3 nodes are available"},
		},
		"its image can't be pulled": {
			func(p *corev1.Pod) {
				notReady(p, corev1.PodPending)
				p.Status.ContainerStatuses[0].State.Waiting = &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "Back-off pulling image"}
			},
			facts.Trouble{Reason: "ImagePullBackOff", Message: "Back-off pulling image"},
		},
		"it fails its readiness probe": {
			func(p *corev1.Pod) { notReady(p, corev1.PodRunning) },
			facts.Trouble{Reason: "NotReady", Message: "containers with unready status: [web]"},
		},
		"nobody told whether it is ready": {
			func(p *corev1.Pod) { p.Status.Conditions = nil }, facts.Trouble{Reason: "NotReady"},
		},
		"it is starting": {
			func(p *corev1.Pod) { notReady(p, corev1.PodPending) }, facts.Trouble{Reason: "Pending"},
		},
		"its container ended again and again": {
			func(p *corev1.Pod) { endedBefore(p, 9*time.Minute, 3, "Error") },
			facts.Trouble{Reason: "Restarting", Message: "container web ended 3 times, the last time with exit code 137 (Error)", Past: true},
		},
		"its container ended just now, after a long run": {
			func(p *corev1.Pod) {
				endedBefore(p, time.Minute, 40, "Error")
				p.Status.ContainerStatuses[0].LastTerminationState.Terminated.StartedAt = metav1.NewTime(noon().Add(-24 * time.Hour))
			}, facts.Trouble{},
		},
		"its container ended long ago":   {func(p *corev1.Pod) { endedBefore(p, 11*time.Minute, 30, "Error") }, facts.Trouble{}},
		"its container ended just twice": {func(p *corev1.Pod) { endedBefore(p, time.Minute, 2, "Error") }, facts.Trouble{}},
		"it ran out of memory once": {
			func(p *corev1.Pod) { endedBefore(p, time.Minute, 1, "OOMKilled") },
			facts.Trouble{Reason: "OOMKilled", Message: "container web ran out of memory", Past: true},
		},
		"it was evicted": {
			func(p *corev1.Pod) {
				p.Status = corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted", Message: "The node was low on resource: memory."}
			},
			facts.Trouble{Reason: "Evicted", Message: "The node was low on resource: memory.", Past: true},
		},
		"it failed, and nobody makes another": {
			func(p *corev1.Pod) {
				p.OwnerReferences, p.Status = nil, corev1.PodStatus{Phase: corev1.PodFailed}
			},
			facts.Trouble{Reason: "Failed"},
		},
		"it is ending": {
			func(p *corev1.Pod) {
				notReady(p, corev1.PodRunning)
				p.DeletionTimestamp = new(metav1.NewTime(noon().Add(20 * time.Second)))
			}, facts.Trouble{},
		},
		"it does not end": {
			func(p *corev1.Pod) { p.DeletionTimestamp = new(metav1.NewTime(noon().Add(-time.Hour))) },
			facts.Trouble{Reason: "StuckTerminating", Past: true},
		},
		"it succeeded": {
			func(p *corev1.Pod) { p.OwnerReferences, p.Status = nil, corev1.PodStatus{Phase: corev1.PodSucceeded} }, facts.Trouble{},
		},
		"a Job's that failed": {
			func(p *corev1.Pod) { ofJob(p); p.Status = corev1.PodStatus{Phase: corev1.PodFailed} }, facts.Trouble{},
		},
		"a Job's that runs": {func(p *corev1.Pod) { ofJob(p); notReady(p, corev1.PodRunning) }, facts.Trouble{}},
		"a Job's that no node takes": {
			func(p *corev1.Pod) {
				ofJob(p)
				p.Status = corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable"}}}
			},
			facts.Trouble{Reason: "Unschedulable"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := readyPod()
			c.with(p)
			if diff := cmp.Diff(c.want, troubleOf(p, belongsTo(p).Kind, noon())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestPodsCountForWhatControlsThem(t *testing.T) {
	t.Parallel()
	owned := func(apiVersion, kind, name string, labels map[string]string) *corev1.Pod {
		p := readyPod()
		p.Labels, p.OwnerReferences = labels, []metav1.OwnerReference{{APIVersion: apiVersion, Kind: kind, Name: name, Controller: new(true)}}
		return p
	}
	alone := readyPod()
	alone.OwnerReferences = nil
	for want, p := range map[string]*corev1.Pod{
		"Deployment.apps shop/web":             readyPod(),
		"StatefulSet.apps shop/db":             owned("apps/v1", "StatefulSet", "db", nil),
		"Rollout.argoproj.io shop/web":         owned("apps/v1", "ReplicaSet", "web-77", map[string]string{"rollouts-pod-template-hash": "77"}),
		"ReplicaSet.apps shop/web-77":          owned("apps/v1", "ReplicaSet", "web-77", map[string]string{"rollouts-pod-template-hash": "78"}),
		"StrimziPodSet.core.strimzi.io shop/k": owned("core.strimzi.io/v1beta2", "StrimziPodSet", "k", nil),
		"Pod shop/web-5d9c7-x1":                alone,
	} {
		at := belongsTo(p)
		if got := at.GroupKind.String() + " " + at.Name.String(); got != want {
			t.Errorf("belongs to %s, want %s", got, want)
		}
	}
}

func TestPodsWithOneReasonAreCountedTogether(t *testing.T) {
	t.Parallel()
	s, to := &settling{now: noon(), wanted: map[facts.Name]struct{}{}}, &facts.Settled{}
	for range 3 {
		p := readyPod()
		endedBefore(p, time.Minute, 5, "Error")
		s.pod(to, p)
	}
	p := readyPod()
	p.Status.Conditions = nil
	s.pod(to, p)
	s.pod(to, readyPod())
	want := map[facts.Object][]facts.Trouble{{GroupKind: apps("Deployment"), Name: facts.Name{Namespace: "shop", Name: "web"}}: {
		{Reason: "Restarting", Count: 3, Message: "container web ended 5 times, the last time with exit code 137 (Error)", Past: true},
		{Reason: "NotReady", Count: 1},
	}}
	if diff := cmp.Diff(want, to.Pods); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestImagesTellWhatTheyRun(t *testing.T) {
	t.Parallel()
	known := addons()
	for image, want := range map[string]string{
		"602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/coredns:v1.11.4-eksbuild.2":                      "coredns v1.11.4-eksbuild.2",
		"602401143452.dkr.ecr.eu-west-1.amazonaws.com/amazon-k8s-cni:v1.20.0":                              "vpc-cni v1.20.0",
		"registry.example.com:5000/mirror/kube-proxy":                                                      "kube-proxy ",
		"registry.k8s.io/ingress-nginx/controller:v1.13.0@sha256:0000000000000000000000000000000000000000": "ingress-nginx v1.13.0",
		"quay.io/argoproj/argocd:v3.1.0":                                                                   "argocd v3.1.0",
		"public.ecr.aws/karpenter/controller:1.6.2@sha256:00":                                              "karpenter 1.6.2",
		"ghcr.io/example/controller:v1":                                                                    " v1",
		"docker.io/istio/pilot:1.27.0-distroless":                                                          "istio 1.27.0-distroless",
		"coredns":                "coredns ",
		"example.com/shop/web:7": " 7",
	} {
		repository, tag := splitImage(image)
		a, _ := recognise(known, repository)
		if got := a.id + " " + tag; got != want {
			t.Errorf("%s is %q, want %q", image, got, want)
		}
	}
}
