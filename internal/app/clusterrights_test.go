package app

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterswitch/clusterswitch/internal/api/v1alpha1"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane"
	"github.com/clusterswitch/clusterswitch/internal/sandbox/controlplane/cptest"
)

// asked collects the rights that requests need.
type asked struct {
	mu     sync.Mutex
	rights map[string]bool
}

// listener reads requests on their way, as the API server's authorizer does.
type listener struct {
	next  http.RoundTripper
	asked *asked
}

// RoundTrip notes the right that the request needs.
func (l listener) RoundTrip(r *http.Request) (*http.Response, error) {
	l.asked.mu.Lock()
	l.asked.rights[needed(r)] = true
	l.asked.mu.Unlock()
	return l.next.RoundTrip(r)
}

func needed(r *http.Request) string {
	var group, namespace string
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		group, parts = parts[1], parts[3:]
	default:
		return "get " + r.URL.Path
	}
	if len(parts) > 2 && parts[0] == "namespaces" {
		namespace, parts = parts[1], parts[2:]
	}
	verb, resource, name := strings.ToLower(r.Method), parts[0], ""
	switch {
	case len(parts) > 2:
		resource, name = resource+"/"+parts[2], parts[1]
	case len(parts) > 1:
		name = parts[1]
	case r.URL.Query().Get("watch") != "":
		verb = "watch"
	case verb == "get":
		verb = "list"
	}
	if verb == "patch" && group != "batch" && group != "apps" {
		name, namespace = "", "" // granted by kind
	}
	return right(verb, group, resource, name, namespace)
}

// crowded is a cluster with CustomResourceDefinitions of each scope, and the
// namespaces of the probes.
func crowded(t *testing.T) *controlplane.ControlPlane {
	t.Helper()
	switches, err := v1alpha1.CRD()
	if err != nil {
		t.Fatal(err)
	}
	anything := &apiextensionsv1.JSONSchemaProps{Type: "object", XPreserveUnknownFields: new(true)}
	crd := func(group, plural, kind string, scope apiextensionsv1.ResourceScope) *apiextensionsv1.CustomResourceDefinition {
		return &apiextensionsv1.CustomResourceDefinition{
			ObjectMeta: metav1.ObjectMeta{Name: plural + "." + group},
			Spec: apiextensionsv1.CustomResourceDefinitionSpec{
				Group: group, Scope: scope, Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: plural, Kind: kind},
				Versions: []apiextensionsv1.CustomResourceDefinitionVersion{
					{Name: "v1", Served: true, Storage: true, Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: anything}},
					{Name: "v1beta1", Served: true, Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: anything}},
					{Name: "v1alpha1", Served: true, Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: anything}},
				},
			},
		}
	}
	cp := cptest.Start(t, cptest.Options{Name: "rights", CRDs: []*apiextensionsv1.CustomResourceDefinition{
		switches, crd("example.com", "widgets", "Widget", apiextensionsv1.NamespaceScoped), crd("example.com", "zones", "Zone", apiextensionsv1.ClusterScoped),
		crd("keda.sh", "scaledobjects", "ScaledObject", apiextensionsv1.NamespaceScoped),
	}})
	client := cptest.Client(t, cp)
	for _, name := range []string{"shop", "api", "elsewhere"} {
		if _, err := client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		for _, service := range []string{"web", "other"} {
			s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: service}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", Port: 80}, {Name: "https", Port: 8443}}}}
			if _, err := client.CoreV1().Services(name).Create(t.Context(), s, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return cp
}

const probesOfGuest = `    probes:
      - {name: web, service: {namespace: shop, name: web, port: 80}}
      - {name: tls, service: {namespace: shop, name: web, port: 8443, scheme: https}}
      - {name: api, service: {namespace: api, name: web, port: 80}}
`

// On a real API server the manifest is enough for all that the daemon does, and
// each of its rules is needed: without it something can't be read any more, and
// that is said by name.
func TestTheManifestIsEnoughAndEachRuleIsNeeded(t *testing.T) {
	t.Parallel()
	cp := crowded(t)
	for name, more := range map[string]string{
		"everything":                       probesOfGuest,
		"neither secrets nor probes":       "    preflight: {secrets: \"off\"}\n",
		"one namespace and no preflight":   "    preflight: {mode: \"off\"}\n    workloads: {namespaces: [shop]}\n" + probesOfGuest + pinned + handed,
		"one namespace, and the preflight": "    preflight: {secrets: digests}\n    workloads: {namespaces: [shop]}\n",
		"all namespaces, but no preflight": "    preflight: {mode: \"off\"}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuest(t, cp, strings.NewReplacer(" ", "-", ",", "").Replace(name), more)
			g.admit()
			if faults, _ := g.look(); len(faults) > 0 {
				t.Fatalf("the manifest is not enough:\n%s", strings.Join(faults, "\n"))
			}
			for _, r := range g.roles {
				whole := r.rules
				for i, rule := range whole {
					if (i+len(name))%eachRule != 0 {
						continue
					}
					g.change(r, slices.Delete(slices.Clone(whole), i, i+1))
					faults, _ := g.look()
					missed(t, rule, faults)
				}
				g.change(r, whole)
			}
			g.forbidden()
		})
	}
}

