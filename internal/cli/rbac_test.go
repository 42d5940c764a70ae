package cli

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterswitch/clusterswitch/internal/rbac"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
)

const (
	clustersDoc = "../../docs/clusters.md"
	eksExample  = "../../examples/eks.yaml"
)

// TestClusterRights makes the generated parts of docs/clusters.md from the list
// of uses and from what the command prints.
func TestClusterRights(t *testing.T) {
	var uses strings.Builder
	uses.WriteString("| Right | On | For | When |\n|---|---|---|---|\n")
	for _, u := range rbac.Uses() {
		fmt.Fprintf(&uses, "| %s | %s | %s | %s |\n", u.Verbs, u.On, u.For, u.When)
	}
	manifest := run(t.Context(), "rbac", "shop", "--side", "green", "--offline", "--config", eksExample)
	if manifest.status != 0 || manifest.err != "" {
		t.Fatalf("%+v", manifest)
	}
	generate(t, clustersDoc, map[string]string{"uses": uses.String(), "manifest": "```yaml\n" + manifest.out + "```\n"})
}

// generate writes the parts of a document that stand between marks.
func generate(t *testing.T, doc string, parts map[string]string) {
	t.Helper()
	before, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	after := string(before)
	for name, text := range parts {
		head, rest, begun := strings.Cut(after, ": "+name+" -->\n")
		_, tail, ended := strings.Cut(rest, "<!-- end -->")
		if !begun || !ended {
			t.Fatalf("%s has no place for %s", doc, name)
		}
		after = head + ": " + name + " -->\n" + text + "<!-- end -->" + tail
	}
	golden(t, doc, after)
}

// servedBy is a configuration of two clusters.
func servedBy(t *testing.T, blue, green, more string) {
	t.Helper()
	write(t, "clusterswitch.yaml", strings.NewReplacer("path: blue.yaml", fmt.Sprintf("path: %q", blue), "path: green.yaml", fmt.Sprintf("path: %q", green)).
		Replace(validConfig)+more)
}

func TestSubjectsOfTheRights(t *testing.T) {
	type subjects = string
	for name, test := range map[string]struct {
		args []string
		want subjects
	}{
		"a group of a fixed name, if nobody is named": {
			want: "  - apiGroup: rbac.authorization.k8s.io\n    kind: Group\n    name: clusterswitch\n",
		},
		"an account": {
			args: []string{"--service-account", "ops/switch"},
			want: "  - kind: ServiceAccount\n    namespace: ops\n    name: switch\n",
		},
		"all together": {
			args: []string{"--user", "arn:aws:sts::1:assumed-role/x", "--group", "switchers", "--service-account", "ops/switch"},
			want: "  - apiGroup: rbac.authorization.k8s.io\n    kind: User\n    name: \"arn:aws:sts::1:assumed-role/x\"\n" +
				"  - apiGroup: rbac.authorization.k8s.io\n    kind: Group\n    name: switchers\n" +
				"  - kind: ServiceAccount\n    namespace: ops\n    name: switch\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			alone(t)
			write(t, "clusterswitch.yaml", validConfig)
			got := run(t.Context(), append([]string{"rbac", "shop", "--offline"}, test.args...)...)
			_, have, _ := strings.Cut(got.out, "\nsubjects:\n")
			if diff := cmp.Diff(test.want, have); diff != "" || got.status != 0 || got.err != "" {
				t.Errorf("status %d, standard error %q, subjects (-want +got):\n%s", got.status, got.err, diff)
			}
			command, _, _ := strings.Cut(got.out[strings.Index(got.out, "Made by: ")+len("Made by: "):], "\n")
			if again := run(t.Context(), strings.Fields(command)[1:]...); again != got {
				t.Errorf("%q doesn't print the same", command)
			}
		})
	}
}

