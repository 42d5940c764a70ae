package charttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	clientgo "k8s.io/client-go/kubernetes/scheme"
	sigsyaml "sigs.k8s.io/yaml"
)

// Places, as seen from this package's folder.
const (
	root  = "../.."
	chart = root + "/charts/clusterswitch"
)

// namespace is where the tests render the release. It isn't the default of the
// configuration, so that a forgotten namespace shows.
const namespace = "traffic"

// values names a file of values in the chart's folder ci.
func values(name string) string { return filepath.Join(chart, "ci", name+"-values.yaml") }

// valueSets are the names of all files of values.
func valueSets() []string { return []string{"least", "eks", "full"} }

// program is where the pinned helm is built.
const program = root + "/.cache/bin/helm"

func buildHelm() error {
	into, err := filepath.Abs(program)
	if err != nil {
		return fmt.Errorf("building helm: %w", err)
	}
	build := exec.Command("go", "build", "-o", into, "helm.sh/helm/v4/cmd/helm")
	build.Dir = filepath.Join(root, "internal", "tools", "helm")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building helm: %w\n%s", err, out)
	}
	return nil
}

func helm(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("running %s: %w\n%s", cmd, err, complaint.String())
	}
	return string(out), nil
}

// render gives the objects of a release with the values of that name.
func render(t *testing.T, name string) []runtime.Object {
	t.Helper()
	out, err := helm(t.Context(), "template", "shift", chart, "--namespace", namespace, "--values", values(name))
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, out)
}

// pairNamed gives a whole pair, as JSON, with more keys of it; of those that are
// given twice the last counts.
func pairNamed(name, more string) string {
	return fmt.Sprintf(`{"name": %q, "serve": "blue", "blue": {"eks": {"name": "one"}}, "green": {"eks": {"name": "other"}}, `+
		`"traffic": [{"name": "web"}], "steps": [{"share": 100}], %s}`, name, more)
}

// decode reads objects as an API server with strict field validation would:
// unknown and repeated fields are faults.
func decode(t *testing.T, documents string) []runtime.Object {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgo.AddToScheme(scheme), apiextensionsv1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	var objects []runtime.Object
	for in := yaml.NewDocumentDecoder(io.NopCloser(strings.NewReader(documents))); ; {
		document := make([]byte, len(documents))
		n, err := in.Read(document)
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatal(err)
		}
		if blank(document[:n]) {
			continue
		}
		if o := foreign(t, document[:n]); o != nil {
			objects = append(objects, o)
			continue
		}
		object, _, err := decoder.Decode(document[:n], nil, nil)
		if err != nil {
			t.Fatalf("decoding: %v\n%s", err, document[:n])
		}
		objects = append(objects, object)
	}
}

// foreign reads an object whose types aren't Kubernetes' own; nil: it is none.
// TestAReleaseOnARealAPIServer holds those against their definitions.
func foreign(t *testing.T, document []byte) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := sigsyaml.Unmarshal(document, &o.Object); err != nil {
		t.Fatalf("decoding: %v\n%s", err, document)
	}
	if o.GroupVersionKind().Group != "monitoring.coreos.com" {
		return nil
	}
	return o
}

// configOf gives the ConfigMap that holds the configuration.
func configOf(t *testing.T, objects []runtime.Object) *corev1.ConfigMap {
	t.Helper()
	for _, m := range all[*corev1.ConfigMap](objects) {
		if _, is := m.Data["clusterswitch.yaml"]; is {
			return m
		}
	}
	t.Fatal("no ConfigMap holds the configuration")
	return nil
}

// blank tells whether a document holds nothing but comments.
func blank(document []byte) bool {
	for line := range bytes.Lines(document) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' && !bytes.Equal(line, []byte("---")) {
			return false
		}
	}
	return true
}
