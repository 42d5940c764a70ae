package charttest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the generated parts of the chart anew")
	// Building takes no time when helm is there already, and never leaves one of
	// another version in use.
	if err := buildHelm(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// The chart templates the CRD, because Helm never upgrades what lies in crds/.
// "make gen" writes the template from the CRD beside the types.
func TestTemplateOfTheCRDIsFresh(t *testing.T) {
	t.Parallel()
	want := crdTemplate(t)
	path := filepath.Join(chart, "templates", "crd.yaml")
	if updating() {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is stale, run make gen (-want +have):\n%s", path, diff)
	}
}

func crdTemplate(t *testing.T) string {
	t.Helper()
	made, err := os.ReadFile(filepath.Join(root, "internal", "api", "v1alpha1", "clusterswitch.io_trafficswitches.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	const annotations = "\n  annotations:\n"
	before, after, found := strings.Cut(strings.TrimPrefix(string(made), "---\n"), annotations)
	if !found || strings.Contains(string(made), "{{") {
		t.Fatal("the CRD can't be made a template: it has no annotations, or braces that a template would take for its own")
	}
	return "{{- /* Made from internal/api/v1alpha1 by \"make gen\". Do not edit. */ -}}\n" +
		"{{- if .Values.crds.create }}\n" +
		before + annotations + "    helm.sh/resource-policy: keep\n" + after +
		"{{- end }}\n"
}

func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// What helm makes of the template is the CRD of the types, and is kept.
func TestRenderedCRDIsTheOneOfTheTypes(t *testing.T) {
	t.Parallel()
	if updating() {
		t.Skip("the template is being written; the next run compares it")
	}
	want, err := v1alpha1.CRD()
	if err != nil {
		t.Fatal(err)
	}
	got := only[*apiextensionsv1.CustomResourceDefinition](t, render(t, "least"))
	if got.Annotations["helm.sh/resource-policy"] != "keep" {
		t.Error("the CRD has no keep policy: removing the release would remove every journal")
	}
	delete(got.Annotations, "helm.sh/resource-policy")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("CRD (-types +chart):\n%s", diff)
	}
	if kept := all[*apiextensionsv1.CustomResourceDefinition](render(t, "full")); len(kept) != 0 {
		t.Error("crds.create: false renders a CRD all the same")
	}
}

// all picks the objects of one type.
func all[T runtime.Object](objects []runtime.Object) []T {
	var picked []T
	for _, object := range objects {
		if o, is := object.(T); is {
			picked = append(picked, o)
		}
	}
	return picked
}

// only picks the one object of a type.
func only[T runtime.Object](t *testing.T, objects []runtime.Object) T {
	t.Helper()
	picked := all[T](objects)
	if len(picked) != 1 {
		t.Fatalf("%d objects of type %T, want one", len(picked), *new(T))
	}
	return picked[0]
}
