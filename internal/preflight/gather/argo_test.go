package gather

import (
	"cmp"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/clusterswitch/clusterswitch/internal/preflight/facts"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
	"github.com/clusterswitch/clusterswitch/switcher/shift"
)

// argoCRD is as small as it can be: Argo CD's own has no status subresource either.
func argoCRD(plural, kind string) *apiextensionsv1.CustomResourceDefinition {
	return &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: plural + "." + argoGroup},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: argoGroup, Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: plural, Kind: kind},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1alpha1", Served: true, Storage: true,
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object", XPreserveUnknownFields: new(true)}},
			}},
		},
	}
}

const applicationsOfATest = `
- kind: Application
  metadata: {name: good}
  spec:
    project: shop
    destination: {server: "https://kubernetes.default.svc", namespace: shop}
    source: {repoURL: "https://git.example.com/shop", path: deploy, targetRevision: v2}
  status:
    sync: {status: Synced, comparedTo: {source: {repoURL: "https://git.example.com/shop", path: deploy, targetRevision: v2}}}
    health: {status: Healthy}
    conditions: [{type: OrphanedResourceWarning, message: two orphans}]
- kind: Application
  metadata:
    name: bad
    ownerReferences: [{apiVersion: argoproj.io/v1alpha1, kind: ApplicationSet, name: all, uid: "1"}]
  spec:
    destination: {name: green}
    sources:
    - {repoURL: "https://charts.example.com", chart: shop, targetRevision: "2"}
    - {repoURL: "https://git.example.com/values", targetRevision: main}
  status:
    sync: {status: OutOfSync, comparedTo: {sources: [{repoURL: "https://charts.example.com", chart: shop, targetRevision: "1"}]}}
    health: {status: Degraded, message: no replicas}
    operationState: {phase: Failed, message: one object failed}
    conditions: [{type: SyncError, message: it failed}]
- kind: Application
  metadata: {name: hydrated}
  spec:
    destination: {name: green}
    sourceHydrator: {syncSource: {targetBranch: env, path: x}}
  status:
    sync: {status: Synced, comparedTo: {source: {repoURL: "https://git.example.com/dry", path: x, targetRevision: env}}}
- kind: Application
  metadata: {name: new}
- kind: ApplicationSet
  metadata: {name: all}
  status: {conditions: [{type: ErrorOccurred, status: "True", reason: ApplicationParamsGenerationError, message: no such repository}]}
- kind: ApplicationSet
  metadata: {name: fine}
  status: {conditions: [{type: ErrorOccurred, status: "False", reason: ApplicationSetUpToDate}]}
`

