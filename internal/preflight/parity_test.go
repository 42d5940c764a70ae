package preflight_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/yaml"

	"github.com/clusterswitch/clusterswitch/internal/preflight/check"
	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/preflight/finding"
	"github.com/clusterswitch/clusterswitch/internal/preflight/gather"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
)

var blueCluster = cptest.Shared{Options: cptest.Options{Name: "parity-blue", CRDs: customKinds()}}

func TestMain(m *testing.M) { os.Exit(blueCluster.Run(m)) }

// customKinds are as their projects name them, and take any spec.
func customKinds() []*apiextensionsv1.CustomResourceDefinition {
	var all []*apiextensionsv1.CustomResourceDefinition
	for group, kind := range map[string]string{
		"example.com": "Widget", "keda.sh": "ScaledObject", "argoproj.io": "Rollout", "gateway.networking.k8s.io": "HTTPRoute",
	} {
		plural := strings.ToLower(kind) + "s"
		all = append(all, &apiextensionsv1.CustomResourceDefinition{
			ObjectMeta: metav1.ObjectMeta{
				Name:        plural + "." + group,
				Annotations: map[string]string{"api-approved.kubernetes.io": "unapproved, for a test"},
			},
			Spec: apiextensionsv1.CustomResourceDefinitionSpec{
				Group: group, Scope: apiextensionsv1.NamespaceScoped,
				Names: apiextensionsv1.CustomResourceDefinitionNames{Kind: kind, ListKind: kind + "List", Plural: plural, Singular: strings.ToLower(kind)},
				Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
					Name: "v1", Served: true, Storage: true,
					Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
						Type: "object", XPreserveUnknownFields: new(true),
					}},
				}},
			},
		})
	}
	return all
}

