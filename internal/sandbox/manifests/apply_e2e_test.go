//go:build e2e

package manifests_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/manifests"
)

func TestE2EEveryBundleIsStoredByARealAPIServer(t *testing.T) {
	cp := cptest.Start(t, cptest.Options{Name: "manifests"})
	applier, err := manifests.NewApplier(cp.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	argo, err := manifests.Parse([]byte("apiVersion: v1\nkind: Namespace\nmetadata: {name: argocd}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := applier.Apply(t.Context(), argo...); err != nil {
		t.Fatal(err)
	}
	for _, b := range manifests.All() {
		objects, err := b.Objects(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := applier.Apply(t.Context(), objects...); err != nil {
			t.Errorf("%s: %v", b.Name, err)
		}
	}
}

func TestE2EHelmInstallsAChart(t *testing.T) {
	root, err := controlplane.FindRepository(".")
	if err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "make", "tool-helm")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building helm: %v: %s", err, out)
	}
	cp := cptest.Start(t, cptest.Options{Name: "helm"})
	helm := manifests.Helm{Binary: filepath.Join(root, ".cache", "bin", "helm"), Dir: t.TempDir()}
	chart, err := helm.Chart(t.Context(), manifests.CertManager())
	if err != nil {
		t.Fatal(err)
	}
	release := manifests.Release{
		Name: "cert-manager", Namespace: "cert-manager", Chart: chart, Values: []string{"crds.enabled=true", "startupapicheck.enabled=false"},
	}
	if err := helm.Install(t.Context(), cp.Kubeconfig(), release); err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(cp.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	controller, err := client.AppsV1().Deployments("cert-manager").Get(t.Context(), "cert-manager", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := controller.Spec.Template.Spec.Containers[0].Image, "quay.io/jetstack/cert-manager-controller:v1.21.2"; got != want {
		t.Errorf("image %s, want %s, by the version that the chart was packed with", got, want)
	}
	if _, err := client.CoreV1().Secrets("cert-manager").Get(t.Context(), "sh.helm.release.v1.cert-manager.v1", metav1.GetOptions{}); err != nil {
		t.Errorf("helm's record of the release: %v", err)
	}
}
