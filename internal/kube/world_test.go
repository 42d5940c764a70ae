package kube_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

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
	o.Name = "green"
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

func (w *world) grant(user string, resources []string, verbs ...string) {
	w.t.Helper()
	role, err := w.client.RbacV1().ClusterRoles().Create(w.t.Context(), &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{"", "apps"}, Resources: resources, Verbs: verbs}},
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
