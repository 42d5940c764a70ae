package kube_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/kube"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

var controlPlane = cptest.Shared{Options: cptest.Options{Name: "kube"}}

func TestMain(m *testing.M) { os.Exit(controlPlane.Run(m)) }

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
	cluster, err := kube.New(kube.Options{Config: w.config, Name: "green", Logger: zap.NewNop()})
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

func TestAStoppedServerIsUnknown(t *testing.T) {
	cp := cptest.Start(t, cptest.Options{Name: "kube-stopped"})
	w := &world{t: t, config: cp.RESTConfig(), client: cptest.Client(t, cp), namespace: cptest.Namespace(t, cp)}
	w.report(w.deploy("web", 1), 1)
	const pingEvery = 5 * time.Second
	v := w.watch(kube.Options{PingEvery: pingEvery})
	v.until("it is ready", allReady)
	if err := cp.Stop(); err != nil {
		t.Fatal(err)
	}
	stopped := time.Now()
	r := v.until("it is unknown", unknown)
	if took := time.Since(stopped); took > 2*pingEvery {
		t.Errorf("it took %s to know that nothing is known", took)
	}
	if r.At.After(stopped) {
		t.Errorf("the server stopped before %s, what is known is from %s", stopped, r.At)
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
	for name, mayOnly := range map[string][]string{
		"a user who may not list":  nil,
		"a user who may only list": {"list"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			user := "user-of-" + w.namespace // nobody else's rights
			w.grant(user, []string{"nodes", "deployments", "statefulsets", "daemonsets"}, "list", "watch")
			if mayOnly != nil {
				w.grant(user, []string{"pods"}, mayOnly...)
			}
			path, err := controlPlane.Start(t).UserKubeconfig(user)
			if err != nil {
				t.Fatal(err)
			}
			config, err := kube.Connect(kube.Access{Kubeconfig: path, UserAgent: "clusterswitch/test"})
			if err != nil {
				t.Fatal(err)
			}
			v := w.watch(kube.Options{Config: config})
			v.until("the missing right is named", func(r shift.ClusterReading) bool {
				return strings.Contains(r.Err, "its pods in "+w.namespace+" can't be watched") && strings.Contains(r.Err, user)
			})
			w.grant(user, []string{"pods"}, "list", "watch")
			v.until("it is known", known)
		})
	}
}

func TestAClusterThatIsNoLongerWatchedIsUnknown(t *testing.T) {
	w := newWorld(t)
	cluster, err := kube.New(kube.Options{Config: w.config, Name: "green", Logger: zap.NewNop()})
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
