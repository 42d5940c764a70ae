package fleet_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/fleet"
)

var cluster = cptest.Shared{Options: cptest.Options{Name: "fleet"}}

func TestMain(m *testing.M) { os.Exit(cluster.Run(m)) }

func apply(t *testing.T, client kubernetes.Interface, workloads ...fleet.Workload) *fleet.Fleet {
	t.Helper()
	f, err := fleet.Apply(t.Context(), client, fleet.Spec{Nodes: 2, Workloads: workloads})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func deployment(t *testing.T, client kubernetes.Interface, namespace string) *appsv1.Deployment {
	t.Helper()
	d, err := client.AppsV1().Deployments(namespace).Get(t.Context(), "web", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// pods writes each pod as "10.20.1.1 ready=true", by address.
func pods(t *testing.T, client kubernetes.Interface, namespace string) []string {
	t.Helper()
	list, err := client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, p := range list.Items {
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.PodReady {
				all = append(all, fmt.Sprintf("%s ready=%t", p.Status.PodIP, c.Status == corev1.ConditionTrue))
			}
		}
	}
	slices.Sort(all)
	return all
}

// endpoints writes each endpoint of service web as "10.20.1.1 ready=true".
func endpoints(t *testing.T, client kubernetes.Interface, namespace string) []string {
	t.Helper()
	list, err := client.DiscoveryV1().EndpointSlices(namespace).List(t.Context(),
		metav1.ListOptions{LabelSelector: "kubernetes.io/service-name=web"})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, slice := range list.Items {
		for _, e := range slice.Endpoints {
			all = append(all, fmt.Sprintf("%s ready=%t", e.Addresses[0], *e.Conditions.Ready))
		}
	}
	slices.Sort(all)
	return all
}

// conditions writes a Deployment's conditions as "Available=True/Reason".
func conditions(d *appsv1.Deployment) []string {
	var all []string
	for _, c := range d.Status.Conditions {
		all = append(all, string(c.Type)+"="+string(c.Status)+"/"+c.Reason)
	}
	return all
}

func TestDeploymentsReportWhatTheirControllerWould(t *testing.T) {
	client := cptest.Client(t, cluster.Start(t))
	four := []string{"10.20.1.1", "10.20.1.2", "10.20.1.3", "10.20.1.4"}
	for name, c := range map[string]struct {
		replicas, ready int
		pods            []string
		want            []string
		unavailable     int32
	}{
		"all ready is available and complete": {
			replicas: 4, ready: 4, pods: four,
			want: []string{"Available=True/MinimumReplicasAvailable", "Progressing=True/NewReplicaSetAvailable"},
		},
		"one in four may be missing": {
			replicas: 4, ready: 3, pods: four, unavailable: 1,
			want: []string{"Available=True/MinimumReplicasAvailable", "Progressing=True/ReplicaSetUpdated"},
		},
		"two in four missing is unavailable": {
			replicas: 4, ready: 2, pods: four, unavailable: 2,
			want: []string{"Available=False/MinimumReplicasUnavailable", "Progressing=True/ReplicaSetUpdated"},
		},
		"three wanted and no pod was ever created": {
			replicas: 3, unavailable: 3,
			want: []string{
				"Available=False/MinimumReplicasUnavailable", "Progressing=True/ReplicaSetUpdated",
				"ReplicaFailure=True/FailedCreate",
			},
		},
		"none wanted is available": {
			want: []string{"Available=True/MinimumReplicasAvailable", "Progressing=True/NewReplicaSetAvailable"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			namespace := cptest.Namespace(t, cluster.Start(t))
			apply(t, client, fleet.Workload{
				Kind: fleet.Deployment, Namespace: namespace, Name: "web",
				Replicas: c.replicas, Ready: c.ready, PodAddresses: c.pods,
			})
			d := deployment(t, client, namespace)
			if diff := cmp.Diff(c.want, conditions(d)); diff != "" {
				t.Errorf("conditions (-want +got):\n%s", diff)
			}
			if d.Status.ObservedGeneration != d.Generation || int(d.Status.ReadyReplicas) != c.ready ||
				int(d.Status.Replicas) != len(c.pods) || d.Status.UnavailableReplicas != c.unavailable {
				t.Errorf("status %+v of generation %d", d.Status, d.Generation)
			}
			var want []string
			for i, address := range c.pods {
				want = append(want, fmt.Sprintf("%s ready=%t", address, i < c.ready))
			}
			if diff := cmp.Diff(want, pods(t, client, namespace)); diff != "" {
				t.Errorf("pods (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSetReadyBreaksAndMendsAWorkload(t *testing.T) {
	cp := cluster.Start(t)
	client, namespace := cptest.Client(t, cp), cptest.Namespace(t, cp)
	f := apply(t, client, fleet.Workload{
		Kind: fleet.Deployment, Namespace: namespace, Name: "web", Replicas: 2, Ready: 2,
		PodAddresses: []string{"10.20.2.1", "10.20.2.2"}, Port: 8080,
	})
	for _, step := range []struct {
		ready int
		want  []string
		first string
	}{
		{ready: 0, want: []string{"10.20.2.1 ready=false", "10.20.2.2 ready=false"}, first: "Available=False/MinimumReplicasUnavailable"},
		{ready: 1, want: []string{"10.20.2.1 ready=true", "10.20.2.2 ready=false"}, first: "Available=False/MinimumReplicasUnavailable"},
		{ready: 2, want: []string{"10.20.2.1 ready=true", "10.20.2.2 ready=true"}, first: "Available=True/MinimumReplicasAvailable"},
	} {
		if err := f.SetReady(t.Context(), namespace, "web", step.ready); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, pods(t, client, namespace)); diff != "" {
			t.Errorf("pods at %d ready (-want +got):\n%s", step.ready, diff)
		}
		if diff := cmp.Diff(step.want, endpoints(t, client, namespace)); diff != "" {
			t.Errorf("endpoints at %d ready (-want +got):\n%s", step.ready, diff)
		}
		// The rollout was complete once, so it stays complete, as in a real cluster.
		want := []string{step.first, "Progressing=True/NewReplicaSetAvailable"}
		if diff := cmp.Diff(want, conditions(deployment(t, client, namespace))); diff != "" {
			t.Errorf("conditions at %d ready (-want +got):\n%s", step.ready, diff)
		}
	}
}

func TestSetReadyRefusesWhatCannotBe(t *testing.T) {
	cp := cluster.Start(t)
	client, namespace := cptest.Client(t, cp), cptest.Namespace(t, cp)
	f := apply(t, client, fleet.Workload{
		Kind: fleet.Deployment, Namespace: namespace, Name: "web", Replicas: 3, PodAddresses: []string{"10.20.2.9"},
	})
	for name, c := range map[string]struct {
		workload string
		ready    int
		want     string
	}{
		"a workload nobody declared": {workload: "api", want: "no such workload"},
		"more ready pods than exist": {workload: "web", ready: 2, want: "ready: 2 is outside 0..1"},
		"a negative number of pods":  {workload: "web", ready: -1, want: "ready: -1 is outside 0..1"},
	} {
		t.Run(name, func(t *testing.T) {
			err := f.SetReady(t.Context(), namespace, c.workload, c.ready)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestStatefulSetsAndDaemonSetsReportTheirCounts(t *testing.T) {
	cp := cluster.Start(t)
	client, namespace := cptest.Client(t, cp), cptest.Namespace(t, cp)
	apply(t, client,
		fleet.Workload{
			Kind: fleet.StatefulSet, Namespace: namespace, Name: "db", Replicas: 3, Ready: 1,
			PodAddresses: []string{"10.20.3.1", "10.20.3.2"},
		},
		fleet.Workload{
			Kind: fleet.DaemonSet, Namespace: namespace, Name: "agent", Replicas: 2, Ready: 1,
			PodAddresses: []string{"10.20.4.1", "10.20.4.2"},
		})
	s, err := client.AppsV1().StatefulSets(namespace).Get(t.Context(), "db", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	type counts struct {
		Generation                int64
		Wanted, Pods, Ready, Lack int32
	}
	got := counts{s.Status.ObservedGeneration, *s.Spec.Replicas, s.Status.Replicas, s.Status.ReadyReplicas, 0}
	if diff := cmp.Diff(counts{s.Generation, 3, 2, 1, 0}, got); diff != "" {
		t.Errorf("stateful set (-want +got):\n%s", diff)
	}
	d, err := client.AppsV1().DaemonSets(namespace).Get(t.Context(), "agent", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got = counts{
		d.Status.ObservedGeneration, d.Status.DesiredNumberScheduled, d.Status.CurrentNumberScheduled,
		d.Status.NumberReady, d.Status.NumberUnavailable,
	}
	if diff := cmp.Diff(counts{d.Generation, 2, 2, 1, 1}, got); diff != "" {
		t.Errorf("daemon set (-want +got):\n%s", diff)
	}
}

func TestNodesAreReadyAndHoldThePods(t *testing.T) {
	cp := cluster.Start(t)
	client, namespace := cptest.Client(t, cp), cptest.Namespace(t, cp)
	apply(t, client, fleet.Workload{
		Kind: fleet.Deployment, Namespace: namespace, Name: "web", Replicas: 2, Ready: 2,
		PodAddresses: []string{"10.20.5.1", "10.20.5.2"},
	})
	for _, name := range []string{"node-0", "node-1"} {
		node, err := client.CoreV1().Nodes().Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if c := node.Status.Conditions; len(c) != 1 || c[0].Type != corev1.NodeReady || c[0].Status != corev1.ConditionTrue {
			t.Errorf("%s: conditions %v, want Ready=True alone", name, c)
		}
		if len(node.Spec.Taints) > 0 {
			t.Errorf("%s: still tainted: %v", name, node.Spec.Taints)
		}
		on, err := client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{FieldSelector: "spec.nodeName=" + name})
		if err != nil || len(on.Items) != 1 {
			t.Errorf("%s: %d pods of two (error: %v), want 1", name, len(on.Items), err)
		}
	}
}

func TestPodsBelongToTheirDeploymentThroughAReplicaSet(t *testing.T) {
	cp := cluster.Start(t)
	client, namespace := cptest.Client(t, cp), cptest.Namespace(t, cp)
	apply(t, client, fleet.Workload{
		Kind: fleet.Deployment, Namespace: namespace, Name: "web", Replicas: 1, PodAddresses: []string{"10.20.6.1"},
	})
	list, err := client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("%d pods (error: %v), want 1", len(list.Items), err)
	}
	owner := metav1.GetControllerOf(&list.Items[0])
	if owner == nil || owner.Kind != "ReplicaSet" {
		t.Fatalf("pod's owner %v, want a ReplicaSet", owner)
	}
	set, err := client.AppsV1().ReplicaSets(namespace).Get(t.Context(), owner.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !metav1.IsControlledBy(set, deployment(t, client, namespace)) {
		t.Errorf("ReplicaSet's owners are %v, want the Deployment", set.OwnerReferences)
	}
}

func TestApplyNamesEveryFaultAndCreatesNothing(t *testing.T) {
	good := fleet.Workload{Kind: fleet.Deployment, Namespace: "faulty", Name: "web", Replicas: 1, PodAddresses: []string{"10.20.7.1"}}
	for name, c := range map[string]struct {
		change func(*fleet.Workload)
		want   string
	}{
		"an unknown kind":                       {func(w *fleet.Workload) { w.Kind = "CronJob" }, `unknown kind "CronJob"`},
		"no name":                               {func(w *fleet.Workload) { w.Name = "" }, "namespace or name is empty"},
		"more pods than wanted":                 {func(w *fleet.Workload) { w.Replicas = 0 }, "1 pod addresses for 0 replicas"},
		"more ready than exist":                 {func(w *fleet.Workload) { w.Ready = 2 }, "ready: 2 is outside 0..1"},
		"a loopback address":                    {func(w *fleet.Workload) { w.PodAddresses = []string{"127.0.0.1"} }, `pod address "127.0.0.1"`},
		"a port that doesn't exist":             {func(w *fleet.Workload) { w.Port = 70000 }, "port 70000 is outside 0..65535"},
		"more endpoints than a slice may carry": {manyPods, "1001 pods don't fit"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := good
			c.change(&bad)
			other := good
			other.Name = "other"
			_, err := fleet.Apply(t.Context(), nil, fleet.Spec{Nodes: 1, Workloads: []fleet.Workload{bad, other, other}})
			for _, want := range []string{c.want, "faulty/other is declared twice"} {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want it to contain %q", err, want)
				}
			}
		})
	}
}

func manyPods(w *fleet.Workload) {
	w.Port, w.Replicas = 80, 1001
	w.PodAddresses = slices.Repeat([]string{"10.20.7.1"}, 1001)
}
