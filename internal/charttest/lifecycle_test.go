package charttest

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/cli"
	"github.com/clusterswitch/clusterswitch/internal/journal"
	"github.com/clusterswitch/clusterswitch/internal/kube"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/manifests"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// A real API server with the Prometheus operator's definitions. First it takes, by
// server-side apply without effect, all that is rendered; then a release lives
// through install, upgrade, removal and return.
func TestAReleaseOnARealAPIServer(t *testing.T) {
	t.Parallel()
	cp := cptest.Start(t, cptest.Options{Name: "lifecycle", CRDs: operatorDefinitions(t)})
	restricted := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}}}
	if _, err := cptest.Client(t, cp).CoreV1().Namespaces().Create(t.Context(), restricted, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Run("takes all that is rendered", func(t *testing.T) { takesAll(t, cp) })
	t.Run("keeps journals when a release goes", func(t *testing.T) { livesOn(t, cp) })
}

// operatorDefinitions are those of the kinds that the chart renders.
func operatorDefinitions(t *testing.T) []*apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	objects, err := manifests.PrometheusOperator().Objects(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var definitions []*apiextensionsv1.CustomResourceDefinition
	for _, o := range objects {
		if !slices.Contains([]string{"servicemonitors.monitoring.coreos.com", "prometheusrules.monitoring.coreos.com"}, o.GetName()) {
			continue
		}
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, crd); err != nil {
			t.Fatal(err)
		}
		definitions = append(definitions, crd)
	}
	if len(definitions) != 2 {
		t.Fatalf("the operator defines %d of the kinds that the chart renders", len(definitions))
	}
	return definitions
}

// takesAll lets the API server judge every object by its own schema, strictly, and
// the pods by the namespace's level restricted.
func takesAll(t *testing.T, cp *controlplane.ControlPlane) {
	applier, err := manifests.NewApplier(cp.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range valueSets() {
		out, err := helm(t.Context(), "template", "shift", chart, "--namespace", namespace, "--values", values(name))
		if err != nil {
			t.Fatal(err)
		}
		objects, err := manifests.Parse([]byte(out))
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range objects {
			if o.GetKind() == "Deployment" {
				objects = append(objects, podOf(t, o))
			}
		}
		for _, o := range objects {
			if err := dryRun(t.Context(), applier, o); err != nil {
				t.Errorf("%s values, %s: %v", name, manifests.Describe(o), err)
			}
		}
	}
	wrong := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor",
		"metadata": map[string]any{"name": "wrong"}, "spec": map[string]any{"selector": map[string]any{}, "endpoint": []any{}},
	}}
	if err := dryRun(t.Context(), applier, wrong); err == nil {
		t.Error("a ServiceMonitor with an unknown field is taken too: this test can't fail")
	}
}

func dryRun(ctx context.Context, applier *manifests.Applier, o *unstructured.Unstructured) error {
	resource, err := applier.In(namespace).Resource(ctx, o.GroupVersionKind(), o.GetNamespace())
	if err != nil {
		return err
	}
	data, err := json.Marshal(o)
	if err != nil {
		return err
	}
	_, err = resource.Patch(ctx, o.GetName(), "application/apply-patch+yaml", data, metav1.PatchOptions{
		DryRun: []string{metav1.DryRunAll}, FieldManager: "test", FieldValidation: metav1.FieldValidationStrict,
	})
	return err
}

// podOf makes a pod as the Deployment's controller would: only pods are held
// against the level of the namespace.
func podOf(t *testing.T, o *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	var d appsv1.Deployment
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &d); err != nil {
		t.Fatal(err)
	}
	pod := corev1.Pod{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: d.Spec.Template.ObjectMeta, Spec: d.Spec.Template.Spec}
	pod.Name, pod.Namespace = d.Name+"-0", d.Namespace
	made, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&pod)
	if err != nil {
		t.Fatal(err)
	}
	return &unstructured.Unstructured{Object: made}
}

