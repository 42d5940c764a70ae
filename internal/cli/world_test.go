package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
)

var cluster cptest.Shared

func TestMain(m *testing.M) {
	if os.Getenv(asProcess) != "" {
		os.Exit(asProgram())
	}
	flag.Bool("update", false, "write golden files and generated documents")
	flag.Parse()
	crd, err := v1alpha1.CRD()
	if err != nil {
		panic(err)
	}
	cluster.Options = cptest.Options{Name: "cli", CRDs: []*apiextensionsv1.CustomResourceDefinition{crd}}
	os.Exit(cluster.Run(m))
}

func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// golden compares with a file, or writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if updating() {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), after a look renew it with -update:\n%s", path, diff)
	}
}

// ran is what one command did.
type ran struct {
	status   int
	out, err string
}

// storyTime is when the stories' commands are given: soon after the daemon in
// them last wrote.
func storyTime() time.Time { return time.Date(2026, 3, 2, 10, 3, 0, 0, time.UTC) }

func run(ctx context.Context, args ...string) ran {
	var out, err bytes.Buffer
	status := Run(ctx, Options{Args: args, Out: &out, Err: &err, Build: Build{Version: "v1.2.3", Commit: "0123abc"}, Now: storyTime})
	return ran{status: status, out: out.String(), err: err.String()}
}

// alone puts the test into an empty working folder, without any configuration
// or kubeconfig that this machine may have, and returns the folder.
func alone(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("HOME", dir)
	t.Setenv("KUBECONFIG", filepath.Join(dir, "none"))
	t.Setenv("CLUSTERSWITCH_CONFIG", "")
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	return dir
}

// world is a namespace of a real API server, with what people and the daemon
// do there.
type world struct {
	t          *testing.T
	config     *rest.Config
	kubeconfig string
	namespace  string
	objects    rest.Interface
}

func newWorld(t *testing.T) *world {
	t.Helper()
	cp := cluster.Start(t)
	objects, err := v1alpha1.RESTClient(cp.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, config: cp.RESTConfig(), kubeconfig: cp.Kubeconfig(), namespace: cptest.Namespace(t, cp), objects: objects}
}

// pair makes a TrafficSwitch, as the daemon does.
func (w *world) pair(name string) {
	w.t.Helper()
	object := &v1alpha1.TrafficSwitch{}
	object.Name = name
	err := w.objects.Post().Namespace(w.namespace).Resource(v1alpha1.Resource).Body(object).Do(w.t.Context()).Error()
	if err != nil {
		w.t.Fatal(err)
	}
}

// edit merges a JSON object into the spec or the status.
func (w *world) edit(name, part, content string) {
	w.t.Helper()
	patch, err := json.Marshal(map[string]json.RawMessage{part: json.RawMessage(content)})
	if err != nil {
		w.t.Fatal(err)
	}
	request := w.objects.Patch(types.MergePatchType).Namespace(w.namespace).Resource(v1alpha1.Resource).Name(name).Body(patch)
	if part == "status" {
		request = request.SubResource(part)
	}
	if err := request.Do(w.t.Context()).Error(); err != nil {
		w.t.Fatal(err)
	}
}

// spec tells what is asked for, as the API server has it.
func (w *world) spec(name string) string {
	w.t.Helper()
	content, err := json.Marshal(w.object(name).Spec)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(content)
}

func (w *world) object(name string) *v1alpha1.TrafficSwitch {
	w.t.Helper()
	object := &v1alpha1.TrafficSwitch{}
	err := w.objects.Get().Namespace(w.namespace).Resource(v1alpha1.Resource).Name(name).Do(w.t.Context()).Into(object)
	if err != nil {
		w.t.Fatal(err)
	}
	return object
}
