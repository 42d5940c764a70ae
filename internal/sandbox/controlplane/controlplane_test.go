package controlplane_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
)

var cluster = cptest.Shared{Options: cptest.Options{CRDs: []*apiextensionsv1.CustomResourceDefinition{widgets()}}}

func TestMain(m *testing.M) {
	if os.Getenv(envAbandon) != "" {
		abandon()
	}
	os.Exit(cluster.Run(m))
}

// widgets is a CRD whose objects have one number, size, from 1 to 9.
func widgets() *apiextensionsv1.CustomResourceDefinition {
	spec := apiextensionsv1.JSONSchemaProps{Type: "object", Properties: map[string]apiextensionsv1.JSONSchemaProps{
		"size": {Type: "integer", Minimum: new(1.0), Maximum: new(9.0)},
	}}
	return &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "widgets.example.com"},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: "example.com", Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "widgets", Singular: "widget", Kind: "Widget", ListKind: "WidgetList"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
					Type: "object", Properties: map[string]apiextensionsv1.JSONSchemaProps{"spec": spec},
				}},
			}},
		},
	}
}

func TestVersionIsThePinnedOne(t *testing.T) {
	if os.Getenv(controlplane.EnvAssets) != "" {
		t.Skipf("%s is set, so somebody else chose the version", controlplane.EnvAssets)
	}
	pins, err := os.ReadFile(filepath.Join(repositoryAssets(t).Tools, "controlplane", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	version, err := cptest.Client(t, cluster.Start(t)).Discovery().ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	if want := "k8s.io/kubernetes " + version.GitVersion + "\n"; !strings.Contains(string(pins), want) {
		t.Errorf("the server says it is %s, which go.mod doesn't pin", version.GitVersion)
	}
	if got := "v" + version.Major + "." + version.Minor + "."; !strings.HasPrefix(version.GitVersion, got) {
		t.Errorf("major and minor are %s, the version is %s", got, version.GitVersion)
	}
}

func TestCustomResourcesAreValidated(t *testing.T) {
	cp := cluster.Start(t)
	client, err := dynamic.NewForConfig(cp.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	objects := client.Resource(schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "widgets"}).
		Namespace(cptest.Namespace(t, cp))
	for name, c := range map[string]struct {
		size    int64
		refused bool
	}{
		"a size in range is stored":          {size: 9},
		"a size out of range is refused":     {size: 10, refused: true},
		"a size below the range is refused":  {size: 0, refused: true},
		"the smallest size in range is kept": {size: 1},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := objects.Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
				"apiVersion": "example.com/v1", "kind": "Widget",
				"metadata": map[string]any{"generateName": "w-"},
				"spec":     map[string]any{"size": c.size},
			}}, metav1.CreateOptions{})
			if got := apierrors.IsInvalid(err); got != c.refused {
				t.Errorf("refused as invalid: %t, want %t (error: %v)", got, c.refused, err)
			}
		})
	}
}

func TestUsersMayDoOnlyWhatTheirRolesGrant(t *testing.T) {
	cp := cluster.Start(t)
	admin, namespace := cptest.Client(t, cp), cptest.Namespace(t, cp)
	path, err := cp.UserKubeconfig("reader", "readers")
	if err != nil {
		t.Fatal(err)
	}
	reader := clientFromFile(t, path)
	list := func() error {
		_, err := reader.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})
		return err
	}
	if err := list(); !apierrors.IsForbidden(err) {
		t.Fatalf("listing pods without a role: %v, want forbidden", err)
	}
	grant(t, admin, namespace, "readers", rbacv1.PolicyRule{
		APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"list"},
	})
	// The authorizer learns of the role from a watch, a moment later.
	eventually(t, func() bool { return list() == nil })
	err = reader.CoreV1().Pods(namespace).Delete(t.Context(), "any", metav1.DeleteOptions{})
	if !apierrors.IsForbidden(err) {
		t.Errorf("deleting a pod with a role to list: %v, want forbidden", err)
	}
}