// livesOn installs, upgrades, removes and installs again.
func livesOn(t *testing.T, cp *controlplane.ControlPlane) {
	release := func(verb string, more ...string) {
		t.Helper()
		args := append([]string{
			verb, "shift", chart, "--namespace", namespace, "--kubeconfig", cp.Kubeconfig(), "--values", values("least"),
			"--set=serviceMonitor.create=true,prometheusRule.create=true,grafanaDashboard.create=true,networkPolicy.create=true",
		}, more...)
		if out, err := helm(t.Context(), args...); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	release("install")
	daemon := as(cp, "system:serviceaccount:"+namespace+":shift-clusterswitch", "system:serviceaccounts", "system:serviceaccounts:"+namespace)
	kept, err := journal.New(journal.Options{Config: daemon, Namespace: namespace, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kept.Load(t.Context(), "shop"); err != nil {
		t.Fatalf("the daemon can't begin a journal: %v", err)
	}
	state := shift.NewState()
	state.Attempt = 7
	if err := kept.Save(t.Context(), "shop", state, shift.Said{Reason: shift.NothingToDo}); err != nil {
		t.Fatal(err)
	}
	passesItsTest(t, cp)

	text, err := kube.NewText(kube.TextOptions{Config: daemon, Namespace: namespace, Name: "shift-clusterswitch", Key: "clusterswitch.yaml", Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	if now, err := text.Read(t.Context()); err != nil || !strings.Contains(now, "serve: blue") {
		t.Errorf("with its account's rights the daemon reads the configuration %q, %v", now, err)
	}
	heard := make(chan string, 10)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- text.Follow(ctx, func(text string) { heard <- text }) }()
	<-heard
	release("upgrade", "--set=pairs[0].serve=green")
	upgraded := time.Now()
	select {
	case now := <-heard:
		if took := time.Since(upgraded); !strings.Contains(now, "serve: green") || took > 3*time.Second {
			t.Errorf("the daemon heard of the upgrade %s after it: %q", took, now)
		}
	case <-ctx.Done():
		t.Error("with its account's rights the daemon doesn't hear of an upgrade")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}

	if out, err := helm(t.Context(), "uninstall", "shift", "--namespace", namespace, "--kubeconfig", cp.Kubeconfig()); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := cptest.Client(t, cp).AppsV1().Deployments(namespace).Get(t.Context(), "shift-clusterswitch", metav1.GetOptions{}); err == nil {
		t.Error("the release is removed, its Deployment isn't")
	}
	left, err := clientOf(t, cp.RESTConfig()).Get(t.Context(), "shop")
	if err != nil || left.Status.Attempt != 7 {
		t.Errorf("the journal went with the release: %v, attempt %d", err, attemptOf(left))
	}
	release("install")
	if found, err := kept.Load(t.Context(), "shop"); err != nil || found.State.Attempt != 7 {
		t.Errorf("the release that came back doesn't find its journal: %v", err)
	}
	changesItsName(t, cp)
}

// winsItsConfigurationBack edits the ConfigMap as a person does at night: helm doesn't
// write over it unasked.
func winsItsConfigurationBack(t *testing.T, cp *controlplane.ControlPlane) {
	t.Helper()
	maps := cptest.Client(t, cp).CoreV1().ConfigMaps(namespace)
	kept, err := maps.Get(t.Context(), "other-clusterswitch", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	before := kept.Data["clusterswitch.yaml"]
	kept.Data["clusterswitch.yaml"] = strings.Replace(before, "serve: blue", "serve: blue\n  rollback: true", 1)
	if _, err := maps.Update(t.Context(), kept, metav1.UpdateOptions{FieldManager: "kubectl-edit"}); err != nil {
		t.Fatal(err)
	}
	args := []string{"upgrade", "other", chart, "--namespace", namespace, "--kubeconfig", cp.Kubeconfig(), "--values", values("least")}
	if out, err := helm(t.Context(), args...); err == nil || !strings.Contains(err.Error(), `conflict with "kubectl-edit"`) {
		t.Errorf("helm writes over a person's rollback unasked: %v\n%s", err, out)
	}
	if out, err := helm(t.Context(), append(args, "--force-conflicts")...); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if kept, err := maps.Get(t.Context(), "other-clusterswitch", metav1.GetOptions{}); err != nil || kept.Data["clusterswitch.yaml"] != before {
		t.Errorf("what the values say isn't there again: %v", err)
	}
}

// changesItsName removes the release and installs it by another name: the definition
// that was kept is taken over when that is asked for, with what is in it.
func changesItsName(t *testing.T, cp *controlplane.ControlPlane) {
	t.Helper()
	if out, err := helm(t.Context(), "uninstall", "shift", "--namespace", namespace, "--kubeconfig", cp.Kubeconfig()); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	args := []string{"install", "other", chart, "--namespace", namespace, "--kubeconfig", cp.Kubeconfig(), "--values", values("least")}
	if out, err := helm(t.Context(), args...); err == nil || !strings.Contains(err.Error(), "cannot be imported into the current release") {
		t.Errorf("another release takes the definition over unasked: %v\n%s", err, out)
	}
	if out, err := helm(t.Context(), append(args, "--take-ownership")...); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if left, err := clientOf(t, cp.RESTConfig()).Get(t.Context(), "shop"); err != nil || left.Status.Attempt != 7 {
		t.Errorf("the journal went when the definition changed hands: %v, attempt %d", err, attemptOf(left))
	}
	winsItsConfigurationBack(t, cp)
}

func attemptOf(ts *v1alpha1.TrafficSwitch) int {
	if ts == nil {
		return 0
	}
	return ts.Status.Attempt
}

// passesItsTest does what the containers of helm's test pod do: no kubelet is here
// to run them.
func passesItsTest(t *testing.T, cp *controlplane.ControlPlane) {
	t.Helper()
	objects := render(t, "least")
	pod := only[*corev1.Pod](t, objects)
	if pod.Annotations["helm.sh/hook"] != "test" {
		t.Error("helm doesn't take the test's pod for a test")
	}
	folder := t.TempDir()
	for key, text := range configOf(t, objects).Data {
		if err := os.WriteFile(filepath.Join(folder, key), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	containers := slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers)
	if len(containers) != 2 {
		t.Fatalf("the test's pod has %d containers", len(containers))
	}
	for i, c := range containers {
		args := slices.Clone(c.Args)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], c.VolumeMounts[0].MountPath, folder)
		}
		if i == 1 { // a pod finds the API server by its account
			args = append(args, "--kubeconfig", cp.Kubeconfig())
		}
		var out, complaint bytes.Buffer
		if status := cli.Run(t.Context(), cli.Options{Args: args, Out: &out, Err: &complaint}); status != 0 {
			t.Errorf("clusterswitch %s: exit status %d: %s", strings.Join(args, " "), status, complaint.String())
		}
	}
	missing := append(slices.Clone(containers[1].Args), "--kubeconfig", cp.Kubeconfig(), "--namespace", "default")
	missing[3] = filepath.Join(folder, "clusterswitch.yaml")
	if status := cli.Run(t.Context(), cli.Options{Args: missing, Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}); status == 0 {
		t.Errorf("clusterswitch %s passes where no daemon wrote anything", strings.Join(missing, " "))
	}
}
