package gather

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// stored creates an object and writes its status, as its controller would.
func stored[T any](t *testing.T, object T, status func(T), create, update func(T) (T, error)) {
	t.Helper()
	made, err := create(object)
	if err != nil {
		t.Fatal(err)
	}
	if status == nil {
		return
	}
	status(made)
	if _, err := update(made); err != nil {
		t.Fatal(err)
	}
}

// onServer binds a client's methods to the test's context.
func onServer[T any](ctx context.Context, c interface {
	Create(context.Context, T, metav1.CreateOptions) (T, error)
	UpdateStatus(context.Context, T, metav1.UpdateOptions) (T, error)
},
) (create, update func(T) (T, error)) {
	return func(o T) (T, error) { return c.Create(ctx, o, metav1.CreateOptions{}) },
		func(o T) (T, error) { return c.UpdateStatus(ctx, o, metav1.UpdateOptions{}) }
}

func template(image string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "x"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "x", Image: image}}},
	}
}

func selector() *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"app": "x"}}
}

func inShop(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: "shop", Name: name} }

// TestARealServerTellsHowItsWorkloadsFare fills a cluster whose controllers we
// play, and compares all that is kept of it.
func TestARealServerTellsHowItsWorkloadsFare(t *testing.T) {
	t.Parallel()
	cp := cptest.Start(t, cptest.Options{Name: "settled"})
	client := cptest.Client(t, cp)
	for _, name := range []string{"shop", "leaving"} {
		if _, err := client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	// Nobody finishes the deletion, as there is no controller.
	if err := client.CoreV1().Namespaces().Delete(t.Context(), "leaving", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	storeNodes(t, client)
	storeWorkloads(t, client)
	storePods(t, client)
	storeJobs(t, client)
	storeServices(t, client)
	storeAPIService(t, cp)

	c := Cluster(t.Context(), shift.Green, Source{Name: "green", Config: cp.RESTConfig()}, Options{Scope: facts.Brief, Timeout: time.Minute})
	if c.Fault != "" {
		t.Fatal(c.Fault)
	}
	if len(c.Settled.Terminating) != 1 || c.Settled.Terminating["leaving"].IsZero() {
		t.Errorf("namespaces that go away: %v", c.Settled.Terminating)
	}
	c.Settled.Terminating = nil
	inShop := func(group, kind, name string) facts.Object {
		return facts.Object{GroupKind: facts.GroupKind{Group: group, Kind: kind}, Name: facts.Name{Namespace: "shop", Name: name}}
	}
	web := inShop("apps", "Deployment", "web")
	want := facts.Settled{
		Workloads: map[facts.Object]facts.Workload{
			web:                                   {Wanted: 2, Ready: 1, NotReady: "1 of 2 replicas are ready"},
			inShop("apps", "StatefulSet", "db"):   {Wanted: 1, Ready: 1},
			inShop("apps", "DaemonSet", "logs"):   {NotReady: "its controller has not seen its newest spec yet"},
			inShop("apps", "Deployment", "later"): {},
		},
		Pods: map[facts.Object][]facts.Trouble{
			web:                                  {{Reason: "ImagePullBackOff", Count: 1, Message: "no such image"}},
			inShop("batch", "CronJob", "report"): {{Reason: "Unschedulable", Count: 1, Message: "0/2 nodes are available"}},
		},
		Jobs: map[facts.Object]facts.Job{
			inShop("batch", "Job", "migrate"):    {Failed: "BackoffLimitExceeded: too many"},
			inShop("batch", "CronJob", "report"): {Complete: true},
		},
		Autoscalers: map[facts.Name]facts.Autoscaler{web.Name: {Target: web, Min: 1, Max: 9, Seen: true, Broken: "FailedGetResourceMetric: no metrics"}},
		Claims: map[facts.Name]facts.Claim{
			{Namespace: "shop", Name: "data"}: {Phase: "Pending", Used: true}, {Namespace: "shop", Name: "spare"}: {Phase: "Pending", Class: "gp3"},
		},
		Selecting:   map[facts.Name]struct{}{web.Name: {}},
		Endpoints:   map[facts.Name]int{web.Name: 2},
		Unavailable: map[string]string{"v1beta1.metrics.example.com": `ServiceNotFound: service/metrics in "shop" is not present`},
	}
	ignoreServersOwn := cmpopts.IgnoreMapEntries(func(n facts.Name, _ int) bool { return n.Namespace == "default" })
	if diff := cmp.Diff(want, c.Settled, cmpopts.IgnoreFields(facts.Job{}, "Began"), ignoreServersOwn); diff != "" {
		t.Errorf("settled (-want +got):\n%s", diff)
	}
	wantVersions := facts.Versions{
		Server: c.Versions.Server,
		Nodes: map[facts.Node]int{
			{Kubelet: "v1.34.1", Runtime: "containerd://2.1.4", OS: "linux", Image: "Bottlerocket OS 1.26.1", Arch: "arm64", Ready: true, Auto: true}: 2,
			{Kubelet: "v1.33.0", OS: "linux", Arch: "amd64", Cordoned: true}:                                                                          1,
		},
		Addons: []facts.Addon{
			{ID: "coredns", Title: "CoreDNS", Object: web, Image: "example.com/eks/coredns:v1.11.4", Version: "v1.11.4"},
			{ID: "keda", Title: "KEDA", Object: inShop("apps", "Deployment", "later"), Image: "kedacore/keda", Version: "2.17.0", Off: true},
			{ID: "descheduler", Title: "the descheduler", Object: inShop("apps", "StatefulSet", "db"), Image: "mirror/renamed:v0.34.0", Version: "v0.34.0"},
		},
	}
	byID := cmpopts.SortSlices(func(a, b facts.Addon) bool { return a.ID < b.ID })
	if diff := cmp.Diff(wantVersions, c.Versions, byID); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
}

func storeNodes(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	create, update := onServer(t.Context(), client.CoreV1().Nodes())
	for _, name := range []string{"a", "b"} {
		stored(t, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{autoLabel: "auto"}}}, func(n *corev1.Node) {
			n.Status.NodeInfo = corev1.NodeSystemInfo{KubeletVersion: "v1.34.1", ContainerRuntimeVersion: "containerd://2.1.4", OperatingSystem: "linux", OSImage: "Bottlerocket OS 1.26.1", Architecture: "arm64"}
			n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
		}, create, update)
	}
	stored(t, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "c"}, Spec: corev1.NodeSpec{Unschedulable: true}}, func(n *corev1.Node) {
		n.Status.NodeInfo = corev1.NodeSystemInfo{KubeletVersion: "v1.33.0", OperatingSystem: "linux", Architecture: "amd64"}
	}, create, update)
}