func storeArgo(t *testing.T, config *rest.Config, namespace string) {
	t.Helper()
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	var objects []map[string]any
	if err := yaml.Unmarshal([]byte(applicationsOfATest), &objects); err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		u := &unstructured.Unstructured{Object: o}
		u.SetAPIVersion(argoGroup + "/v1alpha1")
		resource := map[string]string{"Application": "applications", "ApplicationSet": "applicationsets"}[u.GetKind()]
		at := client.Resource(schema.GroupVersionResource{Group: argoGroup, Version: "v1alpha1", Resource: resource}).Namespace(namespace)
		if _, err := at.Create(t.Context(), u, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// argoOf leaves out what differs from run to run, and sorts.
func argoOf(a facts.Argo) facts.Argo {
	a.Applications, a.Sets = slices.Clone(a.Applications), slices.Clone(a.Sets)
	for i := range a.Applications {
		a.Applications[i].UID = ""
	}
	for i := range a.Sets {
		a.Sets[i].UID = ""
	}
	slices.SortFunc(a.Applications, func(x, y facts.Application) int { return cmp.Compare(x.Name.Name, y.Name.Name) })
	return a
}

func wantedArgo(namespace string) facts.Argo {
	named := func(name string) facts.Name { return facts.Name{Namespace: namespace, Name: name} }
	return facts.Argo{
		Served: true,
		Applications: []facts.Application{
			{
				Name: named("bad"), Set: "all", Destination: facts.Destination{Cluster: "green"}, Sync: "OutOfSync", Health: "Degraded", HealthMessage: "no replicas",
				Sources:   []facts.ArgoSource{{Repo: "https://charts.example.com", Chart: "shop", Revision: "2"}, {Repo: "https://git.example.com/values", Revision: "main"}},
				Operation: "Failed", OperationMessage: "one object failed", Errors: []facts.ArgoError{{Type: "SyncError", Message: "it failed"}}, Stale: true,
			},
			{
				Name: named("good"), Project: "shop", Destination: facts.Destination{Server: "https://kubernetes.default.svc", Namespace: "shop"}, Sync: "Synced", Health: "Healthy",
				Sources: []facts.ArgoSource{{Repo: "https://git.example.com/shop", Path: "deploy", Revision: "v2"}},
			},
			{Name: named("hydrated"), Destination: facts.Destination{Cluster: "green"}, Sync: "Synced"},
			{Name: named("new")},
		},
		Sets: []facts.ApplicationSet{{Name: named("all"), Message: "ApplicationParamsGenerationError: no such repository"}},
	}
}

func TestApplicationsAreReadWhereverTheyAre(t *testing.T) {
	t.Parallel()
	cp := cptest.Start(t, cptest.Options{Name: "argo", CRDs: []*apiextensionsv1.CustomResourceDefinition{
		argoCRD("applications", "Application"), argoCRD("applicationsets", "ApplicationSet"),
	}})
	namespace := cptest.Namespace(t, cp)
	storeArgo(t, cp.RESTConfig(), namespace)
	compare := func(t *testing.T, want facts.Argo, c facts.Cluster) {
		t.Helper()
		if c.Fault != "" || len(c.Gaps) > 0 || c.Address == "" {
			t.Errorf("fault %q, gaps %v, address %q", c.Fault, c.Gaps, c.Address)
		}
		if diff := gocmp.Diff(want, argoOf(c.Argo)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	everything := Source{Name: "any", Config: cp.RESTConfig()}
	t.Run("in a cluster of the pair", func(t *testing.T) {
		t.Parallel()
		compare(t, wantedArgo(namespace), Cluster(t.Context(), shift.Green, everything, Options{Scope: facts.Full, Timeout: time.Minute}))
	})
	t.Run("but not in a brief look", func(t *testing.T) {
		t.Parallel()
		compare(t, facts.Argo{}, Cluster(t.Context(), shift.Green, everything, Options{Scope: facts.Brief, Timeout: time.Minute}))
	})
	t.Run("in all of the management cluster", func(t *testing.T) {
		t.Parallel()
		compare(t, wantedArgo(namespace), Management(t.Context(), everything, ManagementOptions{Timeout: time.Minute}))
	})
	t.Run("in a namespace without any", func(t *testing.T) {
		t.Parallel()
		compare(t, facts.Argo{Served: true}, Management(t.Context(), everything, ManagementOptions{Namespaces: []string{"default"}, Timeout: time.Minute}))
	})
	t.Run("with the least rights", func(t *testing.T) {
		t.Parallel()
		least := Source{Name: "management", Config: onlyArgo(t, cptest.Client(t, cp), cp.RESTConfig(), namespace)}
		compare(t, wantedArgo(namespace), Management(t.Context(), least, ManagementOptions{Namespaces: []string{namespace}, Timeout: time.Minute}))
		c := Management(t.Context(), least, ManagementOptions{Namespaces: []string{"default"}, Timeout: time.Minute})
		if len(c.Gaps) != 2 || c.Gaps[0].What != "applications.argoproj.io in default" || c.Gaps[1].What != "applicationsets.argoproj.io in default" {
			t.Errorf("what may not be read is told as %+v", c.Gaps)
		}
	})
}

// onlyArgo gives an account that may do what the documentation asks for.
func onlyArgo(t *testing.T, client kubernetes.Interface, config *rest.Config, namespace string) *rest.Config {
	t.Helper()
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "argo"}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{argoGroup}, Resources: []string{"applications", "applicationsets"}, Verbs: []string{"list"}},
	}}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "argo"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "argo"},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: "reader"}},
	}
	if _, err := client.RbacV1().Roles(namespace).Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.RbacV1().RoleBindings(namespace).Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	config = rest.CopyConfig(config)
	config.Impersonate = rest.ImpersonationConfig{UserName: "reader", Groups: []string{"system:authenticated"}}
	asReader, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	// The authorizer learns of a new role a moment after it was stored.
	ask := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: "list", Group: argoGroup, Resource: "applications"},
	}}
	for range 10_000 {
		answer, err := asReader.AuthorizationV1().SelfSubjectAccessReviews().Create(t.Context(), ask, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if answer.Status.Allowed {
			return config
		}
	}
	t.Fatal("the role never took effect")
	return nil
}

func TestAManagementClusterWithoutArgoCDHasNone(t *testing.T) {
	t.Parallel()
	got := Management(t.Context(), Source{Name: "management", Config: cluster.Start(t).RESTConfig()}, ManagementOptions{Timeout: time.Minute})
	if got.Fault != "" || len(got.Gaps) > 0 || got.Argo.Served {
		t.Errorf("got %+v", got)
	}
}

func TestAManagementClusterThatIsNotThere(t *testing.T) {
	t.Parallel()
	gone := Management(t.Context(), Source{Name: "management", Config: &rest.Config{Host: "http://127.0.0.1:1"}}, ManagementOptions{})
	if gone.Fault == "" {
		t.Errorf("it has no fault: %+v", gone)
	}
	unknown := Management(t.Context(), Source{Name: "management", Fault: "no kubeconfig"}, ManagementOptions{})
	if unknown.Fault != "no kubeconfig" {
		t.Errorf("got %+v", unknown)
	}
}