// TestParityOfRealClusters fills two real clusters alike, changes one thing in
// green after the other, and finds exactly that, besides the data that stays
// behind anyway.
func TestParityOfRealClusters(t *testing.T) {
	t.Parallel()
	blue := newWorld(t, blueCluster.Start(t).RESTConfig(), "production-blue")
	green := newWorld(t, cptest.Start(t, cptest.Options{Name: "parity-green", CRDs: customKinds()}).RESTConfig(), "production-green")
	blue.create()
	green.create()
	o := gather.Options{
		Scope: facts.Full, Timeout: time.Minute,
		Settings: facts.Settings{ReplicasAtLeast: 100, Secrets: facts.SecretsDigests},
	}
	compare := func() (facts.Facts, map[string]finding.Severity) {
		f := facts.Facts{Scope: facts.Full, Settings: o.Settings}
		f.Blue, f.Green = gather.Both(t.Context(), blue.source(), green.source(), o)
		got := map[string]finding.Severity{}
		findings, _ := check.Evaluate(&f)
		for _, x := range findings {
			if !slices.Contains([]string{"coverage", "parity", "releases"}, x.Check) {
				continue // without controllers nothing becomes ready
			}
			got[x.ID] = x.Severity
			if x.Message == "" || x.Do == "" {
				t.Errorf("%s says nothing", x.ID)
			}
		}
		return f, got
	}
	always := map[string]finding.Severity{
		"DataStaysBehind/StatefulSet.apps/shop/db":           finding.Block,
		"DataStaysBehind/PersistentVolumeClaim/shop/uploads": finding.Block,
	}
	f, got := compare()
	if diff := cmp.Diff(always, got); diff != "" {
		t.Errorf("of two clusters filled alike (-want +got):\n%s", diff)
	}
	if text := fmt.Sprintf("%+v", f); strings.Contains(text, "correct-horse") || strings.Contains(text, "Y29ycmVjdC") {
		t.Error("the facts hold what is in a Secret")
	}
	for _, c := range []struct {
		kind, name, patch string // an empty patch removes the object
		want              string
		severity          finding.Severity
	}{
		{"Deployment.apps", "web", `[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"example.com/web:2"}]`, "ImageDiffers/Deployment.apps/shop/web/web", finding.Block},
		{"Deployment.apps", "web", `[{"op":"replace","path":"/spec/template/spec/containers/0/resources/limits/memory","value":"64Mi"}]`, "ResourcesDiffer/Deployment.apps/shop/web/web", finding.Block},
		{"Deployment.apps", "web", `[{"op":"replace","path":"/spec/replicas","value":2}]`, "ReplicasDiffer/Deployment.apps/shop/web", finding.Block},
		{"Deployment.apps", "scaled", `[{"op":"replace","path":"/spec/replicas","value":1}]`, "", ""},
		{"HorizontalPodAutoscaler.autoscaling", "scaled", `[{"op":"replace","path":"/spec/maxReplicas","value":4}]`, "ScalingDiffers/HorizontalPodAutoscaler.autoscaling/shop/scaled/max", finding.Block},
		{"CronJob.batch", "nightly", "", "MissingInGreen/CronJob.batch/shop/nightly", finding.Block},
		{"Service", "web", `[{"op":"replace","path":"/spec/ports/0/targetPort","value":9090}]`, "ServiceDiffers/Service/shop/web/ports", finding.Block},
		{"Service", "web", "", "MissingInGreen/Service/shop/web", finding.Block},
		{"Endpoints", "legacy", "", "MissingInGreen/Endpoints/shop/legacy", finding.Block},
		{"ConfigMap", "settings", `[{"op":"replace","path":"/data/color","value":"green"}]`, "ConfigMapDiffers/ConfigMap/shop/settings", finding.Block},
		{"ConfigMap", "settings", `[{"op":"replace","path":"/data/page","value":"https://production-green.internal/"}]`, "", ""},
		{"Secret", "password", `[{"op":"replace","path":"/data/password","value":"b3RoZXI="}]`, "SecretDiffers/Secret/shop/password", finding.Block},
		{"Secret", "sh.helm.release.v1.web.v1", "", "", ""},
		{"ServiceAccount", "uploader", `[{"op":"remove","path":"/metadata/annotations"}]`, "RoleMissing/ServiceAccount/shop/uploader", finding.Block},
		{"Ingress.networking.k8s.io", "web", `[{"op":"replace","path":"/spec/rules/0/host","value":"other.example.com"}]`, "HostsDiffer/Ingress.networking.k8s.io/shop/web", finding.Block},
		{"NetworkPolicy.networking.k8s.io", "web", `[{"op":"replace","path":"/spec/ingress/0/ports/0/port","value":1}]`, "PolicyDiffers/NetworkPolicy.networking.k8s.io/shop/web", finding.Block},
		{"NetworkPolicy.networking.k8s.io", "web", `[{"op":"replace","path":"/spec/ingress/0/ports","value":[{"port":9090},{"port":8080}]}]`, "", ""},
		{"PodDisruptionBudget.policy", "web", `[{"op":"replace","path":"/spec/minAvailable","value":1}]`, "BudgetDiffers/PodDisruptionBudget.policy/shop/web", finding.Warn},
		{"Role.rbac.authorization.k8s.io", "reader", `[{"op":"replace","path":"/rules/0/verbs","value":["get"]}]`, "RulesDiffer/Role.rbac.authorization.k8s.io/shop/reader", finding.Block},
		{"ResourceQuota", "quota", `[{"op":"replace","path":"/spec/hard/pods","value":"1"}]`, "LimitsDiffer/ResourceQuota/shop/quota", finding.Block},
		{"StorageClass.storage.k8s.io", "fast", `[{"op":"add","path":"/metadata/annotations","value":{"storageclass.kubernetes.io/is-default-class":"true"}}]`, "DefaultDiffers/StorageClass.storage.k8s.io/fast", finding.Block},
		{"PriorityClass.scheduling.k8s.io", "high", "", "MissingInGreen/PriorityClass.scheduling.k8s.io/high", finding.Block},
		{"ValidatingWebhookConfiguration.admissionregistration.k8s.io", "guard", `[{"op":"replace","path":"/webhooks/0/failurePolicy","value":"Fail"}]`, "WebhookDiffers/ValidatingWebhookConfiguration.admissionregistration.k8s.io/guard/failurePolicy/guard.example.com", finding.Block},
		{"ValidatingWebhookConfiguration.admissionregistration.k8s.io", "guard", `[{"op":"replace","path":"/webhooks/0/clientConfig/service/name","value":"nobody"}]`, "WebhookServiceGone/ValidatingWebhookConfiguration.admissionregistration.k8s.io/guard/shop/nobody", finding.Block},
		{"Widget.example.com", "one", "", "MissingInGreen/Widget.example.com/shop/one", finding.Block},
		{"ScaledObject.keda.sh", "worker", `[{"op":"replace","path":"/spec/maxReplicaCount","value":30}]`, "ScalingDiffers/ScaledObject.keda.sh/shop/worker/max", finding.Note},
		{"Rollout.argoproj.io", "canary", `[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"example.com/canary:2"}]`, "ImageDiffers/Rollout.argoproj.io/shop/canary/canary", finding.Block},
		{"HTTPRoute.gateway.networking.k8s.io", "web", `[{"op":"add","path":"/spec/hostnames/-","value":"more.example.com"}]`, "HostsDiffer/HTTPRoute.gateway.networking.k8s.io/shop/web", finding.Block},
	} {
		undo := green.change(c.kind, c.name, c.patch)
		_, got := compare()
		undo()
		for id := range always {
			delete(got, id)
		}
		want := map[string]finding.Severity{}
		if c.want != "" {
			want[c.want] = c.severity
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s %s %s (-want +got):\n%s", c.kind, c.name, c.patch, diff)
		}
	}
}