func storeWorkloads(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	create, update := onServer(t.Context(), client.AppsV1().Deployments("shop"))
	stored(t, &appsv1.Deployment{ObjectMeta: inShop("web"), Spec: appsv1.DeploymentSpec{Replicas: new(int32(2)), Selector: selector(), Template: template("example.com/eks/coredns:v1.11.4")}}, func(d *appsv1.Deployment) {
		d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: 2, UpdatedReplicas: 2, ReadyReplicas: 1, AvailableReplicas: 1}
	}, create, update)
	later := &appsv1.Deployment{ObjectMeta: inShop("later"), Spec: appsv1.DeploymentSpec{Replicas: new(int32(0)), Selector: selector(), Template: template("kedacore/keda")}}
	later.Labels = map[string]string{"app.kubernetes.io/version": "2.17.0"}
	stored(t, later, nil, create, update)
	createSet, updateSet := onServer(t.Context(), client.AppsV1().StatefulSets("shop"))
	db := &appsv1.StatefulSet{ObjectMeta: inShop("db"), Spec: appsv1.StatefulSetSpec{Selector: selector(), Template: template("mirror/renamed:v0.34.0")}}
	db.Labels = map[string]string{"app.kubernetes.io/name": "descheduler"}
	stored(t, db, func(s *appsv1.StatefulSet) {
		s.Status = appsv1.StatefulSetStatus{ObservedGeneration: s.Generation, Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1, AvailableReplicas: 1}
	}, createSet, updateSet)
	createDaemon, updateDaemon := onServer(t.Context(), client.AppsV1().DaemonSets("shop"))
	stored(t, &appsv1.DaemonSet{ObjectMeta: inShop("logs"), Spec: appsv1.DaemonSetSpec{Selector: selector(), Template: template("logs:1")}}, nil, createDaemon, updateDaemon)
	createScaler, updateScaler := onServer(t.Context(), client.AutoscalingV2().HorizontalPodAutoscalers("shop"))
	stored(t, &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: inShop("web"), Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
		ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"}, MaxReplicas: 9,
	}}, func(h *autoscalingv2.HorizontalPodAutoscaler) {
		h.Status.Conditions = []autoscalingv2.HorizontalPodAutoscalerCondition{
			{Type: autoscalingv2.AbleToScale, Status: corev1.ConditionTrue},
			{Type: autoscalingv2.ScalingActive, Status: corev1.ConditionFalse, Reason: "FailedGetResourceMetric", Message: "no metrics"},
		}
	}, createScaler, updateScaler)
}