// missed wants a fault for what a rule grants, by name: of a rule to list for
// each resource, as each has a gap of its own.
func missed(t *testing.T, rule rbacv1.PolicyRule, faults []string) {
	t.Helper()
	said := strings.Join(faults, "\n")
	named := func(what string) bool {
		return strings.Contains(said, strings.TrimSuffix(what, "/proxy"))
	}
	all := slices.Concat(rule.Resources, rule.NonResourceURLs)
	if slices.Contains(rule.Verbs, "watch") {
		if !slices.ContainsFunc(all, named) {
			t.Errorf("without the rule %v nothing says so:\n%s", rule, said)
		}
		return
	}
	for _, what := range all {
		if !named(what) {
			t.Errorf("without the right to %s nothing says so:\n%s", what, said)
		}
	}
}

// No right is granted that the daemon makes no use of.
func TestTheDaemonUsesEveryRight(t *testing.T) {
	t.Parallel()
	g := newGuest(t, crowded(t), "used", probesOfGuest+pinned+handed)
	g.admit()
	faults, used := g.look()
	if len(faults) > 0 {
		t.Errorf("faults:\n%s", strings.Join(faults, "\n"))
	}
	if unused := without(g.granted(), used); len(unused) > 0 {
		t.Errorf("rights that nothing was asked by: %q", slices.Sorted(maps.Keys(unused)))
	}
}

// forbidden tries what must never be granted.
func (g *guest) forbidden() {
	g.t.Helper()
	client, err := kubernetes.NewForConfig(g.config)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, a := range []authorizationv1.ResourceAttributes{
		{Verb: "get", Resource: "secrets", Name: "database"},
		{Verb: "watch", Resource: "secrets"},
		{Verb: "get", Resource: "configmaps", Name: "settings"},
		{Verb: "create", Resource: "pods"},
		{Verb: "delete", Resource: "pods", Name: "web"},
		{Verb: "create", Resource: "pods", Subresource: "exec"},
		{Verb: "get", Resource: "pods", Subresource: "log"},
		{Verb: "create", Resource: "pods", Subresource: "portforward"},
		{Verb: "create", Resource: "pods", Subresource: "eviction"},
		{Verb: "get", Resource: "pods", Subresource: "proxy"},
		{Verb: "get", Resource: "nodes", Subresource: "proxy"},
		{Verb: "update", Group: "apps", Resource: "deployments", Name: "web"},
		{Verb: "patch", Group: "apps", Resource: "deployments", Subresource: "scale", Name: "web"},
		{Verb: "create", Group: "autoscaling", Resource: "horizontalpodautoscalers"},
		{Verb: "update", Group: "autoscaling", Resource: "horizontalpodautoscalers", Name: "web"},
		{Verb: "delete", Group: "keda.sh", Resource: "scaledobjects", Name: "web"},
		{Verb: "patch", Group: "autoscaling", Resource: "horizontalpodautoscalers", Subresource: "status", Name: "web"},
		{Verb: "get", Resource: "services", Subresource: "proxy", Name: "other:80"},
		{Verb: "get", Resource: "services", Subresource: "proxy", Name: "web"},
		{Verb: "get", Resource: "services", Subresource: "proxy", Name: "web:9090"},
		{Verb: "create", Resource: "services", Subresource: "proxy", Name: "web:80"},
		{Verb: "create", Resource: "serviceaccounts", Subresource: "token", Name: "default"},
		{Verb: "impersonate", Resource: "users", Name: "admin"},
		{Verb: "impersonate", Resource: "groups", Name: "system:masters"},
		{Verb: "bind", Group: "rbac.authorization.k8s.io", Resource: "clusterroles", Name: "cluster-admin"},
		{Verb: "escalate", Group: "rbac.authorization.k8s.io", Resource: "clusterroles"},
		{Verb: "create", Group: "rbac.authorization.k8s.io", Resource: "clusterrolebindings"},
		{Verb: "update", Group: "example.com", Resource: "widgets", Name: "w"},
		{Verb: "deletecollection", Group: "example.com", Resource: "zones"},
		{Verb: "*", Group: "*", Resource: "*"},
	} {
		a.Namespace = "shop"
		review, err := client.AuthorizationV1().SelfSubjectAccessReviews().Create(g.t.Context(),
			&authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &a}}, metav1.CreateOptions{})
		if err != nil {
			g.t.Fatal(err)
		}
		if review.Status.Allowed {
			g.t.Errorf("it may %s: %s", right(a.Verb, a.Group, a.Resource+"/"+a.Subresource, a.Name, a.Namespace), review.Status.Reason)
		}
	}
}