func TestRBACRefuses(t *testing.T) {
	alone(t)
	write(t, "clusterswitch.yaml", validConfig)
	for says, args := range map[string][]string{
		"clusterswitch.yaml has no pair blog; it has shop":      {"rbac", "blog", "--offline"},
		"rbac needs the name of a pair":                         {"rbac"},
		"--side purple: use blue or green":                      {"rbac", "shop", "--side", "purple"},
		"--service-account switch: write it as NAMESPACE/NAME":  {"rbac", "shop", "--service-account", "switch"},
		"--service-account a/b/c: write it as NAMESPACE/NAME":   {"rbac", "shop", "--service-account", "a/b/c"},
		"--service-account /switch: write it as NAMESPACE/NAME": {"rbac", "shop", "--service-account", "/switch"},
	} {
		if got := run(t.Context(), args...); got.status != 2 || got.out != "" || !strings.Contains(got.err, says) {
			t.Errorf("%v: %+v, want status 2 and %q", args, got, says)
		}
	}
	got := run(t.Context(), "rbac", "shop")
	if got.status != 1 || got.out != "" || !strings.Contains(got.err, "asking blue what it serves: reading kubeconfig blue.yaml") || !strings.Contains(got.err, "--offline") {
		t.Errorf("without clusters: %+v", got)
	}
}

// The kinds of a cluster are found by asking it, with the rights of anybody.
func TestRightsOfWhatTheClustersServe(t *testing.T) {
	blue, green := cluster.Start(t), withWidgets(t)
	alone(t)
	servedBy(t, nobodyOf(t, blue), nobodyOf(t, green), "")
	for _, test := range []struct {
		args    []string
		widgets bool
	}{
		{nil, true},
		{[]string{"--side", "blue"}, false},
		{[]string{"--side", "green"}, true},
		{[]string{"--offline"}, false},
	} {
		got := run(t.Context(), append([]string{"rbac", "shop"}, test.args...)...)
		if got.status != 0 || got.err != "" {
			t.Errorf("%v: %+v", test.args, got)
		}
		if has := strings.Contains(got.out, "  - apiGroups: [example.com]\n    resources: [widgets]\n    verbs: [list]\n"); has != test.widgets {
			t.Errorf("%v: rights to widgets are granted: %t, want %t", test.args, has, test.widgets)
		}
		if said := strings.Contains(got.out, "NOT COMPLETE"); said != strings.HasPrefix(strings.Join(test.args, ""), "--offline") {
			t.Errorf("%v: it says that it isn't complete: %t", test.args, said)
		}
	}
	servedBy(t, "blue.yaml", "green.yaml", "    preflight: {mode: \"off\"}\n")
	if got := run(t.Context(), "rbac", "shop"); got.status != 0 || strings.Contains(got.out, "configmaps") || strings.Contains(got.out, "NOT COMPLETE") {
		t.Errorf("without a preflight nobody needs to be asked: %+v", got)
	}
}

// A group that doesn't answer is missing, and that is said in three places.
func TestRightsOfAGroupThatDoesNotAnswer(t *testing.T) {
	blue, green := cluster.Start(t), withWidgets(t)
	client, err := kubernetes.NewForConfig(green.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	service := `{"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1.gadgets.example.com"},
  "spec": {"group": "gadgets.example.com", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 1, "insecureSkipTLSVerify": true,
    "service": {"namespace": "default", "name": "nobody"}}}`
	if err := client.RESTClient().Post().AbsPath("/apis/apiregistration.k8s.io/v1/apiservices").Body([]byte(service)).Do(t.Context()).Error(); err != nil {
		t.Fatal(err)
	}
	alone(t)
	servedBy(t, nobodyOf(t, blue), nobodyOf(t, green), "")
	got := run(t.Context(), "rbac", "shop")
	const what = "gadgets.example.com of green"
	if got.status != 1 || !strings.Contains(got.err, "the manifest lacks kinds: "+what) || !strings.Contains(got.out, "NOT COMPLETE") || !strings.Contains(got.out, "#   "+what) {
		t.Errorf("%+v", got)
	}
}

func withWidgets(t *testing.T) *controlplane.ControlPlane {
	t.Helper()
	return cptest.Start(t, cptest.Options{Name: "cli-widgets", CRDs: []*apiextensionsv1.CustomResourceDefinition{{
		ObjectMeta: metav1.ObjectMeta{Name: "widgets.example.com"},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: "example.com", Scope: apiextensionsv1.NamespaceScoped, Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "widgets", Kind: "Widget"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object"}},
			}},
		},
	}}})
}

// nobodyOf is a kubeconfig of a user whom nobody granted anything.
func nobodyOf(t *testing.T, cp *controlplane.ControlPlane) string {
	t.Helper()
	kubeconfig, err := cp.UserKubeconfig("nobody")
	if err != nil {
		t.Fatal(err)
	}
	return kubeconfig
}