func storePods(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	claims := client.CoreV1().PersistentVolumeClaims("shop")
	for name, class := range map[string]*string{"data": nil, "spare": new("gp3")} {
		_, err := claims.Create(t.Context(), &corev1.PersistentVolumeClaim{ObjectMeta: inShop(name), Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: class, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
		}}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
	}
	// The API server's own rules want the account of a pod to be there.
	if _, err := client.CoreV1().ServiceAccounts("shop").Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: inShop("default")}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	create, update := onServer(t.Context(), client.CoreV1().Pods("shop"))
	broken := &corev1.Pod{ObjectMeta: inShop("web-5d9c7-a"), Spec: template("web:1").Spec}
	broken.Labels = map[string]string{"pod-template-hash": "5d9c7"}
	broken.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web-5d9c7", UID: "1", Controller: new(true)}}
	broken.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}}
	stored(t, broken, func(p *corev1.Pod) {
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "x", Image: "web:1", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "no such image"}}}}
	}, create, update)
	pending := &corev1.Pod{ObjectMeta: inShop("report-2-x"), Spec: template("report:1").Spec}
	pending.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: "report-2", UID: "2", Controller: new(true)}}
	stored(t, pending, func(p *corev1.Pod) {
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/2 nodes are available"}}
	}, create, update)
}

func storeJobs(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	create, update := onServer(t.Context(), client.BatchV1().Jobs("shop"))
	at := metav1.NewTime(time.Now().Add(-time.Hour).Truncate(time.Second))
	job := func(name, owner string, start metav1.Time, conditions ...batchv1.JobCondition) {
		j := &batchv1.Job{ObjectMeta: inShop(name), Spec: batchv1.JobSpec{Template: template("job:1")}}
		j.Spec.Template.Spec.RestartPolicy, j.Spec.Template.Labels = corev1.RestartPolicyNever, nil
		if owner != "" {
			j.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "CronJob", Name: owner, UID: "3", Controller: new(true)}}
		}
		stored(t, j, func(j *batchv1.Job) {
			j.Status.StartTime, j.Status.Conditions = &start, conditions
			for _, c := range conditions {
				if c.Type == batchv1.JobComplete {
					j.Status.CompletionTime, j.Status.Succeeded = &start, 1
				}
			}
		}, create, update)
	}
	criteria := func(kind batchv1.JobConditionType) batchv1.JobCondition {
		return batchv1.JobCondition{Type: kind, Status: corev1.ConditionTrue, Reason: "BackoffLimitExceeded", Message: "too many", LastTransitionTime: at}
	}
	job("migrate", "", at, criteria(batchv1.JobFailureTarget), criteria(batchv1.JobFailed))
	// The one that failed is the older one; the newest still runs.
	job("report-0", "report", at, criteria(batchv1.JobFailureTarget), criteria(batchv1.JobFailed))
	job("report-1", "report", metav1.NewTime(at.Add(time.Minute)), criteria(batchv1.JobSuccessCriteriaMet), criteria(batchv1.JobComplete))
	job("report-2", "report", metav1.NewTime(at.Add(2*time.Minute)))
}

func storeServices(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	for name, selector := range map[string]map[string]string{"web": {"app": "x"}, "outside": nil} {
		_, err := client.CoreV1().Services("shop").Create(t.Context(), &corev1.Service{ObjectMeta: inShop(name), Spec: corev1.ServiceSpec{
			Selector: selector, Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(8080)}},
		}}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, ready := range map[string][]*bool{"web-a": {new(true), new(false)}, "web-b": {nil}} {
		slice := &discoveryv1.EndpointSlice{ObjectMeta: inShop(name), AddressType: discoveryv1.AddressTypeIPv4}
		slice.Labels = map[string]string{discoveryv1.LabelServiceName: "web"}
		for i, r := range ready {
			slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{"10.0.0." + string(rune('1'+i))}, Conditions: discoveryv1.EndpointConditions{Ready: r}})
		}
		if _, err := client.DiscoveryV1().EndpointSlices("shop").Create(t.Context(), slice, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// storeAPIService names a Service that isn't there; the API server itself finds
// out and writes the condition.
func storeAPIService(t *testing.T, cp *controlplane.ControlPlane) {
	t.Helper()
	client, err := dynamic.NewForConfig(cp.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	services := client.Resource(schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"})
	a := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": map[string]any{"name": "v1beta1.metrics.example.com"},
		"spec": map[string]any{
			"group": "metrics.example.com", "version": "v1beta1", "insecureSkipTLSVerify": true, "groupPriorityMinimum": int64(100), "versionPriority": int64(100),
			"service": map[string]any{"namespace": "shop", "name": "metrics"},
		},
	}}
	watching, err := services.Watch(t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=" + a.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	defer watching.Stop()
	if _, err := services.Create(t.Context(), a, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for event := range watching.ResultChan() {
		var seen facts.Settled
		if changed, ok := event.Object.(*unstructured.Unstructured); ok {
			addAPIService(&seen, changed)
		}
		if len(seen.Unavailable) > 0 {
			return
		}
	}
	t.Fatal("the API server never said that the APIService is unavailable")
}
