//go:build e2e

package charttest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/manifests"
)

// What the controllers and the scheduler of a cluster make of a release, where there is
// one node: helm waits until both daemons are ready there, an update and a drain go
// through, who has Kubernetes' own role view sees the pairs, and the account for blue
// and green gets its token. The kubelet is played by kwok.
func TestE2EAReleaseOnOneNode(t *testing.T) {
	repository, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	cp, err := controlplane.Start(t.Context(), controlplane.Options{
		Name: "onenode", Assets: controlplane.RepositoryAssets(repository), UnsafeNoFsync: true, Progress: os.Stderr,
		Controllers: &controlplane.Controllers{Nodes: []controlplane.Node{{Name: "only", Kubelet: "v1.37.2"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cp.Stop(); err != nil {
			t.Error(err)
		}
	})
	client := cptest.Client(t, cp)
	restricted := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}}}
	if _, err := client.CoreV1().Namespaces().Create(t.Context(), restricted, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	release := func(verb string, more ...string) {
		t.Helper()
		args := append([]string{verb, "shift", chart, "--namespace", namespace, "--kubeconfig", cp.Kubeconfig(), "--values", values("least"), "--wait", "--timeout", "2m"}, more...)
		if out, err := helm(t.Context(), args...); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	release("install")
	first := daemonsOn(t, client)
	if len(first) != 2 {
		t.Fatalf("%d daemons run, want both", len(first))
	}
	release("upgrade", "--set", "podAnnotations.example\\.com/changed=yes")
	drainsOneByOne(t, client)
	seenByWhoMayView(t, cp, client)
	accountGetsItsToken(t, cp, client)
}

// daemonsOn are the daemons that run on the node.
func daemonsOn(t *testing.T, client kubernetes.Interface) []corev1.Pod {
	t.Helper()
	pods, err := client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{
		LabelSelector: "app.kubernetes.io/name=clusterswitch", FieldSelector: "spec.nodeName=only,status.phase=Running",
	})
	if err != nil {
		t.Fatal(err)
	}
	return pods.Items
}

// drainsOneByOne evicts the daemons as a drain does: the second may go when there is
// another in the place of the first, not before.
func drainsOneByOne(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	for _, pod := range daemonsOn(t, client) {
		eventually(t, "an eviction of "+pod.Name, func() bool {
			eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: namespace}}
			err := client.PolicyV1().Evictions(namespace).Evict(t.Context(), eviction)
			if err != nil && !apierrors.IsTooManyRequests(err) && !apierrors.IsNotFound(err) {
				t.Fatal(err)
			}
			return !apierrors.IsTooManyRequests(err)
		})
	}
	eventually(t, "both daemons after the drain", func() bool { return len(daemonsOn(t, client)) == 2 })
}

// seenByWhoMayView binds somebody to Kubernetes' own role.
func seenByWhoMayView(t *testing.T, cp *controlplane.ControlPlane, client kubernetes.Interface) {
	t.Helper()
	_, err := client.RbacV1().RoleBindings(namespace).Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "carol"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "view"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "carol"}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	carol := clientOf(t, as(cp, "carol"))
	eventually(t, "somebody with the role view who sees the pairs", func() bool {
		_, err := carol.List(t.Context())
		return err == nil
	})
}

// accountGetsItsToken applies the account for blue and green; its Secret is filled in.
func accountGetsItsToken(t *testing.T, cp *controlplane.ControlPlane, client kubernetes.Interface) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(chart, "files", "workload-account.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	objects, err := manifests.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	applier, err := manifests.NewApplier(cp.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	if err := applier.Apply(t.Context(), objects...); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the account's token", func() bool {
		secret, err := client.CoreV1().Secrets("clusterswitch").Get(t.Context(), "clusterswitch-token", metav1.GetOptions{})
		if apierrors.IsNotFound(err) { // the controller takes a token away whose account it doesn't see yet; a person applies the file again
			err = applier.Apply(t.Context(), objects...)
		}
		return err == nil && len(secret.Data["token"]) > 0 && len(secret.Data["ca.crt"]) > 0
	})
}

// eventually waits for what nobody tells of.
func eventually(t *testing.T, what string, seen func() bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	over := time.After(2 * time.Minute)
	for !seen() {
		select {
		case <-over:
			t.Fatalf("not seen within 2 minutes: %s", what)
		case <-tick.C:
		}
	}
}
