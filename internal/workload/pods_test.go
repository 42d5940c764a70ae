package workload

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func ownedPod(kind, name, hash string) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: "shop", Name: "p",
		Labels:          map[string]string{"app": "web"},
		OwnerReferences: []metav1.OwnerReference{{Kind: "Someone", Name: "else"}, {Kind: kind, Name: name, Controller: new(true)}},
	}}
	if hash != "" {
		p.Labels[appsv1.DefaultDeploymentUniqueLabelKey] = hash
	}
	return p
}

func waiting(reason string) []corev1.ContainerStatus {
	return []corev1.ContainerStatus{
		{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}},
		{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}},
	}
}

func trimmedPod(t *testing.T, p *corev1.Pod) *corev1.Pod {
	t.Helper()
	trimmed, err := Trim(p)
	if err != nil {
		t.Fatal(err)
	}
	return trimmed.(*corev1.Pod)
}

func TestPodsAreFoundToBelongToTheirWorkload(t *testing.T) {
	for name, c := range map[string]struct {
		pod  *corev1.Pod
		want string
	}{
		"of a StatefulSet":                  {ownedPod("StatefulSet", "db", ""), "StatefulSet db"},
		"of a DaemonSet":                    {ownedPod("DaemonSet", "logs", ""), "DaemonSet logs"},
		"of a Deployment, by its hash":      {ownedPod("ReplicaSet", "web-shop-5d9c7", "5d9c7"), "Deployment web-shop"},
		"of a ReplicaSet without a hash":    {ownedPod("ReplicaSet", "web-5d9c7", ""), "ReplicaSet web-5d9c7"},
		"of a ReplicaSet with another hash": {ownedPod("ReplicaSet", "web-5d9c7", "77777"), "ReplicaSet web-5d9c7"},
		"of a Job":                          {ownedPod("Job", "nightly", ""), "Job nightly"},
		"of nobody":                         {&corev1.Pod{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for as, pod := range map[string]*corev1.Pod{"as it is": c.pod, "trimmed": trimmedPod(t, c.pod)} {
				kind, name := Owner(pod)
				if got := strings.TrimSpace(kind + " " + name); got != c.want {
					t.Errorf("%s its owner is %q, want %q", as, got, c.want)
				}
			}
		})
	}
}

func TestPodsSayWhyTheyDontRun(t *testing.T) {
	for name, c := range map[string]struct {
		pod  corev1.Pod
		want string
	}{
		"it runs": {pod: corev1.Pod{Status: corev1.PodStatus{
			Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}},
		}}},
		"no node takes it": {want: "Unschedulable", pod: corev1.Pod{Status: corev1.PodStatus{
			Conditions: []corev1.PodCondition{
				{Type: corev1.PodReady, Status: corev1.ConditionFalse, Reason: "ContainersNotReady"},
				{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable"},
			},
		}}},
		"its second container crashes": {want: "CrashLoopBackOff", pod: corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: waiting("CrashLoopBackOff")}}},
		"an init container has no image": {want: "ImagePullBackOff", pod: corev1.Pod{Status: corev1.PodStatus{
			InitContainerStatuses: waiting("ImagePullBackOff"), ContainerStatuses: waiting("PodInitializing"),
		}}},
		"it is starting": {pod: corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: waiting("ContainerCreating")}}},
		"it is ending": {pod: corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: new(metav1.Now())},
			Status:     corev1.PodStatus{ContainerStatuses: waiting("CrashLoopBackOff")},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Reason(&c.pod); got != c.want {
				t.Errorf("reason is %q, want %q", got, c.want)
			}
			if got := Reason(trimmedPod(t, &c.pod)); got != c.want {
				t.Errorf("after trimming the reason is %q, want %q", got, c.want)
			}
		})
	}
}

func TestPodTroubleIsSaidInTheSameOrderAlways(t *testing.T) {
	trouble := Trouble{"Unschedulable": 1, "CrashLoopBackOff": 1, "ImagePullBackOff": 2}
	const want = "2 pods ImagePullBackOff, 1 pod CrashLoopBackOff, 1 pod Unschedulable"
	if got := trouble.String(); got != want {
		t.Errorf("said %q, want %q", got, want)
	}
	if got := Trouble(nil).String(); got != "" {
		t.Errorf("no trouble is said as %q", got)
	}
}

func TestTrimmingDropsWhatNobodyReads(t *testing.T) {
	p := ownedPod("StatefulSet", "db", "")
	p.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	p.Annotations = map[string]string{"note": "long"}
	p.Spec.Containers = []corev1.Container{{Image: "shop:1"}}
	trimmed := trimmedPod(t, p)
	if len(trimmed.ManagedFields)+len(trimmed.Annotations)+len(trimmed.Spec.Containers)+len(trimmed.Labels) != 0 {
		t.Errorf("kept %+v", trimmed)
	}
	if trimmed.Name != "p" || trimmed.Namespace != "shop" {
		t.Errorf("the cache wouldn't find %+v", trimmed.ObjectMeta)
	}
}