// world fills one cluster.
type world struct {
	t      *testing.T
	name   string
	config *rest.Config
	mapper meta.RESTMapper
	client dynamic.Interface
}

func newWorld(t *testing.T, config *rest.Config, name string) *world {
	t.Helper()
	d, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	groups, err := restmapper.GetAPIGroupResources(d)
	if err != nil {
		t.Fatal(err)
	}
	quiet := rest.CopyConfig(config)
	quiet.WarningHandler = rest.NoWarnings{}
	client, err := dynamic.NewForConfig(quiet)
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, name: name, config: config, mapper: restmapper.NewDiscoveryRESTMapper(groups), client: client}
}

func (w *world) source() gather.Source { return gather.Source{Name: w.name, Config: w.config} }

// create fills the cluster from the file, with its own name in the place of
// CLUSTER-NAME.
func (w *world) create() {
	w.t.Helper()
	text, err := os.ReadFile("testdata/parity.yaml")
	if err != nil {
		w.t.Fatal(err)
	}
	for document := range strings.SplitSeq(strings.ReplaceAll(string(text), "CLUSTER-NAME", w.name), "\n---\n") {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &o.Object); err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.of(o.GroupVersionKind().GroupKind()).Create(w.t.Context(), o, metav1.CreateOptions{}); err != nil {
			w.t.Fatalf("creating %s %s: %s", o.GetKind(), o.GetName(), err)
		}
	}
}

func (w *world) of(k schema.GroupKind) dynamic.ResourceInterface {
	w.t.Helper()
	m, err := w.mapper.RESTMapping(k)
	if err != nil {
		w.t.Fatal(err)
	}
	if m.Scope.Name() == meta.RESTScopeNameRoot {
		return w.client.Resource(m.Resource)
	}
	return w.client.Resource(m.Resource).Namespace("shop")
}

// change patches an object, or removes it when there is no patch, and gives what
// makes it as it was.
func (w *world) change(kind, name, patch string) (undo func()) {
	w.t.Helper()
	objects := w.of(schema.ParseGroupKind(kind))
	before, err := objects.Get(w.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	if patch == "" {
		if err := objects.Delete(w.t.Context(), name, metav1.DeleteOptions{}); err != nil {
			w.t.Fatal(err)
		}
		return func() {
			before.SetResourceVersion("")
			if _, err := objects.Create(w.t.Context(), before, metav1.CreateOptions{}); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	after, err := objects.Patch(w.t.Context(), name, types.JSONPatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		w.t.Fatalf("%s %s %s: %s", kind, name, patch, err)
	}
	return func() {
		before.SetResourceVersion(after.GetResourceVersion())
		if _, err := objects.Update(w.t.Context(), before, metav1.UpdateOptions{}); err != nil {
			w.t.Fatal(err)
		}
	}
}