func grant(t *testing.T, admin kubernetes.Interface, namespace, group string, rule rbacv1.PolicyRule) {
	t.Helper()
	meta := metav1.ObjectMeta{Name: group}
	_, err := admin.RbacV1().Roles(namespace).Create(t.Context(),
		&rbacv1.Role{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{rule}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = admin.RbacV1().RoleBindings(namespace).Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: meta,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: group},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: group}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// eventually asks again until the answer is yes. Each question is a request to a
// server in another process, so there's nothing to wake us and nothing to spin on.
func eventually(t *testing.T, yes func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for !yes() {
		if ctx.Err() != nil {
			t.Fatal("not within 20 seconds")
		}
	}
}

func clientFromFile(t *testing.T, path string) kubernetes.Interface {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestAdminKubeconfigReachesTheCluster(t *testing.T) {
	client := clientFromFile(t, cluster.Start(t).Kubeconfig())
	if _, err := client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Error(err)
	}
}

func repositoryAssets(t *testing.T) controlplane.Assets {
	t.Helper()
	root, err := controlplane.FindRepository(".")
	if err != nil {
		t.Fatal(err)
	}
	return controlplane.RepositoryAssets(root)
}

func TestStartAllStartsSeparateClustersAndStopRemovesThem(t *testing.T) {
	cptest.SkipInShort(t, false)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	logs, assets := t.TempDir(), repositoryAssets(t)
	begin := time.Now()
	planes, err := controlplane.StartAll(t.Context(),
		controlplane.Options{Name: "blue", Assets: assets, LogDir: logs, UnsafeNoFsync: true},
		controlplane.Options{Name: "green", Assets: assets, LogDir: logs},
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("both ready after %s", time.Since(begin).Round(time.Millisecond))
	blue, green := cptest.Client(t, planes[0]), cptest.Client(t, planes[1])
	namespace := cptest.Namespace(t, planes[0])
	if _, err := blue.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := green.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("reading blue's namespace on green: %v, want not found", err)
	}
	// An open watch must not hold up the stop.
	if _, err := green.CoreV1().Pods("").Watch(t.Context(), metav1.ListOptions{}); err != nil {
		t.Error(err)
	}
	begin = time.Now()
	if err := controlplane.StopAll(planes...); err != nil {
		t.Error(err)
	}
	t.Logf("both stopped after %s", time.Since(begin).Round(time.Millisecond))
	if err := planes[0].Stop(); err != nil {
		t.Errorf("a second stop: %v", err)
	}
	if _, err := blue.Discovery().ServerVersion(); err == nil {
		t.Error("blue still answers after its stop")
	}
	if left := names(t, temp); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	want := []string{"blue-etcd.log", "blue-kube-apiserver.log", "green-etcd.log", "green-kube-apiserver.log"}
	if diff := cmp.Diff(want, names(t, logs)); diff != "" {
		t.Errorf("kept logs (-want +got):\n%s", diff)
	}
}

func TestStartAllLeavesNothingRunningWhenOneFails(t *testing.T) {
	cptest.SkipInShort(t, false)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	assets := repositoryAssets(t)
	_, err := controlplane.StartAll(t.Context(),
		controlplane.Options{Name: "blue", Assets: assets, UnsafeNoFsync: true},
		controlplane.Options{Name: "green", Assets: assets, EgressSocket: strings.Repeat("x", 200)},
	)
	if err == nil || !strings.Contains(err.Error(), "control plane green") {
		t.Errorf("error %v, want one that names green", err)
	}
	if left := names(t, temp); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAServerThatDiesIsQuoted(t *testing.T) {
	bin := t.TempDir()
	for _, name := range []string{"etcd", "kube-apiserver"} {
		script := "#!/bin/sh\necho this is why >&2\nexit 1\n"
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv(controlplane.EnvAssets, bin)
	_, err := controlplane.Start(t.Context(), controlplane.Options{Name: "blue"})
	if err == nil || !strings.Contains(err.Error(), "this is why") {
		t.Errorf("error %v, want one with the server's last words", err)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
