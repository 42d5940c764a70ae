package kube_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/kube"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

var controlPlane = cptest.Shared{Options: cptest.Options{Name: "kube"}}

func TestMain(m *testing.M) { os.Exit(controlPlane.Run(m)) }

// world is a namespace of the real API server. No controllers run there: the
// test plays them.
type world struct {
	t         *testing.T
	config    *rest.Config
	client    kubernetes.Interface
	namespace string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	cp := controlPlane.Start(t)
	return &world{t: t, config: cp.RESTConfig(), client: cptest.Client(t, cp), namespace: cptest.Namespace(t, cp)}
}

func podTemplate(labels map[string]string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "shop:1"}}},
	}
}

func (w *world) deploy(name string, replicas int32) *appsv1.Deployment {
	w.t.Helper()
	labels := map[string]string{"app": name}
	d, err := w.client.AppsV1().Deployments(w.namespace).Create(w.t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: podTemplate(labels),
		},
	}, metav1.CreateOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// report plays the controller: ready of the wanted replicas are there.
func (w *world) report(d *appsv1.Deployment, ready int32) {
	w.t.Helper()
	d = d.DeepCopy()
	d.ResourceVersion = "" // whatever it is by now
	d.Status = appsv1.DeploymentStatus{
		ObservedGeneration: d.Generation, Replicas: *d.Spec.Replicas, UpdatedReplicas: *d.Spec.Replicas,
		ReadyReplicas: ready, AvailableReplicas: ready,
	}
	if _, err := w.client.AppsV1().Deployments(w.namespace).UpdateStatus(w.t.Context(), d, metav1.UpdateOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

// watched is a running Cluster.
type watched struct {
	t *testing.T
	*kube.Cluster
	looks chan struct{}
}

// watch runs a Cluster until the test ends.
func (w *world) watch(o kube.Options) *watched {
	w.t.Helper()
	v := &watched{t: w.t, looks: make(chan struct{}, 1)}
	if o.Config == nil {
		o.Config = w.config
	}
	if o.Namespaces == nil {
		o.Namespaces = []string{w.namespace}
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.PingEvery == 0 {
		o.PingEvery = time.Second
	}
	o.Side = shift.Green
	o.OnLook = func() {
		select {
		case v.looks <- struct{}{}:
		default:
		}
	}
	cluster, err := kube.New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	v.Cluster = cluster
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- cluster.Run(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
	return v
}

// until looks at snapshots, one after every look at the API server, until one
// is as expected.
func (v *watched) until(what string, expected func(shift.ClusterReading) bool) shift.ClusterReading {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), 2*time.Minute)
	defer cancel()
	for {
		reading := v.Snapshot()
		if expected(reading) {
			return reading
		}
		select {
		case <-v.looks:
		case <-ctx.Done():
			v.t.Fatalf("waited in vain until %s, last reading: %+v", what, reading)
		}
	}
}

func known(r shift.ClusterReading) bool   { return r.Err == "" && !r.At.IsZero() }
func unknown(r shift.ClusterReading) bool { return r.Err != "" }

func notReady(words string) func(shift.ClusterReading) bool {
	return func(r shift.ClusterReading) bool {
		return known(r) && len(r.Workloads) > 0 && strings.Contains(r.Workloads[0].NotReady, words)
	}
}

func allReady(r shift.ClusterReading) bool {
	for _, workload := range r.Workloads {
		if workload.NotReady != "" {
			return false
		}
	}
	return known(r) && len(r.Workloads) > 0
}

func TestAWorkloadWithoutControllerIsNotReadyUntilItsStatusSaysSo(t *testing.T) {
	w := newWorld(t)
	v := w.watch(kube.Options{})
	if r := v.until("the empty namespace is known", known); len(r.Workloads) != 0 {
		t.Errorf("workloads in an empty namespace: %+v", r.Workloads)
	}
	d := w.deploy("web", 2)
	v.until("it isn't seen by its controller", notReady("has not seen its newest spec"))
	w.report(d, 1)
	v.until("one replica is missing", notReady("1 of 2 replicas are ready"))
	w.report(d, 2)
	r := v.until("it is ready", allReady)
	want := []shift.Workload{{Kind: "Deployment", Namespace: w.namespace, Name: "web", Wanted: 2, Ready: 2}}
	if diff := cmp.Diff(want, r.Workloads); diff != "" {
		t.Errorf("workloads (-want +got):\n%s", diff)
	}
	if age := time.Since(r.At); age < 0 || age > 2*time.Minute {
		t.Errorf("the reading is from %s", r.At)
	}
}

func TestPodsAddTheReason(t *testing.T) {
	w := newWorld(t)
	d := w.deploy("web", 1)
	w.report(d, 0)
	pods := w.client.CoreV1().Pods(w.namespace)
	pod, err := pods.Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: "web-77f-x", Labels: map[string]string{"pod-template-hash": "77f"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web-77f", UID: "1", Controller: new(true)}},
		},
		Spec: podTemplate(nil).Spec,
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "web", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
	}}
	if _, err := pods.UpdateStatus(t.Context(), pod, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	w.watch(kube.Options{}).until("the pod's reason shows", notReady("0 of 1 replicas are ready (1 pod CrashLoopBackOff)"))
}

func TestNodesCountAndTheIgnoredDont(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"web", "batch", "cron"} {
		w.deploy(name, 1)
	}
	ready := map[string]corev1.ConditionStatus{"a": corev1.ConditionTrue, "b": corev1.ConditionFalse, "c": corev1.ConditionUnknown}
	for name, status := range ready {
		node, err := w.client.CoreV1().Nodes().Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: status}}
		if _, err := w.client.CoreV1().Nodes().UpdateStatus(t.Context(), node, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := w.client.CoreV1().Nodes().Delete(context.WithoutCancel(t.Context()), name, metav1.DeleteOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	all := w.watch(kube.Options{Namespaces: []string{}, Ignore: []string{w.namespace + "/web"}}).until("all is known", known)
	if all.Nodes != 3 || all.NodesReady != 1 {
		t.Errorf("%d of %d nodes are ready, want 1 of 3", all.NodesReady, all.Nodes)
	}
	var names []string
	for _, workload := range all.Workloads {
		if workload.Namespace == w.namespace {
			names = append(names, workload.Name)
		}
	}
	if diff := cmp.Diff([]string{"batch", "cron"}, names); diff != "" {
		t.Errorf("workloads that count (-want +got):\n%s", diff)
	}
	none := w.watch(kube.Options{Ignore: []string{w.namespace + "/*"}}).until("it is known", known)
	if len(none.Workloads) != 0 {
		t.Errorf("all are ignored, but these count: %+v", none.Workloads)
	}
}

func TestAnIgnorePatternMustNameANamespaceAndAName(t *testing.T) {
	for _, pattern := range []string{"web", "shop/web/more", "shop/[", ""} {
		if _, err := kube.New(kube.Options{Config: &rest.Config{}, Ignore: []string{pattern}, Logger: zap.NewNop()}); err == nil {
			t.Errorf("ignoring %q was taken", pattern)
		}
	}
}

func TestTheServiceProxyHasTheClustersAddressAndCredentials(t *testing.T) {
	w := newWorld(t)
	cluster, err := kube.New(kube.Options{Config: w.config, Side: shift.Green, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	base, rt := cluster.ServiceProxy()
	path := base + "/api/v1/namespaces/" + w.namespace + "/services/nobody:80/proxy/healthz"
	response, err := (&http.Client{Transport: rt}).Get(path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var status metav1.Status
	if err := json.Unmarshal(body, &status); err != nil || status.Message != `services "nobody" not found` {
		t.Errorf("%s says %d %s, want that there is no such service", path, response.StatusCode, body)
	}
}

func TestACutLineMakesTheClusterUnknownAndNothingOldPassesForNew(t *testing.T) {
	w := newWorld(t)
	d := w.deploy("web", 2)
	w.report(d, 2)
	l := w.lineToServer()
	logs, logger := observed()
	const pingEvery = 5 * time.Second
	v := w.watch(kube.Options{PingEvery: pingEvery, Logger: logger})
	before := v.until("it is ready", allReady)

	l.cut()
	began := time.Now()
	r := v.until("it is unknown", unknown)
	if took := time.Since(began); took > 2*pingEvery {
		t.Errorf("it took %s to know that nothing is known", took)
	}
	if r.At.After(began) || r.At.Before(before.At) {
		t.Errorf("the line was cut at %s, what is known is from %s", began, r.At)
	}

	w.report(d, 1) // while nobody watches
	l.mend()
	r = v.until("it is known again", known)
	if r.Workloads[0].NotReady != "1 of 2 replicas are ready" || !r.At.After(began) {
		t.Errorf("the first reading after the outage is an old one: %+v", r)
	}
	var said []string
	for _, entry := range logs.FilterLevelExact(zap.WarnLevel).AllUntimed() {
		said = append(said, entry.Message)
	}
	if diff := cmp.Diff([]string{"cluster is unknown"}, said); diff != "" {
		t.Errorf("warnings of one outage (-want +got):\n%s", diff)
	}
}

func TestASilentLineMakesTheClusterUnknownWithinThePingBound(t *testing.T) {
	w := newWorld(t)
	w.report(w.deploy("web", 1), 1)
	l := w.lineToServer()
	const pingEvery = 2 * time.Second
	v := w.watch(kube.Options{PingEvery: pingEvery})
	v.until("it is ready", allReady)

	l.freeze()
	began := time.Now()
	r := v.until("it is unknown", unknown)
	if took, bound := time.Since(began), 2*pingEvery+pingEvery/2; took > bound {
		t.Errorf("it took %s to know that nothing is known, the bound is %s", took, bound)
	}
	if want := "its API server did not answer within 2s"; r.Err != want {
		t.Errorf("it is unknown because %q, want %q", r.Err, want)
	}
	l.thaw()
	v.until("it is known again", allReady)
}

func TestAServerThatIsNotThereYetIsUnknown(t *testing.T) {
	w := newWorld(t)
	w.report(w.deploy("web", 1), 1)
	l := w.lineToServer()
	l.cut()
	v := w.watch(kube.Options{})
	if r := v.until("it is unknown", unknown); !r.At.IsZero() || len(r.Workloads) != 0 {
		t.Errorf("nothing was ever read, but there is %+v", r)
	}
	l.mend()
	v.until("it is known", allReady)
}

func TestWhatMayNotBeWatchedMakesTheClusterUnknown(t *testing.T) {
	w := newWorld(t)
	w.grant("shopper", rbacv1.PolicyRule{APIGroups: []string{"", "apps"}, Resources: []string{"nodes", "deployments", "statefulsets", "daemonsets"}, Verbs: []string{"list", "watch"}})
	path, err := controlPlane.Start(t).UserKubeconfig("shopper")
	if err != nil {
		t.Fatal(err)
	}
	config, err := kube.Connect(kube.Access{Kubeconfig: path, UserAgent: "clusterswitch/test"})
	if err != nil {
		t.Fatal(err)
	}
	v := w.watch(kube.Options{Config: config})
	v.until("the missing right is named", func(r shift.ClusterReading) bool {
		return strings.Contains(r.Err, "its pods in "+w.namespace+" can't be watched") && strings.Contains(r.Err, "shopper")
	})
	w.grant("shopper", rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"list", "watch"}})
	v.until("it is known", known)
}

func TestAClusterThatIsNoLongerWatchedIsUnknown(t *testing.T) {
	w := newWorld(t)
	cluster, err := kube.New(kube.Options{Config: w.config, Side: shift.Green, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := cluster.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if r := cluster.Snapshot(); r.Err != "it is no longer watched" {
		t.Errorf("reading: %+v", r)
	}
}

func (w *world) grant(user string, rule rbacv1.PolicyRule) {
	w.t.Helper()
	role, err := w.client.RbacV1().ClusterRoles().Create(w.t.Context(), &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}, Rules: []rbacv1.PolicyRule{rule},
	}, metav1.CreateOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = w.client.RbacV1().ClusterRoleBindings().Create(w.t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	}, metav1.CreateOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
}

// lineToServer puts a line between the client configuration and the server.
func (w *world) lineToServer() *line {
	w.t.Helper()
	server, err := url.Parse(w.config.Host)
	if err != nil {
		w.t.Fatal(err)
	}
	l := newLine(w.t, server.Host)
	server.Host = l.addr
	w.config.Host = server.String()
	return l
}

func observed() (*observer.ObservedLogs, *zap.Logger) {
	core, logs := observer.New(zap.DebugLevel)
	return logs, zap.New(core)
}
