package v1alpha1_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
)

// root is the repository's top folder, as seen from this package's.
const root = "../../.."

// TestGeneratedFilesAreFresh makes the generated files again and compares. The
// generator is built first, which takes no time when it is there already and
// never leaves one of another version in use.
func TestGeneratedFilesAreFresh(t *testing.T) {
	// The generator reads the sources behind go test's back. Reading them here
	// lets go test see that a kept result is out of date.
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(sources, filepath.Join(root, "internal", "tools", "crd", "go.mod")) {
		read(t, path)
	}
	generator, err := filepath.Abs(filepath.Join(root, ".cache", "bin", "controller-gen"))
	if err != nil {
		t.Fatal(err)
	}
	run(t, filepath.Join(root, "internal", "tools", "crd"), "go", "build", "-o", generator, "sigs.k8s.io/controller-tools/cmd/controller-gen")
	dir := t.TempDir()
	run(t, ".", generator, "object", "output:object:dir="+dir, "crd", "output:crd:dir="+dir, "paths=.")

	for _, name := range []string{"zz_generated.deepcopy.go", "clusterswitch.io_trafficswitches.yaml"} {
		if diff := cmp.Diff(read(t, name), read(t, filepath.Join(dir, name))); diff != "" {
			t.Errorf("%s is stale, run make gen (-have +want):\n%s", name, diff)
		}
	}
}

func TestCRDIsTheOneOfTheTypes(t *testing.T) {
	crd, err := v1alpha1.CRD()
	if err != nil {
		t.Fatal(err)
	}
	got := []string{crd.Spec.Group, crd.Spec.Versions[0].Name, crd.Spec.Names.Kind, crd.Spec.Names.Plural}
	want := []string{v1alpha1.Group, v1alpha1.Version, v1alpha1.Kind, v1alpha1.Resource}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("group, version, kind and resource (-want +got):\n%s", diff)
	}
}

func run(t *testing.T, dir, program string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("running %s: %v\n%s", cmd, err, out)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
