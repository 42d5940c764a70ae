package gather

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

const gadgets = `
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  scope: Cluster
  names: {kind: Gadget, plural: gadgets}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}, color: {type: string}}}}}}}
  - {name: v1beta1, served: true, storage: false, deprecated: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}}
`

// TestVersionsInUseAreReadOfARealCluster fills a real API server through old and
// new versions and looks at what comes back, for each way to read Secrets.
func TestVersionsInUseAreReadOfARealCluster(t *testing.T) {
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal([]byte(gadgets), &crd); err != nil {
		t.Fatal(err)
	}
	cp := cptest.Start(t, cptest.Options{Name: "apis", CRDs: []*apiextensionsv1.CustomResourceDefinition{&crd}})
	objects, client := dynamic.NewForConfigOrDie(cp.RESTConfig()), kubernetes.NewForConfigOrDie(cp.RESTConfig())
	for _, version := range []string{"v1", "v1beta1"} {
		gadget := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "example.com/" + version, "kind": "Gadget", "metadata": map[string]any{"name": "of-" + version}, "spec": map[string]any{"size": int64(1)},
		}}
		if _, err := objects.Resource(schema.GroupVersionResource{Group: "example.com", Version: version, Resource: "gadgets"}).
			Create(t.Context(), gadget, metav1.CreateOptions{FieldManager: "operator"}); err != nil {
			t.Fatal(err)
		}
	}
	for revision, status := range map[string]string{"1": "superseded", "2": "deployed"} {
		secret := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: "sh.helm.release.v1.web.v" + revision, Labels: map[string]string{"owner": "helm", "name": "web", "status": status, "version": revision}},
			Type:       helmSecret, Data: map[string][]byte{"release": packed(t, map[string]any{"manifest": cronJob})},
		}
		if _, err := client.CoreV1().Secrets("default").Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for mode, releases := range map[facts.SecretsMode]int{facts.SecretsOff: 0, facts.SecretsNames: 1, facts.SecretsDigests: 1} {
		c := Cluster(t.Context(), shift.Blue, Source{Name: "apis", Config: cp.RESTConfig()},
			Options{Scope: facts.Full, Settings: facts.Settings{Secrets: mode}, Timeout: time.Minute})
		if c.Fault != "" || len(c.Gaps) > 0 {
			t.Fatalf("%s: %s %+v", mode, c.Fault, c.Gaps)
		}
		expectGadgets(t, &c)
		release := c.APIs.Releases[facts.Name{Namespace: "default", Name: "web"}]
		if len(c.APIs.Releases) != releases || releases == 1 && (release.Revision != 2 || release.Kinds[kindOf("batch", "v1beta1", "CronJob")].Objects != 1) {
			t.Errorf("with Secrets %q the releases are %+v", mode, c.APIs.Releases)
		}
	}
	brief := Cluster(t.Context(), shift.Blue, Source{Name: "apis", Config: cp.RESTConfig()}, Options{Scope: facts.Brief, Timeout: time.Minute})
	if brief.APIs.Written != nil || brief.CRDs != nil || brief.APIs.Deprecated != nil {
		t.Errorf("a brief look read %+v", brief.APIs)
	}
}

func expectGadgets(t *testing.T, c *facts.Cluster) {
	t.Helper()
	for _, version := range []string{"v1", "v1beta1"} {
		w := c.APIs.Written[facts.Writing{VersionKind: kindOf("example.com", version, "Gadget"), Manager: "operator"}]
		if w.Objects != 1 || w.Example.Name != "of-"+version || w.Last.IsZero() {
			t.Errorf("written in %s: %+v", version, w)
		}
	}
	use := c.APIs.Fields[facts.GroupKind{Group: "example.com", Kind: "Gadget"}]
	if use.Unknown != 0 || use.Fields.Objects != 2 || use.Fields.Below["spec"].Below["size"].Objects != 2 || use.Fields.Below["spec"].Below["color"] != nil {
		t.Errorf("fields in use: %+v", use)
	}
	gadget := c.CRDs["gadgets.example.com"]
	if gadget.Storage != "v1" || !gadget.Established || !gadget.Versions["v1beta1"].Served || gadget.Versions["v1"].Schema.Field("spec").Field("color").Type != "string" {
		t.Errorf("the CRD is %+v", gadget)
	}
	deprecated := false
	for _, api := range c.APIs.Deprecated {
		deprecated = deprecated || api == facts.DeprecatedAPI{Group: "example.com", Version: "v1beta1", Resource: "gadgets"}
	}
	if !deprecated {
		t.Errorf("deprecated versions that were called: %+v", c.APIs.Deprecated)
	}
}
